"""Pauses, cancellations, time-outs and resumes."""

import pytest

from routilux._core.facts import (
    Effect,
    HoldLifted,
    JobCancelled,
    JobResumed,
    JobStarted,
    JobTimedOut,
    PauseRequested,
    TimersFired,
)
from routilux._core.job import PauseRequest
from routilux._core.merging import given
from routilux._graph import SlotNode
from routilux._model import JobStatus, MergeKind
from routilux._records import ErrorInfo, PausePoint
from tests.core.hand_made import (
    EARLIER,
    FOLD,
    HASH,
    LATER,
    NOW,
    RETRY,
    SINK,
    SOURCE,
    STOP,
    WORKER,
    WRONG,
    absorb,
    apply,
    done,
    expectation,
    failed,
    job,
    lies,
    pausing,
    places,
    record,
    take_from,
    taken,
    task,
)

PENDING, RUNNING, PAUSED = JobStatus.PENDING, JobStatus.RUNNING, JobStatus.PAUSED
COMPLETED, FAILED, CANCELLED = JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED
STATUS_AND_TIMER = (Effect.STATUS_CHANGED, Effect.TIMER_CHANGED)
TIMED_OUT = ErrorInfo("routilux.errors.JobTimeout", "too long", None, None, "")
PAUSE = PauseRequested("lunch", {"at": 3})


# Pause.


def test_a_job_with_nothing_in_flight_pauses_at_once() -> None:
    state = job(tasks=[task(1)])
    assert (apply(state, PAUSE), state.status) == (STATUS_AND_TIMER, PAUSED)


def test_a_pause_point_says_when_and_why() -> None:
    state = job(tasks=[task(1)])
    apply(state, PAUSE)
    assert state.pause_points == (PausePoint(NOW, "lunch", {"at": 3}),)


def test_a_paused_job_keeps_every_task() -> None:
    state = job(tasks=[task(1), task(2, due=LATER), expectation(3)])
    apply(state, PAUSE)
    assert places(state) == lies(ready=[1], delayed=[2], expecting=[3])


def test_the_time_before_a_pause_counts_and_the_watch_stops() -> None:
    state = job(tasks=[task(1)], elapsed=1.0)
    apply(state, PAUSE)
    assert (state.elapsed, state.running_since) == (11.0, None)


def test_a_pause_waits_for_what_is_in_flight() -> None:
    state = job(active=(task(1),))
    assert (apply(state, PAUSE), state.status, state.pause_points) == ((), RUNNING, ())


def test_a_pause_takes_effect_when_what_is_in_flight_has_succeeded() -> None:
    state = job(active=(task(1, SOURCE),))
    apply(state, PAUSE)
    apply(state, done(state.active[1], record("source", "out")), LATER)
    assert (state.status, places(state)) == (PAUSED, lies(ready=[2]))


def test_a_pause_takes_effect_at_the_end_of_the_last_activation_in_flight() -> None:
    state = job(active=(task(1), task(2)))
    apply(state, PAUSE)
    apply(state, done(state.active[1]))
    assert state.status is RUNNING


def test_a_pause_point_tells_when_the_pause_took_effect() -> None:
    state = job(active=(task(1),))
    apply(state, PAUSE)
    apply(state, done(state.active[1]), LATER)
    assert state.pause_points == (PausePoint(LATER, "lunch", {"at": 3}),)


def test_a_pause_takes_effect_when_what_is_in_flight_is_to_be_retried() -> None:
    state = job(active=(task(1),))
    apply(state, PAUSE)
    effects = apply(state, failed(state.active[1], RETRY))
    assert (effects, state.status) == ((Effect.TIMER_CHANGED, *STATUS_AND_TIMER), PAUSED)


def test_a_pause_takes_effect_when_what_is_in_flight_is_absorbed() -> None:
    state = job(active=(task(1),), tasks=[task(2)])
    apply(state, PAUSE)
    absorb(state, state.active[1])
    assert state.status is PAUSED


def test_a_pause_gives_paused_even_if_the_work_runs_out() -> None:
    state = job(active=(task(1),))
    apply(state, PAUSE)
    apply(state, done(state.active[1]))
    assert (state.status, places(state)) == (PAUSED, lies())


