"""What of a job does not fit a flow, what that means for it, and which name may have become which (law 7)."""

from typing import Any

import pytest
from msgspec.structs import replace

from routilux._binding import binding_by_name
from routilux._core.job import Job
from routilux._core.misfits import Viewed, data_meaning, misfits, places_of
from routilux._graph import Graph, RoutineNode, SlotNode
from routilux._model import JobStatus, MergeKind, SlotKey
from routilux._plan import Plan
from routilux._records import Data, RoutineState, Task
from routilux._verdict import Finding, Fit, with_hint
from tests.core.hand_made import ANSWER, FOLD, LATER, PARKED, SINK, SOURCE, WORKER, expectation, graph, job, task

PAUSED = JobStatus.PAUSED
GONE, LEAN, HEAP = SlotKey("gone", "input"), SlotKey("gone", "lean"), SlotKey("gone", "heap")


def found(*tasks: Task, slot_data: dict[SlotKey, Data] | None = None, flow: Graph | None = None) -> list[Finding]:
    state = job(PAUSED, tasks=tasks, slot_data=slot_data or {})
    return list(misfits(flow or graph(), Viewed(state, places_of(state), {})))


def problems(*tasks: Task, **parts: Any) -> list[str]:
    return [finding.what for finding in found(*tasks, **parts)]


def test_what_fits_has_no_problems() -> None:
    entries = task(1, SOURCE), task(2, due=5.0), expectation(3, ANSWER), task(4, SINK, seen={"x": 2})
    assert problems(*entries, slot_data={SINK: {"x": [1, 2]}, WORKER: {"x": 1}, PARKED: {}, FOLD: {"sum": 1}}) == []


def test_a_task_for_an_unknown_routine_does_not_fit() -> None:
    assert problems(task(1, SlotKey("gone", "input"))) == [
        "pending_tasks[0] is for gone.input: flow 'f' has no routine 'gone'; it has: 'source', 'worker', 'sink', 'fold'"
    ]


def test_a_task_for_an_unknown_slot_does_not_fit() -> None:
    assert problems(task(1), task(2, SlotKey("worker", "inptu"))) == [
        "pending_tasks[1] is for worker.inptu: routine 'worker' has no slot 'inptu'; it has: 'input', 'answer'"
    ]


def test_a_task_for_a_slot_without_a_handler_does_not_fit() -> None:
    assert problems(task(1, PARKED)) == [
        "pending_tasks[0] is for sink.parked: slot 'parked' of routine 'sink' has no handler"
    ]


def test_an_expectation_is_checked_like_any_task() -> None:
    assert problems(expectation(1, PARKED)) == [
        "pending_tasks[0] is for sink.parked: slot 'parked' of routine 'sink' has no handler"
    ]


def test_slot_data_of_an_unknown_routine_does_not_fit() -> None:
    assert problems(slot_data={SlotKey("gone", "input"): {"x": 1}}) == [
        "slot_data.gone.input: flow 'f' has no routine 'gone'; it has: 'source', 'worker', 'sink', 'fold'"
    ]


def test_slot_data_of_an_unknown_slot_does_not_fit() -> None:
    assert problems(slot_data={SlotKey("fold", "x"): {"x": 1}}) == [
        "slot_data.fold.x: routine 'fold' has no slot 'x'; it has: 'total'"
    ]


def test_slot_data_that_what_comes_next_would_replace_is_missed_by_nobody() -> None:
    assert problems(slot_data={SlotKey("gone", "input"): {}}) == []
    known = replace(graph(), slots={HEAP: SlotNode(HEAP, MergeKind.APPEND)})
    assert list(misfits(graph(), Viewed(job(PAUSED, slot_data={HEAP: {}}), {}, {}, known))) == []
    nodes = {GONE: SlotNode(GONE), LEAN: SlotNode(LEAN, guarded=True), HEAP: SlotNode(HEAP, MergeKind.APPEND)}
    state = job(PAUSED, slot_data={key: {"x": [1]} for key in nodes})
    viewed = Viewed(state, {}, {}, replace(graph(), slots=nodes))
    assert [finding.place for finding in misfits(graph(), viewed)] == ["slot_data.gone.lean", "slot_data.gone.heap"]


