"""From the routines and connections of a flow to its graph and the handlers behind it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import UNSET

from routilux._binding import binding_of
from routilux._graph import Graph, Route, RoutineNode, SlotNode
from routilux._handler import Handler, Handlers, is_async, only_parameter
from routilux._model import EventKey, MergeKind, SideEffects, SlotKey
from routilux.connection import Connection
from routilux.error_handler import ErrorHandler
from routilux.routine import Routine
from serilux import reference_to, registered_name
from serilux.errors import CallableReferenceError


def compile_graph(
    flow_id: str, concurrent: bool, routines: Mapping[str, Routine], connections: Iterable[Connection]
) -> Graph:
    """Freeze a flow: names only."""
    from routilux._fingerprint import fingerprint  # noqa: PLC0415 - see that module's docstring

    keys = {
        key: key
        for key in (SlotKey(routine_id, name) for routine_id in routines for name in routines[routine_id].slots)
    }
    routes, sources = _ways(connections, keys)
    nodes = {
        routine_id: RoutineNode(
            routine_id,
            registered_name(type(routine)),
            {event: tuple(routes[EventKey(routine_id, event)]) for event in routine.events},
            tuple((event, _name_of(condition, routine) or "") for event, condition in routine._conditions()),
            routine.effects,
        )
        for routine_id, routine in routines.items()
    }
    slots = {key: _slot_node(key, routines[key.routine_id], tuple(sources[key])) for key in keys}
    return Graph(flow_id, concurrent, nodes, slots, fingerprint(nodes, slots))


_Ways = defaultdict[EventKey, list[Route]]
_Origins = defaultdict[SlotKey, list[tuple[EventKey, int]]]


def _ways(connections: Iterable[Connection], keys: dict[SlotKey, SlotKey]) -> tuple[_Ways, _Origins]:
    """Where each event leads, and where what each slot is given comes from.

    Each slot has one key, the same object everywhere: then looking it up need not compare it.
    """
    routes, sources = _Ways(list), _Origins(list)
    for connection in connections:
        source, target = connection.source, keys[connection.target]
        routes[source].append(Route(source, target, connection.param_mapping, connection.priority))
        sources[target].append((source, connection.priority))
    return routes, sources


def bind_handlers(graph: Graph, routines: Mapping[str, Routine], flow_error_handler: ErrorHandler | None) -> Handlers:
    """Find the callables behind the names of a graph."""
    alike: dict[Any, Any] = {}
    return {
        key: _handler(graph, key, routines[key.routine_id], flow_error_handler, alike)
        for key, node in graph.slots.items()
        if node.has_handler
    }


def _slot_node(key: SlotKey, routine: Routine, sources: tuple[tuple[EventKey, int], ...]) -> SlotNode:
    slot = routine.get_slot(key.slot)
    binding = None if slot.handler is None else binding_of(slot.handler, str(key))
    return SlotNode(
        key=key,
        merge=slot.merge_kind,
        guarded=slot.when is not None,
        has_handler=slot.handler is not None,
        references=(
            _name_of(slot.handler, routine),
            _name_of(slot.merge_strategy, routine) or "",
            _name_of(slot.when, routine),
        ),
        sources=sources,
        parameters=UNSET if binding is None else tuple(sorted(binding.names)),
        required=UNSET if binding is None else tuple(sorted(binding.required)),
        takes_rest=UNSET if binding is None else binding.open_ended,
    )


def _called_by_position(handler: Callable[..., Any]) -> Callable[..., Any]:
    def call(**data: Any) -> Any:
        return handler(data)

    return call


def _name_of(function: Any, routine: Routine) -> str | None:
    """A callable's reference; one that cannot be serialized still has a name of its own."""
    if function is None or isinstance(function, str):
        return function
    try:
        return reference_to(function, routine)
    except CallableReferenceError:
        return f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', type(function).__name__)}"


def _handler(
    graph: Graph, key: SlotKey, routine: Routine, flow_error_handler: ErrorHandler | None, alike: dict[Any, Any]
) -> Handler:
    """The handler of a slot; what it has alike with others is the same object, since large flows do not fit a cache."""
    slot = routine.get_slot(key.slot)
    assert slot.handler is not None
    label = f"{type(routine).__name__}.{getattr(slot.handler, '__name__', type(slot.handler).__name__)}"
    binding = binding_of(slot.handler, label)
    source = graph.routines[key.routine_id]
    unmapped = frozenset(event for event, leads in source.routes.items() if not any(route.mapping for route in leads))
    merge_function = slot.merge_strategy if callable(slot.merge_strategy) else None
    awaited = is_async(slot.handler)
    return Handler(
        routine_id=key.routine_id,
        start=alike.setdefault(key.slot, {"slot": key.slot}),
        function=getattr(slot.handler, "__func__", slot.handler),
        only=only_parameter(slot.handler, routine, binding),
        plain=slot.merge_kind is MergeKind.OVERRIDE and slot.when is None and slot.timeout is None and not awaited,
        routine=routine,
        routes=source.routes,
        unmapped=alike.setdefault(unmapped, unmapped),
        call=_called_by_position(slot.handler) if binding.by_position else slot.handler,
        is_async=awaited,
        node=graph.slots[key],
        binding=binding,
        takes_all=binding.open_ended and not binding.required,
        merge_function=merge_function,
        predicate=slot.when,
        timeout=slot.timeout,
        recorded=source.effects is not SideEffects.REPEATABLE,
        flow_error_handler=flow_error_handler,
    )
