"""A job's account of itself, as data and as text."""

from datetime import UTC, datetime

import pytest

from routilux._core.explanation import JoinNote, TaskNote, account, explain, traceback_lines
from routilux._core.job import Job, PauseRequest
from routilux._model import JobStatus, RoutineStatus
from routilux._records import AppliedPlan, ErrorInfo, PausePoint, RoutineState, Task
from tests.core.hand_made import EARLIER, LATER, NOW, OUT, SINK, WRONG, expectation, job, task

PENDING, RUNNING, PAUSED = JobStatus.PENDING, JobStatus.RUNNING, JobStatus.PAUSED
COMPLETED, FAILED, CANCELLED = JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED

NOTES: dict[str, Job] = {
    "it has not been started": job(PENDING),
    "it waits to be resumed": job(PAUSED),
    "it waits to be resumed (lunch)": job(PAUSED, pause_points=[PausePoint(NOW, "", {}), PausePoint(NOW, "lunch", {})]),
    "it was cancelled": job(CANCELLED, cancel_reason=""),
    "it was cancelled (enough)": job(CANCELLED, cancel_reason="enough"),
    "a task failed and nothing more is started": job(FAILED, failed=[task(1)]),
    "nothing more is started": job(FAILED),
    "all work is done": job(COMPLETED),
    "all work is done, but data came to 'join' whose `when` never held": job(
        COMPLETED, routines={"done": RoutineState(RoutineStatus.COMPLETED), "join": RoutineState()}
    ),
    "all work is done, but data came to 'join', 'meet' whose `when` never held": job(
        COMPLETED, routines={"join": RoutineState(), "meet": RoutineState()}
    ),
    "it pauses when what runs has finished": job(active=(task(1),), closing=PauseRequest("", {})),
    "it fails when what runs has finished": job(active=(task(1),), closing=WRONG),
    "handlers run": job(active=(task(1),), tasks=[task(2)]),
    "tasks are queued": job(tasks=[task(1), task(2, due=LATER)]),
    "nothing to do for the next 10.000 s": job(tasks=[task(1, due=LATER)]),
    "nothing to do for the next 0.000 s": job(tasks=[task(1, due=EARLIER)]),
    "it waits for a delivery": job(tasks=[expectation(1)]),
}


@pytest.mark.parametrize("note", NOTES)
def test_a_job_says_what_it_waits_for(note: str) -> None:
    assert explain(NOTES[note], NOW).note == note


def test_a_pause_without_a_reason_needs_none() -> None:
    assert explain(job(PAUSED, pause_points=[PausePoint(NOW, "", {})]), NOW).note == "it waits to be resumed"


def test_tasks_are_told_by_where_they_are() -> None:
    state = job(
        active=(task(1),),
        tasks=[task(2), task(3, priority=1), task(4, due=LATER), expectation(5), task(7, due=LATER, retry_count=1)],
        failed=[task(6)],
    )
    told = explain(state, NOW)
    groups = [
        told.running,
        told.queued,
        told.waiting_for_time,
        told.waiting_for_retry,
        told.waiting_for_delivery,
        told.failed,
    ]
    assert [[note.task_id for note in group] for group in groups] == [
        ["j:1"],
        ["j:3", "j:2"],
        ["j:4"],
        ["j:7"],
        ["j:5"],
        ["j:6"],
    ]


def at(time: float) -> datetime:
    return datetime.fromtimestamp(time, UTC)


def test_a_retry_is_told_with_its_due_time() -> None:
    told = explain(job(tasks=[task(1, due=LATER, retry_count=2, source=OUT)]), NOW)
    assert told.waiting_for_retry == [TaskNote("j:1", "worker", "input", at(EARLIER), at(LATER), 2, "source.out")]


def test_an_expectation_is_told_with_its_deadline() -> None:
    told = explain(job(tasks=[expectation(1, deadline=LATER)]), NOW)
    assert told.waiting_for_delivery == [TaskNote("j:1", "worker", "answer", at(EARLIER), at(LATER), 0, None)]


FIRST_OF_TWO = {SINK: {"x": [1, 2], "y": "one"}}


@pytest.mark.parametrize("status", [RUNNING, PAUSED, COMPLETED])
def test_a_slot_whose_data_is_not_enough_yet_is_told_with_what_has_come(status: JobStatus) -> None:
    told = explain(job(status, slot_data=FIRST_OF_TWO, routines={"sink": RoutineState()}), NOW)
    assert told.waiting_for_more == [JoinNote("sink", "items", {"x": 2, "y": 1})]
    assert str(told).splitlines()[1:] == ["  waits for more data: sink.items, which has 2 of 'x', 1 of 'y'"]


def test_a_slot_with_data_that_has_no_names_is_told() -> None:
    told = explain(job(slot_data={SINK: {}}), NOW)
    assert str(told).splitlines()[1:] == ["  waits for more data: sink.items, which has nothing"]


ENOUGH: dict[str, Job] = {
    "a task of the slot is queued": job(tasks=[task(1, SINK)], slot_data=FIRST_OF_TWO),
    "a task of the slot runs": job(active=(task(1, SINK),), slot_data=FIRST_OF_TWO),
    "a task of the slot waits for its retry": job(tasks=[task(1, SINK, due=LATER)], slot_data=FIRST_OF_TWO),
    "a task of the slot has failed": job(FAILED, failed=[task(1, SINK)], slot_data=FIRST_OF_TWO),
    "its handler has run": job(slot_data=FIRST_OF_TWO, routines={"sink": RoutineState(RoutineStatus.COMPLETED)}),
}


