"""What a job runs with, as its store keeps it: the document of its flow, and the graph that this was compiled to."""

from typing import Any

import msgspec

from routilux._graph import Graph, RoutineNode, SlotNode
from routilux.errors import DamagedRecordError


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


def write_definition(flow_document: dict[str, Any], graph: Graph) -> bytes:
    """A flow's document without what waits in its slots, which is the data of no job, and its graph."""
    routines = {
        routine_id: document | {"_slots": {name: slot | {"_data": {}} for name, slot in document["_slots"].items()}}
        for routine_id, document in flow_document["routines"].items()
    }
    return msgspec.json.encode({"flow": flow_document | {"routines": routines}, "graph": write_graph(graph)})


def read_definition(content: bytes) -> tuple[dict[str, Any], Graph]:
    """The document of a flow and its graph; DamagedRecordError where there are none."""
    try:
        read = msgspec.json.decode(content)
        return read["flow"], read_graph(read["graph"])
    except (ValueError, TypeError, LookupError) as error:
        raise DamagedRecordError(f"the definition of its flow cannot be read: {error}") from error
