"""What each decision on a failure makes of a job; and of an expectation that nobody met."""

import pytest

from routilux._core.facts import Delivered, Effect, TimersFired
from routilux._core.job import Job
from routilux._model import ErrorStrategy, JobStatus, RoutineStatus
from routilux._records import Changes, ErrorInfo, RoutineState, Task
from tests.core.hand_made import (
    CONTINUE,
    EARLIER,
    LATER,
    NOW,
    RETRY,
    SINK,
    SKIP,
    SOURCE,
    STOP,
    WORKER,
    WRONG,
    apply,
    done,
    events,
    expectation,
    expecting,
    failed,
    flushed,
    job,
    lies,
    places,
    record,
    task,
)

RUNNING, COMPLETED, FAILED = JobStatus.RUNNING, JobStatus.COMPLETED, JobStatus.FAILED
STATUS_AND_TIMER = (Effect.STATUS_CHANGED, Effect.TIMER_CHANGED)
OTHER = ErrorInfo("builtins.KeyError", "another", "worker", "j:2", "")


def after(strategy: ErrorStrategy, *outbox: object, tasks: tuple[Task, ...] = (), **rest: object) -> Job:
    """A job of which one attempt has just failed."""
    state = job(active=(task(1, SOURCE),), tasks=tasks)
    apply(state, failed(state.active[1], strategy, *outbox, **rest))
    return state


# Retry.


def test_a_task_to_be_retried_waits_for_its_due_time() -> None:
    assert places(after(RETRY, delay=2.5)) == lies(delayed=[1])


def test_a_retry_is_the_same_task_once_more_with_a_due_time_and_a_count() -> None:
    entry = task(1, merged={"x": 1}, flushes=2, retry_count=1, priority=3, metadata={"m": 1})
    state = job(active=(entry,))
    apply(state, failed(entry, RETRY, delay=2.5))
    assert state.waiting() == [
        task(1, merged={"x": 1}, flushes=2, retry_count=2, priority=3, metadata={"m": 1}, since=NOW, due=NOW + 2.5)
    ]


def test_a_retried_task_is_a_new_object_so_that_a_late_attempt_is_known_by_the_old_one() -> None:
    entry = task(1)
    state = job(active=(entry,))
    apply(state, failed(entry, RETRY))
    assert (entry.retry_count, entry.due) == (0, None)


def test_an_attempt_to_be_retried_leaves_its_start_and_its_error() -> None:
    assert events(after(RETRY, record("source", "out"))) == ["start", "error"]


def test_what_an_attempt_to_be_retried_has_changed_is_dropped() -> None:
    assert after(RETRY, changes=Changes(written={"a": 1})).shared_data == {}


def test_a_retry_is_no_outcome_but_the_error_is_known() -> None:
    assert after(RETRY).routines == {"source": RoutineState(error=WRONG)}


def test_a_retry_sets_the_timer() -> None:
    state = job(active=(task(1),))
    assert apply(state, failed(state.active[1], RETRY, delay=1.0)) == (Effect.TIMER_CHANGED,)


def test_a_job_with_a_retry_goes_on() -> None:
    assert after(RETRY).status is RUNNING


def test_a_task_that_is_due_is_ready() -> None:
    state = job(tasks=[task(1, due=NOW), task(2, due=EARLIER), task(3, due=LATER)])
    apply(state, TimersFired())
    assert places(state) == lies(ready=[2, 1], delayed=[3])


def test_a_due_task_waits_no_longer() -> None:
    state = job(tasks=[task(1, due=NOW)])
    apply(state, TimersFired())
    assert list(state.ready) == [task(1, since=NOW)]


def test_tasks_that_are_due_at_once_come_in_the_order_of_their_numbers() -> None:
    state = job(tasks=[task(2, due=NOW), task(1, due=NOW)])
    apply(state, TimersFired())
    assert places(state) == lies(ready=[1, 2])


def test_a_timer_that_finds_nothing_changes_nothing() -> None:
    state = job(tasks=[task(1, due=LATER)])
    assert (apply(state, TimersFired()), places(state)) == ((), lies(delayed=[1]))


# Continue.


def test_a_failure_that_is_continued_keeps_what_was_emitted() -> None:
    assert places(after(CONTINUE, record("source", "out"))) == lies(ready=[2])


def test_a_failure_that_is_continued_keeps_changes() -> None:
    assert after(CONTINUE, changes=Changes(written={"a": 1})).shared_data == {"a": 1}


def test_a_failure_that_is_continued_is_told_after_what_was_emitted() -> None:
    assert events(after(CONTINUE, record("source", "out"))) == ["start", "out", "error", "error_continued"]


