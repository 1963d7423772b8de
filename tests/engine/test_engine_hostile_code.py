"""Users' code that misbehaves: it is a failed attempt of its own job, and nothing else stops working."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from routilux import BlockingCallError, DefinitionError, ErrorHandler, Flow, JobState, Routine
from routilux._records import Decision
from routilux.testing import StepRunner
from tests.engine.engine_parts import EngineAsker, events_of, flow_of, routine

PATIENCE = 30.0


class Unshowable(Exception):
    """Answers every question with an error."""

    def __getattr__(self, name: str) -> Any:
        return self.__dict__["data"][name]


class Policy(ErrorHandler):
    """Decides what it was given."""

    def __init__(self, decision: Any = None) -> None:
        super().__init__()
        self.decision = decision

    def decide(self, error: BaseException, attempt: int) -> Any:
        return self.decision


def failing(self: Routine) -> None:
    self.emit("out", x=1)
    raise ArithmeticError("no")


def taking(self: Routine, **data: Any) -> None:
    pass


BROKEN: dict[str, Callable[[], Exception]] = {
    "no notes": Unshowable,
    "no text": lambda: SyntaxError("m", ("f", 1, 1, 5)),
    "no column": lambda: SyntaxError("m", ("f", 1, "a", "t")),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_an_exception_that_cannot_be_shown_is_a_failed_attempt_all_the_same(kind: str) -> None:
    def work(self: Routine) -> None:
        raise BROKEN[kind]()

    job_state = flow_of(StepRunner(), a=routine(work)).execute("a")
    assert job_state.error is not None
    assert (job_state.status, job_state.error.type.split(".")[-1]) == ("failed", type(BROKEN[kind]()).__name__)


@pytest.mark.parametrize("decision", [None, "retry", Decision("nope"), Decision("retry", "x"), Decision("retry", -1.0)])  # type: ignore[arg-type]
def test_a_policy_that_decides_nonsense_fails_the_job_and_shows_both_errors(decision: Any) -> None:
    flow = flow_of(StepRunner(), a=routine(failing, "out"))
    flow.routines["a"].set_error_handler(Policy(decision))
    job_state = flow.execute("a")
    assert job_state.error is not None
    assert job_state.status == "failed"
    assert "ArithmeticError" in job_state.error.traceback


def test_a_strategy_decided_on_by_name_is_the_strategy() -> None:
    flow = flow_of(StepRunner(), links=("a.out>b",), a=routine(failing, "out"), b=routine(taking))
    flow.routines["a"].set_error_handler(Policy(Decision("continue")))  # type: ignore[arg-type]
    job_state = flow.execute("a")
    job_state.wait()
    assert ("b", "start") in events_of(job_state)


def test_a_strategy_assigned_by_name_is_the_strategy() -> None:
    flow = flow_of(StepRunner(), links=("a.out>b",), a=routine(failing, "out"), b=routine(taking))
    policy = ErrorHandler()
    policy.strategy = "continue"  # type: ignore[assignment]
    flow.routines["a"].set_error_handler(policy)
    job_state = flow.execute("a")
    job_state.wait()
    assert ("b", "start") in events_of(job_state)


def test_an_execution_strategy_assigned_by_name_is_the_strategy() -> None:
    flow = Flow("flow")
    flow.execution_strategy = "concurrent"  # type: ignore[assignment]
    assert flow.serialize()["execution_strategy"] == "concurrent"
    with pytest.raises(DefinitionError):
        flow.execution_strategy = "parallel"  # type: ignore[assignment]


@pytest.mark.parametrize("verb", ["pause", "cancel"])
def test_a_predicate_that_would_stop_its_job_is_told_that_it_cannot(verb: str) -> None:
    found: list[JobState] = []
    flow = Flow("flow", engine_factory=(runner := StepRunner()).engine)

    def stops(merged: dict[str, Any]) -> bool:
        getattr(flow, verb)(found[0])
        return True

    made = Routine()
    made.define_slot("trigger", handler=print, when=stops)
    flow.add_routine(made, "a")
    found.append(runner.start(flow, "a"))
    runner.run()
    assert found[0].error is not None
    assert found[0].error.type.endswith("BlockingCallError")


def test_a_policy_that_would_pause_its_job_is_told_that_it_cannot() -> None:
    flow = flow_of(StepRunner(), a=routine(failing, "out"))
    said: list[type[BaseException]] = []

    class Pausing(ErrorHandler):
        def decide(self, error: BaseException, attempt: int) -> Decision:
            try:
                flow.pause(found)
            except BlockingCallError as refusal:
                said.append(type(refusal))
            return super().decide(error, attempt)

    flow.routines["a"].set_error_handler(Pausing())
    runner = StepRunner()
    flow._engine_factory = runner.engine
    found = runner.start(flow, "a")
    runner.run()
    assert said == [BlockingCallError]


@pytest.mark.parametrize("kind", ["stop", "exit"])
def test_a_task_that_ends_the_event_loop_ends_only_itself(kind: str) -> None:
    async def leave() -> None:
        raise SystemExit

    async def work(self: Routine) -> None:
        if kind == "stop":
            asyncio.get_running_loop().stop()
        else:
            task = asyncio.get_running_loop().create_task(leave())
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.sleep(0)

    with flow_of(a=routine(work)) as flow:
        for _ in range(3):
            job_state = flow.execute("a")
            assert job_state.wait(PATIENCE)
            assert job_state.status == "completed"


def test_what_an_async_handler_fans_out_runs_at_once() -> None:
    together = asyncio.Barrier(10)

    async def source(self: Routine) -> None:
        for index in range(10):
            self.emit("out", index=index)

    async def meet(self: Routine, index: int) -> None:
        await together.wait()

    flow = flow_of(links=("a.out>b",), a=routine(source, "out"), b=routine(meet), execution_strategy="concurrent")
    with flow:
        assert flow.execute("a").wait(PATIENCE, raise_on_failure=True)


@pytest.mark.parametrize("place", ["when", "merge_strategy"])
def test_what_is_answered_at_once_cannot_be_async(place: str) -> None:
    async def later(*data: Any) -> bool:
        return False

    with pytest.raises(DefinitionError, match="cannot be async"):
        Routine().define_slot("input", handler=print, **{place: later})


def test_a_builtin_exception_is_retried_by_its_plain_name() -> None:
    assert ErrorHandler("retry", retryable_exceptions=["LookupError"]).is_retryable(KeyError("x"))


def test_a_shutdown_ends_when_a_job_comes_to_wait_for_a_person() -> None:
    begun, go_on = threading.Event(), threading.Event()

    class HurriedAsker(EngineAsker):
        def __init__(self) -> None:
            super().__init__()
            self.define_slot("later", handler=self.ask_later)
            self.define_event("go")
            self.define_slot("start", handler=self.ask_later)

        def ask_later(self) -> None:
            begun.set()
            go_on.wait(PATIENCE)
            self.expect("answer")

    flow = flow_of(links=("first.out>ask.start",), first=routine(emit_nothing, "out"), ask=HurriedAsker())
    job_state = flow.execute("first")
    assert begun.wait(PATIENCE)
    closing = threading.Thread(target=flow.shutdown)
    closing.start()
    go_on.set()
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert job_state.status == "paused"


def emit_nothing(self: Routine) -> None:
    self.emit("out")


def test_timers_rest_while_a_closing_job_waits_for_its_handler() -> None:
    runner = StepRunner()
    flow = flow_of(runner, ask=EngineAsker())
    job_state = flow.execute("ask", {"patience": 5.0})
    flow.execution_strategy = "concurrent"  # type: ignore[assignment]
    second = runner.start(flow_of(runner, ask=EngineAsker(), flow_id="other"), "ask", {"patience": 1.0})
    attempt = runner.begin(second)
    assert attempt is not None
    runner.clock.advance(10.0)
    attempt.run().commit()
    assert job_state.status == "failed"


FORKING = """
import os, signal
from routilux import ErrorHandler, Flow, Routine

