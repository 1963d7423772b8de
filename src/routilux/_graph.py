"""A flow compiled once: frozen, names only, checked. What the engine sees instead of the flow."""

import msgspec

from routilux._model import EventKey, MergeKind, SideEffects, SlotKey
from routilux._records import Data


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
    """A slot: how it merges, whether a predicate guards its handler, what its callables are called.

    `parameters` are those that the handler takes by name, where that is known.
    """

    key: SlotKey
    merge: MergeKind = MergeKind.OVERRIDE
    guarded: bool = False
    has_handler: bool = True
    references: tuple[str | None, str, str | None] = (None, "override", None)
    sources: tuple[tuple[EventKey, int], ...] = ()
    parameters: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET


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
