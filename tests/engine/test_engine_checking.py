"""What `Flow.check` says of a job: problems that refuse it, and notes that do not (law 7)."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from routilux import ErrorHandler, Finding, Flow, JobState, Routine
from routilux.testing import StepRunner
from serilux import register_serializable


@register_serializable
class CheckedWorker(Routine):
    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.work)
        self.define_slot("input", self.work)
        self.define_slot("silent")

    def work(self, **data: Any) -> None:
        pass


def checked_flow(runner: StepRunner, policy: ErrorHandler | None = None) -> Flow:
    flow = Flow("checked", engine_factory=runner.engine)
    worker = CheckedWorker()
    worker.set_error_handler(policy)
    flow.add_routine(worker, "worker")
    return flow


def paused_job(runner: StepRunner, flow: Flow) -> JobState:
    """A job whose entry has not run yet."""
    job_state = runner.start(flow, "worker")
    flow.pause(job_state)
    return job_state


def with_state(flow: Flow, job_state: JobState, **fields: Any) -> JobState:
    document = job_state.serialize() | fields
    read = JobState()
    read.deserialize(document)
    return read


def spent() -> ErrorHandler:
    policy = ErrorHandler("retry", max_retries=2)
    policy.retry_count = 2
    return policy


def test_a_job_that_fits_an_unchanged_flow_leaves_nothing_to_say() -> None:
    flow = checked_flow(runner := StepRunner())
    verdict = flow.check(paused_job(runner, flow))
    assert (verdict, verdict.notes) == ([], [])


def test_data_of_a_routine_without_retries_left_is_noted_and_does_not_refuse() -> None:
    flow = checked_flow(runner := StepRunner(), spent())
    job_state = paused_job(runner, flow)
    flow.routines["worker"].get_slot("input").receive({"number": 1})
    verdict = flow.check(job_state)
    (note,) = verdict.notes
    assert note == (
        "slot 'input' of routine 'worker' holds data, which resume leaves there: its routine has no retries left "
        "(retry_count 2 of max_retries 2); set retry_count of its error handler to 0 to let it start anew"
    )
    assert (note.place, note.routine_id, note.slot) == ("routines.worker._slots.input._data", "worker", "input")
    assert verdict == []
    flow.resume(job_state)
    assert flow.routines["worker"].get_slot("input").holds_data


def test_what_the_note_advises_lets_the_data_become_a_task() -> None:
    flow = checked_flow(runner := StepRunner(), policy := spent())
    job_state = paused_job(runner, flow)
    flow.routines["worker"].get_slot("input").receive({"number": 1})
    policy.retry_count = 0
    assert flow.check(job_state).notes == []
    flow.resume(job_state).wait()
    starts = [record.data["slot"] for record in job_state.execution_history if record.event_name == "start"]
    assert starts == ["trigger", "input"]


LEFT: dict[str, tuple[str, Callable[[Flow, JobState], JobState], str]] = {
    "no handler": ("silent", lambda flow, job: job, "the slot has no handler"),
    "a task already": ("trigger", lambda flow, job: job, "the slot has a pending task already"),
    "a routine that is over": (
        "input",
        lambda flow, job: with_state(
            flow, job, pending_tasks=[], routine_states={"worker": {"status": "skipped", "outcome": "skipped"}}
        ),
        "the routine is skipped in this job",
    ),
}


@pytest.mark.parametrize("case", LEFT)
def test_data_that_a_resume_leaves_is_noted_with_the_reason(case: str) -> None:
    slot, changed, reason = LEFT[case]
    flow = checked_flow(runner := StepRunner())
    job_state = changed(flow, paused_job(runner, flow))
    flow.routines["worker"].get_slot(slot).receive({"number": 1})
    (note,) = flow.check(job_state).notes
    assert note == f"slot {slot!r} of routine 'worker' holds data, which resume leaves there: {reason}"


def test_data_is_not_noted_for_a_job_that_cannot_be_resumed() -> None:
    flow = checked_flow(runner := StepRunner(), spent())
    job_state = paused_job(runner, flow)
    flow.resume(job_state).wait()
    flow.routines["worker"].get_slot("input").receive({"number": 1})
    assert flow.check(job_state).notes == []


def test_slots_that_only_the_document_or_only_the_class_has_are_noted() -> None:
    flow = checked_flow(runner := StepRunner())
    job_state = paused_job(runner, flow)
    document = flow.serialize()
    slots = document["routines"]["worker"]["_slots"]
    slots["former"] = slots.pop("silent")
    read = Flow(engine_factory=runner.engine)
    read.deserialize(json.loads(json.dumps(document)))
    changed, former, silent = read.check(job_state).notes
    assert changed.place == "flow_fingerprint"
    assert former == "slot 'former' of routine 'worker' is only in its document; it was created"
    assert silent == "slot 'silent' of routine 'worker' is only in its class; it was kept"
    assert (former.place, former.routine_id, former.slot) == ("routines.worker._slots.former", "worker", "former")


def test_a_flow_that_has_changed_is_noted_although_the_job_fits() -> None:
    flow = checked_flow(runner := StepRunner())
    job_state = paused_job(runner, flow)
    flow.add_routine(CheckedWorker(), "another")
    verdict = flow.check(job_state)
    (note,) = verdict.notes
    assert note == (
        "flow 'checked' has another fingerprint than when the job last ran: its routines, classes, references or "
        "connections have changed"
    )
    assert (note.place, note.routine_id, note.slot) == ("flow_fingerprint", None, None)
    assert verdict == []
    assert flow.resume(job_state).wait()


def test_a_job_written_by_hand_without_a_fingerprint_is_not_said_to_have_changed() -> None:
    flow = checked_flow(runner := StepRunner())
    job_state = with_state(flow, paused_job(runner, flow), flow_fingerprint="")
    assert flow.check(job_state).notes == []


def test_a_problem_says_where_it_is() -> None:
    flow = checked_flow(runner := StepRunner())
    job_state = paused_job(runner, flow)
    other = Flow("checked", engine_factory=runner.engine)
    other.add_routine(Routine(), "worker")
    (problem,) = other.check(job_state)
    assert (
        problem.what == "pending_tasks[0] is for worker.trigger: routine 'worker' has no slot 'trigger'; it has: none"
    )
    assert problem == f"{problem.what}; {problem.means}; {problem.remedy}"
    assert (problem.place, problem.routine_id, problem.slot) == ("pending_tasks[0]", "worker", "trigger")


def test_a_finding_is_a_text() -> None:
    assert json.dumps([Finding("text", "place")]) == '["text"]'