def test_a_held_job_can_be_paused() -> None:
    state = job(tasks=[task(1)], hold_until=LATER)
    apply(state, PAUSE)
    assert (state.status, state.hold_until) == (PAUSED, None)


def test_a_paused_job_is_not_about_to_pause() -> None:
    state = job(tasks=[task(1)])
    apply(state, PAUSE)
    assert state.closing is None


def test_two_pause_requests_leave_two_pause_points() -> None:
    state = job(active=(task(1),))
    apply(state, PauseRequested("one", {}))
    apply(state, PauseRequested("two", {}))
    apply(state, done(state.active[1]))
    assert [point.reason for point in state.pause_points] == ["one", "two"]


def test_a_pause_that_is_overtaken_by_a_failure_does_not_happen() -> None:
    state = job(active=(task(1),))
    apply(state, PAUSE)
    apply(state, failed(state.active[1], STOP))
    assert (state.status, state.error, state.pause_points) == (FAILED, WRONG, ())


def test_a_job_that_is_about_to_fail_fails_all_the_same_when_it_is_paused() -> None:
    state = job(active=(task(1),), closing=WRONG)
    apply(state, PAUSE)
    apply(state, done(state.active[1]))
    assert (state.status, state.error, state.pause_points) == (FAILED, WRONG, ())


def test_one_more_pause_of_a_paused_job_is_one_more_pause_point() -> None:
    state = job(PAUSED, pause_points=(PausePoint(EARLIER, "first", {}),))
    effects = apply(state, PAUSE)
    assert (effects, state.pause_points) == (
        (Effect.STATUS_CHANGED,),
        (PausePoint(EARLIER, "first", {}), PausePoint(NOW, "lunch", {"at": 3})),
    )


def test_one_more_pause_before_a_job_has_paused_is_one_more_pause_point() -> None:
    state = job(active=(task(1),), closing=PauseRequest("first", {}))
    apply(state, PAUSE)
    apply(state, done(state.active[1]), LATER)
    assert list(state.pause_points) == [PausePoint(NOW, "first", {}), PausePoint(LATER, "lunch", {"at": 3})]


def test_pausing_a_job_whose_work_has_run_out_gives_paused() -> None:
    state = job(COMPLETED)
    assert (apply(state, PAUSE), state.status, state.updated_at) == ((Effect.STATUS_CHANGED,), PAUSED, NOW)


@pytest.mark.parametrize("status", [PENDING, FAILED, CANCELLED])
def test_other_jobs_cannot_be_paused(status: JobStatus) -> None:
    with pytest.raises(ValueError, match=f"^job 'j' is {status}: it cannot become paused$"):
        apply(job(status), PAUSE)


@pytest.mark.parametrize("status", [PENDING, FAILED, CANCELLED])
def test_a_refused_pause_leaves_no_pause_point(status: JobStatus) -> None:
    state = job(status)
    with pytest.raises(ValueError, match="cannot become"):
        apply(state, PAUSE)
    assert state.pause_points == ()


# Cancel.


@pytest.mark.parametrize("status", [PENDING, RUNNING, PAUSED])
def test_a_job_that_is_not_settled_can_be_cancelled(status: JobStatus) -> None:
    state = job(status)
    assert (apply(state, JobCancelled("enough")), state.status) == (STATUS_AND_TIMER, CANCELLED)


@pytest.mark.parametrize("status", [COMPLETED, FAILED, CANCELLED])
def test_a_settled_job_cannot_be_cancelled(status: JobStatus) -> None:
    with pytest.raises(ValueError, match=f"^job 'j' is {status}: it cannot become cancelled$"):
        apply(job(status), JobCancelled(""))


def test_a_cancelled_job_knows_why() -> None:
    state = job()
    apply(state, JobCancelled("enough"))
    assert state.cancel_reason == "enough"


def test_cancelling_puts_what_is_in_flight_back_in_front() -> None:
    state = job(active=(task(1), task(2)), tasks=[task(3), task(4, due=LATER)])
    apply(state, JobCancelled(""))
    assert places(state) == lies(ready=[1, 2, 3], delayed=[4])


def test_an_attempt_that_is_given_up_has_another_task_than_the_one_that_goes_on() -> None:
    entry = task(1)
    state = job(active=(entry,))
    apply(state, JobCancelled(""))
    assert (state.ready.peek() == entry, state.ready.peek() is entry) == (True, False)


