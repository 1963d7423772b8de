"""The fingerprint of a flow's shape (law 7)."""

from typing import Any

import pytest
from msgspec.structs import replace

from routilux._fingerprint import fingerprint
from routilux._graph import Route, RoutineNode, SlotNode
from routilux._model import EventKey, MergeKind, SlotKey

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


def test_a_slot_overrides_unless_it_says_otherwise() -> None:
    assert SlotNode(LEFT).merge is MergeKind.OVERRIDE
