"""Users' code that is asked under a job's lock: it may look, but neither act nor wait."""

from collections.abc import Callable
from typing import Any

import pytest

from routilux import BlockingCallError, ErrorHandler, Flow, JobState, JobStatus, Routine
from routilux.testing import StepRunner
from serilux import register_serializable

Act = Callable[["Deciding", Any], object]
VERBS: dict[str, Act] = {
    "emit": lambda routine, context: routine.emit("out", value=1),
    "emit_with": lambda routine, context: routine.emit_with("out", {"value": 1}),
    "expect": lambda routine, context: routine.expect("answer"),
    "flush": lambda routine, context: routine.flush(),
    "update_shared_data": lambda routine, context: context.job_state.update_shared_data("key", 1),
    "append_to_shared_log": lambda routine, context: context.job_state.append_to_shared_log(1),
    "shared_data": lambda routine, context: context.job_state.shared_data.update(key=1),
    "state": lambda routine, context: context.state.update(key=1),
    "start": lambda routine, context: context.flow.start("deciding"),
    "execute": lambda routine, context: context.flow.execute("deciding"),
    "pause": lambda routine, context: context.flow.pause(context.job_state),
    "cancel": lambda routine, context: context.flow.cancel(context.job_state),
    "resume": lambda routine, context: context.flow.resume(context.job_state),
    "retry": lambda routine, context: context.flow.retry(context.job_state),
    "deliver": lambda routine, context: context.flow.deliver(context.job_state, "deciding", "answer", {}),
    "resolve": lambda routine, context: context.flow.resolve(context.job_state, "x", "done"),
    "wait": lambda routine, context: context.job_state.wait(),
}


class Policy(ErrorHandler):
    """Has its routine act when it is asked."""

    routine: "Deciding"

    def decide(self, error: BaseException, attempt: int) -> Any:
        self.routine.act()
        return super().decide(error, attempt)


@register_serializable(name="EngineDeciding")
class Deciding(Routine):
    """Acts where it should only decide, and goes on with what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.what: Act = lambda routine, context: None
        self.told: list[str] = []
        self.seen: list[Any] = []
        self.define_slot("trigger", self.go)
        self.define_slot("answer", self.hear)
        self.define_slot("predicate", self.hear, when=self.decide)
        self.define_slot("merge", self.hear, merge_strategy=self.merge)
        self.define_slot("failing", self.fail)
        self.define_slot("update", self.update)
        self.define_slot("flush", self.update_and_flush)
        for name in ("out", "predicate", "merge", "failing", "update", "flush"):
            self.define_event(name)

    def act(self) -> None:
        try:
            self.what(self, self.get_execution_context())
        except BlockingCallError as error:
            self.told.append(str(error))

    def go(self, to: str) -> None:
        self.emit(to, value=1)

    def hear(self, value: int = 0) -> None:
        self.seen.append(value)

    def decide(self, data: dict[str, Any]) -> bool:
        self.act()
        return True

    def merge(self, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        self.act()
        return new

    def fail(self, value: int) -> None:
        raise ValueError(value)

    def asked(self, old: int | None) -> int:
        self.act()
        return 1

    def update(self, value: int) -> None:
        context = self.get_execution_context()
        assert context is not None
        context.job_state.update_shared_data("updated", self.asked)

    def update_and_flush(self, value: int) -> None:
        self.update(value)
        self.flush()


def deciding() -> tuple[Flow, Deciding]:
    flow, routine = Flow("deciding", engine_factory=StepRunner().engine), Deciding()
    policy = Policy("continue")
    policy.routine = routine
    routine.set_error_handler(policy)
    flow.add_routine(routine, "deciding")
    for name in ("predicate", "merge", "failing", "update", "flush"):
        flow.connect("deciding", name, "deciding", name)
    return flow, routine


@pytest.mark.parametrize("by", ["predicate", "merge", "failing", "update", "flush"])
@pytest.mark.parametrize("verb", VERBS)
def test_who_decides_is_refused_to_act(verb: str, by: str) -> None:
    flow, routine = deciding()
    routine.what = VERBS[verb]
    job_state = flow.execute("deciding", {"to": by})
    job_state.wait(raise_on_failure=True)
    assert len(routine.told) == 1
    assert [record.event_name for record in job_state.execution_history if record.event_name == "out"] == []
    assert (job_state.shared_log, "key" in job_state.shared_data) == ([], False)
    assert "key" not in job_state.get_routine_state("deciding")


@pytest.mark.parametrize("by", ["predicate", "merge", "failing", "update", "flush"])
def test_who_decides_may_look(by: str) -> None:
    flow, routine = deciding()
    looks: list[Any] = []
    routine.what = lambda routine, context: looks.append(
        (context.routine_id, context.attempt, context.job_state.status)
    )
    flow.execute("deciding", {"to": by}).wait(raise_on_failure=True)
    assert looks == [("deciding", 1, JobStatus.RUNNING)]


OUTSIDE: dict[str, Callable[[Flow, JobState], object]] = {
    "wait": lambda flow, job_state: job_state.wait(),
    "start": lambda flow, job_state: flow.start("deciding", {"to": "out"}),
    "execute": lambda flow, job_state: flow.execute("deciding", {"to": "out"}),
    "pause": lambda flow, job_state: flow.pause(job_state),
    "cancel": lambda flow, job_state: flow.cancel(job_state),
    "resume": lambda flow, job_state: flow.resume(job_state),
    "deliver": lambda flow, job_state: flow.deliver(job_state, "deciding", "answer", {}),
    "update_shared_data": lambda flow, job_state: job_state.update_shared_data("other", 1),
    "append_to_shared_log": lambda flow, job_state: job_state.append_to_shared_log(1),
}


@pytest.mark.parametrize("verb", OUTSIDE)
def test_a_function_that_updates_shared_data_from_outside_may_only_look(verb: str) -> None:
    flow, _ = deciding()
    job_state = flow.execute("deciding", {"to": "out"})
    flow.pause(job_state)

    def update(old: None) -> str:
        assert job_state.shared_data == {}
        with pytest.raises(BlockingCallError, match="may only look"):
            OUTSIDE[verb](flow, job_state)
        return "new"

    job_state.update_shared_data("key", update)
    assert (job_state.shared_data, job_state.shared_log) == ({"key": "new"}, [])
    assert job_state.status is JobStatus.PAUSED
