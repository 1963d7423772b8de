"""How often the threads of a store are woken: it must not depend on how much there is to do."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from routilux import Flow, Routine
from routilux._backends.backend import Batch
from routilux._backends.memory import MemoryBackend
from routilux._core.job import Job
from routilux._engine import keeper
from routilux._engine.job_log import JobLog, Position
from routilux._engine.requests import PauseAsked, write_request
from routilux._model import JobStatus
from routilux.stores import Store
from serilux import register_serializable
from tests.patience import until

LONG = 60.0


@register_serializable(name="ThreadsOfAStoreStep")
class Step(Routine):
    """Goes on for a while, and then waits for somebody."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.step)
        self.define_slot("answer", self.hear)
        self.define_event("next", ["left"])

    def step(self, left: int) -> None:
        if left:
            self.emit("next", left=left - 1)
        else:
            self.expect("answer")

    def hear(self) -> None:
        pass


def stepping() -> Flow:
    flow = Flow("stepping")
    flow.add_routine(Step(), "step")
    flow.connect("step", "next", "step", "trigger")
    return flow


class Counting(threading.Condition):
    """A condition that counts how often somebody is woken."""

    woken = 0

    def notify(self, n: int = 1) -> None:
        self.woken += 1
        super().notify(n)


@pytest.mark.parametrize("jobs", [1, 30])
def test_the_thread_that_writes_is_woken_once_in_a_window(jobs: int) -> None:
    store = Store(MemoryBackend(), window=LONG)
    store.ledger._changed = changed = Counting(store.ledger._lock)
    flow = stepping()
    for _ in range(jobs):
        flow.execute("step", {"left": 30}, store=store)
    assert changed.woken <= 1
    store.close()


@pytest.mark.parametrize("jobs", [1, 30])
def test_others_requests_are_looked_for_once_in_a_round_however_many_jobs_run(
    monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    class Looked(MemoryBackend):
        looks, looked = 0, threading.Semaphore(0)

        def asked(self, owner: str) -> Any:
            self.looks += 1
            self.looked.release()
            return super().asked(owner)

    monkeypatch.setattr(keeper, "ROUND", LONG)
    backend = Looked()
    store = Store(backend)
    flow = stepping()
    for _ in range(jobs):
        flow.execute("step", {"left": 3}, store=store)
    assert backend.looked.acquire(timeout=LONG)
    names = [thread.name for thread in threading.enumerate()]
    assert (backend.looks, names.count("routilux-keeper") >= 1) == (1, True)
    store.close()


def test_there_is_another_look_in_each_round(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = threading.Semaphore(0)

    class Looked(MemoryBackend):
        def asked(self, owner: str) -> Any:
            looked.release()
            return super().asked(owner)

    monkeypatch.setattr(keeper, "ROUND", 0.001)
    store = Store(Looked())
    stepping().execute("step", {"left": 0}, store=store)
    assert all(looked.acquire(timeout=LONG) for _ in range(5))
    store.close()


class Held(MemoryBackend):
    """Tells of each beat, and when a request has been seen."""

    def __init__(self) -> None:
        super().__init__()
        self.beats = threading.Semaphore(0)
        self.seen = threading.Event()

    def beat(self, owner: str) -> None:
        super().beat(owner)
        self.beats.release()

    def asked(self, owner: str) -> Any:
        asked = super().asked(owner)
        if asked:
            self.seen.set()
        return asked


def test_a_job_that_keeps_a_request_waiting_does_not_hold_up_the_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else other hosts would take this process for dead, and all its jobs with it."""
    monkeypatch.setattr(keeper, "ROUND", 0.001)
    monkeypatch.setattr(keeper, "BEAT", -1.0)
    backend = Held()
    store = Store(backend)
    job_state = stepping().execute("step", {"left": 0}, store=store)
    with job_state._live.lock:  # as behind a predicate that does not return
        backend.ask(job_state.job_id, "", write_request(PauseAsked("from elsewhere")))
        assert backend.seen.wait(LONG)
        while backend.beats.acquire(blocking=False):
            pass
        assert all(backend.beats.acquire(timeout=LONG) for _ in range(5))
    until(lambda: job_state.status == "paused")
    store.close()


class Told(MemoryBackend):
    """Tells of each job that it has been written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: dict[str, threading.Semaphore] = {}

    def write(self, batches: Sequence[Batch]) -> frozenset[str]:
        for batch in batches:
            self.written[batch.job_id].release()
        return frozenset()


@pytest.mark.parametrize("threads", [1, 8])
def test_whatever_happens_is_written_although_nobody_asks_for_it(threads: int) -> None:
    """However it meets the thread that writes: falling asleep, waking, or in the middle of another write."""
    backend = Told()
    store = Store(backend, window=0.0005)

    def work(job_id: str) -> None:
        backend.written[job_id] = written = threading.Semaphore(0)
        log = JobLog(store.ledger, Job(job_id, "flow", 0.0), Position(0.0, 0), lambda _: True)
        for number in range(200):
            log.record(JobStatus.RUNNING, float(number))
            assert written.acquire(timeout=LONG), number

    with ThreadPoolExecutor(threads) as executor:
        list(executor.map(work, map(str, range(threads))))
    store.close()


class Resting(threading.Condition):
    """A condition that tells when somebody begins to wait for as long as it takes."""

    def __init__(self, lock: Any) -> None:
        super().__init__(lock)
        self.waited_for = threading.Semaphore(0)

    def wait(self, timeout: float | None = None) -> bool:
        if timeout is None:
            self.waited_for.release()
        return super().wait(timeout)


def test_threads_rest_while_there_is_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """No round, no window wakes them: not before the first job, nor after the last."""
    monkeypatch.setattr(keeper, "ROUND", 0.001)
    store = Store(MemoryBackend(), window=0.001)
    writer, keeps = Resting(store.ledger._lock), Resting(store.ledger.keeper._lock)
    store.ledger._changed, store.ledger.keeper._changed = writer, keeps
    flow = stepping()
    for _ in range(3):
        flow.cancel(flow.execute("step", {"left": 3}, store=store))
        assert all(keeps.waited_for.acquire(timeout=LONG) for _ in ("heart", "keeper"))
        assert writer.waited_for.acquire(timeout=LONG)
    store.close()
