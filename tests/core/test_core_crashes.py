"""Attempts that were in flight when their process went."""

import pytest

from routilux._core.crashes import solitude
from routilux._core.facts import AttemptsLost, TaskResolved
from routilux._core.job import Job, PauseRequest
from routilux._model import JobStatus, RoutineStatus
from routilux._records import HistoryRecord, PausePoint, Task
from tests.core.hand_made import (
    FOLD,
    FOLDED,
    LATER,
    NOW,
    SINK,
    WORKER,
    WRONG,
    apply,
    events,
    expectation,
    job,
    lies,
    places,
    record,
    task,
)

DIED = AttemptsLost(died=True, limit=3, alone=True)
LET_GO = AttemptsLost(died=False, limit=3, alone=True)
ANY_DIED = AttemptsLost(died=True, limit=3)
"""As journals of former versions say it: whoever was in flight is to blame."""


def after(fact: AttemptsLost, *active: Task, **fields: object) -> Job:
    state = job(active=active, **fields)
    apply(state, fact)
    return state


def counts(state: Job) -> list[int]:
    return [entry.lost_attempts for entry in state.ready]


def test_what_was_in_flight_comes_before_all_that_is_ready_and_what_began_last_first() -> None:
    assert places(after(DIED, task(2), task(3), tasks=[task(4)])) == lies(ready=[3, 2, 4])


def test_what_nobody_suspects_stays_in_order() -> None:
    assert places(after(LET_GO, task(2), task(3), tasks=[task(4)])) == lies(ready=[2, 3, 4])
    assert places(after(ANY_DIED, task(2), task(3), tasks=[task(4)])) == lies(ready=[2, 3, 4])


def test_an_attempt_counts_if_its_process_died_of_it_perhaps() -> None:
    assert counts(after(DIED, task(2, lost_attempts=1), tasks=[task(4)])) == [2, 0]


def test_an_attempt_does_not_count_where_the_job_was_taken_from_a_process_that_lives() -> None:
    assert counts(after(LET_GO, task(2, lost_attempts=1))) == [1]


def test_a_task_that_has_lost_too_many_attempts_fails_its_job() -> None:
    state = after(DIED, task(2, lost_attempts=2), tasks=[task(4)])
    assert state.status is JobStatus.FAILED
    assert places(state) == lies(ready=[4], failed=[2])
    assert state.error is not None
    assert state.error.type == "routilux.errors.ProcessLost"
    assert state.error.message == (
        "the process died 3 times while worker.input was being handled (max_lost_attempts=3), the last time with "
        "nothing else of the job in flight; find out what it died of, and retry the job, which counts anew; where that "
        "was killed from outside, raise max_lost_attempts"
    )
    assert (state.error.routine_id, state.error.task_id, state.error.traceback) == ("worker", "j:2", "")
    assert state.routines["worker"].outcome is RoutineStatus.FAILED
    assert state.routines["worker"].error is state.error
    assert events(state) == ["error"]
    assert state.history[0].content["attempt"] == 1


def test_a_task_that_was_not_alone_is_not_to_blame() -> None:
    state = after(DIED, task(2, lost_attempts=7), task(3, lost_attempts=2))
    assert (state.status, counts(state)) == (JobStatus.RUNNING, [3, 8])


def test_nothing_is_to_blame_for_a_death_that_was_none() -> None:
    state = after(LET_GO, task(2, lost_attempts=7))
    assert (state.status, counts(state)) == (JobStatus.RUNNING, [7])


def test_in_former_journals_a_task_is_to_blame_whatever_was_beside_it() -> None:
    state = after(ANY_DIED, task(2, lost_attempts=2), task(3))
    assert places(state) == lies(ready=[3], failed=[2])
    assert state.error is not None
    assert state.error.message.endswith("so it is not tried again unless the job is retried")