class Unlucky(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", handler=self.work)
        self.set_error_handler(ErrorHandler("retry", retry_delay=0.001))

    def work(self):
        if self.get_execution_context().attempt == 1:
            raise ConnectionError

def retried():
    flow = Flow("forked")
    flow.add_routine(Unlucky(), "unlucky")
    job_state = flow.execute("unlucky")
    return job_state.wait(20) and job_state.status == "completed"

assert retried()
child = os.fork()
if child == 0:
    signal.alarm(20)
    os._exit(0 if retried() else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_timers_fire_in_a_forked_process() -> None:
    run = subprocess.run([sys.executable, "-c", FORKING], capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stderr) == (0, "")


def test_a_flow_has_one_engine_however_many_threads_begin() -> None:
    made: list[Any] = []
    at_once = threading.Barrier(4)
    runner = StepRunner()

    def factory(flow_id: str, workers: int) -> Any:
        made.append(flow_id)
        return runner.engine(flow_id, workers)

    flow = Flow("flow", engine_factory=factory)

    def begin() -> None:
        at_once.wait(PATIENCE)
        flow._running_engine()

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert made == ["flow"]


def test_data_that_waits_in_a_slot_becomes_the_task_of_one_job_only() -> None:
    runner = StepRunner()
    seen: list[int] = []

    def take(self: Routine, value: int = 0) -> None:
        seen.append(value)

    flow = flow_of(runner, a=routine(take))
    jobs = [runner.start(flow, "a", {"value": number}) for number in (1, 2)]
    for job_state in jobs:
        flow.pause(job_state)
        job_state._job.ready.plain.clear()
    flow.routines["a"].get_slot("trigger").receive({"value": 7})
    for job_state in jobs:
        flow.resume(job_state)
    runner.run()
    assert seen == [7]
