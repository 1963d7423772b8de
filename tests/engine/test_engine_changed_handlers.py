"""A job whose handlers have changed their parameters: `check` and `resume` say so before anything runs (law 7)."""

from typing import Any

import pytest

from routilux import ErrorHandler, Flow, JobState, ResumeError, Routine
from routilux.testing import StepRunner
from serilux import UnsupportedValueError, register_serializable
from tests.engine.engine_parts import flow_of, routine


def send(self: Routine) -> None:
    self.emit("out", left=1)


def take_left(self: Routine, left: int) -> None:
    pass


def take_both(self: Routine, left: int, right: int) -> None:
    pass


def take_any(self: Routine, **data: Any) -> None:
    pass


def take_lists(self: Routine, left: list[int]) -> None:
    raise ArithmeticError("later")


def take_other_lists(self: Routine, left: list[int], right: list[int]) -> None:
    pass


def two_steps(runner: StepRunner, second: Any, **options: Any) -> Flow:
    return flow_of(runner, links=("a.out>b",), a=routine(send, "out"), b=routine(second, **options))


def paused(runner: StepRunner, flow: Flow, steps: int) -> JobState:
    job_state = runner.start(flow, "a")
    for _ in range(steps):
        runner.step()
    flow.pause(job_state)
    return job_state


def test_a_pending_task_that_a_changed_handler_cannot_take_is_listed() -> None:
    runner = StepRunner()
    job_state = paused(runner, two_steps(runner, take_left), 1)
    (problem,) = two_steps(runner, take_both).check(job_state)
    assert problem.startswith("pending_tasks[0] is for b.trigger: data with 'left' does not fit")
    assert "it lacks 'right'" in problem


def test_a_job_with_such_a_task_is_not_resumed_and_not_changed() -> None:
    runner = StepRunner()
    job_state = paused(runner, two_steps(runner, take_left), 1)
    before = job_state.serialize()
    with pytest.raises(ResumeError, match="cannot go on in flow 'flow'; nothing was changed"):
        two_steps(runner, take_both).resume(job_state)
    assert job_state.serialize() == before


def test_a_taken_task_of_a_slot_that_appends_is_checked_with_what_it_has_seen() -> None:
    runner = StepRunner()
    policy = ErrorHandler("retry")
    first = two_steps(runner, take_lists, merge_strategy="append")
    first.routines["b"].set_error_handler(policy)
    job_state = paused(runner, first, 2)
    (problem,) = two_steps(runner, take_other_lists, merge_strategy="append").check(job_state)
    assert "it lacks 'right'" in problem


def test_what_cannot_be_known_before_it_is_merged_is_not_guessed() -> None:
    runner = StepRunner()
    job_state = paused(runner, two_steps(runner, take_left, merge_strategy="append"), 1)
    assert two_steps(runner, take_both, merge_strategy="append").check(job_state) == []


@pytest.mark.parametrize(
    ("steps", "options", "told"),
    [(1, {}, ["pending_tasks[0]"]), (1, {"when": bool}, []), (2, {}, [])],
)
def test_what_an_appending_slot_still_lacks_is_told(steps: int, options: dict[str, Any], told: list[str]) -> None:
    runner = StepRunner()
    job_state = paused(runner, two_steps(runner, take_left, merge_strategy="append", **options), steps)
    changed = two_steps(runner, take_both, merge_strategy="append", **options)
    notes = [note for note in changed.check(job_state).notes if "needs 'right', which nothing there has so far" in note]
    assert [(note.place, note.routine_id, note.slot) for note in notes] == [(place, "b", "trigger") for place in told]


def test_what_comes_with_a_later_task_is_not_lacking() -> None:
    def send_both(self: Routine) -> None:
        self.emit("out", left=1)
        self.emit("out", right=1)

    def flow(second: Any) -> Flow:
        parts = {"a": routine(send_both, "out"), "b": routine(second, merge_strategy="append")}
        return flow_of(runner, links=("a.out>b",), **parts)

    runner = StepRunner()
    job_state = paused(runner, flow(take_any), 1)
    assert [note for note in flow(take_both).check(job_state).notes if "so far" in note] == []


def test_a_pending_task_that_fits_is_no_problem() -> None:
    runner = StepRunner()
    flow = two_steps(runner, take_left)
    assert flow.check(paused(runner, flow, 1)) == []


@register_serializable
class EngineLenient(ErrorHandler):
    """A policy of the user's."""


def test_a_policy_that_would_come_back_as_another_is_refused() -> None:
    with pytest.raises(UnsupportedValueError, match="would come back as a plain ErrorHandler"):
        EngineLenient().serialize()


def test_a_pending_task_that_never_fitted_fails_as_it_would_have_without_the_pause() -> None:
    runner = StepRunner()
    flow = two_steps(runner, take_both)
    job_state = paused(runner, flow, 1)
    verdict = flow.check(job_state)
    assert verdict == [] and [note.place for note in verdict.notes] == ["pending_tasks[0]"]
    flow.resume(job_state)
    runner.run()
    assert job_state.status == "failed"
    assert job_state.error is not None and job_state.error.type == "routilux.errors.BindingError"


def test_what_a_document_does_not_tell_is_not_taken_for_unchanged() -> None:
    """A document has no parameters, so that nobody knows whether the handler has changed since."""
    runner = StepRunner()
    flow = two_steps(runner, take_both)
    job_state = JobState()
    job_state.deserialize(paused(runner, flow, 1).serialize())
    (problem,) = flow.check(job_state)
    assert "it lacks 'right'" in problem