@pytest.mark.parametrize(
    ("deaths", "seconds"), [(0, 0.0), (1, 0.1), (2, 1.0), (3, 10.0), (9, 1e7), (10, 1e7), (2**53, 1e7)]
)
def test_a_task_is_left_alone_for_the_longer_the_more_it_is_suspected(deaths: int, seconds: float) -> None:
    assert solitude(task(1, lost_attempts=deaths)) == pytest.approx(seconds)


def test_whoever_was_to_see_the_job_run_is_gone_too() -> None:
    assert after(DIED, task(2, lost_attempts=2), hold_until=LATER).status is JobStatus.FAILED


def test_of_several_the_first_is_the_jobs_error() -> None:
    state = after(ANY_DIED, task(2, lost_attempts=2), task(3, lost_attempts=5))
    assert state.error is not None
    assert state.error.task_id == "j:2"
    assert places(state) == lies(failed=[2, 3])


def test_a_job_that_was_about_to_fail_fails_of_that() -> None:
    assert after(DIED, task(2, lost_attempts=2), closing=WRONG).error is WRONG


def test_effects_that_must_not_be_repeated_make_the_job_pause() -> None:
    state = after(LET_GO, task(2, FOLD), task(3), tasks=[task(4)])
    assert state.status is JobStatus.PAUSED
    assert [entry.ambiguous for entry in state.ready] == [True, False, False]
    assert list(state.pause_points) == [
        PausePoint(NOW, "the process died in the middle of what must not be repeated", {"tasks": [2]})
    ]


def test_a_job_that_was_about_to_pause_pauses_for_that_reason() -> None:
    state = after(DIED, task(2, FOLD), closing=PauseRequest("lunch", {}))
    assert [point.reason for point in state.pause_points] == ["lunch"]
    assert [entry.ambiguous for entry in state.ready] == [True]


def test_a_job_with_nothing_ambiguous_goes_on() -> None:
    assert after(DIED, task(2)).status is JobStatus.RUNNING


def paused(*tasks: Task) -> Job:
    return job(JobStatus.PAUSED, tasks=list(tasks))


def test_an_ambiguous_task_that_is_done_is_in_no_place_and_its_routine_completed() -> None:
    entry = task(2, FOLD, ambiguous=True, retry_count=1)
    state = paused(task(1), entry, task(3))
    apply(state, TaskResolved(entry, again=False))
    assert places(state) == lies(ready=[1, 3])
    assert state.routines["fold"].outcome is RoutineStatus.COMPLETED
    assert state.history == [HistoryRecord("fold", "resolved", {"attempt": 2, "again": False}, NOW)]
    assert state.updated_at == NOW


def test_what_an_ambiguous_task_has_emitted_is_routed_behind_what_is_ready() -> None:
    entry = task(2, FOLD, ambiguous=True)
    state = paused(entry, task(3))
    apply(state, TaskResolved(entry, again=False, outbox=[record("fold", "folded", x=7)]))
    assert places(state) == lies(ready=[3, 4, 5])
    made = [(each.target, each.data, each.source) for each in list(state.ready)[1:]]
    assert made == [(SINK, {"x": 7}, FOLDED), (WORKER, {"x": 7}, FOLDED)]
    assert events(state) == ["resolved", "folded"]
    assert state.status is JobStatus.PAUSED


def test_an_ambiguous_task_that_is_to_be_tried_again_comes_first_with_a_clean_slate() -> None:
    entry = task(2, FOLD, ambiguous=True, lost_attempts=2)
    state = paused(task(1), entry)
    apply(state, TaskResolved(entry, again=True))
    assert [(each.number, each.ambiguous, each.lost_attempts) for each in state.ready] == [(2, False, 0), (1, False, 0)]
    assert state.routines == {}


def test_what_waits_for_its_time_or_for_somebody_lost_no_attempt() -> None:
    state = after(DIED, task(2), tasks=[task(3, due=NOW + 5), expectation(4)])
    assert places(state) == lies(ready=[2], delayed=[3], expecting=[4])
    assert [entry.lost_attempts for entry in state.pending()] == [1, 0, 0]