def test_cancelling_overtakes_a_pause() -> None:
    state = job(active=(task(1),), closing=PauseRequest("", {}))
    apply(state, JobCancelled(""))
    assert (state.status, state.closing, state.pause_points) == (CANCELLED, None, ())


def test_cancelling_stops_the_watch_and_the_hold() -> None:
    state = job(hold_until=LATER)
    apply(state, JobCancelled(""))
    assert (state.elapsed, state.running_since, state.hold_until) == (10.0, None, None)


# Time-out.


def test_a_job_that_has_run_too_long_has_failed() -> None:
    state = job(active=(task(1),), timeout=5.0)
    assert (apply(state, JobTimedOut(TIMED_OUT)), state.status, state.error) == (STATUS_AND_TIMER, FAILED, TIMED_OUT)


def test_a_job_that_has_run_too_long_keeps_its_tasks() -> None:
    state = job(active=(task(1),), tasks=[task(2), expectation(3)])
    apply(state, JobTimedOut(TIMED_OUT))
    assert places(state) == lies(ready=[1, 2], expecting=[3])


def test_a_held_job_times_out_all_the_same() -> None:
    state = job(hold_until=LATER)
    apply(state, JobTimedOut(TIMED_OUT))
    assert state.status is FAILED


def test_a_pause_is_overtaken_by_a_time_out() -> None:
    state = job(active=(task(1),), closing=PauseRequest("", {}))
    apply(state, JobTimedOut(TIMED_OUT))
    assert (state.status, state.pause_points) == (FAILED, ())


# Resume.


def resume(*recovered: object) -> JobResumed:
    return JobResumed("sha256:newer", list(recovered), LATER)


def test_a_job_that_is_resumed_has_changed_now() -> None:
    state = job(PAUSED)
    apply(state, resume())
    assert state.updated_at == NOW


@pytest.mark.parametrize("status", [PENDING, RUNNING, PAUSED])
def test_a_job_that_is_not_settled_can_be_resumed(status: JobStatus) -> None:
    state = job(status, tasks=[task(1)])
    assert (apply(state, resume()), state.status) == (STATUS_AND_TIMER, RUNNING)


@pytest.mark.parametrize("status", [COMPLETED, FAILED, CANCELLED])
def test_a_settled_job_cannot_be_resumed(status: JobStatus) -> None:
    with pytest.raises(ValueError, match=f"^job 'j' is {status}: it cannot become running$"):
        apply(job(status), resume())


def test_a_resumed_job_is_one_of_the_flow_at_hand() -> None:
    state = job(PAUSED, fingerprint=HASH)
    apply(state, resume())
    assert state.fingerprint == "sha256:newer"


def test_a_resume_starts_the_watch_again() -> None:
    state = job(PAUSED, elapsed=4.0)
    apply(state, resume())
    assert (state.running_since, state.elapsed) == (NOW, 4.0)


def test_a_resumed_job_with_nothing_to_do_is_held() -> None:
    state = job(PAUSED)
    apply(state, resume())
    assert (state.status, state.hold_until) == (RUNNING, LATER)


def test_a_hold_ends_by_itself() -> None:
    state = job(hold_until=NOW)
    assert (apply(state, TimersFired()), state.status) == (STATUS_AND_TIMER, COMPLETED)


def test_a_hold_that_ends_while_there_is_work_ends_all_the_same() -> None:
    state = job(tasks=[task(1)], hold_until=NOW)
    assert (apply(state, TimersFired()), state.status, state.hold_until) == ((), RUNNING, None)


def test_a_hold_goes_on_when_another_timer_fires() -> None:
    state = job(hold_until=LATER)
    apply(state, TimersFired())
    assert (state.status, state.hold_until) == (RUNNING, LATER)


def test_a_job_that_runs_dry_while_it_is_held_is_to_be_woken_at_the_end_of_the_hold() -> None:
    state = job(active=(task(1),), hold_until=LATER)
    assert (apply(state, done(state.active[1])), state.next_wake()) == ((Effect.TIMER_CHANGED,), LATER)


def test_a_job_that_is_to_fail_while_it_is_held_is_to_be_woken_at_the_end_of_the_hold() -> None:
    state = job(active=(task(1),), tasks=[task(2)], hold_until=LATER)
    assert (apply(state, failed(state.active[1], STOP)), state.next_wake()) == ((Effect.TIMER_CHANGED,), LATER)


