"""What a job says of itself: the statuses of its routines, and when it is to be woken."""

import pytest

from routilux._core.facts import JobCancelled
from routilux._model import SETTLED, SEVERITY, ErrorStrategy, JobStatus, RoutineStatus
from routilux._records import RoutineState
from tests.core.hand_made import (
    ANSWER,
    CONTINUE,
    EARLIER,
    LATER,
    NOW,
    RETRY,
    SKIP,
    STOP,
    WRONG,
    absorb,
    apply,
    done,
    expectation,
    failed,
    job,
    task,
)

PAUSED, CANCELLED = JobStatus.PAUSED, JobStatus.CANCELLED


# Routines.


def test_a_routine_that_has_had_nothing_to_do_has_no_status() -> None:
    assert job(tasks=[task(1)]).routine_status("sink") is None


def test_a_routine_with_a_task_queued_is_pending() -> None:
    assert job(tasks=[task(1)]).routine_status("worker") is RoutineStatus.PENDING


def test_a_routine_with_a_retry_due_is_pending() -> None:
    assert job(tasks=[task(1, due=LATER)]).routine_status("worker") is RoutineStatus.PENDING


def test_a_routine_that_expects_a_delivery_is_pending() -> None:
    assert job(tasks=[expectation(1)]).routine_status("worker") is RoutineStatus.PENDING


def test_a_routine_with_an_activation_in_flight_is_running() -> None:
    assert job(active=(task(1),), tasks=[task(2)]).routine_status("worker") is RoutineStatus.RUNNING


@pytest.mark.parametrize("outcome", SEVERITY)
def test_a_routine_with_tasks_left_is_pending_whatever_became_of_others(outcome: RoutineStatus) -> None:
    state = job(tasks=[task(1)], routines={"worker": RoutineState(outcome)})
    assert state.routine_status("worker") is RoutineStatus.PENDING


@pytest.mark.parametrize("outcome", SEVERITY)
def test_a_routine_without_tasks_has_the_status_of_its_outcome(outcome: RoutineStatus) -> None:
    assert job(routines={"worker": RoutineState(outcome)}).routine_status("worker") is outcome


def test_a_routine_with_tasks_left_in_a_cancelled_job_is_cancelled() -> None:
    state = job(active=(task(1),))
    apply(state, JobCancelled(""))
    assert state.routine_status("worker") is RoutineStatus.CANCELLED


def test_a_routine_that_had_finished_before_the_job_was_cancelled_is_completed() -> None:
    state = job(active=(task(1),), routines={"sink": RoutineState(RoutineStatus.COMPLETED)})
    apply(state, JobCancelled(""))
    assert state.routine_status("sink") is RoutineStatus.COMPLETED


def test_a_routine_whose_tasks_were_all_absorbed_is_pending() -> None:
    state = job(active=(task(1),))
    absorb(state, state.active[1])
    assert state.routine_status("worker") is RoutineStatus.PENDING


def test_a_routine_whose_task_failed_is_failed() -> None:
    state = job(active=(task(1),))
    apply(state, failed(state.active[1], STOP))
    assert state.routine_status("worker") is RoutineStatus.FAILED


ORDERS = [
    ([None, SKIP], RoutineStatus.SKIPPED),
    ([SKIP, None], RoutineStatus.SKIPPED),
    ([SKIP, CONTINUE], RoutineStatus.ERROR_CONTINUED),
    ([CONTINUE, SKIP], RoutineStatus.ERROR_CONTINUED),
    ([CONTINUE, None, STOP], RoutineStatus.FAILED),
    ([None, RETRY], RoutineStatus.PENDING),
]


@pytest.mark.parametrize(("ends", "worst"), ORDERS)
def test_the_worst_of_its_tasks_is_a_routines_status(ends: list[ErrorStrategy | None], worst: RoutineStatus) -> None:
    state = job(active=tuple(task(number) for number in range(1, len(ends) + 1)))
    for entry, strategy in zip(list(state.active.values()), ends, strict=True):
        apply(state, done(entry) if strategy is None else failed(entry, strategy), concurrent=True)
    assert state.routine_status("worker") is worst


def test_the_statuses_of_several_routines_come_in_the_order_asked_for() -> None:
    state = job(tasks=[task(1)], routines={"sink": RoutineState(RoutineStatus.SKIPPED)})
    assert list(state.routine_statuses(["worker", "fold", "sink"]).items()) == [
        ("worker", RoutineStatus.PENDING),
        ("fold", None),
        ("sink", RoutineStatus.SKIPPED),
    ]


@pytest.mark.parametrize("status", JobStatus)
def test_completed_failed_and_cancelled_jobs_are_settled(status: JobStatus) -> None:
    assert job(status).settled is (status in SETTLED)


# Tasks.


def test_pending_tasks_are_those_in_flight_then_the_queue_then_retries_by_due_time_then_expectations() -> None:
    state = job(
        active=(task(9),),
        tasks=[expectation(1), task(2, due=LATER), task(3, due=NOW), task(4), task(5, priority=1)],
    )
    assert [entry.number for entry in state.pending()] == [9, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    "fields", [{"active": (task(1),)}, {"tasks": [task(1)]}, {"tasks": [task(1, due=NOW)]}, {"tasks": [expectation(1)]}]
)
def test_a_job_with_a_task_anywhere_is_not_idle(fields: dict[str, object]) -> None:
    assert job(**fields).idle is False


def test_a_job_of_which_only_failed_tasks_are_left_is_idle() -> None:
    assert job(failed=[task(1)]).idle is True


# Waking.


def test_a_job_that_waits_for_nothing_is_not_to_be_woken() -> None:
    assert job(tasks=[task(1), expectation(2)]).next_wake() is None


WAKES = {
    "the first retry that is due": ({"tasks": [task(1, due=LATER), task(2, due=NOW)]}, NOW),
    "the first deadline": ({"tasks": [expectation(1, deadline=LATER), expectation(2, deadline=NOW)]}, NOW),
    "the end of the hold": ({"hold_until": NOW}, NOW),
    "its timeout": ({"timeout": 25.0, "elapsed": 5.0}, EARLIER + 20.0),
    "whatever comes first": (
        {
            "tasks": [task(1, due=1004.0), expectation(2, ANSWER, deadline=1003.0)],
            "timeout": 12.0,
        },
        1002.0,
    ),
}


@pytest.mark.parametrize("what", WAKES)
def test_a_job_is_to_be_woken_at(what: str) -> None:
    fields, when = WAKES[what]
    assert job(**fields).next_wake() == when


def test_a_hold_wakes_nobody_while_there_is_work() -> None:
    assert job(tasks=[task(1)], hold_until=NOW).next_wake() is None


def test_the_timeout_of_a_paused_job_does_not_run() -> None:
    assert job(PAUSED, timeout=25.0).next_wake() is None


def test_a_failed_tasks_due_time_wakes_nobody() -> None:
    assert job(JobStatus.FAILED, failed=[task(1, due=NOW)], error=WRONG).next_wake() is None


def test_what_is_cancelled_is_not_about_to_close() -> None:
    assert job(CANCELLED).closing is None
