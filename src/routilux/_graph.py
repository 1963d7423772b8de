"""A flow compiled once: frozen, names only, checked. What the engine sees instead of the flow."""

from typing import Protocol

import msgspec

from routilux._binding import Binding, binding_by_name
from routilux._model import EventKey, MergeKind, SideEffects, SlotKey
from routilux._records import Data
from routilux.errors import BindingError, listed


class Route(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
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

    `parameters` are those that the handler takes by name, `required` those of them that it needs, and `takes_rest` says
    whether it takes all others, too: where that is known.
    """

    key: SlotKey
    merge: MergeKind = MergeKind.OVERRIDE
    guarded: bool = False
    has_handler: bool = True
    references: tuple[str | None, str, str | None] = (None, "override", None)
    sources: tuple[tuple[EventKey, int], ...] = ()
    parameters: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    required: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    takes_rest: bool | msgspec.UnsetType = msgspec.UNSET

    @property
    def binding(self) -> Binding | None:
        """How data meets the handler; None where that is not known."""
        if self.parameters is msgspec.UNSET or self.required is msgspec.UNSET or self.takes_rest is msgspec.UNSET:
            return None
        return binding_by_name(str(self.key), self.parameters, self.required, open_ended=self.takes_rest)


class RoutineNode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A routine: the name of its class, where each of its events leads, and what its conditions are called."""

    routine_id: str
    class_name: str
    routes: Routes
    conditions: tuple[tuple[str, str], ...] = ()
    effects: SideEffects = SideEffects.REPEATABLE


class Source(Protocol):
    """The little of a routine that what it emits is published by."""

    @property
    def routine_id(self) -> str:
        """Its id."""

    @property
    def routes(self) -> Routes:
        """Where each of its events leads."""


class Graph(msgspec.Struct, frozen=True):
    """A whole flow. `fingerprint` names its shape (law 7)."""

    flow_id: str
    concurrent: bool
    routines: dict[str, RoutineNode]
    slots: dict[SlotKey, SlotNode]
    fingerprint: str


def check_delivery(slot: SlotNode, binding: Binding, data: Data) -> None:
    """Refuse data of which it is known by now that the handler could not take it; BindingError says why."""
    if slot.guarded or slot.merge is MergeKind.FUNCTION:
        return
    if slot.merge is MergeKind.OVERRIDE:
        binding.bind(data)
    elif strangers := binding.refusals(data):
        raise BindingError(
            f"data with {listed(data)} does not fit {binding.label}: it has no parameter {listed(strangers)}",
            extra=strangers,
        )
