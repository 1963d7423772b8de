"""What a job waits for, and what it has not finished."""

import pytest

from routilux._core.job import PauseRequest
from routilux._model import JobStatus
from routilux._records import Addressee
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
    assert (
        state.unawaited(Addressee(WORKER)) == "waits for nothing on worker.input; it waits on sink.items, worker.answer"
    )
    state.status = JobStatus.CANCELLED
    assert state.unawaited(Addressee(WORKER)) == "waits for nothing on worker.input; it waits on no slot"


@pytest.mark.parametrize(("count", "words"), [(1, "; 1 task is queued"), (2, "; 2 tasks are queued")])
def test_a_job_says_what_is_queued_where_nothing_waits(count: int, words: str) -> None:
    state = job(tasks=[task(number) for number in range(count)])
    assert state.unawaited(Addressee(ANSWER)) == f"waits for nothing on worker.answer; it waits on no slot{words}"
    state.status = JobStatus.CANCELLED
    assert state.unawaited(Addressee(ANSWER)) == "waits for nothing on worker.answer; it waits on no slot"


def test_who_is_named_is_delivered_to_and_else_who_has_waited_longest() -> None:
    first, second = expectation(2), expectation(1)
    state = job(tasks=[first, second])
    assert state.awaited(Addressee(ANSWER)) is first
    assert [state.awaited(Addressee(ANSWER, name)) for name in ("j:1", "j:2")] == [second, first]


@pytest.mark.parametrize(
    "name", ["", "j", "1", "j:", "j:3", "j:01", "j:+1", "j:\u0661", "k:1", "j:1:1", "j:" + 5000 * "1"]
)
def test_nobody_else_is_taken_for_who_is_named(name: str) -> None:
    assert job(tasks=[expectation(1)]).awaited(Addressee(ANSWER, name)) is None


def test_who_waits_on_another_slot_or_waits_no_more_is_not_delivered_to() -> None:
    gone = expectation(2)
    state = job(tasks=[expectation(1), gone, task(3)])
    state.expecting.discard(gone)
    named = [Addressee(WORKER, "j:1"), Addressee(ANSWER, "j:2"), Addressee(WORKER, "j:3")]
    assert [state.awaited(each) for each in named] == [None, None, None]


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "it waits on no slot; 1 task is queued"),
        (1, "there waits 'j:1'"),
        (2, "there wait 'j:1', 'j:2'"),
        (12, "there wait 'j:1', 'j:2', 'j:3', 'j:4', 'j:5', 'j:6', 'j:7', 'j:8', 'j:9', 'j:10' and 2 more"),
    ],
)
def test_who_names_a_task_that_does_not_wait_there_is_told_which_do(count: int, words: str) -> None:
    state = job(tasks=[task(99), *(expectation(number + 1) for number in range(count))])
    assert state.unawaited(Addressee(ANSWER, "j:50")) == f"has no task 'j:50' that waits on worker.answer; {words}"


def test_of_a_settled_job_no_task_waits() -> None:
    state = job(JobStatus.CANCELLED, tasks=[expectation(1)])
    words = "has no task 'j:1' that waits on worker.answer; it waits on no slot"
    assert state.unawaited(Addressee(ANSWER, "j:1")) == words
