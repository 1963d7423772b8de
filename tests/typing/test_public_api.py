"""What a type checker makes of the public API: `make lint` checks the `assert_type`s, the test runs them."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, assert_type

from routilux import (
    ConditionalRouter,
    Connection,
    ErrorHandler,
    ErrorInfo,
    ErrorStrategy,
    Event,
    ExecutionContext,
    ExecutionStrategy,
    Explanation,
    Finding,
    Fit,
    Flow,
    HistoryRecord,
    JobState,
    JobStatus,
    Plan,
    Routine,
    Slot,
    Verdict,
)
from serilux import Serializable, register_serializable


@register_serializable
class TypedRoutine(Routine):
    def __init__(self) -> None:
        super().__init__()
        assert_type(self.define_slot("trigger", self.work), Slot)
        assert_type(self.define_event("out", ["value"]), Event)

    def work(self, value: int = 0) -> None:
        context = self.get_execution_context()
        assert_type(context, ExecutionContext)
        assert_type((context.flow, context.job_state), tuple[Flow, JobState])
        self.emit("out", value=value)
        self.emit_with("out", {"value": value}, priority=1, metadata={"why": "test"}, delay=0.5)


@register_serializable(name="TypedNote")
class TypedNamed(Serializable):
    pass


def is_positive(data: dict[str, Any]) -> bool:
    return bool(data["value"] > 0)


def typed_flow() -> Flow:
    flow = Flow("typed", "concurrent", max_workers=2)
    assert_type(flow.add_routine(TypedRoutine(), "a"), str)
    router = ConditionalRouter()
    router.add_route("positive", is_positive)
    flow.add_routine(router, "router")
    assert_type(flow.connect("a", "out", "router", "input", {"value": "value"}, priority=2), Connection)
    flow.set_error_handler(ErrorHandler(ErrorStrategy.RETRY, retryable_exceptions=(OSError, "builtins.ValueError")))
    return flow


def test_the_types_of_a_flow() -> None:
    flow = typed_flow()
    assert_type(flow.execution_strategy, ExecutionStrategy)
    assert_type(flow.routines, Mapping[str, Routine])
    assert_type(flow.connections, list[Connection])
    assert_type(flow.get_error_handler(), ErrorHandler | None)
    assert_type(flow.serialize(), dict[str, Any])
    assert_type(TypedNamed(), TypedNamed)


def test_the_types_of_a_job(tmp_path: Path) -> None:
    with typed_flow() as flow:
        job_state = assert_type(flow.execute("a", {"value": 1}), JobState)
        assert_type(flow.start("a", {"value": 1}, job_id="one"), JobState)
        assert_type(job_state.wait(10.0), bool)
        assert_type(job_state.status, JobStatus)
        assert_type(job_state.error, ErrorInfo | None)
        assert_type(job_state.created_at, datetime)
        assert_type(job_state.execution_history, list[HistoryRecord])
        assert_type(job_state.get_execution_history("a"), list[HistoryRecord])
        assert_type(job_state.routine_states, dict[str, dict[str, Any]])
        assert_type(job_state.explain(), Explanation)
        verdict = assert_type(flow.check(job_state, plan=Plan(slots={"a.b": "c"}, drop=[("a", "d")])), Verdict)
        assert_type(verdict.fit, Fit)
        assert_type(verdict.notes, list[Finding])
        assert_type([finding.routine_id for finding in verdict], list[str | None])
        job_state.save(tmp_path / "job.json")
        assert assert_type(JobState.load(tmp_path / "job.json"), JobState).status == JobStatus.COMPLETED


def test_the_types_of_coroutines() -> None:
    async def run(flow: Flow) -> bool:
        job_state = assert_type(await flow.execute_async("a", {"value": 1}), JobState)
        return assert_type(await job_state.wait_async(10.0), bool)

    with typed_flow() as flow:
        assert asyncio.run(run(flow))
