"""What a job waits for, and what it has not finished."""

import pytest

from routilux._core.job import PauseRequest
from routilux._model import JobStatus
from tests.core.hand_made import ANSWER, EARLIER, LATER, NOW, SINK, WORKER, expectation, job, task


def test_a_job_is_stuck_when_nothing_goes_on_unless_somebody_delivers() -> None:
    assert job(tasks=[expectation(1)]).stuck


def test_a_job_that_has_anything_else_to_do_is_not_stuck() -> None:
    others = [job(tasks=[expectation(1), task(2)]), job(tasks=[expectation(1), task(2, due=LATER)]), job()]
    assert [state.stuck for state in others] == [False, False, False]


def test_a_closing_job_misses_no_delivery_and_wakes_for_none() -> None:
    state = job(
        active=(task(1),),
        tasks=[expectation(2, deadline=EARLIER), task(3, due=EARLIER)],
        closing=PauseRequest("", {}),
    )
    assert (state.overdue_expectations(NOW), state.next_wake()) == ([], None)


def test_unfinished_tasks_are_told_by_their_place_in_the_document() -> None:
    state = job(JobStatus.FAILED, tasks=[task(2)], failed=[task(1)])
    places = {place: entry.number for place, entry in state.unfinished().items()}
    assert places == {"pending_tasks[0]": 2, "failed_tasks[0]": 1}


def test_a_job_says_where_it_waits_instead_unless_it_is_settled() -> None:
    gone, waiting = expectation(1, WORKER), expectation(2, ANSWER)
    state = job(tasks=[gone, waiting, expectation(3, SINK)])
    state.expecting.discard(gone)
    assert state.unawaited(WORKER) == "waits for nothing on worker.input; it waits on sink.items, worker.answer"
    state.status = JobStatus.CANCELLED
    assert state.unawaited(WORKER) == "waits for nothing on worker.input; it waits on no slot"


@pytest.mark.parametrize(("count", "words"), [(1, "; 1 task is queued"), (2, "; 2 tasks are queued")])
def test_a_job_says_what_is_queued_where_nothing_waits(count: int, words: str) -> None:
    state = job(tasks=[task(number) for number in range(count)])
    assert state.unawaited(ANSWER) == f"waits for nothing on worker.answer; it waits on no slot{words}"
    state.status = JobStatus.CANCELLED
    assert state.unawaited(ANSWER) == "waits for nothing on worker.answer; it waits on no slot"
