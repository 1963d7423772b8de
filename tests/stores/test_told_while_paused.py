"""Whoever waits for a stored job that is paused here is told when nothing more comes of it by this handle."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from routilux import Flow, JobState, OwnershipLost, ResumeError, StoreError
from routilux._backends.backend import JobRecord
from routilux._backends.memory import MemoryBackend
from routilux._engine import keeper
from routilux._engine.job_lock import is_free
from routilux._engine.threads import no_thread
from routilux._engine.watchers import is_settled
from routilux.errors import NoThreadError, StoreUnavailableError
from routilux.stores import Store, open_store
from tests.patience import PATIENCE, until
from tests.stores.patients import patient


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked often."""
    monkeypatch.setattr(keeper, "ROUND", 0.01)


def paused(store: Store, by: Store | None = None) -> JobState:
    """A job that has begun here, and that somebody has paused."""
    flow = patient()
    job_state = flow.execute("patient", store=store, job_id="w1")
    if by is None:
        flow.pause(job_state, "for lunch")
    else:
        by.pause("w1", "for lunch", timeout=PATIENCE)
    return job_state


def resume(store: Store) -> tuple[Flow, JobState]:
    flow, job_state = store.load("w1")
    flow.resume(job_state)
    return flow, job_state


def complete(store: Store) -> None:
    flow, job_state = resume(store)
    flow.deliver(job_state, "patient", "answer", {"text": "yes"})
    assert job_state.wait(PATIENCE)


def delete(store: Store) -> None:
    store.delete("w1")


def replace(store: Store) -> None:
    store.delete("w1")
    patient().execute("patient", store=store, job_id="w1")


def export(store: Store) -> None:
    store.export("w1")


def cancel(store: Store) -> None:
    store.cancel("w1")


GONE: dict[Callable[[Store], object], str] = {
    resume: r"was taken over by process \d+ on .* \(epoch 1; here it was 0\); .*store.load\('w1'\)",
    complete: r"is completed by now, which others have seen to \(epoch 1; here it was 0\); .*store.load\('w1'\)",
    cancel: r"is cancelled by now, .*store.load\('w1'\)",
    delete: "was deleted from its store while it was waited for here",
    replace: "was deleted .* here, where it did not run; that has another one of that id",
    export: "was moved out of its store",
}


def by_wait(job_state: JobState) -> bool:
    return job_state.wait(PATIENCE)


def by_wait_async(job_state: JobState) -> bool:
    return asyncio.run(job_state.wait_async(PATIENCE))


def by_wait_for_completion(job_state: JobState) -> bool:
    return JobState.wait_for_completion(patient(), job_state, PATIENCE)


def name(function: Any) -> str | None:
    return getattr(function, "__name__", None)


@pytest.mark.parametrize("change", GONE, ids=name)
def test_who_begins_to_wait_is_told_what_others_have_made_of_the_job(
    stores: list[Store], change: Callable[[Store], object]
) -> None:
    store, other = stores
    job_state = paused(store, by=other)
    change(other)
    with pytest.raises(OwnershipLost, match=GONE[change]):
        job_state.wait(PATIENCE)


@pytest.mark.parametrize("wait", [by_wait, by_wait_async, by_wait_for_completion], ids=name)
def test_whichever_way_he_waits(stores: list[Store], wait: Callable[[JobState], bool]) -> None:
    store, other = stores
    job_state = paused(store)
    complete(other)
    with pytest.raises(OwnershipLost, match=GONE[complete]):
        wait(job_state)
    assert (job_state.status, other.load("w1")[1].shared_log) == ("paused", ["yes"])


@pytest.mark.parametrize("change", GONE, ids=name)
def test_who_waits_already_is_told_so_too(stores: list[Store], change: Callable[[Store], object]) -> None:
    """What he is told may be what came first: somebody has taken the job over, and then completed it."""
    store, other = stores
    job_state = paused(store, by=other)
    awaited = job_state._live.wait_until(is_settled)
    change(other)
    with pytest.raises(OwnershipLost, match=r"was taken over|is completed by now|is cancelled by now|deleted|moved"):
        awaited.wait(PATIENCE)


def test_who_has_waited_since_it_ran_is_told(stores: list[Store]) -> None:
    store, other = stores
    job_state = patient().execute("patient", store=store, job_id="w1")
    awaited = job_state._live.wait_until(is_settled)
    other.pause("w1", timeout=PATIENCE)
    kept = resume(other)
    with pytest.raises(OwnershipLost, match=GONE[resume]):
        awaited.wait(PATIENCE)
    assert kept[1].status == "running"


def test_another_handle_in_this_process_is_like_another_process(stores: list[Store]) -> None:
    store, _ = stores
    job_state = paused(store)
    kept = resume(store)
    with pytest.raises(OwnershipLost, match="was taken over by process"):
        job_state.wait(PATIENCE)
    assert kept[1].status == "running"


