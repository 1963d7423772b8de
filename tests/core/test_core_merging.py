"""Data is merged into its slot once per task, when the task is first taken (law 1)."""

from routilux._core.facts import TimersFired
from routilux._core.job import Job
from routilux._core.merging import given, put_merged, shown
from routilux._model import JobStatus
from routilux._records import Data, Task
from tests.core.hand_made import FOLD, LATER, RETRY, SINK, WORKER, apply, done, failed, graph, job, taken, task


def seen(state: Job, entry: Task) -> Data:
    return given(state, graph().slots[entry.target], entry)


def test_what_waits_in_the_queue_is_not_merged() -> None:
    assert job(tasks=[task(1)]).slot_data == {}


def test_a_slot_that_overrides_holds_the_newest() -> None:
    state = job(tasks=[task(1, data={"a": 1, "b": 1})], slot_data={WORKER: {"a": 0, "c": 0}})
    taken(state)
    assert state.slot_data == {WORKER: {"a": 1, "b": 1}}


def test_a_handler_of_a_slot_that_overrides_sees_what_arrived() -> None:
    state = job(tasks=[task(1, data={"a": 1})], slot_data={WORKER: {"a": 0, "c": 0}})
    assert seen(state, taken(state)) == {"a": 1}


def test_the_first_arrival_at_a_slot_that_appends_is_a_list_of_one() -> None:
    state = job(tasks=[task(1, SINK, data={"a": 1})])
    assert seen(state, taken(state)) == {"a": [1]}


def test_a_slot_that_appends_keeps_a_list_per_parameter() -> None:
    state = job(tasks=[task(1, SINK, data={"a": 2, "b": 3})], slot_data={SINK: {"a": [1], "c": [9]}})
    taken(state)
    assert state.slot_data == {SINK: {"a": [1, 2], "b": [3], "c": [9]}}


def test_a_list_that_arrives_at_a_slot_that_appends_is_one_value() -> None:
    state = job(tasks=[task(1, SINK, data={"a": [1, 2]})])
    assert seen(state, taken(state)) == {"a": [[1, 2]]}


def test_empty_data_can_be_appended() -> None:
    state = job(tasks=[task(1, SINK, data={})])
    assert (seen(state, taken(state)), state.slot_data) == ({}, {SINK: {}})


def test_later_arrivals_do_not_change_what_a_handler_sees() -> None:
    state = job(tasks=[task(1, SINK, data={"a": 1}), task(2, SINK, data={"a": 2, "b": 2})])
    first = taken(state, concurrent=True)
    taken(state, concurrent=True)
    assert seen(state, first) == {"a": [1]}


def test_a_retry_sees_what_the_first_attempt_saw() -> None:
    state = job(tasks=[task(1, SINK, data={"a": 1}), task(2, SINK, data={"a": 2})])
    apply(state, failed(taken(state), RETRY))
    apply(state, done(taken(state)))
    apply(state, TimersFired(), LATER)
    assert seen(state, taken(state)) == {"a": [1]}


def test_a_retry_appends_nothing() -> None:
    state = job(tasks=[task(1, SINK, data={"a": 1})])
    apply(state, failed(taken(state), RETRY))
    apply(state, TimersFired(), LATER)
    taken(state)
    assert state.slot_data == {SINK: {"a": [1]}}


def test_a_retry_at_a_slot_that_overrides_sees_its_own_data_and_puts_nothing_back() -> None:
    state = job(tasks=[task(1, data={"a": 1}), task(2, data={"a": 2})])
    apply(state, failed(taken(state), RETRY))
    apply(state, done(taken(state)))
    apply(state, TimersFired(), LATER)
    assert (seen(state, taken(state)), state.slot_data) == ({"a": 1}, {WORKER: {"a": 2}})


def test_a_slot_with_a_function_of_its_own_is_left_to_whoever_calls_that() -> None:
    state = job(tasks=[task(1, FOLD)])
    assert (taken(state).merged, state.slot_data) == (None, {})


def test_what_a_function_made_is_in_the_slot() -> None:
    state = job(tasks=[task(1, FOLD)])
    put_merged(state, taken(state), {"sum": 3})
    assert state.slot_data == {FOLD: {"sum": 3}}


def test_what_a_function_made_is_what_the_handler_sees() -> None:
    state = job(tasks=[task(1, FOLD)])
    entry = taken(state)
    put_merged(state, entry, {"sum": 3})
    assert seen(state, entry) == {"sum": 3}


def test_slots_do_not_see_each_others_data() -> None:
    state = job(tasks=[task(1, data={"a": 1}), task(2, SINK, data={"a": 2})])
    taken(state, concurrent=True)
    taken(state, concurrent=True)
    assert state.slot_data == {WORKER: {"a": 1}, SINK: {"a": [2]}}


def test_jobs_do_not_see_each_others_data() -> None:
    one, other = job(tasks=[task(1)]), job(JobStatus.RUNNING)
    taken(one)
    assert other.slot_data == {}


def looked_at(state: Job, entry: Task) -> Data:
    return shown(state, graph().slots[entry.target], entry)


def test_a_predicate_sees_what_its_handler_would_see() -> None:
    state = job(tasks=[task(1, SINK, data={"a": 1}), task(2, data={"a": 2})])
    appended = taken(state)
    assert looked_at(state, appended) == {"a": [1]}


def test_a_predicate_is_shown_a_list_that_has_not_grown_without_copying_it() -> None:
    state = job(tasks=[task(1, SINK, data={"a": 1})])
    entry = taken(state)
    assert looked_at(state, entry)["a"] is state.slot_data[SINK]["a"]


def test_a_predicate_does_not_see_what_arrived_since_its_task_was_taken() -> None:
    state = job(tasks=[task(1, SINK, data={"a": 1})])
    entry = taken(state)
    state.slot_data[SINK]["a"].append(2)
    assert looked_at(state, entry) == {"a": [1]}


def test_a_predicate_of_a_slot_that_overrides_sees_the_data_of_its_task() -> None:
    state = job(tasks=[task(1, data={"a": 1})])
    assert looked_at(state, taken(state)) == {"a": 1}
