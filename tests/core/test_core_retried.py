"""A failed job that is retried."""

from typing import Any

import pytest

from routilux._core.facts import Effect, JobRetried
from routilux._core.job import Job
from routilux._model import JobStatus, RoutineStatus
from routilux._records import RoutineState
from tests.core.hand_made import LATER, NOW, WRONG, apply, expectation, job, lies, places, task


def failed_job(**fields: Any) -> Job:
    return job(JobStatus.FAILED, error=WRONG, **fields)


def retry(state: Job) -> None:
    assert apply(state, JobRetried("sha256:newer", LATER)) == (Effect.STATUS_CHANGED, Effect.TIMER_CHANGED)


def test_failed_tasks_come_before_all_that_was_left() -> None:
    state = failed_job(tasks=[task(2), task(3)], failed=[task(1)])
    retry(state)
    assert places(state) == lies(ready=[1, 2, 3])


def test_each_failed_task_gets_an_attempt_of_its_own_number_at_once() -> None:
    state = failed_job(failed=[task(1, retry_count=3)])
    retry(state)
    (entry,) = state.ready
    assert (entry.retry_count, entry.due, entry.since) == (4, None, NOW)


def test_an_expectation_is_given_its_time_again() -> None:
    state = failed_job(failed=[expectation(1, patience=5.0, deadline=NOW - 1)])
    retry(state)
    assert state.expecting.tasks[1].deadline == NOW + 5.0


def test_the_job_runs_and_its_error_is_gone() -> None:
    state = failed_job(failed=[task(1)])
    retry(state)
    assert (state.status, state.error, state.fingerprint, state.hold_until) == ("running", None, "sha256:newer", LATER)


def test_a_routine_that_had_failed_is_judged_anew() -> None:
    state = failed_job(failed=[task(1)], routines={"worker": RoutineState(RoutineStatus.FAILED)})
    retry(state)
    state.ready.pop()
    assert state.routine_status("worker") == "pending"


@pytest.mark.parametrize("status", [status for status in JobStatus if status is not JobStatus.FAILED])
def test_only_a_failed_job_is_retried(status: JobStatus) -> None:
    with pytest.raises(ValueError, match="only a failed job is retried"):
        apply(job(status), JobRetried("", LATER))


def test_all_counts_anew_but_its_attempts() -> None:
    state = failed_job(failed=[task(1, lost_attempts=2)], elapsed=7.0)
    retry(state)
    assert (state.elapsed, state.running_since, state.ready.peek().lost_attempts) == (0.0, NOW, 0)