def test_who_waits_for_a_job_that_another_process_runs_is_told_when_it_has_settled(stores: list[Store]) -> None:
    store, other = stores
    flow = patient()
    running = flow.execute("patient", store=other, job_id="w1")
    job_state = store.load_job("w1")
    awaited = job_state._live.wait_until(is_settled)
    job_state._live.learn(PATIENCE)
    assert not awaited.is_done
    flow.cancel(running)
    with pytest.raises(OwnershipLost, match=r"is cancelled by now.*\(epoch 0; here it was 0\)"):
        awaited.wait(PATIENCE)
    assert running.status == "cancelled"


def test_a_job_that_is_paused_again_is_waited_for_and_goes_on_here(stores: list[Store]) -> None:
    """Whoever has had it meanwhile: here somebody has delivered to it, and somebody else has had it for a while."""
    store, other = stores
    flow = patient()
    job_state = flow.execute("patient", store=store, job_id="w1")
    flow.pause(job_state)
    awaited = job_state._live.wait_until(is_settled)
    other.deliver("w1", "patient", "answer", {"text": "yes"})
    for _ in range(3):
        job_state._live.learn(PATIENCE)
    assert not awaited.is_done
    flow.resume(job_state)
    awaited.wait(PATIENCE)
    assert (job_state.status, job_state.shared_log) == ("completed", ["yes"])


def test_what_the_store_said_before_the_job_was_claimed_here_is_told_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    with open_store("memory:") as store, Store(store._backend) as other, patient() as flow:
        job_state = flow.execute("patient", store=store, job_id="w1")
        flow.pause(job_state)
        live = job_state._live
        resume(other)
        assert live.custody is not None
        seen = live.custody.overtaken(live.job)

        def too_late(*_: Any) -> Any:
            monkeypatch.undo()
            flow.resume(job_state)
            flow.pause(job_state)
            return seen

        monkeypatch.setattr(keeper, "ROUND", PATIENCE)
        monkeypatch.setattr(type(live.custody), "overtaken", too_late)
        awaited = live.wait_until(is_settled)
        until(lambda: live.job.epoch == 2 and job_state.status == "paused")
        live.learn(PATIENCE)
        assert (type(seen), awaited.is_done) == (OwnershipLost, False)