def test_slot_data_that_an_earlier_flow_has_left_goes_on_where_the_last_flow_had_no_such_slot_either() -> None:
    state, last = job(PAUSED, slot_data={GONE: {"x": [1]}}), replace(graph(), fingerprint="last")
    assert list(misfits(graph(), Viewed(state, {}, {}, last))) == []
    former = {GONE: HEAP}
    assert list(misfits(graph(), Viewed(state, {}, former, last))) == []
    kept = replace(last, slots={HEAP: SlotNode(HEAP, MergeKind.APPEND)})
    assert [finding.place for finding in misfits(graph(), Viewed(state, {}, former, kept))] == ["slot_data.gone.heap"]


def test_a_flow_of_the_fingerprint_that_the_job_last_ran_with_is_that_one_where_it_is_not_known() -> None:
    state = job(PAUSED, slot_data={GONE: {"x": [1]}}, fingerprint=graph().fingerprint)
    assert list(misfits(graph(), Viewed(state, {}, {}))) == []
    assert [finding.place for finding in misfits(graph(), Viewed(state, {}, {GONE: SINK}))] == ["slot_data.sink.items"]
    other = replace(graph(), fingerprint="other")
    assert [finding.place for finding in misfits(other, Viewed(state, {}, {}))] == ["slot_data.gone.input"]


def test_a_flow_without_routines_says_so() -> None:
    empty = Graph("f", False, {}, {}, "")
    assert problems(task(1), flow=empty) == [
        "pending_tasks[0] is for worker.input: flow 'f' has no routine 'worker'; it has: none"
    ]


def test_slot_data_of_a_slot_that_appends_is_lists() -> None:
    assert problems(slot_data={SINK: {"x": 1}}) == [
        "slot_data.sink.items: the slot appends, so each parameter's data is a list"
    ]


COUNTS: dict[str, tuple[Any, dict[SlotKey, Data]]] = {
    "more than there are": (3, {SINK: {"x": [1, 2]}}),
    "of what is no list": (1, {SINK: {"y": [1], "x": []}}),
    "of an unknown parameter": (1, {SINK: {"y": [1]}}),
}


@pytest.mark.parametrize("what", COUNTS)
def test_a_task_that_sees_values_that_are_not_there_does_not_fit(what: str) -> None:
    count, slot_data = COUNTS[what]
    assert problems(task(1, SINK, seen={"x": count}), slot_data=slot_data) == [
        f"pending_tasks[0] is for sink.items: it sees {count!r} values of 'x', which slot_data does not hold"
    ]


def test_a_taken_task_of_a_slot_that_appends_needs_the_data_of_its_slot() -> None:
    assert problems(task(1, SINK, seen={})) == [
        "pending_tasks[0] is for sink.items: it was taken already, but slot_data has nothing for it"
    ]


def test_what_a_task_has_merged_does_not_fit_a_slot_that_has_come_to_append() -> None:
    assert problems(task(1, SINK, merged={"x": 1})) == [
        "pending_tasks[0] is for sink.items: "
        "its data was merged before the slot's merge_strategy was changed to 'append'"
    ]


def test_what_a_task_has_seen_does_not_fit_a_slot_that_appends_no_more() -> None:
    assert problems(task(1, WORKER, seen={"x": 1})) == [
        "pending_tasks[0] is for worker.input: "
        "its data was merged before the slot's merge_strategy was changed from 'append'"
    ]


def test_what_a_task_of_a_guarded_slot_has_merged_is_its_own() -> None:
    flow = replace(graph(), slots={SINK: SlotNode(SINK, guarded=True)})
    assert problems(task(1, SINK, merged={"x": -1}), slot_data={SINK: {"x": 3}}, flow=flow) == []


def test_what_a_task_of_a_plain_slot_has_merged_is_its_own() -> None:
    assert problems(task(1, WORKER, merged={"x": -1})) == []


