"""Law 10: the work per activation does not grow. Counted in calls of Python functions, not in seconds."""

import gc
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest

from routilux import ErrorHandler, ErrorStrategy, Flow, JobState, Routine
from routilux._context import Activation
from routilux._core.job import Job
from routilux._current import get_current
from routilux._engine.running_job import RunningJob
from routilux._records import Task
from routilux.testing import StepRunner


class Chain(Routine):
    """Sends itself one task less."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", handler=self.go)
        self.define_slot("input", handler=self.go)
        self.define_event("out", ["left"])

    def go(self, left: int) -> None:
        if left:
            self.emit("out", left=left - 1)


class Fan(Routine):
    """Sends many at once into a slot that waits for all of them."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", handler=self.spread)
        self.define_slot("input", handler=self.join, merge_strategy="append", when=self.complete)
        self.define_event("out", ["index", "of"])

    def spread(self, left: int) -> None:
        for index in range(left):
            self.emit("out", index=index, of=left)

    def complete(self, merged: dict[str, Any]) -> bool:
        return len(merged["index"]) == merged["of"][0]

    def join(self, index: list[int], of: list[int]) -> None:
        pass


@contextmanager
def counted_calls() -> Iterator[Counter[str]]:
    """How often functions, of Python or of C, are called in the block, by name."""
    calls: Counter[str] = Counter()

    def count(frame: Any, event: str, argument: Any) -> None:
        if event == "call":
            calls[frame.f_code.co_qualname] += 1
        elif event == "c_call":
            calls[argument.__qualname__] += 1

    gc.disable()  # which may have calls of its own
    sys.setprofile(count)
    try:
        yield calls
    finally:
        sys.setprofile(None)
        gc.enable()


CALLS_OF_AN_ACTIVATION = {
    # its handler is called,
    "run_handler": 1,
    "ContextVar.set": 1,
    "Chain.go": 1,
    # emits,
    "Routine.emit": 1,
    "ContextVar.get": 1,
    "is_fixed": 1,
    "str.isascii": 1,
    # commits,
    "RLock.acquire": 1,
    "dict.get": 1,
    "succeed": 1,
    "dict.setdefault": 1,
    "list.append": 3,
    "deque.append": 1,
    # and the next one is taken.
    "deque.popleft": 1,
    "RLock.release": 1,
    "len": 2,
    "VirtualClock.now": 2,
}


def by_steps(runner: StepRunner, job_state: JobState) -> None:
    runner.run()


def by_a_worker(runner: StepRunner, job_state: JobState) -> None:
    job_state._live.serve(lambda: False)


Run = Callable[[StepRunner, JobState], None]


def calls_made(routine: Routine, activations: int, run: Run) -> Counter[str]:
    runner = StepRunner()
    flow = Flow("cost", engine_factory=runner.engine)
    flow.add_routine(routine, "it")
    flow.connect("it", "out", "it", "input")
    job_state = runner.start(flow, "it", {"left": activations})
    with counted_calls() as calls:
        run(runner, job_state)
    assert JobState.wait_for_completion(flow, job_state)
    return calls


@pytest.mark.parametrize("run", [by_steps, by_a_worker])
@pytest.mark.parametrize("routine", [Chain, Fan])
def test_an_activation_costs_as_many_calls_in_a_long_job_as_in_a_short_one(routine: type[Routine], run: Run) -> None:
    short, long = (calls_made(routine(), count, run).total() / count for count in (500, 5000))
    assert long == pytest.approx(short, rel=0.02)


def test_an_activation_makes_these_calls_and_no_others() -> None:
    """One that only passes something on, by a worker: whoever adds a call says here what it is for."""
    few, many = (calls_made(Chain(), count, by_a_worker) for count in (500, 1500))
    assert {name: count / 1000 for name, count in (many - few).items()} == CALLS_OF_AN_ACTIVATION


def test_the_interpreter_remembers_where_an_activation_finds_things() -> None:
    """CPython does so unless their class has an object of some class in Python there, or sets attributes by itself."""
    assert [name for name in ("graph", "secrecy", "_watchers") if hasattr(RunningJob, name)] == []
    assert [kind for kind in (Job, Task, Activation) if kind.__setattr__ is not object.__setattr__] == []


class Watched(Routine):
    """Notes whether the garbage collector knows its activation."""

    known: ClassVar[list[bool]] = []

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", handler=self.look)

    def look(self) -> None:
        self.known.append(gc.is_tracked(get_current()))


def test_the_garbage_collector_knows_an_activation_from_the_first() -> None:
    """Nobody would tell it later (`changed_often`)."""
    runner = StepRunner()
    flow = Flow("known", engine_factory=runner.engine)
    flow.add_routine(Watched(), "it")
    runner.start(flow, "it", {})
    runner.run()
    assert Watched.known == [True]


class Desk(Routine):
    """Leaves so many questions open, each for its own time, and as many others that nobody answers."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", handler=self.ask)
        self.define_slot("answer", handler=self.take)
        self.define_slot("other", handler=self.take)
        self.set_error_handler(ErrorHandler(ErrorStrategy.CONTINUE))

    def ask(self, waits: int) -> None:
        for number in range(waits):
            self.expect("other", timeout=1e9)
            self.expect("answer", timeout=100.0 + number)

    def take(self, text: str) -> None:
        pass


@contextmanager
def counted_lines() -> Iterator[list[str]]:
    """One entry for each line that is run in the block; a loop within a line counts each of its rounds."""
    lines: list[str] = []

    def count(frame: Any, event: str, argument: Any) -> Any:
        if event == "line":
            lines.append(event)
        return count

    around = sys.gettrace()
    sys.settrace(count)
    try:
        yield lines
    finally:
        sys.settrace(around)


def _deliver_to_all(runner: StepRunner, flow: Flow, job_state: JobState, waits: int) -> None:
    for _ in range(waits):
        flow.deliver(job_state, "it", "answer", {"text": "yes"})
        runner.step()


def _let_all_be_missed(runner: StepRunner, flow: Flow, job_state: JobState, waits: int) -> None:
    runner.clock.advance(100.0 + waits)


def lines_per_wait(end: Callable[..., None], waits: int) -> float:
    runner = StepRunner()
    flow = Flow("cost", engine_factory=runner.engine)
    flow.add_routine(Desk(), "it")
    job_state = runner.start(flow, "it", {"waits": waits})
    runner.step()
    with counted_lines() as lines:
        end(runner, flow, job_state, waits)
    assert len(job_state._job.expecting.tasks) == waits
    return len(lines) / waits


@pytest.mark.parametrize("end", [_deliver_to_all, _let_all_be_missed])
def test_a_wait_costs_as_much_among_many_as_among_few(end: Callable[..., None]) -> None:
    few, many = lines_per_wait(end, 200), lines_per_wait(end, 2000)
    assert many == pytest.approx(few, rel=0.1)


def test_what_holds_a_job_is_older_than_its_data() -> None:
    """Else a full collection of the garbage collector, which begins with the oldest, takes twice as long."""
    runner = StepRunner()
    flow = Flow("chain", engine_factory=runner.engine)
    flow.add_routine(Chain(), "step")
    gc.disable()
    try:
        job_state = runner.start(flow, "step", {"left": 0})
        ages = {id(each): age for age, each in enumerate(gc.get_objects(generation=0))}
    finally:
        gc.enable()
    live = job_state._live
    held = [job_state, live, live.job.history]
    assert [ages[id(each)] for each in held] == sorted(ages[id(each)] for each in held)
