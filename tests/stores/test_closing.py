"""A store that is closed while its jobs run: what it has is a prefix of each, and they go on from there."""

import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from random import Random
from threading import Barrier, Event, Thread

import pytest

from routilux import Flow, JobState, Routine, StoreError, recover
from routilux._backends.backend import Batch
from routilux._backends.memory import MemoryBackend
from routilux._backends.sqlite_file import _Connection
from routilux._logging import LOGGER, logger
from routilux.stores import Store, open_store
from serilux import register_serializable
from tests.patience import until, wait_for_threads
from tests.stores.patients import patient
from tests.stores.watched_backend import Watched, away

LONG = 60.0
STEPS = 60
JOBS = 3


@register_serializable(name="ClosingStep")
class Step(Routine):
    """Counts down; somebody is told when it has come to a number."""

    told_at = -1
    told = Event()

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.step)
        self.define_event("next", ["left"])

    def step(self, left: int) -> None:
        if left == Step.told_at:
            Step.told.set()
        self.get_execution_context().job_state.append_to_shared_log(left)
        if left:
            self.emit("next", left=left - 1)


def counting() -> Flow:
    flow = Flow("counting")
    flow.add_routine(Step(), "step")
    flow.connect("step", "next", "step", "trigger")
    return flow


def closed_in_the_middle(store: Store, durability: str, random: Random, close: Callable[[], None]) -> list[JobState]:
    Step.told.clear()
    Step.told_at = random.randrange(STEPS)
    flow = counting()
    jobs = [flow.execute("step", {"left": STEPS}, store=store, durability=durability) for _ in range(JOBS)]
    assert Step.told.wait(LONG)
    close()
    return jobs


def check_told(job_state: JobState) -> None:
    """It has ended by then, or who waits for it is told; nobody waits for ever."""
    try:
        told = f"ended: {job_state.wait(LONG)}"
    except StoreError as error:
        told = str(error)
    if job_state.status == "completed":
        assert told == "ended: True"
    else:
        assert (job_state.status, "has been closed" in told) == ("running", True)


def check_goes_on(url: str) -> None:
    with open_store(url) as store:
        assert {summary.owner for summary in store.jobs()} == {None}
        for job_state in recover(store):
            assert job_state.wait(LONG)
        logs = [store.load(summary.job_id)[1].shared_log for summary in store.jobs()]
        assert logs == [list(range(STEPS, -1, -1))] * JOBS


@pytest.mark.parametrize("durability", ["group", "strict"])
@pytest.mark.parametrize("seed", range(3))
def test_jobs_go_on_from_where_their_store_was_closed(tmp_path: Path, durability: str, seed: int) -> None:
    url = f"sqlite:///{tmp_path}/jobs.db"
    store = open_store(url, window=0.001)
    for job_state in closed_in_the_middle(store, durability, Random(f"{durability} {seed}"), store.close):
        check_told(job_state)
    check_goes_on(url)


def test_whoever_closes_a_store_returns_when_it_is_closed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/jobs.db"
    store, together = open_store(url, window=0.001), Barrier(4)

    def close(_: int) -> None:
        together.wait(LONG)
        store.close()
        with pytest.raises(StoreError, match="has been closed"):
            store._backend.records()

    def close_often() -> None:
        with ThreadPoolExecutor(4) as executor:
            list(executor.map(close, range(4)))

    for job_state in closed_in_the_middle(store, "group", Random(1), close_often):
        check_told(job_state)
    check_goes_on(url)


