"""How a store is left: what is claimed or written just then is waited for, and what is left behind is anybody's."""

import threading
from collections.abc import Callable, Iterator
from time import time
from typing import Any

import pytest

from routilux import Flow
from routilux._backends.backend import JobRecord, StoredJob
from routilux._engine import keeper
from routilux._engine.fault_points import FaultPoint
from routilux._haste import in_time, seconds_left
from routilux.errors import StoreError, StoreUnavailableError
from routilux.stores import Store
from routilux.stores.arguments import record_of
from tests.patience import PATIENCE, until
from tests.stores.patients import patient
from tests.stores.watched_backend import Watched, away


class Shared(Watched):
    """A backend that others have, too: who closes his store leaves it open."""

    def close(self) -> None:
        pass


@pytest.fixture
def backend() -> Shared:
    return Shared()


@pytest.fixture
def store(backend: Shared) -> Iterator[Store]:
    with Store(backend, window=0.001) as store:
        yield store


@pytest.fixture
def elsewhere(backend: Shared) -> Iterator[Store]:
    """The store as another process has it."""
    with Store(backend) as store:
        yield store


@pytest.fixture
def flow() -> Iterator[Flow]:
    with patient() as flow:
        yield flow


def paused(flow: Flow, store: Store) -> str:
    job_state = flow.execute("patient", store=store)
    flow.pause(job_state)
    return job_state.job_id


def claimed(store: Store, job_id: str) -> None:
    store.ledger.claim(job_id, created_at=record_of(store.ledger.backend, job_id).created_at, take_over=True)


@pytest.fixture
def closing(backend: Shared, store: Store, flow: Flow) -> Iterator[Callable[[], None]]:
    """Closes a store, which waits for a claim that takes as long as the test wants."""
    job_id, release, waits = paused(flow, store), threading.Event(), threading.Event()

    def hold_up() -> None:
        waits.set()
        assert release.wait(PATIENCE)

    backend.after["acquire"] = hold_up
    claim = threading.Thread(target=claimed, args=[store, job_id])
    claim.start()
    assert waits.wait(PATIENCE)
    close = threading.Thread(target=store.close)

    def begin() -> None:
        close.start()
        until(lambda: store.ledger._claims._over._waiters)  # type: ignore[attr-defined]

    yield begin
    release.set()
    claim.join(PATIENCE)
    close.join(PATIENCE)


def test_who_closes_a_store_is_not_woken_in_place_of_the_thread_that_writes(
    backend: Shared, store: Store, closing: Callable[[], None]
) -> None:
    with patient() as flow:
        live = flow.execute("patient", store=store)._live
        closing()
        for _ in range(3):
            until(lambda: store.ledger._idle)
            backend.written.clear()
            with live.lock:
                assert live.log is not None
                live.log.record(live.job.status, time())
            until(lambda: backend.written)
        flow.cancel(live.job_state)  # type: ignore[arg-type]


def test_no_job_is_claimed_any_more_while_a_claim_holds_up_that_a_store_is_left(
    store: Store, closing: Callable[[], None]
) -> None:
    with patient() as flow:
        job_id = paused(flow, store)
    closing()
    with pytest.raises(StoreError, match="this store has been closed"):
        claimed(store, job_id)
    assert store.summary(job_id).epoch == 0


def test_a_job_is_not_claimed_whose_store_has_been_closed_since_it_was_looked_at(
    backend: Shared, store: Store, flow: Flow
) -> None:
    job_id = paused(flow, store)
    store.ledger.reached = lambda point: store.close() if point is FaultPoint.OWNER_READ else None
    with pytest.raises(StoreError, match="this store has been closed"):
        claimed(store, job_id)
    assert record_of(backend, job_id).epoch == 0


def test_a_store_is_not_left_in_the_middle_of_a_write(backend: Shared, store: Store) -> None:
    """What is written then would be so by one who has left."""
    live, done, left = patient().execute("patient", store=store)._live, list[str](), threading.Event()
    writing, leave = threading.Thread(target=live.sync), backend.leave
    begun = threading.Event()

    def write() -> None:
        begun.set()
        left.wait(0.2)  # if it is left now, it is for this time
        done.append("written")

    def begin_to_write(point: FaultPoint) -> None:
        if point is FaultPoint.OWNER_LEAVES:
            backend.before["write"] = write
            assert live.log is not None
            live.log.record(live.job.status, time())
            writing.start()
            assert begun.wait(PATIENCE)

    def note_leaving(owner: str) -> None:
        left.set()
        done.append("left")
        leave(owner)

    store.ledger.reached, backend.leave = begin_to_write, note_leaving  # type: ignore[method-assign]
    store.close()
    writing.join(PATIENCE)
    assert done == ["written", "left"]


