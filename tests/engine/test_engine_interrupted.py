"""Ctrl-C at every step of a call: the job is let go, whoever waits for it is told, and its flow comes to rest."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest

from routilux import BlockingCallError, Flow, JobState, RoutiluxError, Routine
from routilux._engine import held_job, running_job
from routilux._engine.awaited import Awaited
from routilux._engine.engine import Engine
from routilux._engine.event_loop import call_in_thread
from routilux._engine.held_job import HeldJob
from routilux._engine.running_job import RunningJob
from routilux._engine.watchers import is_settled
from routilux._recovery import Recovery
from tests.engine.engine_parts import EngineAsker, flow_of, retrying, routine
from tests.interruptions import interrupted, interrupted_after_each_call
from tests.patience import PATIENCE, until

MANY = 100


PLACES: dict[str, tuple[Any, str]] = {
    "it is taken in": (Engine, "admit"),
    "it begins": (HeldJob, "start"),
    "its change": (held_job, "transition"),
    "its task is taken": (running_job, "take"),
    "its handler": (running_job, "run_handler"),
    "its commit": (running_job, "succeed"),
    "what follows from that": (HeldJob, "_react"),
    "it is left to others": (RunningJob, "submit"),
}


@pytest.fixture
def flow() -> Iterator[Flow]:
    flow = flow_of(a=routine(lambda self: self.emit("out"), "out"), b=routine(lambda self: None), links=("a.out>b",))
    yield flow
    flow.shutdown(timeout=PATIENCE)


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("place", PLACES)
def test_a_job_that_a_signal_has_broken_off_holds_up_nothing(
    flow: Flow, monkeypatch: pytest.MonkeyPatch, place: str, before: bool
) -> None:
    owner, name = PLACES[place]
    flow.execute("a").wait(PATIENCE)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, interrupted(getattr(owner, name), before=before))
        with pytest.raises(KeyboardInterrupt):
            flow.execute("a")
    engine = flow._engine
    assert engine is not None
    assert flow.execute("a").wait(PATIENCE, raise_on_failure=True)
    flow.shutdown(timeout=PATIENCE)
    assert engine.jobs == set()


class Interrupting(logging.Handler):
    """Keeps what is logged; a signal comes as it gets the first."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        if len(self.records) == 1:
            raise KeyboardInterrupt


@pytest.fixture
def told() -> Iterator[Interrupting]:
    handler = Interrupting()
    logger = logging.getLogger("routilux")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


@pytest.mark.parametrize("strategy", ["sequential", "concurrent"])
@pytest.mark.parametrize(("retries", "status"), [(0, "failed"), (1, "completed")])
def test_a_job_is_as_it_was_after_a_signal_while_operators_are_told_of_it(
    told: Interrupting, strategy: str, retries: int, status: str
) -> None:
    """It was lost, and nobody was told of that."""
    begun = list[JobState]()

    def fail_first(self: Routine) -> None:
        context = self.get_execution_context()
        assert context is not None
        begun.append(context.job_state)
        if len(begun) == 1:
            raise ValueError("flaky")

    part = routine(fail_first)
    part.set_error_handler(retrying(retries, 0.0) if retries else None)
    with flow_of(execution_strategy=strategy, a=part) as flow, pytest.raises(KeyboardInterrupt):
        flow.execute("a")
    assert begun[0].wait(PATIENCE)
    assert (begun[0].status, len(begun), len(told.records)) == (status, 1 + retries, 1)


def test_a_job_that_has_completed_has_done_so_although_a_signal_came_before_its_caller_knew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun = list[JobState]()

    def begin(self: Routine) -> None:
        context = self.get_execution_context()
        assert context is not None
        begun.append(context.job_state)
        awaited.append(begun[0]._live.wait_until(is_settled))

    awaited = list[Awaited]()
    with flow_of(a=routine(begin)) as flow:
        monkeypatch.setattr(HeldJob, "_detach", interrupted(HeldJob._detach, before=False))
        with pytest.raises(KeyboardInterrupt):
            flow.execute("a")
        awaited[0].wait(PATIENCE)
    assert (begun[0].status, begun[0].wait(PATIENCE)) == ("completed", True)


@pytest.mark.parametrize("verb", ["execute", "execute_async", "start"])
def test_a_job_is_left_to_nobody_wherever_its_caller_was_interrupted(flow: Flow, verb: str) -> None:
    def begin(number: int) -> None:
        begun = getattr(flow, verb)("a")
        if verb == "execute_async":
            asyncio.run(begun)

    begin(0)
    engine = flow._engine
    assert engine is not None
    for number in interrupted_after_each_call(begin):
        assert number < MANY
        until(lambda: not engine.jobs)


VERBS: dict[str, Callable[[Flow, JobState], object]] = {
    "share": lambda flow, job_state: job_state.update_shared_data("a", 1),
    "log": lambda flow, job_state: job_state.append_to_shared_log("a"),
    "deliver": lambda flow, job_state: flow.deliver(job_state, "ask", "answer", {"text": "yes"}),
    "cancel": lambda flow, job_state: flow.cancel(job_state),
    "resume": lambda flow, job_state: flow.resume(job_state),
}


