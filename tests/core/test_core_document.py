"""A job as a document and back: equal field by field (law 9)."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from routilux._core.document import read_job, write_history, write_job
from routilux._core.history import BoundedHistory
from routilux._core.job import Job, PauseRequest
from routilux._model import JobStatus, RoutineStatus, SlotKey
from routilux._records import RoutineState, Task
from serilux import LimitError, check_document
from tests.core.hand_made import (
    ANSWER,
    EARLIER,
    LATER,
    NOW,
    OUT,
    SINK,
    SOURCE,
    WORKER,
    WRONG,
    again,
    document_of,
    expectation,
    fields_of,
    job,
    record,
    task,
)
from tests.core.rich_job import BARE_ERROR, bounded_job, rich_job

PENDING, RUNNING, PAUSED = JobStatus.PENDING, JobStatus.RUNNING, JobStatus.PAUSED
COMPLETED, FAILED, CANCELLED = JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED

# There and back.


@pytest.mark.parametrize("field", Job.__slots__)
def test_a_rich_job_comes_back_with_its(field: str) -> None:
    assert fields_of(again(rich_job()))[field] == fields_of(rich_job())[field]


@pytest.mark.parametrize("field", Job.__slots__)
def test_a_job_with_a_bounded_history_comes_back_with_its(field: str) -> None:
    assert fields_of(again(bounded_job()))[field] == fields_of(bounded_job())[field]


@pytest.mark.parametrize("status", [PENDING, PAUSED, COMPLETED, FAILED, CANCELLED])
def test_a_new_job_comes_back(status: JobStatus) -> None:
    assert fields_of(again(job(status))) == fields_of(job(status))


def test_a_failed_job_comes_back_with_its_error() -> None:
    assert again(job(FAILED, error=WRONG)).error == WRONG


def test_an_error_of_no_routine_comes_back() -> None:
    assert again(job(FAILED, error=BARE_ERROR)).error == BARE_ERROR


def test_a_document_says_the_same_after_it_has_been_read() -> None:
    assert document_of(again(bounded_job())) == document_of(bounded_job())


def test_a_document_is_plain_json_as_it_is_written() -> None:
    check_document(write_job(rich_job(), NOW) | {"execution_history": write_history(rich_job().history)})


def test_a_document_can_be_read_as_it_is_written() -> None:
    assert fields_of(read_job(write_job(bounded_job(), NOW))) == fields_of(bounded_job()) | {"history": ([], (2, 40))}


def test_the_same_job_gives_the_same_bytes_whatever_the_order_of_its_routines_and_slots() -> None:
    turned = rich_job()
    turned.routines = dict(reversed(turned.routines.items()))
    turned.slot_data = dict(reversed(turned.slot_data.items()))
    assert json.dumps(document_of(turned)) == json.dumps(document_of(rich_job()))


def test_reading_leaves_the_document_as_it_was() -> None:
    document = document_of(bounded_job())
    before = json.dumps(document)
    read_job(document)
    assert json.dumps(document) == before


def test_a_job_that_was_read_shares_nothing_with_its_document() -> None:
    document = document_of(job(shared_data={"a": [1]}, routines={"worker": RoutineState(state={"n": [1]})}))
    read = read_job(document)
    read.shared_data["a"].append(2)
    read.routines["worker"].state["n"].append(2)
    assert (document["shared_data"]["a"], document["routine_states"]["worker"]["state"]["n"]) == ([1], [1])


def test_a_written_document_shares_nothing_with_its_job() -> None:
    state = job(shared_data={"a": [1]})
    document = write_job(state, NOW)
    state.shared_data["a"].append(2)
    assert document["shared_data"] == {"a": [1]}


# What is in flight.


def numbers(state: Job) -> list[int]:
    return [entry.number for entry in state.pending()]


def test_tasks_in_flight_are_written_as_ready_before_the_others() -> None:
    read = again(job(active=(task(3), task(1)), tasks=[task(2)]))
    assert [entry.number for entry in read.ready] == [3, 1, 2]


def test_the_ready_queue_comes_back_in_its_order() -> None:
    priorities = [0, 5, -5, 0, 5, -5]
    state = job(tasks=[task(number, priority=priority) for number, priority in enumerate(priorities, 1)])
    assert [entry.number for entry in again(state).ready] == [2, 5, 1, 4, 3, 6]


def test_retries_come_back_in_their_order() -> None:
    state = job(tasks=[task(1, due=LATER), task(2, due=NOW), task(3, due=NOW)])
    assert [again(state).delayed[0][2].number, numbers(again(state))] == [2, [2, 3, 1]]


def test_expectations_come_back_in_their_order() -> None:
    state = job(tasks=[expectation(2), expectation(1)])
    assert list(again(state).expecting.tasks) == [2, 1]


def test_the_time_a_job_runs_is_in_its_document() -> None:
    assert document_of(job(elapsed=3.0), NOW)["elapsed"] == 13.0


def test_a_clock_that_went_backwards_gives_a_document_that_can_be_read() -> None:
    assert again(job(), EARLIER - 5.0).elapsed == 0.0


def test_a_job_that_was_read_does_not_run() -> None:
    assert again(job()).running_since is None


def test_a_job_that_was_about_to_fail_is_about_to_fail() -> None:
    read = again(job(active=(task(1),), closing=WRONG))
    assert (read.status, read.closing, read.error) == (RUNNING, WRONG, None)


def test_a_job_that_was_about_to_pause_goes_on_where_it_is_read() -> None:
    assert again(job(active=(task(1),), closing=PauseRequest("", {}))).closing is None


def test_a_hold_is_not_written() -> None:
    assert again(job(hold_until=LATER)).hold_until is None


# What the document looks like.


def test_a_task_looks_like_this() -> None:
    entry = task(
        3,
        data={"p": (1,)},
        source=OUT,
        priority=2,
        metadata={"m": 1},
        retry_count=1,
        flushes=4,
        merged={"p": 2},
        due=LATER,
    )
    assert document_of(job(tasks=[entry]))["pending_tasks"] == [
        {
            "task_id": "j:3",
            "routine_id": "worker",
            "slot": "input",
            "data": {"p": {"$tuple": [1]}},
            "connection": {"source_routine_id": "source", "source_event": "out"},
            "priority": 2,
            "metadata": {"m": 1},
            "retry_count": 1,
            "flushes": 4,
            "merged": {"p": 2},
            "seen": None,
            "since": "1970-01-01T00:16:30Z",
            "due": "1970-01-01T00:16:50Z",
            "deadline": None,
            "patience": None,
            "lost_attempts": 0,
            "ambiguous": False,
        }
    ]


def test_an_expectation_has_no_data() -> None:
    assert document_of(job(tasks=[expectation(1)]))["pending_tasks"][0]["data"] is None


def test_a_routine_state_looks_like_this() -> None:
    state = job(routines={"worker": RoutineState(RoutineStatus.SKIPPED, WRONG, {"n": 1})}, tasks=[task(1)])
    assert document_of(state)["routine_states"] == {
        "worker": {
            "status": "pending",
            "outcome": "skipped",
            "error": {
                "type": "builtins.ValueError",
                "message": "no such luck",
                "routine_id": "worker",
                "task_id": "j:1",
                "traceback": "Traceback\n  line",
            },
            "state": {"n": 1},
        }
    }


def test_the_status_of_a_routine_is_written_whatever_it_is() -> None:
    outcomes = {"sink": RoutineStatus.COMPLETED, "fold": RoutineStatus.FAILED, "source": None}
    routines = {name: RoutineState(outcome) for name, outcome in outcomes.items()} | {"worker": RoutineState()}
    written = document_of(job(active=(task(1),), routines=routines))["routine_states"]
    assert {name: state["status"] for name, state in written.items()} == {
        "fold": "failed",
        "sink": "completed",
        "source": "pending",
        "worker": "running",
    }


def test_a_history_record_looks_like_this() -> None:
    assert document_of(job(history=[record("source", "out", x=(1,))]))["execution_history"] == [
        {
            "routine_id": "source",
            "event_name": "out",
            "data": {"x": {"$tuple": [1]}},
            "timestamp": "1970-01-01T00:16:40Z",
        }
    ]


def test_slot_data_is_written_by_routine_and_slot() -> None:
    state = job(slot_data={WORKER: {"x": 1}, SINK: {"x": [1]}, ANSWER: {}})
    assert document_of(state)["slot_data"] == {
        "sink": {"items": {"x": [1]}},
        "worker": {"answer": {}, "input": {"x": 1}},
    }


def test_a_whole_history_has_no_limit() -> None:
    document = document_of(job())
    assert (document["history_limit"], document["history_dropped"]) == (None, 0)


def test_a_bounded_history_tells_its_limit_and_what_it_dropped() -> None:
    document = document_of(job(history=BoundedHistory([], 2, 40)))
    assert (document["history_limit"], document["history_dropped"]) == (2, 40)


# Written by hand.

SMALLEST: dict[str, Any] = {"_type": "JobState", "format": 1, "flow_id": "f", "job_id": "j", "status": "paused"}
SMALL_TASK: dict[str, Any] = {"routine_id": "worker", "slot": "input", "data": {"x": 1}}


def by_hand(**fields: Any) -> Job:
    return read_job(SMALLEST | fields)


def test_the_smallest_document_is_a_new_job_of_that_status() -> None:
    expected = Job("j", "f", 0.0)
    expected.status = PAUSED
    assert fields_of(by_hand()) == fields_of(expected)


def test_a_job_that_was_never_updated_was_updated_when_it_was_created() -> None:
    assert by_hand(created_at="1970-01-01T00:16:40Z").updated_at == NOW


def test_times_may_be_in_any_zone() -> None:
    assert by_hand(created_at="1970-01-01T02:16:40+02:00").created_at == NOW


@pytest.mark.parametrize("status", ["completed", "skipped", "error_continued", "failed", "cancelled"])
def test_a_routine_state_of_only_a_status_has_that_outcome(status: str) -> None:
    assert by_hand(routine_states={"worker": {"status": status}}).routine_status("worker") == status


@pytest.mark.parametrize("status", ["pending", "running"])
def test_a_routine_state_of_only_a_status_may_have_no_outcome_yet(status: str) -> None:
    assert by_hand(routine_states={"worker": {"status": status}}).routines == {"worker": RoutineState()}


def test_what_a_cancelled_job_left_open_has_no_outcome() -> None:
    states = {"worker": {"status": "cancelled"}}
    assert by_hand(status="cancelled", routine_states=states).routines == {"worker": RoutineState()}


@pytest.mark.parametrize("status", ["completed", "skipped", "error_continued", "failed"])
def test_what_had_ended_before_a_job_was_cancelled_has_its_outcome(status: str) -> None:
    routines = by_hand(status="cancelled", routine_states={"worker": {"status": status}}).routines
    assert routines == {"worker": RoutineState(RoutineStatus(status))}


def test_times_are_from_the_first_that_all_zones_have_to_the_last() -> None:
    for first_or_last in (datetime(1, 1, 3, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)):
        assert by_hand(created_at=first_or_last.isoformat()).created_at == first_or_last.timestamp()


def test_an_outcome_counts_more_than_a_status() -> None:
    states = {"worker": {"status": "completed", "outcome": "failed"}}
    assert by_hand(routine_states=states).routines == {"worker": RoutineState(RoutineStatus.FAILED)}


def test_a_task_without_an_id_gets_the_next_number() -> None:
    read = by_hand(pending_tasks=[SMALL_TASK], next_task=8)
    assert list(read.ready) == [Task(8, WORKER, {"x": 1})]


def test_tasks_without_ids_get_numbers_beyond_those_of_the_others() -> None:
    tasks = [SMALL_TASK, SMALL_TASK | {"task_id": "j:5"}, SMALL_TASK]
    read = by_hand(pending_tasks=tasks, failed_tasks=[SMALL_TASK])
    assert ([entry.number for entry in read.ready], read.failed[0].number) == ([6, 5, 7], 8)


def test_new_tasks_get_numbers_beyond_those_of_all_tasks() -> None:
    assert by_hand(pending_tasks=[SMALL_TASK, SMALL_TASK | {"task_id": "j:5"}]).next_number == 7


def test_a_task_that_does_not_say_since_when_it_waits_waits_since_the_last_update() -> None:
    assert by_hand(pending_tasks=[SMALL_TASK], updated_at="1970-01-01T00:16:40Z").ready.peek().since == NOW


def test_a_job_id_may_look_like_anything() -> None:
    job_id = "a:b `c` - at `$.d`"
    state = Job(job_id, "f", EARLIER)
    state.enlist(task(1, SOURCE))
    assert again(state).ready.peek().number == 1


def test_ids_of_routines_and_slots_may_look_like_anything() -> None:
    odd = SlotKey("a.b/c['d']", "ü $x")
    state = job(tasks=[task(1, odd)], slot_data={odd: {"": 1}}, routines={odd.routine_id: RoutineState()})
    assert fields_of(again(state))["slot_data"] == {odd: {"": 1}}


def test_more_records_than_a_history_keeps_are_dropped_and_counted() -> None:
    records = write_history([record("r", "a"), record("r", "b"), record("r", "c")])
    history = by_hand(execution_history=records, history_limit=2, history_dropped=1).history
    assert isinstance(history, BoundedHistory)
    assert ([entry.event_name for entry in history], history.dropped) == (["b", "c"], 2)


PARTS: dict[str, Callable[[dict[str, Any], Any], object]] = {
    "merged": lambda document, value: document["pending_tasks"][0].update(merged=value),
    "data": lambda document, value: document["pending_tasks"][0].update(data=value),
    "shared data": lambda document, value: document.update(shared_data=value),
}


def levels_read(part: str) -> int:
    """How many lists in each other a job may have in a part of its document."""
    document = document_of(job(PAUSED, ready=[task(1, data={"x": 1}, merged={"x": 1})]))
    value: Any = {"$tuple": []}  # what is not plain is read value by value
    for levels in count():
        PARTS[part](document, {"x": value})
        try:
            read_job(document)
        except LimitError:
            return levels
        value = [value]
    raise AssertionError


def test_data_that_has_yet_to_be_merged_leaves_room_for_a_list_around_it() -> None:
    assert levels_read("merged") == levels_read("shared data") == levels_read("data") + 1 > 50


@pytest.mark.parametrize("part", ["data", "metadata", "merged"])
def test_what_needs_decoding_is_decoded_although_the_first_task_has_nothing_there(part: str) -> None:
    document = document_of(job(PAUSED, tasks=[task(1), task(2)]))
    first, second = document["pending_tasks"]
    first[part] = None
    second[part] = {"x": {"$tuple": [1]}}
    read = {entry.number: getattr(entry, part) for entry in read_job(document).unfinished().values()}
    assert read == {1: None, 2: {"x": (1,)}}