def test_a_job_that_was_about_to_fail_is_to_be_woken_after_its_resume() -> None:
    state = job(closing=WRONG, tasks=[task(1)], running_since=None)
    assert (apply(state, resume()), state.next_wake()) == (STATUS_AND_TIMER, LATER)


def test_a_hold_ends_when_somebody_waits() -> None:
    state = job(hold_until=LATER)
    assert (apply(state, HoldLifted()), state.status) == (STATUS_AND_TIMER, COMPLETED)


def test_a_job_that_failed_while_it_was_held_fails_when_the_hold_ends() -> None:
    state = job(active=(task(1),), hold_until=LATER)
    apply(state, failed(state.active[1], STOP))
    status_before = state.status
    apply(state, HoldLifted())
    assert (status_before, state.status, state.error) == (RUNNING, FAILED, WRONG)


def test_recovered_tasks_come_after_the_pending_ones() -> None:
    state = job(PAUSED, tasks=[task(1)])
    apply(state, resume(task(0, SOURCE)))
    assert places(state) == lies(ready=[1, 2])


def test_recovered_tasks_are_numbered_on_and_queued_now() -> None:
    state = job(PAUSED, tasks=[task(1)])
    apply(state, resume(task(0, SOURCE, data={"a": 1}, retry_count=2)))
    assert list(state.ready)[1] == task(2, SOURCE, data={"a": 1}, retry_count=2, since=NOW)


def test_recovered_data_of_a_slot_that_overrides_is_merged_when_it_is_taken() -> None:
    state = job(PAUSED, slot_data={WORKER: {"old": 1}})
    apply(state, resume(task(0, WORKER, data={"a": 1})))
    before = state.slot_data[WORKER]
    taken(state)
    assert (before, state.slot_data[WORKER]) == ({"old": 1}, {"a": 1})


def test_recovered_data_of_a_slot_with_a_function_is_left_to_the_function() -> None:
    state = job(PAUSED, slot_data={FOLD: {"sum": 1}})
    apply(state, resume(task(0, FOLD, data={"sum": 2})))
    assert (taken(state).merged, state.slot_data[FOLD]) == (None, {"sum": 1})


def test_recovered_lists_of_a_slot_that_appends_go_behind_those_that_are_there() -> None:
    state = job(PAUSED, slot_data={SINK: {"x": [1]}})
    apply(state, resume(task(0, SINK, data={"x": [2, 3], "y": 4})))
    assert state.slot_data == {SINK: {"x": [1, 2, 3], "y": [4]}}


def test_a_recovered_task_of_a_slot_that_appends_sees_all_that_is_there() -> None:
    state = job(PAUSED, slot_data={SINK: {"x": [1], "z": [9]}})
    apply(state, resume(task(0, SINK, data={"x": [2, 3]})))
    entry = taken(state)
    assert given(state, SlotNode(SINK, MergeKind.APPEND), entry) == {"x": [1, 2, 3], "z": [9]}


def test_recovered_data_is_appended_but_once() -> None:
    state = job(PAUSED)
    apply(state, resume(task(0, SINK, data={"x": [2, 3]})))
    taken(state)
    assert state.slot_data == {SINK: {"x": [2, 3]}}


def test_a_recovered_task_may_wait_for_a_delivery_to_a_slot_that_appends() -> None:
    state = job(PAUSED)
    apply(state, resume(expectation(0, SINK)))
    assert (places(state), state.slot_data) == (lies(expecting=[1]), {})


def test_a_resumed_job_that_was_about_to_fail_starts_nothing() -> None:
    state = job(closing=WRONG, tasks=[task(1)], running_since=None)
    apply(state, resume())
    assert take_from(state) is None


@pytest.mark.parametrize("status", [COMPLETED, FAILED, CANCELLED])
def test_a_settled_job_cannot_be_started(status: JobStatus) -> None:
    with pytest.raises(ValueError, match="cannot become running"):
        apply(job(status), JobStarted(task(0)))


def test_a_checkpoint_is_kept_as_it_was_given() -> None:
    state = job()
    apply(state, PauseRequested(**pausing("r", step=2)))
    assert state.pause_points[0].checkpoint == {"step": 2}