@pytest.mark.parametrize("kind", [KeyboardInterrupt, TimeoutError, BlockingCallError])
@pytest.mark.parametrize("verb", sorted({*VERBS} - {"resume"}))
def test_a_running_job_that_a_signal_has_broken_off_in_the_middle_of_its_change_is_lost_and_says_so(
    monkeypatch: pytest.MonkeyPatch, verb: str, kind: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    """It could go on without a task that was just being moved, and be written without it."""
    with flow_of(ask=EngineAsker()) as flow:
        job_state = flow.execute("ask")
        waiting = job_state._live.wait_until(is_settled)
        with monkeypatch.context() as patch:
            patch.setattr(held_job, "transition", interrupted(held_job.transition, before=False, kind=kind))
            with pytest.raises(kind):
                VERBS[verb](flow, job_state)
        assert [getattr(record, "action", "") for record in caplog.records] == ["lose"]
        lost = f"{kind.__name__} came while job .* and nothing of it runs any more"
        for ask in (waiting.wait, job_state.wait, job_state.serialize, lambda: flow.resume(job_state)):
            with pytest.raises(RoutiluxError, match=lost):
                ask()
    assert len(caplog.records) == 1


@pytest.mark.parametrize("kind", [KeyboardInterrupt, BlockingCallError])
@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("verb", VERBS)
def test_a_paused_job_is_as_it_was_after_a_signal_in_the_middle_of_its_change(
    monkeypatch: pytest.MonkeyPatch,
    verb: str,
    before: bool,
    kind: type[BaseException],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nobody is told that it is lost."""
    with flow_of(ask=EngineAsker()) as flow:
        job_state = flow.execute("ask")
        flow.pause(job_state)
        document = job_state.serialize()
        waiting = job_state._live.wait_until(is_settled)
        with monkeypatch.context() as patch:
            patch.setattr(held_job, "transition", interrupted(held_job.transition, before=before, kind=kind))
            with pytest.raises(kind):
                VERBS[verb](flow, job_state)
        assert (job_state.serialize(), waiting.is_done, caplog.records) == (document, False, [])
        flow.resume(job_state)
        flow.deliver(job_state, "ask", "answer", {"text": "yes"})
        assert job_state.wait(PATIENCE, raise_on_failure=True)


def test_an_async_handler_whose_cancelling_a_signal_has_broken_off_has_not_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    async def wait(self: Routine) -> None:
        begun.set()
        await call_in_thread(lambda: go_on.wait(PATIENCE))

    with flow_of(a=routine(wait)) as flow:
        job_state = flow.start("a")
        assert begun.wait(PATIENCE)
        with monkeypatch.context() as patch:
            patch.setattr(HeldJob, "apply", interrupted(HeldJob.apply, before=True))
            with pytest.raises(KeyboardInterrupt):
                flow.cancel(job_state)
        go_on.set()
        assert job_state.wait(PATIENCE, raise_on_failure=True)
    assert job_state.status == "completed"


def test_data_of_a_slot_on_which_a_job_works_is_not_put_back_as_a_signal_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = list[dict[str, str]]()
    part = routine(lambda self: self.expect("answer"))
    part.define_slot("answer", seen.append)
    part.define_slot("late", seen.append)
    leave = Recovery.__exit__

    def interrupted_first(recovery: Recovery, *raised: Any) -> NoReturn:
        error = KeyboardInterrupt()
        leave(recovery, KeyboardInterrupt, error, None)
        raise error

    with flow_of(a=part) as flow:
        job_state = flow.execute("a")
        flow.pause(job_state)
        part.get_slot("late").receive({"text": "once"})
        with monkeypatch.context() as patch:
            patch.setattr(Recovery, "__exit__", interrupted_first)
            with pytest.raises(KeyboardInterrupt):
                flow.resume(job_state)
        assert not part.get_slot("late").holds_data
        flow.deliver(job_state, "a", "answer", {"text": "yes"})
        assert job_state.wait(PATIENCE, raise_on_failure=True)
    assert sorted(data["text"] for data in seen) == ["once", "yes"]


def test_a_coroutine_of_a_job_whose_cancelling_a_signal_has_broken_off_behind_its_change_is_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, ended = threading.Event(), list[str]()

    async def wait(self: Routine) -> None:
        try:
            begun.set()
            await asyncio.sleep(PATIENCE)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    with flow_of(a=routine(wait)) as flow:
        job_state = flow.start("a")
        assert begun.wait(PATIENCE)
        with monkeypatch.context() as patch:
            patch.setattr(HeldJob, "_react", interrupted(HeldJob._react, before=True))
            with pytest.raises(KeyboardInterrupt):
                flow.cancel(job_state)
        until(lambda: ended == ["cancelled"])
