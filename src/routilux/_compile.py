"""From the routines and connections of a flow to its graph and the handlers behind it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from routilux._binding import binding_of
from routilux._core.job import Job
from routilux._core.merging import given
from routilux._graph import Graph, Route, RoutineNode, SlotNode, fingerprint
from routilux._handler import Handler, Handlers, is_async
from routilux._model import EventKey, MergeKind, SideEffects, SlotKey
from routilux._verdict import Finding
from routilux.connection import Connection
from routilux.error_handler import ErrorHandler
from routilux.errors import BindingError
from routilux.routine import Routine
from routilux.slot import Slot
from serilux import reference_to, registered_name
from serilux.errors import CallableReferenceError


def compile_graph(
    flow_id: str, concurrent: bool, routines: Mapping[str, Routine], connections: Iterable[Connection]
) -> Graph:
    """Freeze a flow: names only."""
    connections = list(connections)
    nodes = {
        routine_id: RoutineNode(
            routine_id,
            registered_name(type(routine)),
            {event: _routes(connections, EventKey(routine_id, event)) for event in routine.events},
            tuple((event, _name_of(condition, routine) or "") for event, condition in routine._conditions()),
            routine.effects,
        )
        for routine_id, routine in routines.items()
    }
    slots = {
        SlotKey(routine_id, slot.name): _slot_node(SlotKey(routine_id, slot.name), routine, slot, connections)
        for routine_id, routine in routines.items()
        for slot in routine.slots.values()
    }
    return Graph(flow_id, concurrent, nodes, slots, fingerprint(nodes, slots))


def bind_handlers(graph: Graph, routines: Mapping[str, Routine], flow_error_handler: ErrorHandler | None) -> Handlers:
    """Find the callables behind the names of a graph."""
    return {
        key: _handler(graph, key, routines[key.routine_id], flow_error_handler)
        for key, node in graph.slots.items()
        if node.has_handler
    }


def unbindable(handlers: Handlers, job: Job) -> Iterator[Finding]:
    """Say of each task whose data is known already why its handler cannot take it (law 7)."""
    for place, task in job.unfinished().items():
        handler = handlers[task.target]
        data = given(job, handler.node, task) if task.merged is not None or task.seen is not None else task.data
        if data is None or (data is task.data and not handler.plain):
            continue
        try:
            handler.binding.bind(data)
        except BindingError as error:
            yield Finding(f"{place} is for {task.target}: {error}", place, *task.target)


def _routes(connections: list[Connection], source: EventKey) -> tuple[Route, ...]:
    return tuple(
        Route(connection.source, connection.target, connection.param_mapping, connection.priority)
        for connection in connections
        if connection.source == source
    )


def _slot_node(key: SlotKey, routine: Routine, slot: Slot, connections: list[Connection]) -> SlotNode:
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
        sources=tuple((entry.source, entry.priority) for entry in connections if entry.target == key),
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


def _handler(graph: Graph, key: SlotKey, routine: Routine, flow_error_handler: ErrorHandler | None) -> Handler:
    slot = routine.get_slot(key.slot)
    assert slot.handler is not None
    label = f"{type(routine).__name__}.{getattr(slot.handler, '__name__', type(slot.handler).__name__)}"
    binding = binding_of(slot.handler, label)
    merge_function = slot.merge_strategy if callable(slot.merge_strategy) else None
    return Handler(
        node=graph.slots[key],
        routine_id=key.routine_id,
        start={"slot": key.slot},
        routine=routine,
        routes=graph.routines[key.routine_id].routes,
        call=_called_by_position(slot.handler) if binding.by_position else slot.handler,
        binding=binding,
        names=binding.names,
        is_async=is_async(slot.handler),
        merge_function=merge_function,
        predicate=slot.when,
        timeout=slot.timeout,
        recorded=graph.routines[key.routine_id].effects is not SideEffects.REPEATABLE,
        plain=slot.merge_kind is MergeKind.OVERRIDE and slot.when is None and slot.timeout is None,
        flow_error_handler=flow_error_handler,
    )
