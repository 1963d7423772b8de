"""What may be asked of a job while its store is away: nobody waits for that longer than he wanted to."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

from routilux import Flow, JobState, Routine
from routilux._backends.backend import Batch
from routilux._backends.memory import MemoryBackend
from routilux._core.job import Job
from routilux._engine import held_job
from routilux._engine.watchers import Watchers, is_settled
from routilux.cli.progress import Watched
from routilux.errors import StoreUnavailableError
from routilux.stores import Store
from serilux import register_serializable
from tests.patience import until

LONG = 60.0
T = TypeVar("T")


class Away(MemoryBackend):
    """A store that is away, while told to be, for whoever writes to it."""

    def __init__(self) -> None:
        super().__init__()
        self.there = threading.Event()
        self.there.set()
        self.waited_for = threading.Event()

    def write(self, batches: Sequence[Batch]) -> frozenset[str]:
        if not self.there.is_set():
            self.waited_for.set()
        assert self.there.wait(LONG)
        return super().write(batches)


@register_serializable(name="StoresAwayGate")
class Gate(Routine):
    """Ends when it is let go."""

    opened = threading.Event()

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.run)
        self.define_slot("gate", self.wait)
        self.define_event("on")

    def run(self) -> None:
        self.emit("on", number=1)

    def wait(self, number: int) -> None:
        assert Gate.opened.wait(LONG)


@register_serializable(name="StoresAwayHalt")
class Halt(Routine):
    """Pauses its own job, when it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.halt)

    def halt(self) -> None:
        assert Gate.opened.wait(LONG)
        context = self.get_execution_context()
        assert context is not None
        context.flow.pause(context.job_state, "to be looked at")


@pytest.fixture
def backend() -> Iterator[Away]:
    backend = Away()
    yield backend
    backend.there.set()
    Gate.opened.set()


@pytest.fixture
def ending(backend: Away) -> JobState:
    """A job that has ended; its store is away, so that this is not on disk."""
    Gate.opened.clear()
    flow = Flow("gate")
    flow.add_routine(Gate(), "gate")
    flow.connect("gate", "on", "gate", "gate")
    job_state = flow.execute("gate", store=Store(backend))
    backend.there.clear()
    Gate.opened.set()
    assert backend.waited_for.wait(LONG)
    return job_state


def in_time(ask: Callable[[], T]) -> T:
    """What is answered although the store does not come back before that."""
    executor = ThreadPoolExecutor(1)
    try:
        return executor.submit(ask).result(LONG / 2)
    finally:
        executor.shutdown(wait=False)


LOOKS: dict[str, tuple[Callable[[JobState], Any], Any]] = {
    "wait": (lambda job: job.wait(0.05), False),
    "wait for no time": (lambda job: job.wait(0.0), False),
    "wait_async": (lambda job: asyncio.run(job.wait_async(0.05)), False),
    "status": (lambda job: str(job.status), "running"),
    "explain": (
        lambda job: (str(job.explain().status), job.explain().note),
        ("running", "it is completed as soon as that is on disk; its store is waited for"),
    ),
    "execution_history": (
        lambda job: [record.event_name for record in job.execution_history],
        ["start", "on", "start"],
    ),
    "routine_states": (lambda job: str(job.routine_states["gate"]["status"]), "completed"),
    "get_routine_state": (lambda job: str(job.get_routine_state("gate")["status"]), "completed"),
    "pending_tasks": (lambda job: job.pending_tasks, []),
    "pause_points": (lambda job: job.pause_points, []),
    "shared_log": (lambda job: job.shared_log, []),
    "shared_data": (lambda job: job.shared_data, {}),
    "error": (lambda job: job.error, None),
}


@pytest.mark.parametrize("name", LOOKS)
def test_who_looks_at_a_job_does_not_wait_for_its_store(backend: Away, ending: JobState, name: str) -> None:
    ask, answer = LOOKS[name]
    assert in_time(lambda: ask(ending)) == answer
    assert not backend.there.is_set()
    backend.there.set()
    assert ending.wait(LONG)
    assert (ending.status, ending.explain().note) == ("completed", "all work is done")


class Seeing(MemoryBackend):
    """A store that looks at a job whenever it is about to write."""

    def __init__(self) -> None:
        super().__init__()
        self.job_state: JobState | None = None
        self.seen: list[str] = []

    def write(self, batches: Sequence[Batch]) -> frozenset[str]:
        if self.job_state is not None:
            self.seen.append(str(self.job_state.status))
        return super().write(batches)


def test_a_job_that_pauses_itself_is_not_paused_before_that_is_on_disk() -> None:
    Gate.opened.clear()
    backend, flow = Seeing(), Flow("halt")
    flow.add_routine(Halt(), "halt")
    backend.job_state = job_state = flow.start("halt", store=Store(backend))
    Gate.opened.set()
    until(lambda: job_state.status == "paused")
    assert set(backend.seen) == {"running"}


def test_who_waits_without_an_end_waits_until_it_is_on_disk(backend: Away, ending: JobState) -> None:
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(ending.wait)
        assert in_time(lambda: ending.wait(0.05)) is False
        assert not waiting.done()
        backend.there.set()
        assert waiting.result(LONG)


def test_who_has_waited_long_enough_leaves_nothing_behind(backend: Away, ending: JobState) -> None:
    for _ in range(3):
        assert in_time(lambda: ending.wait(0.01)) is False
    backend.there.set()
    assert ending.wait(LONG)
    assert ending._live._watchers._conditions == ()


