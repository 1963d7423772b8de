"""What a job runs with, as its store keeps it: the document of its flow, and the graph that this was compiled to."""

from typing import Any

import msgspec

from routilux._graph import Graph, RoutineNode, SlotNode
from routilux.errors import DamagedRecordError


class GraphDocument(msgspec.Struct, forbid_unknown_fields=True):
    """A flow compiled: what is wired to what, by names."""

    flow_id: str
    concurrent: bool
    routines: list[RoutineNode]
    slots: list[SlotNode]
    fingerprint: str


def write_graph(graph: Graph) -> dict[str, Any]:
    """A graph as plain JSON."""
    routines, slots = list(graph.routines.values()), list(graph.slots.values())
    whole = GraphDocument(graph.flow_id, graph.concurrent, routines, slots, graph.fingerprint)
    document: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(whole))  # as builtins it would hold tuples
    return document


def read_graph(document: Any) -> Graph:
    """The graph that a document describes; msgspec.ValidationError, a ValueError, where it describes none."""
    return graph_of(msgspec.convert(document, GraphDocument))


def graph_of(read: GraphDocument) -> Graph:
    """The graph that was read."""
    return Graph(
        read.flow_id,
        read.concurrent,
        {node.routine_id: node for node in read.routines},
        {node.key: node for node in read.slots},
        read.fingerprint,
    )


def write_definition(flow_document: dict[str, Any], graph: Graph) -> bytes:
    """A flow's document without what waits in its slots, which is the data of no job, and its graph."""
    routines = {routine_id: _without_data(routine) for routine_id, routine in flow_document.get("routines", {}).items()}
    return msgspec.json.encode({"flow": flow_document | {"routines": routines}, "graph": write_graph(graph)})


def _without_data(routine: dict[str, Any]) -> dict[str, Any]:
    slots = {name: slot | {"_data": {}} for name, slot in routine.get("_slots", {}).items()}
    return routine | {"_slots": slots}


def read_definition(content: bytes) -> tuple[dict[str, Any], Graph]:
    """The document of a flow and its graph; DamagedRecordError where there are none."""
    try:
        read = msgspec.json.decode(content)
        return read["flow"], read_graph(read["graph"])
    except (ValueError, TypeError, LookupError) as error:
        raise DamagedRecordError(f"the definition of its flow cannot be read: {error}", kind="definition") from error