def own(store: Store, job_id: str, died: str | None) -> int:
    """Own a job that is left behind."""
    record = record_of(store.ledger.backend, job_id)
    store.ledger.keeper.show()
    assert store.ledger.backend.acquire(record, store.ledger.owner) is not None
    store.ledger.keeper.left_behind.add(job_id, record.epoch + 1, died)
    return record.epoch + 1


@pytest.mark.parametrize("error", [StoreError, StoreUnavailableError])
def test_a_death_that_cannot_be_handed_on_keeps_no_job_from_others(
    backend: Shared,
    store: Store,
    flow: Flow,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: type[StoreError],
) -> None:
    job_ids, refused = [paused(flow, store) for _ in range(3)], list[str]()
    monkeypatch.setattr(store.ledger.keeper.left_behind, "give_back_all", lambda: None)  # it is not the keeper's turn
    for job_id in job_ids:
        own(store, job_id, "the dead")

    def refuse(record: JobRecord, owner: str) -> StoredJob | None:
        refused.append(record.job_id)
        raise error("not this one")

    monkeypatch.setattr(backend, "acquire", refuse)
    store.close()
    assert [record_of(backend, job_id).owner for job_id in job_ids] == [None] * 3
    assert refused == job_ids[: 1 if error is StoreUnavailableError else 3]  # a store that is away is waited for once
    assert [record.getMessage() for record in caplog.records] == [
        f"that the last owner of job {job_id} died is not noted: not this one" for job_id in refused
    ]


def test_what_a_store_does_late_for_one_who_has_left_is_anybodys_in_the_same_process(
    backend: Shared, store: Store, elsewhere: Store, flow: Flow
) -> None:
    job_state = flow.execute("patient", store=elsewhere)
    elsewhere.ledger.flush()
    job_state._live.abandon()
    record = record_of(backend, job_state.job_id)
    store.ledger.keeper.left_behind.add(job_state.job_id, record.epoch + 1)
    store.close()
    backend.acquire(record, store.ledger.owner)
    assert [orphan.job_id for orphan in elsewhere.orphans()] == [job_state.job_id]


def resting(store: Store) -> keeper.Keeper:
    """What gives back for a store, whose threads have nothing to do, and sleep."""
    keeper_of_store = store.ledger.keeper
    keeper_of_store.stand_by()
    until(lambda: len(keeper_of_store._changed._waiters) == 2)  # type: ignore[attr-defined]
    return keeper_of_store


def test_what_is_left_behind_wakes_who_gives_it_back(backend: Shared, store: Store, flow: Flow) -> None:
    job_id = paused(flow, store)
    epoch = own(store, job_id, None)
    store.ledger.keeper.left_behind.forget(job_id, epoch)
    resting(store).leave_behind(job_id, epoch)
    until(lambda: record_of(backend, job_id).owner is None)


def test_what_cannot_be_given_back_at_once_wakes_who_does_it_later(backend: Shared, store: Store, flow: Flow) -> None:
    job_id = paused(flow, store)
    epoch = own(store, job_id, None)
    store.ledger.keeper.left_behind.forget(job_id, epoch)
    keeper_of_store = resting(store)
    backend.before["write"] = away
    with pytest.raises(StoreUnavailableError):
        keeper_of_store.give_back(job_id, epoch)
    until(lambda: record_of(backend, job_id).owner is None)


class Hasty(Shared):
    """Notes how long whoever writes would wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.given: dict[str, float | None] = {}

    def __getattribute__(self, name: str) -> Any:
        if name in ("write", "compact", "acquire"):
            self.given[name] = seconds_left()
        return super().__getattribute__(name)


def test_who_has_little_time_does_not_have_it_written_in_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """What others have waiting goes with it, and a write that ends early is to be made again."""
    backend = Hasty()
    with Store(backend) as store, patient() as flow, in_time(PATIENCE):
        live = flow.execute("patient", store=store)._live
        assert live.log is not None
        live.sync()
        live.log.compact(time())  # type: ignore[attr-defined]
        flow.cancel(live.job_state)  # type: ignore[arg-type]
        assert (backend.given["write"], backend.given["compact"]) == (None, None)


@pytest.mark.parametrize(("died", "name"), [(None, "write"), ("the dead", "acquire")])
def test_who_has_little_time_does_not_give_back_in_less(died: str | None, name: str) -> None:
    backend = Hasty()
    with Store(backend) as store, patient() as flow:
        job_id = paused(flow, store)
        epoch = own(store, job_id, died)
        with in_time(PATIENCE):
            store.ledger.keeper.left_behind.give_back(job_id, epoch, died)
    assert backend.given[name] is None