class Slow(MemoryBackend):
    """Gives no answer as long as it `is_away`, at once or for as long as it takes."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = False
        self.fails = True
        self.asked_for, self.go_on = threading.Semaphore(0), threading.Event()

    def record(self, job_id: str) -> JobRecord | None:
        if self.is_away:
            self.asked_for.release()
            if self.fails:
                raise StoreUnavailableError("the disk is gone")
            assert self.go_on.wait(PATIENCE)
        return super().record(job_id)


def test_a_store_that_is_away_ends_no_waiting_and_is_looked_into_later() -> None:
    backend = Slow()
    with Store(backend) as store, Store(backend) as other:
        job_state = paused(store)
        backend.is_away = True
        awaited = job_state._live.wait_until(is_settled)
        assert all(backend.asked_for.acquire(timeout=PATIENCE) for _ in range(3))
        assert (job_state.wait(0.0), awaited.is_done) == (False, False)
        backend.is_away = False
        cancel(other)
        with pytest.raises(OwnershipLost, match=GONE[cancel]):
            awaited.wait(PATIENCE)


def test_a_store_that_gives_no_answer_holds_up_nobody_who_waits() -> None:
    backend = Slow()
    with Store(backend) as store:
        job_state = paused(store)
        backend.is_away, backend.fails = True, False
        job_state._live.wait_until(is_settled)
        assert backend.asked_for.acquire(timeout=PATIENCE)
        assert not job_state.wait(0.0)
        assert not asyncio.run(job_state.wait_async(0.0))
        assert is_free(job_state._live.lock)
        backend.is_away = False
        backend.go_on.set()


def test_a_store_is_looked_into_once_in_a_round_for_each_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper.Keeper, "_look", lambda _: None)  # this test makes the rounds
    backend = MemoryBackend()
    with Store(backend) as store:
        looks = list[str]()
        job_state = paused(store)
        real = backend.record
        monkeypatch.setattr(backend, "record", lambda job_id: looks.append(job_id) or real(job_id))
        store.ledger.keeper._have_learned()
        assert looks == []
        job_state._live.wait_until(is_settled)
        job_state._live.wait_until(is_settled)
        store.ledger.keeper._have_learned()
        assert looks == ["w1"]


def test_many_jobs_are_waited_for_with_no_thread_for_each() -> None:
    with open_store("memory:") as store, Store(store._backend) as other, patient() as flow:
        jobs = [flow.execute("patient", store=store) for _ in range(100)]
        for job_state in jobs:
            flow.pause(job_state)
        before = threading.active_count()

        async def told() -> list[Any]:
            waiting = [asyncio.ensure_future(job_state.wait_async(PATIENCE)) for job_state in jobs]
            await asyncio.sleep(0)
            assert threading.active_count() <= before
            for job_state in jobs:
                other.cancel(job_state.job_id)
            return await asyncio.gather(*waiting, return_exceptions=True)

        assert {type(error) for error in asyncio.run(told())} == {OwnershipLost}


def test_nobody_looks_when_nobody_waits_any_more() -> None:
    with open_store("memory:") as store:
        job_state = paused(store)
        assert not job_state.wait(0.0)
        until(lambda: not store.ledger.keeper._waited_for)
        assert not store.ledger.keeper._has_to_look()


def test_a_job_of_no_store_and_one_that_has_settled_are_looked_for_nowhere() -> None:
    with open_store("memory:") as store, patient() as flow:
        nowhere = flow.execute("patient")
        settled = flow.execute("patient", store=store)
        flow.pause(nowhere)
        flow.cancel(settled)
        until(lambda: not store.ledger.keeper._waited_for)
        assert (nowhere.wait(0.0), settled.wait(), store.ledger.keeper._waited_for) == (False, True, set())
        nowhere._live.learn(PATIENCE)


def test_where_there_is_no_thread_that_looks_who_would_wait_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with open_store("memory:") as store, Store(store._backend) as other:
        paused(store)
        job_state = other.load_job("w1")

        def none(name: str, *_: object) -> None:
            raise no_thread(name, MemoryError())

        monkeypatch.setattr(keeper, "start_thread", none)
        with pytest.raises(NoThreadError, match="routilux-keeper"):
            job_state.wait()
        assert not job_state._live.is_waited_for
        monkeypatch.undo()
        assert not job_state.wait(0.0)


def test_in_a_fork_nobody_looks() -> None:
    with open_store("memory:") as store:
        paused(store)
        job_state = store.load_job("w1")
        until(lambda: not store.ledger.keeper._waited_for)
        store.ledger.keeper._pid = -1  # as a fork sees it, where its lock may be somebody's for ever
        taken, go_on = threading.Event(), threading.Event()
        holding = threading.Thread(target=hold, args=[store.ledger.keeper._lock, taken, go_on])
        holding.start()
        assert taken.wait(PATIENCE)
        assert not job_state.wait(0.0)
        go_on.set()
        holding.join()


def hold(lock: Any, taken: threading.Event, go_on: threading.Event) -> None:
    with lock:
        taken.set()
        assert go_on.wait(PATIENCE)


def test_a_store_that_is_closed_looks_no_more() -> None:
    store = open_store("memory:")
    paused(store)
    job_state = store.load_job("w1")
    store.close()
    with pytest.raises(StoreError, match="has been closed"):
        job_state.wait(PATIENCE)


def test_a_look_that_is_cut_off_by_the_closing_of_its_store_is_no_trouble_to_tell_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looks, closed = threading.Event(), threading.Event()

    def look(self: keeper.Keeper) -> None:
        looks.set()
        assert closed.wait(PATIENCE)
        raise StoreError("closed")

    monkeypatch.setattr(keeper.Keeper, "_look", look)
    with open_store("memory:") as store:
        paused(store)
        assert looks.wait(PATIENCE)
        looking = store.ledger.keeper._threads["routilux-keeper"]
    closed.set()
    looking.join(PATIENCE)
    assert not caplog.records


@pytest.mark.parametrize(("reason", "words"), [("for\nlunch", r": for\nlunch"), ("", "")])
def test_a_pause_that_was_asked_for_by_way_of_the_store_is_logged(
    reason: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    with open_store("memory:") as store, Store(store._backend) as other:
        job_state = patient().execute("patient", store=store, job_id="w1")
        with caplog.at_level("INFO", "routilux"):
            other.pause("w1", reason, timeout=PATIENCE)
            until(lambda: caplog.records)
    record = caplog.records[0]
    told = f"job w1 of flow 'patient' pauses, as somebody has asked for by way of its store{words}"
    assert (record.levelname, record.action, record.job_id) == ("INFO", "pause", "w1")  # type: ignore[attr-defined]
    assert (record.getMessage(), job_state.status) == (told, "paused")


def test_who_waits_by_a_handle_that_has_found_out_by_itself_learns_what_that_shows() -> None:
    with open_store("memory:") as store:
        job_state = paused(store)
        flow = job_state._live.flow
        resumed, other = store.load("w1")
        resumed.resume(other)
        waiter = job_state._live._own_watchers().when(is_settled, job_state._live.job, None)
        resumed.deliver(other, "patient", "answer", {"text": "yes"})
        assert other.wait(PATIENCE)
        with pytest.raises(ResumeError, match="is completed"):
            flow.resume(job_state)
        job_state._live.learn(0.0)
        waiter.wait(0.0)
        assert job_state.status == "completed"
