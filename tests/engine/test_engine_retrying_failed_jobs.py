"""The verb for a failed job: `flow.retry`."""

from typing import Any

import pytest

from routilux import ErrorHandler, Flow, JobState, JobStateError, ResumeError, Routine
from routilux.testing import StepRunner
from serilux import register_serializable
from tests.engine.engine_parts import EngineAsker, events_of, flow_of, retrying

BROKEN = {"now": True}


@register_serializable
class EngineNumbers(Routine):
    """Sends three numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", handler=self.send)
        self.define_event("out", ["number"])

    def send(self) -> None:
        for number in range(3):
            self.emit("out", number=number)


@register_serializable
class EngineFragile(Routine):
    """Fails at number 1 while it is broken."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", handler=self.take)
        self.define_event("done", ["number", "attempt"])

    def take(self, number: int) -> None:
        context = self.get_execution_context()
        assert context is not None
        if number == 1 and BROKEN["now"]:
            raise ConnectionError("broken")
        self.emit("done", number=number, attempt=context.attempt)


@pytest.fixture(autouse=True)
def broken() -> None:
    BROKEN["now"] = True


def fragile(runner: StepRunner, policy: ErrorHandler | None = None) -> Flow:
    flow = flow_of(runner, links=("numbers.out>fragile",), numbers=EngineNumbers(), fragile=EngineFragile())
    flow.routines["fragile"].set_error_handler(policy)
    return flow


def failed(runner: StepRunner, policy: ErrorHandler | None = None) -> tuple[Flow, JobState]:
    flow = fragile(runner, policy)
    job_state = flow.execute("numbers")
    job_state.wait()
    assert job_state.status == "failed"
    return flow, job_state


def done(job_state: JobState) -> list[tuple[Any, Any]]:
    records = [record.data for record in job_state.execution_history if record.event_name == "done"]
    return [(data["number"], data["attempt"]) for data in records]


def test_what_failed_and_what_was_never_started_is_done_once_after_a_retry() -> None:
    flow, job_state = failed(StepRunner())
    BROKEN["now"] = False
    assert flow.retry(job_state).status == "running"
    job_state.wait(raise_on_failure=True)
    assert (job_state.status, job_state.error) == ("completed", None)
    assert done(job_state) == [(0, 1), (1, 2), (2, 1)]
    assert job_state.get_routine_state("fragile")["status"] == "completed"


def test_a_failed_job_is_retried_on_another_host() -> None:
    runner = StepRunner()
    _, job_state = failed(runner)
    BROKEN["now"] = False
    again, other = JobState(), fragile(runner)
    again.deserialize(job_state.serialize())
    other.retry(again).wait(raise_on_failure=True)
    assert done(again) == [(0, 1), (1, 2), (2, 1)]


def test_a_retry_that_fails_again_fails_the_job_again() -> None:
    flow, job_state = failed(StepRunner(), retrying(max_retries=2))
    flow.retry(job_state).wait()
    assert job_state.status == "failed"
    assert [event for _, event in events_of(job_state)].count("error") == 4
    assert done(job_state) == [(0, 1), (2, 1)]


def test_a_delivery_that_nobody_made_is_waited_for_again() -> None:
    runner = StepRunner()
    flow = flow_of(runner, ask=EngineAsker())
    job_state = flow.execute("ask", {"patience": 10.0})
    job_state.wait()
    assert job_state.status == "failed"
    flow.retry(job_state)
    runner.clock.advance(9.0)
    flow.deliver(job_state, "ask", "answer", {"text": "yes"})
    assert job_state.wait(raise_on_failure=True)


def test_only_a_failed_job_is_retried() -> None:
    runner = StepRunner()
    flow = fragile(runner)
    BROKEN["now"] = False
    job_state = flow.execute("numbers")
    job_state.wait()
    with pytest.raises(JobStateError, match="is completed: only a failed job is retried"):
        flow.retry(job_state)


def test_resume_of_a_failed_job_names_the_verb() -> None:
    flow, job_state = failed(StepRunner())
    with pytest.raises(ResumeError, match="is failed: there is nothing to resume; retry it"):
        flow.resume(job_state)


def test_a_failed_job_that_does_not_fit_stays_as_it_was() -> None:
    runner = StepRunner()
    _, job_state = failed(runner)
    before = job_state.serialize()
    with pytest.raises(ResumeError, match="has no routine 'fragile'"):
        flow_of(runner, numbers=EngineNumbers()).retry(job_state)
    assert job_state.serialize() == before
