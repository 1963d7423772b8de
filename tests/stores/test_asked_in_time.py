"""What is asked by way of a store ends in time, and says what is known of it, whatever the store does meanwhile."""

import threading
from collections.abc import Callable, Iterator
from itertools import repeat
from time import monotonic, time
from typing import Any

import pytest

from routilux import Flow
from routilux._backends.backend import Backend
from routilux._backends.memory import MemoryBackend
from routilux.errors import StoreUnavailableError
from routilux.stores import Store, asking
from tests.crashes.failing_backend import FailingBackend, Failure
from tests.patience import PATIENCE, until
from tests.stores.patients import patient
from tests.stores.stored_flows import Gate, gate, gated

__all__ = ["gate"]  # a fixture

SHORT = 0.2
UNKNOWN = "it is not known whether it was delivered"


@pytest.fixture
def backend() -> MemoryBackend:
    return MemoryBackend()


@pytest.fixture
def flow() -> Iterator[Flow]:
    with patient() as flow:
        yield flow


@pytest.fixture
def job_id(backend: MemoryBackend, flow: Flow) -> str:
    """A job that runs, and that nobody has."""
    owner = Store(backend)
    job_state = flow.execute("patient", store=owner)
    owner.ledger.flush()
    job_state._live.abandon()
    backend.leave(owner.ledger.owner)
    owner.ledger.abandon()
    return job_state.job_id


class Switched(FailingBackend):
    """A store of which some calls fail until it is back."""

    def __init__(self, backend: Backend, *methods: str) -> None:
        self.is_back = False
        super().__init__(backend, methods, iter(lambda: None if self.is_back else Failure(done=False), 0))


def deliver(store: Store, job_id: str, timeout: float) -> None:
    store.deliver(job_id, "patient", "answer", {"text": "A"}, timeout=timeout)


ASKED: dict[str, tuple[Callable[[Store, str, float], None], str]] = {
    "pause": (lambda store, job_id, timeout: store.pause(job_id, timeout=timeout), "has not taken in time"),
    "cancel": (lambda store, job_id, timeout: store.cancel(job_id, timeout=timeout), "has not taken in time"),
    "deliver": (deliver, UNKNOWN),
}


@pytest.mark.parametrize("asked", ASKED)
def test_who_asks_waits_no_longer_for_what_is_done_here_and_cannot_be_written(
    backend: MemoryBackend, job_id: str, asked: str
) -> None:
    away = Switched(backend, "write")
    ask, told = ASKED[asked]
    with Store(away, patience=PATIENCE) as store:
        begun = monotonic()
        with pytest.raises(StoreUnavailableError, match=told):
            ask(store, job_id, SHORT)
        assert monotonic() - begun < PATIENCE / 2
        away.is_back = True
        until(lambda: backend.record(job_id).owner is None)
        job_state = store.load_job(job_id)
    data = [task["data"] for task in job_state.pending_tasks]
    assert (job_state.status, data) == {
        "pause": ("paused", [None]),
        "cancel": ("cancelled", []),
        "deliver": ("running", [{"text": "A"}]),
    }[asked]


def test_nor_for_a_store_that_cannot_be_read_at_first(backend: MemoryBackend, job_id: str) -> None:
    with Store(FailingBackend(backend, ["read"], repeat(Failure(done=False))), patience=PATIENCE) as store:
        begun = monotonic()
        with pytest.raises(StoreUnavailableError, match="the connection was lost"):
            deliver(store, job_id, SHORT)
        assert monotonic() - begun < PATIENCE / 2


def test_what_the_first_look_has_taken_is_time_that_the_owner_does_not_have(
    backend: MemoryBackend, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, now, given = Store(backend), [100.0], list[float | None]()
    find = store._awaiting

    def finds_slowly(*asked: Any) -> Any:
        now[0] += 7.0
        return find(*asked)

    monkeypatch.setattr(asking, "monotonic", lambda: now[0])
    monkeypatch.setattr(store, "_awaiting", finds_slowly)
    monkeypatch.setattr(store._asking, "_looked", lambda asked, look, timeout: given.append(timeout))
    deliver(store, job_id, 10.0)
    assert given == [3.0]


def test_of_a_delivery_that_was_made_here_no_answer_stays(backend: MemoryBackend, job_id: str) -> None:
    with Store(backend) as store:
        deliver(store, job_id, PATIENCE)
        assert backend._answers == {}


def test_who_waits_for_a_pause_in_vain_is_told_why_it_takes_so_long(gate: type[Gate]) -> None:
    flow = gated(gate)
    job_state = flow.start("gate")
    assert gate.entered.acquire(timeout=PATIENCE)
    with pytest.raises(TimeoutError, match=rf"^job '{job_state.job_id}' has not paused within 0.01 s: a handler of it"):
        flow.pause(job_state, timeout=0.01)
    gate.opened.set()
    flow.shutdown()


def test_what_was_asked_before_the_machine_slept_was_asked_before_a_deadline_that_went_by_meanwhile(
    backend: MemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock of deadlines follows the wall; the one by which the keeper looks stands still in a sleep."""
    me, looks = threading.get_ident(), list[None]()

    with Store(backend) as store:
        keeper = store.ledger.keeper
        hear = keeper._hear

        def look() -> None:
            if threading.get_ident() == me:
                looks.append(None)
            hear()

        keeper.hear(0.0)
        monkeypatch.setattr(keeper, "_hear", look)
        keeper.hear(3600.0)
        assert not looks
        monkeypatch.setattr("routilux._engine.keeper.time", lambda: time() + 7200.0)
        keeper.hear(3600.0)
        assert looks