def test_a_failure_that_is_continued_makes_the_routine_error_continued() -> None:
    assert after(CONTINUE).routines == {"source": RoutineState(RoutineStatus.ERROR_CONTINUED, WRONG)}


def test_a_job_whose_last_failure_is_continued_is_completed() -> None:
    assert after(CONTINUE).status is COMPLETED


def test_effects_of_what_a_continued_failure_expects_are_kept() -> None:
    state = job(active=(task(1),))
    assert apply(state, failed(state.active[1], CONTINUE, changes=expecting(5.0))) == (
        Effect.TIMER_CHANGED,
        Effect.STUCK,
    )


# Skip.


def test_a_skipped_task_is_nowhere_and_what_it_emitted_is_dropped() -> None:
    assert places(after(SKIP, record("source", "out"), tasks=(task(2),))) == lies(ready=[2])


def test_a_skipped_task_leaves_start_error_and_skipped() -> None:
    assert events(after(SKIP, record("source", "out"))) == ["start", "error", "skipped"]


def test_a_skip_makes_the_routine_skipped() -> None:
    assert after(SKIP).routines == {"source": RoutineState(RoutineStatus.SKIPPED, WRONG)}


def test_a_job_whose_last_task_is_skipped_is_completed() -> None:
    assert after(SKIP).status is COMPLETED


# Stop.


def test_a_failure_that_stops_fails_the_job() -> None:
    assert after(STOP).status is FAILED


def test_a_failed_job_keeps_why() -> None:
    assert after(STOP).error == WRONG


def test_a_failed_job_keeps_its_failed_and_its_unstarted_tasks() -> None:
    assert places(after(STOP, record("source", "out"), tasks=(task(2), task(3, due=LATER)))) == lies(
        ready=[2], delayed=[3], failed=[1]
    )


def test_a_failure_that_stops_leaves_start_and_error() -> None:
    assert events(after(STOP, record("source", "out"))) == ["start", "error"]


def test_a_failure_that_stops_makes_the_routine_failed() -> None:
    assert after(STOP).routines == {"source": RoutineState(RoutineStatus.FAILED, WRONG)}


def test_failing_is_a_change_of_status_and_of_the_timer() -> None:
    state = job(active=(task(1),))
    assert apply(state, failed(state.active[1], STOP)) == STATUS_AND_TIMER


def test_a_job_that_fails_waits_for_the_activations_in_flight() -> None:
    state = job(active=(task(1), task(2)))
    apply(state, failed(state.active[1], STOP), concurrent=True)
    assert (state.status, places(state)) == (RUNNING, lies(active=[2], failed=[1]))


def test_what_is_in_flight_when_a_job_fails_commits_and_what_it_emits_stays_pending() -> None:
    state = job(active=(task(1), task(2, SOURCE)))
    apply(state, failed(state.active[1], STOP), concurrent=True)
    apply(state, done(state.active[2], record("source", "out")), concurrent=True)
    assert (state.status, places(state)) == (FAILED, lies(ready=[3], failed=[1]))


def test_the_first_of_two_failures_is_the_jobs() -> None:
    state = job(active=(task(1), task(2)))
    apply(state, failed(state.active[1], STOP), concurrent=True)
    apply(state, failed(state.active[2], STOP, error=OTHER), concurrent=True)
    assert state.error == WRONG


def test_the_last_of_two_failures_is_the_routines() -> None:
    state = job(active=(task(1), task(2)))
    apply(state, failed(state.active[1], STOP), concurrent=True)
    apply(state, failed(state.active[2], STOP, error=OTHER), concurrent=True)
    assert state.routines["worker"].error == OTHER


# All of them.


@pytest.mark.parametrize("strategy", list(ErrorStrategy))
def test_an_error_record_tells_type_message_and_attempt(strategy: ErrorStrategy) -> None:
    entry = task(1, retry_count=2)
    state = job(active=(entry,))
    apply(state, failed(entry, strategy))
    assert state.history[1] == record("worker", "error", type="builtins.ValueError", message="no such luck", attempt=3)


@pytest.mark.parametrize("strategy", list(ErrorStrategy))
def test_a_failure_is_an_update(strategy: ErrorStrategy) -> None:
    assert after(strategy, tasks=(task(2),)).updated_at == NOW


@pytest.mark.parametrize("strategy", list(ErrorStrategy))
def test_what_was_flushed_before_a_failure_stays(strategy: ErrorStrategy) -> None:
    state = job(active=(task(1, SOURCE),))
    apply(state, flushed(state.active[1], record("source", "out")))
    apply(state, failed(state.active[1], strategy))
    assert [entry.target for entry in state.ready] == [WORKER]


