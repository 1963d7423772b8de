"""Two threads of one process and one stored job: whichever comes first has it, and no other takes it for an orphan."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from routilux import Flow, JobState, JobStateError, OwnershipLost, recover
from routilux._backends.backend import JobRecord, StoredJob
from routilux._backends.memory import MemoryBackend
from routilux._engine import custody
from routilux._engine.fault_points import FaultPoint, pass_by
from routilux._engine.live_job import LiveJob
from routilux._haste import in_time
from routilux.errors import DamagedRecordError, StoreUnavailableError
from routilux.stores import Store
from routilux.stores.arguments import record_of
from serilux import SeriluxError, register_serializable
from tests.crashes.failing_backend import FailingBackend, Failure
from tests.patience import until
from tests.stores import patients

LONG = 60.0


@register_serializable(name="OneAtATimePatient")
class Patient(patients.Patient):
    """Waits for an answer, over and over."""

    def hear(self, more: bool) -> None:
        if more:
            self.expect("answer")


def patient() -> Flow:
    flow = Flow("patient")
    flow.add_routine(Patient(), "patient")
    return flow


def answer(job_state: JobState, *, more: bool) -> None:
    job_state._live.flow.deliver(job_state, "patient", "answer", {"more": more})


class Acquired(MemoryBackend):
    """Has something happen in the middle of the next claim: the job is claimed, and nobody here knows it yet."""

    def __init__(self) -> None:
        super().__init__()
        self.then: Callable[[str], object] | None = None

    def acquire(self, record: JobRecord, owner: str) -> StoredJob | None:
        stored = super().acquire(record, owner)
        then, self.then = self.then, None
        if then is not None:
            then(record.job_id)
        return stored


@pytest.fixture
def backend() -> Acquired:
    return Acquired()


@pytest.fixture
def store(backend: Acquired) -> Iterator[Store]:
    with Store(backend) as store:
        yield store


@pytest.fixture
def elsewhere() -> Iterator[ThreadPoolExecutor]:
    """Another thread."""
    with ThreadPoolExecutor(1) as executor:
        yield executor


def orphan(backend: MemoryBackend) -> str:
    """A job whose owner is gone."""
    job_state = patient().execute("patient", store=Store(backend))
    job_state._live.abandon()
    backend.leave(backend.record(job_state.job_id).owner or "")
    return job_state.job_id


def test_a_job_is_no_orphan_before_its_keeper_has_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    hold = store.ledger.keeper.hold

    def see_and_hold(job_id: str, epoch: int, servant: Any) -> None:
        store.ledger.flush()
        seen.append([record.job_id for record in store._backend.records(owner=store.ledger.owner)])
        seen.append(store.orphans())
        hold(job_id, epoch, servant)

    monkeypatch.setattr(store.ledger.keeper, "hold", see_and_hold)
    job_state = patient().execute("patient", store=store)
    assert seen == [[job_state.job_id], []]


def test_a_job_that_is_being_resumed_is_no_orphan(
    backend: Acquired, store: Store, elsewhere: ThreadPoolExecutor
) -> None:
    job_id, recovered = orphan(backend), []
    backend.then = lambda job_id: recovered.append(elsewhere.submit(recover, store).result(LONG))
    (job_state,) = recover(store)
    assert (job_state.job_id, recovered) == (job_id, [[]])
    answer(job_state, more=False)
    assert job_state.wait(LONG)


def test_a_job_that_is_being_resumed_is_not_deleted(backend: Acquired, store: Store) -> None:
    orphan(backend)
    refused: list[str] = []

    def delete(job_id: str) -> None:
        with pytest.raises(JobStateError, match="is being run") as refusal:
            store.delete(job_id)
        refused.append(str(refusal.value))

    backend.then = delete
    assert len(recover(store)) == 1
    assert len(refused) == 1


class Deleted(MemoryBackend):
    """Has something happen to a job between the look that judged it and its deletion, once."""

    then: Callable[[str], object] | None = None

    def delete(self, record: JobRecord) -> bool:
        then, self.then = self.then, None
        if then is not None:
            then(record.job_id)
        return super().delete(record)


def test_a_job_that_is_taken_over_while_it_is_being_deleted_stays() -> None:
    backend = Deleted()
    job_id, recovered = orphan(backend), []
    store = Store(backend)
    with Store(backend) as another:
        backend.then = lambda _: recovered.extend(recover(another))
        with pytest.raises(JobStateError, match="is being run; cancel it first"):
            store.delete(job_id)
        answer(recovered[0], more=False)
        assert recovered[0].wait(LONG)
        assert store.delete(job_id)


def test_a_job_that_was_let_go_while_it_was_being_deleted_is_deleted() -> None:
    backend = Deleted()
    job_id = orphan(backend)
    store = Store(backend)
    with Store(backend) as another:
        backend.then = another.pause
        assert store.delete(job_id)
        assert store.jobs() == []


def test_a_job_that_is_being_cancelled_is_not_recovered(
    backend: Acquired, store: Store, elsewhere: ThreadPoolExecutor
) -> None:
    job_id, recovered = orphan(backend), []
    backend.then = lambda job_id: recovered.append(elsewhere.submit(recover, store).result(LONG))
    store.cancel(job_id)
    assert (recovered, str(store.summary(job_id).status)) == ([[]], "cancelled")


def test_who_takes_a_job_over_waits_for_who_has_it_in_hand(
    backend: Acquired, store: Store, elsewhere: ThreadPoolExecutor
) -> None:
    job_id = orphan(backend)
    flow, second = store.load(job_id)
    taken: list[Future[JobState]] = []
    backend.then = lambda job_id: taken.append(elsewhere.submit(flow.resume, second))
    (first,) = recover(store)
    assert taken[0].result(LONG) is second
    with pytest.raises(OwnershipLost, match="by another handle in this process"):
        first.wait(LONG)
    answer(second, more=False)
    assert second.wait(LONG)
    assert store.summary(job_id).status == "completed"


def test_who_has_no_time_waits_for_nobody_who_has_the_job_in_hand(
    backend: Acquired, store: Store, elsewhere: ThreadPoolExecutor
) -> None:
    job_id, met = orphan(backend), Barrier(2)

    def hold(job_id: str) -> None:
        met.wait(LONG)
        met.wait(LONG)

    backend.then = hold
    recovery = elsewhere.submit(recover, store)
    met.wait(LONG)
    with in_time(0.0), pytest.raises(StoreUnavailableError, match="another thread of this process has had it for too"):
        store.load(job_id)[1].update_shared_data("key", 1)
    met.wait(LONG)
    (recovered,) = recovery.result(LONG)
    assert "key" not in recovered.shared_data


def test_a_change_within_a_change_is_made(store: Store, elsewhere: ThreadPoolExecutor) -> None:
    """Strange, but it must not wait for itself; changes of stored jobs are made by other threads than the main one."""
    flow = patient()
    job_state = flow.execute("patient", store=store)
    flow.pause(job_state)

    def change() -> None:
        with store.ledger.in_hand(job_state.job_id), store.ledger.in_hand(job_state.job_id):
            job_state.update_shared_data("key", 1)

    elsewhere.submit(change).result(LONG)
    assert (store.load(job_state.job_id)[1].shared_data, store.ledger.hands._holders) == ({"key": 1}, {})


@pytest.mark.parametrize("jobs", [1, 20])
def test_two_threads_recover_each_job_once(jobs: int) -> None:
    backend = MemoryBackend()
    ids = sorted(orphan(backend) for _ in range(jobs))
    together = Barrier(2)

    def take_part(_: int) -> list[JobState]:
        together.wait(LONG)
        return recover(store)

    with Store(backend) as store, ThreadPoolExecutor(2) as executor:
        parts = list(executor.map(take_part, range(2)))
        recovered = [job_state for part in parts for job_state in part]
        assert sorted(job_state.job_id for job_state in recovered) == ids
        for job_state in recovered:
            answer(job_state, more=False)
            assert job_state.wait(LONG)
        assert {summary.epoch for summary in store.jobs()} == {1}


def unreadable(*_: object) -> None:
    raise SeriluxError("a class of it is not known here")


def left_behind(backend: Any) -> tuple[Flow, JobState, Store]:
    """A job that was paused, and has gone on elsewhere since; its owner there is gone."""
    first, other = Store(backend), Store(backend)
    flow = patient()
    job_state = flow.execute("patient", store=first)
    flow.pause(job_state)
    flow_elsewhere, job_elsewhere = other.load(job_state.job_id)
    flow_elsewhere.resume(job_elsewhere)
    job_elsewhere.update_shared_data("been", "elsewhere")
    flow_elsewhere.pause(job_elsewhere)
    return flow, job_state, first


def test_a_job_that_was_claimed_and_cannot_be_read_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = MemoryBackend()
    flow, job_state, _ = left_behind(backend)
    with monkeypatch.context() as patch:
        patch.setattr(custody, "rebuild", unreadable)
        with pytest.raises(SeriluxError, match="is not known here"):
            flow.resume(job_state)
    record = backend.record(job_state.job_id)
    assert record is not None
    assert (record.owner, record.status) == (None, "paused")
    flow.resume(job_state, take_over=False)
    answer(job_state, more=False)
    assert job_state.wait(LONG)
    assert backend.record(job_state.job_id).status == "completed"


def test_why_a_job_cannot_be_read_is_raised_although_it_cannot_be_given_back_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backend = MemoryBackend()
    flow, job_state, store = left_behind(backend)
    monkeypatch.setattr(custody, "rebuild", unreadable)
    store.ledger.keeper.left_behind._backend = FailingBackend(backend, ["write"], [Failure(done=False)])
    with pytest.raises(SeriluxError, match="is not known here") as refusal:
        flow.resume(job_state)
    job_id = job_state.job_id
    assert refusal.value.__notes__ == [f"nor could job {job_id!r} be given back: the connection was lost"]
    until(lambda: backend.record(job_id).owner is None)


def test_a_job_that_is_damaged_cannot_be_given_back_which_operators_are_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    backend = MemoryBackend()
    _, job_state, store = left_behind(backend)
    backend.acquire(record_of(backend, job_state.job_id), store.ledger.owner)
    damaged = Failure(done=False, kind=DamagedRecordError)
    store.ledger.keeper.left_behind._backend = FailingBackend(backend, ["read"], [damaged])
    store.ledger.keeper.left_behind._patience = 0.0
    store.ledger.keeper.leave_behind(job_state.job_id, 2)
    store.ledger.keeper.stand_by()
    until(lambda: "stays with this process: the connection was lost" in caplog.text)
    store.close()


def test_a_store_that_cannot_be_left_is_closed_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    backend = MemoryBackend()
    store = Store(FailingBackend(backend, ["leave"], [Failure(done=False)]))
    store.ledger.keeper.show()  # who never showed itself has nothing to leave
    store.close()
    assert [record.getMessage() for record in caplog.records] == ["the store cannot be left: the connection was lost"]
    with pytest.raises(Exception, match="has been closed"):
        backend.records()
    store.close()


@pytest.mark.parametrize("asked", ["pause", "cancel"])
def test_what_somebody_else_has_done_just_before_is_not_done_again(
    backend: Acquired, store: Store, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    job_id, look, epochs = orphan(backend), store._asking._look, []

    def be_overtaken(job_id: str) -> JobState:
        monkeypatch.setattr(store._asking, "_look", look)
        getattr(store, asked)(job_id, "first")
        epochs.append(backend.record(job_id).epoch)
        return look(job_id)

    monkeypatch.setattr(store._asking, "_look", be_overtaken)
    getattr(store, asked)(job_id, "second")
    _, after = store.load(job_id)
    assert [point["reason"] for point in after.pause_points] == (["first"] if asked == "pause" else [])
    assert [backend.record(job_id).epoch] == epochs


def unlisted(backend: MemoryBackend, monkeypatch: pytest.MonkeyPatch, change: Callable[[LiveJob], object]) -> str:
    """A job whose owner has changed it, and died before it was listed as what it is since."""
    owner = Store(backend)
    live = patient().execute("patient", store=owner)._live

    def die(log: object) -> bool:
        owner.ledger.flush()
        live.abandon()
        return False

    monkeypatch.setattr(live, "_is_written", die)
    change(live)
    backend.leave(owner.ledger.owner)
    return live.job.job_id


@pytest.mark.parametrize("asked", ["pause", "cancel"])
def test_what_an_owner_has_done_who_died_before_it_was_listed_is_listed(
    backend: Acquired, store: Store, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    job_id = unlisted(backend, monkeypatch, lambda live: live.pause("", {}) if asked == "pause" else live.cancel(""))
    listed = [backend.record(job_id).status]
    getattr(store, asked)(job_id)
    listed.append(backend.record(job_id).status)
    assert listed == ["running", {"pause": "paused", "cancel": "cancelled"}[asked]]


def test_one_that_was_paused_and_has_been_resumed_meanwhile_is_paused_again(
    backend: Acquired, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner died before the pause was listed; so did who resumed it, before that is claimed to be listed."""
    job_id, other = unlisted(backend, monkeypatch, lambda live: live.pause("first", {})), Store(backend)

    def resume_and_die(point: FaultPoint) -> None:
        if point is FaultPoint.OWNER_READ:
            store.ledger.reached = pass_by
            flow, job_state = other.load(job_id)
            flow.resume(job_state)
            other.ledger.flush()
            job_state._live.abandon()
            backend.leave(other.ledger.owner)

    store.ledger.reached = resume_and_die
    store.pause(job_id, "second", timeout=LONG)
    _, after = store.load(job_id)
    assert (after.status, [point["reason"] for point in after.pause_points]) == ("paused", ["first", "second"])
