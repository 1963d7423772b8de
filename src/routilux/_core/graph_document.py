"""A graph as a document: what a job ran with, for those who have only its store."""

from typing import Any

import msgspec

from routilux._graph import Graph, RoutineNode, SlotNode


class _GraphDocument(msgspec.Struct):
    flow_id: str
    concurrent: bool
    routines: list[RoutineNode]
    slots: list[SlotNode]
    fingerprint: str


def write_graph(graph: Graph) -> dict[str, Any]:
    """A graph as plain JSON."""
    routines, slots = list(graph.routines.values()), list(graph.slots.values())
    document: dict[str, Any] = msgspec.to_builtins(
        _GraphDocument(graph.flow_id, graph.concurrent, routines, slots, graph.fingerprint)
    )
    return document


def read_graph(document: Any) -> Graph:
    """The graph that a document describes; msgspec.ValidationError, a ValueError, where it describes none."""
    read = msgspec.convert(document, _GraphDocument)
    return Graph(
        read.flow_id,
        read.concurrent,
        {node.routine_id: node for node in read.routines},
        {node.key: node for node in read.slots},
        read.fingerprint,
    )