def test_a_handler_may_close_the_store_of_its_job(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/jobs.db"
    store = open_store(url)

    @register_serializable(name="ClosingItself")
    class Closes(Routine):
        def __init__(self) -> None:
            super().__init__()
            self.define_slot("trigger", self.run)

        def run(self) -> None:
            store.close()

    flow = Flow("closes")
    flow.add_routine(Closes(), "closes")
    with pytest.raises(StoreError, match="has been closed"):
        flow.execute("closes", store=store).wait(LONG)
    with open_store(url) as again:
        assert [str(summary.status) for summary in again.jobs()] == ["running"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_that_closes_its_parents_store_takes_nothing_from_it() -> None:
    backend = MemoryBackend()
    left: list[str] = []
    backend.leave = left.append  # type: ignore[method-assign]
    store = Store(backend)
    store.ledger.keeper.show()
    store.ledger._pid = -1  # as a fork sees it
    store.close()
    assert left == []
    store.ledger._pid = os.getpid()
    store.close()
    assert left == [store.ledger.owner]


@pytest.mark.parametrize("lock", ["ledger", "keeper", "hands", "writing"])
def test_who_closes_a_store_in_the_middle_of_a_call_of_it_does_not_wait_for_himself(
    lock: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a handler of signals does that comes then, in the main thread."""
    store = Store(MemoryBackend())
    ledger = store.ledger
    locks = {
        "ledger": ledger._lock,
        "keeper": ledger.keeper._lock,
        "hands": ledger.hands._lock,
        "writing": ledger._writing,
    }

    def close_in_the_middle() -> None:
        with locks[lock]:
            store.close()

    closing = Thread(target=close_in_the_middle, daemon=True)
    monkeypatch.setattr("threading.main_thread", lambda: closing)
    closing.start()
    closing.join(LONG)
    assert not closing.is_alive()
    until(ledger._closed.is_set)


def test_a_thread_may_close_what_it_is_just_closing() -> None:
    """As a handler of signals does that comes in the middle of it."""
    backend = MemoryBackend()
    store = Store(backend)
    store.ledger.reached = lambda point: store.close()
    closing = Thread(target=store.close)
    closing.start()
    closing.join(LONG)
    assert not closing.is_alive()


def one_job(store: Store) -> None:
    """Run a job, of a store that is closed just then."""
    with suppress(StoreError):
        counting().execute("step", {"left": 0}, store=store, job_id="named")


CALLS: dict[str, Callable[[Store], object]] = {
    "beat": lambda store: store.ledger.show(),
    "write": one_job,
    "compact": lambda store: counting().resume(paused(store)),
    "records": Store.jobs,
}


def paused(store: Store) -> JobState:
    flow = counting()
    job_state = flow.execute("step", {"left": 0}, store=store)
    flow.pause(job_state)
    return job_state


@pytest.mark.parametrize("name", CALLS)
def test_a_finalizer_that_closes_a_store_in_the_middle_of_a_call_of_it_does_not_wait_for_that(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The garbage collector calls it on any thread at any moment: here, where the file is in hand."""
    store = open_store(f"sqlite:///{tmp_path}/jobs.db")
    real = _Connection._live

    def collect(self: _Connection, left: float | None) -> object:
        monkeypatch.undo()
        store.close()
        return real(self, left)

    def call() -> None:
        called = getattr(store._backend._called, name)  # type: ignore[attr-defined]

        def called_then(*given: object, **named: object) -> object:
            monkeypatch.setattr(_Connection, "_live", collect)
            return called(*given, **named)

        monkeypatch.setattr(store._backend._called, name, called_then)  # type: ignore[attr-defined]
        with suppress(StoreError):
            CALLS[name](store)

    calling = Thread(target=call, daemon=True)
    calling.start()
    calling.join(LONG)
    assert not calling.is_alive()
    wait_for_threads("routilux-closing")
    with pytest.raises(StoreError, match="has been closed"):
        store.jobs()


def test_nor_does_one_in_the_middle_of_a_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(MemoryBackend())
    job_state = paused(store)
    left_behind = store.ledger.keeper.left_behind
    add = left_behind.add

    def collect(job_id: str, epoch: int, died: str | None = None) -> None:
        store.close()
        add(job_id, epoch, died)

    def claim() -> None:
        with suppress(StoreError):
            counting().resume(job_state)

    monkeypatch.setattr(left_behind, "add", collect)
    claiming = Thread(target=claim, daemon=True)
    claiming.start()
    claiming.join(LONG)
    assert not claiming.is_alive()
    wait_for_threads("routilux-closing")


def test_what_closes_a_store_as_it_is_logged_that_it_is_away_does_not_wait_for_its_write() -> None:
    class Alarm(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "not available" in record.getMessage():
                store.close()

    backend, alarm = Watched(), Alarm()
    store = Store(backend)
    LOGGER.addHandler(alarm)
    try:
        backend.before["write"] = away
        calling = Thread(target=one_job, args=[store], daemon=True)
        calling.start()
        calling.join(LONG)
        assert not calling.is_alive()
        wait_for_threads("routilux-closing")
    finally:
        LOGGER.removeHandler(alarm)
    assert store.ledger._closed.is_set()


def test_what_closes_a_store_as_another_thread_logs_something_holds_up_no_write() -> None:
    """Else one would have the lock of the handler, and wait for the other, which has that of the store."""

    class Alarm(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage() == "close":
                entered.set()
                until(lambda: backend.is_away)
                store.close()

    class Away(Watched):
        is_away = False

        def write(self, batches: Sequence[Batch]) -> frozenset[str]:
            if not self.is_away:
                self.is_away = True
                away()
            return super().write(batches)

    entered, alarm, backend = Event(), Alarm(), Away()
    store = Store(backend)
    LOGGER.addHandler(alarm)
    try:
        closing = Thread(target=lambda: logger.warning("close", extra={"action": "close"}), daemon=True)
        closing.start()
        assert entered.wait(LONG)
        calling = Thread(target=one_job, args=[store], daemon=True)
        calling.start()
        for thread in (closing, calling):
            thread.join(LONG)
            assert not thread.is_alive()
        wait_for_threads("routilux-closing")
    finally:
        LOGGER.removeHandler(alarm)


def test_one_who_holds_up_the_flow_that_is_shut_down_apart_does_not_wait_for_that() -> None:
    """A signal's handler may do both, in the middle of any call."""

    def leave() -> None:
        with live.lock:
            flow.shutdown()
            store.close()

    store = open_store("memory:")
    flow = patient()
    job_state = flow.execute("patient", store=store)
    live = job_state._live
    leaving = Thread(target=leave, daemon=True)
    leaving.start()
    leaving.join(LONG)
    assert not leaving.is_alive()
    wait_for_threads("routilux-shutdown")
    wait_for_threads("routilux-closing")
    assert job_state.status == "paused"
    with pytest.raises(StoreError, match="has been closed"):
        store.jobs()