@pytest.mark.parametrize("what", ENOUGH)
def test_a_slot_does_not_wait_for_more_data_where(what: str) -> None:
    assert explain(ENOUGH[what], NOW).waiting_for_more == []


def test_a_failed_job_says_why() -> None:
    assert explain(job(FAILED, error=WRONG), NOW).error == WRONG


def test_a_job_that_is_about_to_fail_says_why() -> None:
    assert explain(job(active=(task(1),), closing=WRONG), NOW).error == WRONG


def test_a_job_that_is_about_to_pause_has_no_error() -> None:
    assert explain(job(active=(task(1),), closing=PauseRequest("", {})), NOW).error is None


@pytest.mark.parametrize(
    ("message", "traceback", "lines"),
    [
        ("late", "TimeoutError: late\n", []),
        ("late\nby far", "TimeoutError: late\nby far\n", []),
        ("", "", []),
        ("late", "Traceback:\nTimeoutError: late\n", ["Traceback:", "TimeoutError: late"]),
        ("late", "TimeoutError: late\na note\n", ["TimeoutError: late", "a note"]),
    ],
)
def test_a_traceback_without_places_is_told_only_where_it_says_more(
    message: str, traceback: str, lines: list[str]
) -> None:
    assert traceback_lines(ErrorInfo("TimeoutError", message, None, None, traceback)) == lines


def test_a_plain_job_is_one_line() -> None:
    assert str(explain(job(COMPLETED), NOW)) == "job j of flow 'f' is completed: all work is done"


def test_an_account_reads_like_this() -> None:
    state = job(
        active=(task(1),),
        tasks=[task(2, source=OUT), task(3, due=LATER, retry_count=2), expectation(4)],
        failed=[task(5)],
        closing=WRONG,
    )
    assert str(explain(state, NOW)).splitlines() == [
        "job j of flow 'f' is running: it fails when what runs has finished",
        "  because of builtins.ValueError: no such luck",
        "    Traceback",
        "      line",
        "  failed: worker.input (task j:5), since 1970-01-01T00:16:30+00:00",
        "  running: worker.input (task j:1), since 1970-01-01T00:16:30+00:00",
        "  queued: worker.input (task j:2), from source.out, since 1970-01-01T00:16:30+00:00",
        "  waits for its retry: worker.input (task j:3), retried 2 times, since 1970-01-01T00:16:30+00:00, "
        "until 1970-01-01T00:16:50+00:00",
        "  waits for a delivery: worker.answer (task j:4), since 1970-01-01T00:16:30+00:00",
    ]


def test_one_retry_is_told_as_once() -> None:
    note = TaskNote("j:1", "worker", "input", at(EARLIER), None, 1, None)
    assert str(note) == "worker.input (task j:1), retried once, since 1970-01-01T00:16:30+00:00"


# Plans.


def plan_text(state: Job) -> list[str]:
    return [line for line in str(explain(state, NOW)).splitlines() if "plan" in line]


def test_it_tells_of_the_plans_by_which_the_job_went_on() -> None:
    plan = {
        "routines": {"clean": "scrub"},
        "slots": {"clean.input": "in", "a.b": ["c", "d"]},
        "parameters": {"clean.input": {"amount": "total"}},
        "classes": {"Money": "Amount"},
        "config": {"clean": "shop:new_config"},
        "reason": "2.3",
    }
    dropped = [{"task_id": "j:3", "routine_id": "sink", "slot": "old", "data": {}}]
    applied = AppliedPlan(NOW, "", plan, dropped, {"sink": {"old": {"x": [1]}}})
    state = job(PAUSED, plans=[applied])
    (note,) = explain(state, NOW).plans
    assert note.changes == [
        "routine 'clean' is 'scrub' since; what history says of before then, it says of 'clean'",
        "slot 'clean.input' is 'scrub.in' since",
        "slot 'a.b' is 'c.d' since",
        "class 'Money' is 'Amount' since",
        "parameter 'amount' of 'clean.input' is 'total' since",
        "routine 'clean' was configured anew by shop:new_config",
        "task j:3 for sink.old was dropped",
        "the data that had come to 'sink.old' was dropped",
    ]
    assert plan_text(state) == [f"  changed by a plan at 1970-01-01T00:16:40+00:00 (2.3): {'; '.join(note.changes)}"]


def test_a_plan_without_a_reason_that_concerned_nothing_is_told_too() -> None:
    assert plan_text(job(PAUSED, plans=[AppliedPlan(NOW, "", {"drop": ["j:1"]}, [], {})])) == [
        "  changed by a plan at 1970-01-01T00:16:40+00:00: nothing of this job was called otherwise"
    ]


def lines_of(*tasks: Task) -> list[str]:
    return [line.split(", since")[0] for line in str(explain(job(tasks=tasks), NOW)).splitlines()[1:]]


def test_ten_of_a_slot_are_shown_each_in_a_line() -> None:
    assert lines_of(*[task(n) for n in range(1, 11)]) == [f"  queued: worker.input (task j:{n})" for n in range(1, 11)]


def test_of_more_the_first_ten_are_shown_and_how_many_there_are() -> None:
    assert lines_of(task(1, SINK), *[task(n) for n in range(2, 13)]) == [
        "  queued: sink.items (task j:1)",
        "  queued: worker.input x 11",
        *[f"    worker.input (task j:{n})" for n in range(2, 12)],
        "    and 1 more",
    ]


def test_all_are_there_as_data_and_as_lines_if_asked() -> None:
    told = explain(job(tasks=[task(n) for n in range(1, 2001)]), NOW)
    assert (len(told.queued), len(str(told).splitlines()), len([*account(told, None)])) == (2000, 13, 2001)