WORST = [
    (CONTINUE, RoutineStatus.ERROR_CONTINUED),
    (SKIP, RoutineStatus.SKIPPED),
    (STOP, RoutineStatus.FAILED),
]


@pytest.mark.parametrize(("strategy", "outcome"), WORST)
def test_a_failure_makes_a_completed_outcome_worse(strategy: ErrorStrategy, outcome: RoutineStatus) -> None:
    state = job(active=(task(1),), routines={"worker": RoutineState(RoutineStatus.COMPLETED)})
    apply(state, failed(state.active[1], strategy))
    assert state.routines["worker"].outcome is outcome


@pytest.mark.parametrize(("strategy", "outcome"), WORST)
def test_the_worst_outcome_stays(strategy: ErrorStrategy, outcome: RoutineStatus) -> None:
    state = job(active=(task(1),), routines={"worker": RoutineState(RoutineStatus.FAILED)})
    apply(state, failed(state.active[1], strategy))
    assert state.routines["worker"].outcome is RoutineStatus.FAILED


# Expectations.


def test_an_expectation_is_a_task_without_data_that_lasts_as_long_as_its_patience() -> None:
    state = job(active=(task(1),))
    apply(state, done(state.active[1], changes=expecting(30.0)))
    assert state.waiting() == [expectation(2, since=NOW, deadline=NOW + 30.0, patience=30.0)]


def test_an_expectation_without_patience_has_no_deadline() -> None:
    state = job(active=(task(1),))
    apply(state, done(state.active[1], changes=expecting(None)))
    assert state.waiting() == [expectation(2, since=NOW)]


def test_an_expectation_sets_the_timer() -> None:
    state = job(active=(task(1),))
    assert apply(state, done(state.active[1], changes=expecting(30.0))) == (Effect.TIMER_CHANGED, Effect.STUCK)


def test_a_delivery_makes_an_expectation_ready() -> None:
    state = job(tasks=[expectation(1, deadline=LATER, patience=20.0)])
    apply(state, Delivered(state.expecting.tasks[1], {"x": 7}))
    assert (places(state), list(state.ready)) == (
        lies(ready=[1]),
        [task(1, state.ready.peek().target, data={"x": 7}, since=NOW)],
    )


def test_a_delivery_to_a_paused_job_waits_for_its_resume() -> None:
    state = job(JobStatus.PAUSED, tasks=[expectation(1)])
    apply(state, Delivered(state.expecting.tasks[1], {"x": 7}))
    assert (state.status, places(state)) == (JobStatus.PAUSED, lies(ready=[1]))


def test_a_delivery_is_an_update_and_needs_nothing_more_done() -> None:
    state = job(tasks=[expectation(1)])
    assert (apply(state, Delivered(state.expecting.tasks[1], {})), state.updated_at) == ((), NOW)


def test_an_expectation_is_overdue_from_its_deadline_on() -> None:
    entries = [expectation(1, deadline=NOW), expectation(2, deadline=LATER), expectation(3)]
    assert job(tasks=entries).overdue_expectations(NOW) == [entries[0]]


def test_an_expectation_that_nobody_met_and_is_retried_waits_as_long_once_more() -> None:
    state = job(tasks=[expectation(1, deadline=NOW, patience=30.0)])
    apply(state, failed(state.expecting.tasks[1], RETRY, delay=2.0))
    assert state.waiting() == [expectation(1, since=NOW, deadline=NOW + 32.0, patience=30.0, retry_count=1)]


def test_an_expectation_that_is_retried_without_patience_waits_for_the_delay_alone() -> None:
    state = job(tasks=[expectation(1, deadline=NOW)])
    apply(state, failed(state.expecting.tasks[1], RETRY, delay=2.0))
    assert state.waiting() == [expectation(1, since=NOW, deadline=NOW + 2.0, retry_count=1)]


def test_an_expectation_that_nobody_met_leaves_an_error_without_a_start() -> None:
    state = job(tasks=[expectation(1, deadline=NOW)])
    apply(state, failed(state.expecting.tasks[1], STOP))
    assert events(state) == ["error"]


def test_an_expectation_that_nobody_met_and_that_stops_fails_the_job() -> None:
    state = job(tasks=[expectation(1, deadline=NOW)])
    apply(state, failed(state.expecting.tasks[1], STOP))
    assert (state.status, places(state)) == (FAILED, lies(failed=[1]))


@pytest.mark.parametrize("strategy", [CONTINUE, SKIP])
def test_a_job_goes_on_without_what_nobody_delivered(strategy: ErrorStrategy) -> None:
    state = job(tasks=[expectation(1, deadline=NOW), task(2, SINK)])
    apply(state, failed(state.expecting.tasks[1], strategy))
    assert (state.status, places(state)) == (RUNNING, lies(ready=[2]))