def test_all_problems_come_at_once() -> None:
    slot_data: dict[SlotKey, Data] = {SlotKey("gone", "x"): {"x": 1}, SINK: {"x": 1}}
    assert len(problems(task(1, PARKED), task(2, SlotKey("gone", "x")), slot_data=slot_data)) == 4


# How bad it is, and what it means.

MEANINGS: dict[str, tuple[Task, str]] = {
    "data": (task(3, GONE), "task j:3 carries 'x', and would never be handled"),
    "no data": (task(3, GONE, data={}), "task j:3 carries no data, and would never be handled"),
    "a retry": (
        task(3, GONE, due=LATER, retry_count=2),
        "task j:3 carries 'x'; attempt 3, due at 1970-01-01T00:16:50+00:00, could not be made",
    ),
    "a time to come": (
        task(3, GONE, due=LATER),
        "task j:3 carries 'x', due at 1970-01-01T00:16:50+00:00, and would never be handled",
    ),
    "an expectation": (expectation(3, GONE), "task j:3 waits for a delivery, which nothing could handle"),
    "a deadline": (
        expectation(3, GONE, deadline=LATER),
        "task j:3 waits for a delivery until 1970-01-01T00:16:50+00:00, which nothing could handle",
    ),
}


@pytest.mark.parametrize("what", MEANINGS)
def test_it_says_what_that_means_for_a_task_with(what: str) -> None:
    entry, meaning = MEANINGS[what]
    (finding,) = found(entry)
    assert (finding.means, finding.fit) == (meaning, Fit.NEEDS_PLAN)
    assert str(finding) == f"{finding.what}; {meaning}; {finding.remedy}"


def test_it_says_what_there_is_to_do() -> None:
    renamed = "say in a plan what it is now (routines={'gone': ...} or slots={'gone.input': ...})"
    slot_data: dict[SlotKey, Data] = {GONE: {"x": 1}, SINK: {"x": 1}}
    assert [finding.remedy for finding in found(task(1, GONE), task(2, PARKED), slot_data=slot_data)] == [
        f"{renamed}, or drop it in a plan (drop=['gone.input'])",
        "say in a plan what it is now (slots={'sink.parked': ...}), or drop it in a plan (drop=['sink.parked'])",
        f"{renamed}, or forget it in a plan (forget=['gone.input'])",
        "leave the merge_strategy as it was, or forget it in a plan (forget=['sink.items'])",
    ]
    (finding,) = found(task(1, SINK, merged={"x": 1}))
    assert finding.remedy == (
        "leave the merge_strategy as it was, or forget it in a plan (forget=['sink.items']) or drop it in a plan "
        "(drop=['sink.items'])"
    )


def test_it_says_how_bad_it_is_and_which_slot_it_is_about() -> None:
    slot_data: dict[SlotKey, Data] = {GONE: {"x": 1}, SINK: {"x": 1}}
    found_here = found(task(1, GONE), task(2, SINK, merged={"x": 1}), slot_data=slot_data)
    assert [(each.place, each.routine_id, each.slot, each.fit, each.means) for each in found_here] == [
        ("pending_tasks[0]", *GONE, Fit.NEEDS_PLAN, "task j:1 carries 'x', and would never be handled"),
        ("pending_tasks[1]", *SINK, Fit.BREAKS, "task j:2 carries 'x', and would never be handled"),
        ("slot_data.gone.input", *GONE, Fit.NEEDS_PLAN, data_meaning({"x": 1})),
        ("slot_data.sink.items", *SINK, Fit.BREAKS, data_meaning({"x": 1})),
    ]


def test_it_says_what_that_means_for_a_failed_task() -> None:
    state = job(JobStatus.FAILED, failed=[task(3, GONE)])
    (finding,) = misfits(graph(), Viewed(state, places_of(state), {}))
    assert (finding.place, finding.means) == (
        "failed_tasks[0]",
        "task j:3 has failed; it carries 'x', and could not be tried again",
    )


def test_it_says_what_that_means_for_data() -> None:
    (finding,) = found(slot_data={GONE: {"x": 1, "y": 2}})
    assert finding.means == "what has come there so far, 'x', 'y', would be lost to all that is to come"