def test_an_event_loop_goes_on_meanwhile(backend: Away, ending: JobState) -> None:
    async def both() -> tuple[bool, bool]:
        waiting = asyncio.create_task(ending.wait_async(LONG))
        await asyncio.sleep(0)
        was_away = not backend.there.is_set()
        backend.there.set()
        return was_away, await waiting

    assert in_time(lambda: asyncio.run(both())) == (True, True)


def test_a_view_shows_what_it_last_saw(backend: Away, ending: JobState) -> None:
    backend.there.set()
    assert ending.wait(LONG)
    watched = Watched(ending)
    assert in_time(watched.look).status == "completed"


def test_a_job_that_is_just_resumed_and_has_run_dry_does_not_hold_up_who_waits_a_little(
    backend: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It settles when somebody waits for it, which has to be written: not by him who has little time."""
    monkeypatch.setattr(held_job, "HOLD", LONG)
    flow = Flow("gate")
    flow.add_routine(Gate(), "gate")
    job_state = flow.execute("gate", store=Store(backend))
    flow.pause(job_state)
    flow.resume(job_state)
    backend.there.clear()
    assert in_time(lambda: job_state.wait(0.05)) is False
    backend.there.set()
    assert job_state.wait()


@pytest.fixture
def working(backend: Away) -> Iterator[tuple[Flow, JobState]]:
    """A job whose handler runs, with a store that is away."""
    Gate.opened.clear()
    flow = Flow("gate")
    flow.add_routine(Gate(), "gate")
    flow.connect("gate", "on", "gate", "gate")
    job_state = flow.execute("gate", store=Store(backend))
    until(lambda: job_state.explain().running)
    backend.there.clear()
    yield flow, job_state
    backend.there.set()


def test_a_pause_waits_for_the_store_no_longer_than_it_may(backend: Away, working: tuple[Flow, JobState]) -> None:
    flow, job_state = working

    def pause() -> None:
        with pytest.raises(TimeoutError):
            flow.pause(job_state, timeout=0.05)

    in_time(pause)
    backend.there.set()
    Gate.opened.set()
    until(lambda: job_state.status == "paused")


def test_an_event_loop_goes_on_while_a_pause_is_written(backend: Away, working: tuple[Flow, JobState]) -> None:
    flow, job_state = working
    Gate.opened.set()

    async def pause() -> None:
        asyncio.get_running_loop().call_soon(backend.there.set)
        await flow.pause_async(job_state)

    in_time(lambda: asyncio.run(pause()))
    assert job_state.status == "paused"


def test_a_shutdown_waits_for_the_store_no_longer_than_it_may(backend: Away, working: tuple[Flow, JobState]) -> None:
    flow, job_state = working
    in_time(lambda: flow.shutdown(timeout=0.05))
    backend.there.set()
    Gate.opened.set()
    until(lambda: job_state.status == "paused")


class Gone(MemoryBackend):
    """A store that is gone, while told to be."""

    is_gone = False

    def write(self, batches: Sequence[Batch]) -> frozenset[str]:
        if self.is_gone:
            raise StoreUnavailableError("the store is gone")
        return super().write(batches)


def test_what_a_job_that_was_let_go_had_in_hand_is_in_its_document() -> None:
    """Law 4: who saves it while the store is gone, can go on with it."""
    backend = Gone()
    Gate.opened.clear()
    flow = Flow("gate")
    flow.add_routine(Gate(), "gate")
    flow.connect("gate", "on", "gate", "gate")
    job_state = flow.execute("gate", store=Store(backend, patience=0.05))
    until(lambda: job_state.explain().running)
    backend.is_gone = True
    with pytest.raises(StoreUnavailableError):
        flow.pause(job_state)
    document = job_state.serialize()
    assert [(task["routine_id"], task["slot"]) for task in document["pending_tasks"]] == [("gate", "gate")]
    Gate.opened.set()
    copy = JobState()
    copy.deserialize(document)
    assert flow.resume(copy).wait(LONG)
    assert [record.event_name for record in copy.execution_history] == ["start", "on", "start"]


def test_who_waits_no_longer_is_forgotten_with_the_next_change() -> None:
    watchers, job = Watchers(), Job("job", "flow", 0.0)
    gone, still = watchers.when(is_settled, job), watchers.when(is_settled, job)
    gone.given_up = True
    watchers.check(job)
    assert [future for _, future in watchers._conditions] == [still]


def test_looks_are_consistent_while_the_store_comes_and_goes(backend: Away) -> None:
    """Whoever looks while a write is waited for holds up what comes after it, not before."""
    Gate.opened.set()
    flow = Flow("gate")
    flow.add_routine(Gate(), "gate")
    flow.connect("gate", "on", "gate", "gate")
    store = Store(backend, window=0.0)
    with ThreadPoolExecutor(2) as threads:
        jobs = [flow.start("gate", store=store, durability="strict") for _ in range(20)]
        looks = [threads.submit(_look, job_state) for job_state in jobs]
        assert all(job_state.wait(LONG) for job_state in jobs)
        assert all(look.result(LONG) for look in looks)


def _look(job_state: JobState) -> bool:
    seen = 0
    while job_state.status != "completed":
        history = job_state.execution_history
        assert len(history) >= seen
        seen = len(history)
        assert job_state.explain().status in ("running", "completed")
    return True
