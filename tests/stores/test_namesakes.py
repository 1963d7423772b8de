"""An id that was freed may be taken again: what is known of the former job is not done to the one that has it now."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from routilux import Flow, JobState, JobStatus, OwnershipLost, UnknownJobError
from routilux._engine.requests import Answer, CancelAsked, write_request
from routilux.errors import StoreUnavailableError
from routilux.stores import Batch, JobRecord, MemoryBackend, Store, StoredJob, open_store
from routilux.testing import StepRunner
from tests.patience import PATIENCE
from tests.stores.patients import Hopeless, Patient, patient

ID = "order-17"


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """A store, as two processes would have it."""
    with ExitStack() as opened:
        if request.param == "memory":
            backend = MemoryBackend()
            yield Store(backend), Store(backend)
            return
        is_server = request.param == "postgres"
        url = request.getfixturevalue("postgres_url") if is_server else f"sqlite:///{tmp_path}/jobs.db"
        yield opened.enter_context(open_store(url)), opened.enter_context(open_store(url))


@pytest.fixture
def flow() -> Iterator[Flow]:
    with patient() as flow:
        yield flow


def begun(flow: Flow, store: Store) -> JobState:
    return flow.execute("patient", store=store, job_id=ID)


def abandoned(flow: Flow, store: Store) -> JobState:
    job_state = begun(flow, store)
    store.ledger.backend.leave(store.ledger.owner)
    return job_state


def paused(flow: Flow, store: Store) -> JobState:
    job_state = begun(flow, store)
    flow.pause(job_state)
    return job_state


CHANGES: dict[str, Callable[[Flow, JobState], object]] = {
    "resume": lambda flow, job: flow.resume(job),
    "deliver": lambda flow, job: flow.deliver(job, "patient", "answer", {"text": "for the first"}),
    "cancel": lambda flow, job: flow.cancel(job),
    "share": lambda flow, job: job.update_shared_data("k", 1),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("is_loaded", [True, False], ids=["loaded", "run here"])
def test_a_handle_of_a_deleted_job_changes_nothing_of_the_next_of_its_id(
    stores: tuple[Store, Store], flow: Flow, change: str, is_loaded: bool
) -> None:
    here, there = stores
    first = paused(flow, there)
    handle = here.load_job(ID) if is_loaded else first
    there.delete(ID)
    paused(flow, there)
    stored, known = there.ledger.backend.read(ID), handle.serialize()
    with pytest.raises(UnknownJobError, match=rf"'{ID}'.*another one of that id.*store\.load\('{ID}'\)"):
        CHANGES[change](flow, handle)
    assert there.ledger.backend.read(ID) == stored
    assert handle.serialize() == known


def test_nor_is_a_failed_job_retried_in_its_place(stores: tuple[Store, Store]) -> None:
    here, there = stores
    with Flow("hopeless") as flow:
        flow.add_routine(Hopeless(), "hopeless")
        for _ in range(2):
            there.delete(ID)
            flow.execute("hopeless", store=there, job_id=ID)
            handle = here.load_job(ID)
        there.delete(ID)
        flow.execute("hopeless", store=there, job_id=ID)
        with pytest.raises(UnknownJobError, match="another one of that id"):
            flow.retry(handle)
    assert there.summary(ID).epoch == 0


def test_who_runs_a_job_that_was_taken_and_deleted_is_told_so(stores: tuple[Store, Store], flow: Flow) -> None:
    here, there = stores
    first = begun(flow, here)
    there_flow, taken = there.load(ID)
    there_flow.resume(taken)
    there_flow.cancel(taken)
    there.delete(ID)
    second = begun(there_flow, there)
    with pytest.raises(OwnershipLost, match=r"was deleted from its store while it ran here.*another one of that id"):
        first.append_to_shared_log("for the first")
    there_flow.deliver(second, "patient", "answer", {"text": "for the second"})
    assert second.wait(PATIENCE)
    assert there.load_job(ID).shared_log == ["for the second"]


def test_a_job_that_went_elsewhere_and_came_back_is_known_by_its_handles(
    stores: tuple[Store, Store], flow: Flow
) -> None:
    here, there = stores
    handles = [paused(flow, here), there.load_job(ID)]
    for change in (CHANGES["deliver"], CHANGES["share"]):
        there.admit(there.export(ID), reclaim=True)
        change(flow, handles.pop())
    assert there.load_job(ID).shared_data == {"k": 1}


def test_jobs_that_begin_at_one_moment_of_a_clock_that_stands_still_are_told_apart() -> None:
    runner, store = StepRunner(), Store(MemoryBackend())
    flow = Flow("patient", engine_factory=runner.engine)
    flow.add_routine(Patient(), "patient")
    handles = []
    for _ in range(3):
        store.delete(ID)
        paused(flow, store)
        handles.append(store.load_job(ID))
    for handle in handles[:2]:
        with pytest.raises(UnknownJobError, match="another one of that id"):
            flow.resume(handle)
    assert flow.resume(handles[2]).status is JobStatus.RUNNING


def test_what_was_asked_of_a_deleted_job_is_not_done_to_the_next_of_its_id(
    stores: tuple[Store, Store], flow: Flow
) -> None:
    here, _ = stores
    begun(flow, here)
    asked = request_to_cancel(here)
    here.cancel(ID)
    here.delete(ID)
    second = begun(flow, here)
    assert second._live.obey(asked, PATIENCE) == Answer()
    assert (second.status, here.summary(ID).status) == ("running", "running")
    assert second._live.obey(request_to_cancel(here), PATIENCE) == Answer(is_done=True)
    assert here.summary(ID).status == "cancelled"


def request_to_cancel(store: Store) -> bytes:
    record = store.ledger.backend.record(ID)
    assert record is not None
    return write_request(CancelAsked("asked for"), "key", record.epoch, record.created_at)


class Replaced(MemoryBackend):
    """Has one job replaced by another just before it is looked at for so many times."""

    def __init__(self, first: MemoryBackend, second: MemoryBackend, looks: int) -> None:
        super().__init__()
        self._jobs, self._definitions = dict(first._jobs), dict(first._definitions)
        self.second = second.read(ID)
        self._theirs = second._jobs
        self.looks_left = looks

    def record(self, job_id: str) -> JobRecord | None:
        self._look()
        return super().record(job_id)

    def read(self, job_id: str) -> StoredJob:
        self._look()
        return super().read(job_id)

    def _look(self) -> None:
        self.looks_left -= 1
        if self.looks_left == 0:
            self._jobs = dict(self._theirs)


ASKED: dict[str, tuple[int, Callable[[Store], object]]] = {
    "pause": (1, lambda store: store.pause(ID, timeout=PATIENCE)),
    "cancel": (1, lambda store: store.cancel(ID, timeout=PATIENCE)),
    "deliver": (2, lambda store: store.deliver(ID, "patient", "answer", {"text": "for the first"}, timeout=PATIENCE)),
}


@pytest.mark.parametrize("verb", ASKED)
def test_what_is_asked_of_a_job_that_nobody_runs_is_not_done_to_one_that_gets_its_id_meanwhile(
    flow: Flow, verb: str
) -> None:
    """At whichever moment after it was first seen; the other one waits for just the same, under the same epoch."""
    backends = [MemoryBackend(), MemoryBackend()]
    for backend in backends:
        (paused if verb != "pause" else abandoned)(flow, Store(backend))
    until_seen, ask = ASKED[verb]
    for looks in count(until_seen + 1):
        backend = Replaced(backends[0], backends[1], looks)
        try:
            ask(Store(backend))
        except UnknownJobError:
            assert backend.read(ID) == backend.second
        else:
            assert (backend.looks_left > 0, looks > until_seen + 2) == (True, True)
            break


class Faster(MemoryBackend):
    """Has something done by somebody else just before a call of it, once."""

    before_delete: Callable[[], object] | None = None
    before_write: Callable[[], object] | None = None

    def delete(self, record: JobRecord) -> bool:
        before, self.before_delete = self.before_delete, None
        if before is not None:
            before()
        return super().delete(record)

    def write(self, batches: Sequence[Batch]) -> frozenset[str]:
        before, self.before_write = self.before_write, None
        if before is not None:
            before()
        return super().write(batches)


def test_who_deletes_a_job_does_not_delete_the_next_of_its_id(flow: Flow) -> None:
    backend = Faster()
    store, other = Store(backend), Store(backend)
    paused(flow, store)

    def replace() -> None:
        other.delete(ID)
        paused(flow, other)

    backend.before_delete = replace
    assert store.delete(ID) is False
    assert (store.summary(ID).status, store.delete(ID)) == ("paused", True)


def test_a_job_of_which_it_is_not_known_if_it_was_stored_is_not_one_that_has_its_id_since(flow: Flow) -> None:
    backend = Faster()
    store, other = Store(backend, patience=0.0), Store(backend)

    def away() -> None:
        raise StoreUnavailableError("the disk is full")

    handle = flow.start("patient")
    flow.pause(handle)
    backend.before_write = away
    with pytest.raises(StoreUnavailableError):
        flow.resume(handle, store=store)
    job_id = handle.job_id
    with patient() as others:
        others.pause(others.execute("patient", store=other, job_id=job_id))
    with pytest.raises(UnknownJobError, match=r"another one of that id.*deleted, or never got there"):
        flow.resume(handle, store=store)
    assert (handle.status, other.summary(job_id).epoch) == ("paused", 0)