def test_what_was_merged_otherwise_breaks() -> None:
    entries, slot_data = (task(1, SINK, merged={"x": 1}), task(2, seen={"x": 1})), {SINK: {"x": 1}}
    assert [finding.fit for finding in found(*entries, slot_data=slot_data)] == [Fit.BREAKS] * 3


def test_a_place_is_that_in_the_document_whatever_the_slot_is_called_now() -> None:
    state = job(PAUSED, tasks=[task(1, PARKED)], slot_data={SINK: {"x": 1}})
    viewed = Viewed(state, {1: "pending_tasks[7]"}, {SINK: SlotKey("drain", "items")})
    assert [finding.place for finding in misfits(graph(), viewed)] == ["pending_tasks[7]", "slot_data.drain.items"]


# Which name may have become which.


def hint(state: Job, flow: Graph, before: Graph | None = None, former: Any = ()) -> Plan | None:
    finding, *_ = misfits(flow, Viewed(state, places_of(state), dict(former), before))
    return finding.hint


def with_routine(name: str, class_name: str, *slots: str) -> Graph:
    flow = graph()
    keys = [SlotKey(name, slot) for slot in slots]
    routines = flow.routines | {name: RoutineNode(name, class_name, {})}
    return replace(flow, routines=routines, slots=flow.slots | {key: SlotNode(key) for key in keys})


def without(flow: Graph, routine_id: str) -> Graph:
    routines = {name: node for name, node in flow.routines.items() if name != routine_id}
    return replace(flow, routines=routines, slots={k: v for k, v in flow.slots.items() if k.routine_id != routine_id})


RENAMED = without(with_routine("laborer", "Worker", "input", "answer"), "worker")


def test_a_routine_that_is_new_and_of_the_same_class_may_be_the_one_that_is_gone() -> None:
    state = job(PAUSED, tasks=[task(1), expectation(2)])
    assert hint(state, RENAMED, graph()) == Plan(routines={"worker": "laborer"})
    finding, _ = misfits(RENAMED, Viewed(state, places_of(state), {}, graph()))
    assert str(finding).endswith(
        f"; with Plan(routines={{'worker': 'laborer'}}) it would fit, if that is right; else {finding.remedy}"
    )


def test_a_hint_without_a_remedy_is_all_there_is_to_do() -> None:
    assert with_hint("a plan", "") == "with a plan it would fit, if that is right"


def test_one_of_another_class_is_not() -> None:
    flow = without(with_routine("laborer", "Robot", "input"), "worker")
    assert hint(job(PAUSED, tasks=[task(1)]), flow, graph()) is None


def test_one_that_was_there_before_is_not() -> None:
    flow = without(with_routine("laborer", "Worker", "input"), "worker")
    before = with_routine("laborer", "Worker", "input")
    assert hint(job(PAUSED, tasks=[task(1)]), flow, before) is None


def test_one_without_the_slots_that_are_needed_is_not() -> None:
    flow = without(with_routine("laborer", "Worker", "input"), "worker")
    assert hint(job(PAUSED, tasks=[task(1), expectation(2)]), flow, graph()) is None


def test_one_that_the_job_knows_by_its_name_is_not() -> None:
    entries = [task(1), task(2, SlotKey("laborer", "input"))]
    assert hint(job(PAUSED, tasks=entries), RENAMED, graph()) is None
    assert hint(job(PAUSED, tasks=entries[:1], routines={"laborer": RoutineState()}), RENAMED, graph()) is None


def test_of_two_that_may_be_it_none_is_named() -> None:
    second = with_routine("hand", "Worker", "input")
    routines, slots = RENAMED.routines | second.routines, RENAMED.slots | second.slots
    flow = without(replace(graph(), routines=routines, slots=slots), "worker")
    assert hint(job(PAUSED, tasks=[task(1)]), flow, graph()) is None


def test_without_the_flow_of_before_nothing_is_guessed() -> None:
    assert hint(job(PAUSED, tasks=[task(1)]), RENAMED) is None


