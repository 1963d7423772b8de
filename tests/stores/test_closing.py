"""A store that is closed while its jobs run: what it has is a prefix of each, and they go on from there."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from threading import Barrier, Event, Thread

import pytest

from routilux import Flow, JobState, Routine, StoreError, recover
from routilux._backends.memory import MemoryBackend
from routilux._engine import patience
from routilux.stores import Store, open_store
from serilux import register_serializable
from tests.patience import until

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


@pytest.mark.parametrize("lock", ["ledger", "keeper", "hands"])
def test_who_closes_a_store_in_the_middle_of_a_call_of_it_does_not_wait_for_himself(
    lock: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a handler of signals does that comes then, in the main thread."""
    store = Store(MemoryBackend())
    ledger = store.ledger
    locks = {"ledger": ledger._lock, "keeper": ledger.keeper._lock, "hands": ledger.hands._lock}

    def close_in_the_middle() -> None:
        with locks[lock]:
            store.close()

    closing = Thread(target=close_in_the_middle, daemon=True)
    monkeypatch.setattr(patience.threading, "main_thread", lambda: closing)
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
