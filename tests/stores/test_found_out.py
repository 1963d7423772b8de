"""A process that runs a job for which it has nothing to write finds out, too, that the job is not its any more."""

import threading
from collections.abc import Callable

import pytest

from routilux import Flow, OwnershipLost
from routilux._backends.memory import MemoryBackend
from routilux._engine import keeper
from routilux.stores import Store
from tests.patience import PATIENCE, until
from tests.stores.patients import patient


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks often."""
    monkeypatch.setattr(keeper, "ROUND", 0.01)
    monkeypatch.setattr(keeper, "BEAT", 0.02)


def taken_over(store: Store, job_id: str) -> Flow:
    flow, job_state = store.load(job_id)
    flow.resume(job_state)
    return flow


def deleted(store: Store, job_id: str) -> None:
    taken_over(store, job_id)
    store.cancel(job_id)
    until(lambda: store.summary(job_id).owner is None)
    store.delete(job_id)


GONE: dict[str, tuple[Callable[[Store, str], object], str]] = {
    "taken over": (taken_over, "was taken over by process [0-9]+ on"),
    "deleted": (deleted, "was deleted from its store|was taken over"),
}


@pytest.mark.parametrize("way", GONE)
def test_who_waits_for_a_job_that_only_waits_is_told_that_others_have_it(stores: list[Store], way: str) -> None:
    store, other = stores
    take, told = GONE[way]
    job_state = patient().execute("patient", store=store)
    take(other, job_state.job_id)
    with pytest.raises(OwnershipLost, match=told):
        job_state.wait(PATIENCE)


def test_a_job_that_is_its_goes_on(stores: list[Store], monkeypatch: pytest.MonkeyPatch) -> None:
    """While others are taken from it, and many begin and end."""
    store, other = stores
    with patient() as flow:
        kept = flow.execute("patient", store=store)
        taken = patient().execute("patient", store=store)
        taken_over(other, taken.job_id)
        many = [flow.execute("patient", store=store) for _ in range(20)]
        for job_state in many:
            flow.deliver(job_state, "patient", "answer", {"text": "x"})
        assert all(job_state.wait(PATIENCE) for job_state in many)
        until(lambda: taken._live.lost is not None)
        flow.deliver(kept, "patient", "answer", {"text": "heard"})
        assert kept.wait(PATIENCE)
    assert (kept.shared_log, kept._live.lost) == (["heard"], None)


class Forgetful(MemoryBackend):
    """Lists, after a while, nothing that an owner has."""

    def __init__(self) -> None:
        super().__init__()
        self.listed, self.go_on = threading.Event(), threading.Event()

    def records(self, **wanted: str | None) -> list:  # type: ignore[type-arg, override]
        self.listed.set()
        assert self.go_on.wait(PATIENCE)
        return []


def test_a_job_that_settles_as_it_is_looked_for_is_not_taken_for_lost() -> None:
    backend = Forgetful()
    with Store(backend) as store, patient() as flow:
        settled, kept = [flow.execute("patient", store=store) for _ in range(2)]
        assert backend.listed.wait(PATIENCE)
        flow.deliver(settled, "patient", "answer", {"text": "heard"})
        assert settled.wait(PATIENCE)
        backend.go_on.set()
        until(lambda: backend.read(kept.job_id).number > 2)  # where it found out that it is its own
        assert [each._live.lost for each in (settled, kept)] == [None, None]
        flow.cancel(kept)
    assert settled.status == "completed"