def test_a_routine_that_the_flow_of_before_does_not_know_either_may_have_any_class() -> None:
    flow = without(with_routine("laborer", "Robot", "input"), "worker")
    assert hint(job(PAUSED, tasks=[task(1)]), flow, without(graph(), "worker")) == Plan(routines={"worker": "laborer"})


ONLY_ANSWER = replace(graph(), slots={ANSWER: SlotNode(ANSWER)})
LOST = SlotKey("worker", "inptu")


def test_a_slot_that_is_new_may_be_the_one_that_is_gone() -> None:
    assert hint(job(PAUSED, tasks=[task(1, LOST)]), graph(), ONLY_ANSWER) == Plan(slots={"worker.inptu": "input"})


def test_of_two_new_slots_none_is_named() -> None:
    assert hint(job(PAUSED, tasks=[task(1, LOST)]), graph(), without(graph(), "worker")) is None


def test_a_slot_that_was_there_before_is_not_the_one_that_is_gone() -> None:
    assert hint(job(PAUSED, tasks=[task(1, LOST)]), graph(), graph()) is None


def test_a_slot_that_the_job_uses_is_not_the_one_that_is_gone() -> None:
    state = job(PAUSED, tasks=[task(1, LOST)], slot_data={WORKER: {}})
    assert hint(state, graph(), ONLY_ANSWER) is None


def test_a_slot_without_a_handler_is_not_the_one_that_is_gone() -> None:
    state, before = job(PAUSED, tasks=[task(1, SlotKey("sink", "itmes"))]), without(graph(), "sink")
    assert hint(state, graph(), before) == Plan(slots={"sink.itmes": "items"})


def test_a_hint_speaks_of_what_the_document_calls_it() -> None:
    state, was = job(PAUSED, tasks=[task(1)]), [(WORKER, SlotKey("old", "in"))]
    assert hint(state, RENAMED, without(graph(), "worker"), was) == Plan(routines={"old": "laborer"})
    lost, was = SlotKey("fold", "sum"), [(SlotKey("fold", "sum"), SlotKey("bend", "s"))]
    assert hint(job(PAUSED, tasks=[task(1, lost)]), graph(), without(graph(), "fold"), was) == Plan(
        slots={"bend.s": "total"}
    )


def test_what_a_handler_took_by_name_is_known_from_the_flow_of_before() -> None:
    viewed = Viewed(job(PAUSED), {}, {}, replace(graph(), slots={WORKER: SlotNode(WORKER, parameters=("x", "y"))}))
    assert (viewed.parameters_before(WORKER), viewed.parameters_before(SINK)) == ({"x", "y"}, set())
    assert Viewed(job(PAUSED), {}, {}, graph()).parameters_before(WORKER) == set()
    assert Viewed(job(PAUSED), {}, {}).parameters_before(WORKER) == set()


def test_how_data_met_a_handler_is_known_from_the_flow_of_before() -> None:
    node = SlotNode(WORKER, parameters=("x", "y"), required=("x",), takes_rest=False)
    viewed = Viewed(job(PAUSED), {}, {}, replace(graph(), slots={WORKER: node, SINK: SlotNode(SINK)}))
    assert viewed.binding_before(WORKER) == binding_by_name("worker.input", ["x", "y"], ["x"], open_ended=False)
    assert viewed.binding_before(SINK) is None  # what it took is not known
    assert viewed.binding_before(GONE) is None
    assert Viewed(job(PAUSED), {}, {}).binding_before(WORKER) is None
    assert Viewed(job(PAUSED), {}, {GONE: WORKER}, viewed.before).binding_before(GONE) == node.binding


def test_data_whose_slot_may_be_another_has_that_hint_too() -> None:
    state = job(PAUSED, slot_data={LOST: {"x": 1}})
    before = replace(ONLY_ANSWER, slots=ONLY_ANSWER.slots | {LOST: SlotNode(LOST, MergeKind.APPEND)})
    assert hint(state, graph(), before) == Plan(slots={"worker.inptu": "input"})
