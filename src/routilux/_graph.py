"""A flow compiled once: frozen, names only, checked. What the engine sees instead of the flow."""

from collections.abc import Iterator

import msgspec

from routilux._model import EventKey, MergeKind, SideEffects, SlotKey
from routilux._records import Data, Task
from routilux._verdict import Finding
from routilux.errors import listed


class Route(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One connection, seen from its event."""

    source: EventKey
    target: SlotKey
    mapping: dict[str, str] | None = None
    priority: int = 0

    def mapped(self, data: Data) -> Data:
        """The data under the names that the target uses."""
        if self.mapping is None:
            return data
        return {self.mapping.get(name, name): value for name, value in data.items()}


Routes = dict[str, tuple[Route, ...]]
"""Where each event of a routine leads."""


class SlotNode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A slot: how it merges, whether a predicate guards its handler, what its callables are called."""

    key: SlotKey
    merge: MergeKind = MergeKind.OVERRIDE
    guarded: bool = False
    has_handler: bool = True
    references: tuple[str | None, str, str | None] = (None, "override", None)
    sources: tuple[tuple[EventKey, int], ...] = ()


class RoutineNode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A routine: the name of its class, where each of its events leads, and what its conditions are called."""

    routine_id: str
    class_name: str
    routes: Routes
    conditions: tuple[tuple[str, str], ...] = ()
    effects: SideEffects = SideEffects.REPEATABLE


class Graph(msgspec.Struct, frozen=True):
    """A whole flow. `fingerprint` names its shape (law 7)."""

    flow_id: str
    concurrent: bool
    routines: dict[str, RoutineNode]
    slots: dict[SlotKey, SlotNode]
    fingerprint: str


def misfits(graph: Graph, tasks: dict[str, Task], slot_data: dict[SlotKey, Data]) -> Iterator[Finding]:
    """Say of each task (by its place), timer and slot datum why it cannot go on in this flow (law 7)."""
    for place, task in tasks.items():
        if reason := _misfit(graph, task.target) or _merged_misfit(graph, task, slot_data):
            yield Finding(f"{place} is for {task.target}: {reason}", place, *task.target)
    for key, data in slot_data.items():
        if reason := _misfit(graph, key, handled=False) or _data_misfit(graph.slots[key], data):
            yield Finding(f"slot_data.{key}: {reason}", f"slot_data.{key}", *key)


def _merged_misfit(graph: Graph, task: Task, slot_data: dict[SlotKey, Data]) -> str | None:
    appends = graph.slots[task.target].merge is MergeKind.APPEND
    if (task.merged if appends else task.seen) is not None:
        return (
            f"its data was merged before the slot's merge_strategy was changed {'to' if appends else 'from'} 'append'"
        )
    if task.seen is not None and task.target not in slot_data:
        return "it was taken already, but slot_data has nothing for it"
    values = slot_data.get(task.target, {})
    for name, count in (task.seen or {}).items():
        if not isinstance(values.get(name), list) or count > len(values[name]):
            return f"it sees {count!r} values of {name!r}, which slot_data does not hold"
    return None


def _data_misfit(slot: SlotNode, data: Data) -> str | None:
    if slot.merge is MergeKind.APPEND and not all(type(values) is list for values in data.values()):
        return "the slot appends, so each parameter's data is a list"
    return None


def _misfit(graph: Graph, key: SlotKey, *, handled: bool = True) -> str | None:
    if key.routine_id not in graph.routines:
        return f"flow {graph.flow_id!r} has no routine {key.routine_id!r}; it has: {listed(graph.routines)}"
    if key not in graph.slots:
        names = [slot.slot for slot in graph.slots if slot.routine_id == key.routine_id]
        return f"routine {key.routine_id!r} has no slot {key.slot!r}; it has: {listed(names)}"
    if handled and not graph.slots[key].has_handler:
        return f"slot {key.slot!r} of routine {key.routine_id!r} has no handler"
    return None
