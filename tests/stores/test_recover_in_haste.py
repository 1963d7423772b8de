"""Recovery waits for a store that is away once, and loses nobody's job by that."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from routilux import JobStateError, StoreError
from routilux._backends.memory import MemoryBackend
from routilux._haste import seconds_left
from routilux.errors import RecoveryError, StoreUnavailableError, UnknownJobError
from routilux.stores import Store
from routilux.stores.orphans import HASTE
from tests.crashes.failing_backend import FailingBackend, Failure
from tests.patience import PATIENCE
from tests.stores.patients import orphans, patient


class Claims:
    """How long the store may be waited for as each job is claimed, and what comes of that, which is given in turn."""

    def __init__(self, store: Store, *outcomes: Callable[[str], object]) -> None:
        self.patiences: list[float | None] = []
        self._claim, self._outcomes = store.ledger.claim, iter(outcomes)
        store.ledger.claim = self._claimed  # type: ignore[method-assign, assignment]

    def _claimed(self, job_id: str, **how: Any) -> Any:
        left = seconds_left()
        self.patiences.append(HASTE if left is not None and 0.0 < left <= HASTE else left)
        next(self._outcomes)(job_id)
        return self._claim(job_id, **how)


def succeeds(job_id: str) -> None:
    """The job is claimed."""


def fails(error: StoreError | JobStateError) -> Callable[[str], object]:
    def fail(job_id: str) -> None:
        raise error

    return fail


def test_a_store_is_waited_for_anew_only_when_a_job_was_recovered() -> None:
    backend = MemoryBackend()
    ids = orphans(backend, 7)

    def is_deleted(job_id: str) -> None:
        backend.delete(backend.record(job_id))
        raise UnknownJobError("deleted")

    away, misfit = fails(StoreUnavailableError("away")), fails(JobStateError("misfit"))
    with Store(backend) as store:
        claims = Claims(store, misfit, away, misfit, is_deleted, away, succeeds, succeeds)
        with pytest.raises(RecoveryError) as caught:
            store.recover()
        assert claims.patiences == [None, None, HASTE, HASTE, HASTE, HASTE, None]
        assert list(caught.value.problems) == [*ids[:3], ids[4]]
        for job_state in caught.value.recovered:
            patient().cancel(job_state)


def test_a_job_that_another_thread_has_for_too_long_is_a_problem_like_any_other() -> None:
    backend = MemoryBackend()
    unavailable, held, free = orphans(backend, 3)
    has, may_end = threading.Event(), threading.Event()
    failing = FailingBackend(backend, ["acquire"], [Failure(done=False)] * 2)
    with Store(failing, patience=0.0) as store:

        def hold() -> None:
            with store.ledger.hands.holding(held):
                has.set()
                assert may_end.wait(PATIENCE)

        holder = threading.Thread(target=hold)
        holder.start()
        assert has.wait(PATIENCE)
        with pytest.raises(RecoveryError, match="another thread of this process has had it for too long") as caught:
            store.recover()
        may_end.set()
        holder.join(PATIENCE)
        (recovered,) = caught.value.recovered
        assert (list(caught.value.problems), recovered.job_id) == ([unavailable, held], free)
        patient().cancel(recovered)
