"""The fingerprint of a flow's shape, and what does not fit a flow (law 7)."""

from typing import Any

import pytest
from msgspec.structs import replace

from routilux._fingerprint import fingerprint
from routilux._graph import Graph, Route, RoutineNode, SlotNode, misfits
from routilux._model import EventKey, MergeKind, SlotKey
from routilux._records import Data, Task
from tests.core.hand_made import ANSWER, FOLD, PARKED, SINK, SOURCE, WORKER, expectation, graph, task

LEFT, RIGHT = SlotKey("b", "left"), SlotKey("b", "right")
OUT = EventKey("a", "out")


def shape(
    *,
    route: Route = Route(OUT, LEFT, {"x": "y", "z": "w"}),  # frozen
    events: tuple[str, ...] = ("out", "other"),
    class_name: str = "A",
    routine_id: str = "a",
    references: tuple[str | None, str, str | None] = ("method:go", "override", "module:check"),
    slot: SlotKey = LEFT,
    conditions: tuple[tuple[str, str], ...] = (),
    **node: Any,
) -> tuple[dict[str, RoutineNode], dict[SlotKey, SlotNode]]:
    routes = {name: (route,) if name == "out" else () for name in events}
    routines = {routine_id: RoutineNode(routine_id, class_name, routes, conditions), "b": RoutineNode("b", "B", {})}
    slots = [SlotNode(slot, references=references, **node), SlotNode(RIGHT)]
    return routines, {entry.key: entry for entry in slots}


SAME = {
    "priorities": {"route": Route(OUT, LEFT, {"x": "y", "z": "w"}, 7)},
    "the order of a mapping": {"route": Route(OUT, LEFT, {"z": "w", "x": "y"})},
    "the order of events": {"events": ("other", "out")},
    "where a slot's data comes from": {"sources": ((OUT, 3),)},
}


@pytest.mark.parametrize("what", SAME)
def test_a_fingerprint_does_not_depend_on(what: str) -> None:
    assert fingerprint(*shape(**SAME[what])) == fingerprint(*shape())


def test_a_fingerprint_does_not_depend_on_the_order_of_routines_and_slots() -> None:
    routines, slots = shape()
    turned = dict(reversed(routines.items())), dict(reversed(slots.items()))
    assert fingerprint(*turned) == fingerprint(routines, slots)


def test_a_mapping_of_nothing_is_no_mapping() -> None:
    assert fingerprint(*shape(route=Route(OUT, LEFT, {}))) == fingerprint(*shape(route=Route(OUT, LEFT)))


OTHER = {
    "a routine's id": {"routine_id": "c"},
    "a routine's class": {"class_name": "C"},
    "an event's name": {"events": ("out", "another")},
    "a slot's name": {"slot": SlotKey("b", "middle")},
    "a slot's handler": {"references": ("method:stop", "override", "module:check")},
    "a slot without a handler": {"references": (None, "override", "module:check")},
    "a slot's merge strategy": {"references": ("method:go", "append", "module:check")},
    "a slot's condition": {"references": ("method:go", "override", None)},
    "a routine's condition": {"conditions": (("out", "module:check"),)},
    "where a connection leads": {"route": Route(OUT, RIGHT, {"x": "y", "z": "w"})},
    "a connection's mapping": {"route": Route(OUT, LEFT, {"x": "z", "z": "w"})},
    "a connection without a mapping": {"route": Route(OUT, LEFT)},
}


@pytest.mark.parametrize("what", OTHER)
def test_a_fingerprint_depends_on(what: str) -> None:
    assert fingerprint(*shape(**OTHER[what])) != fingerprint(*shape())


def test_a_fingerprint_depends_on_how_many_routines_there_are() -> None:
    routines, slots = shape()
    assert fingerprint(routines | {"c": RoutineNode("c", "C", {})}, slots) != fingerprint(routines, slots)


def test_a_fingerprint_depends_on_how_many_connections_there_are() -> None:
    routines, slots = shape()
    twice = replace(routines["a"], routes={"out": routines["a"].routes["out"] * 2, "other": ()})
    assert fingerprint(routines | {"a": twice}, slots) != fingerprint(routines, slots)


def test_a_fingerprint_says_how_it_was_made() -> None:
    assert fingerprint({}, {}).partition(":")[0] == "sha256"


def test_a_fingerprint_is_the_same_in_every_version() -> None:
    assert fingerprint(*shape()) == "sha256:d979ee6d1096ac5425b0aa24dee7dd719e85172c6ca5c9d70859292ff2d52624"


# Routes.


def test_data_goes_on_as_it_is_where_there_is_no_mapping() -> None:
    assert Route(OUT, LEFT).mapped({"x": 1}) == {"x": 1}


def test_a_mapping_renames_what_it_names() -> None:
    assert Route(OUT, LEFT, {"x": "y"}).mapped({"x": 1, "z": 2}) == {"y": 1, "z": 2}


# Misfits.


def problems(*tasks: Task, slot_data: dict[SlotKey, Data] | None = None, flow: Graph | None = None) -> list[str]:
    places = {f"pending_tasks[{index}]": entry for index, entry in enumerate(tasks)}
    return list(misfits(flow or graph(), places, slot_data or {}))


def test_what_fits_has_no_problems() -> None:
    entries = task(1, SOURCE), task(2, due=5.0), expectation(3, ANSWER), task(4, SINK, seen={"x": 1})
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
    assert problems(slot_data={SlotKey("gone", "input"): {}}) == [
        "slot_data.gone.input: flow 'f' has no routine 'gone'; it has: 'source', 'worker', 'sink', 'fold'"
    ]


def test_slot_data_of_an_unknown_slot_does_not_fit() -> None:
    assert problems(slot_data={SlotKey("fold", "x"): {}}) == [
        "slot_data.fold.x: routine 'fold' has no slot 'x'; it has: 'total'"
    ]


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
    slot_data: dict[SlotKey, Data] = {SlotKey("gone", "x"): {}, SINK: {"x": 1}}
    assert len(problems(task(1, PARKED), task(2, SlotKey("gone", "x")), slot_data=slot_data)) == 4


def test_a_slot_overrides_unless_it_says_otherwise() -> None:
    assert SlotNode(LEFT).merge is MergeKind.OVERRIDE
