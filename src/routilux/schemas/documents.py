"""JSON Schemas (2020-12) of the documents, made of the shapes by which these are read."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from routilux._core.shapes import HistoryDocument, JobDocument, RoutineStateDocument, TaskDocument
from routilux._flow_document import FlowDocument, RoutineDocument
from routilux._migrations import CURRENT_FORMAT, TRANSFER_FORMAT
from routilux._shapes import PREFIX, OpenShape, a
from routilux.connection import ConnectionDocument
from routilux.error_handler import ErrorHandlerDocument
from routilux.event import EventDocument
from routilux.slot import SlotDocument
from routilux.transfer.contents import Transfer
from serilux import value_schemas

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SHAPES = (
    Transfer,
    FlowDocument,
    RoutineDocument,
    SlotDocument,
    EventDocument,
    ConnectionDocument,
    ErrorHandlerDocument,
    JobDocument,
    RoutineStateDocument,
    HistoryDocument,
    TaskDocument,
)
"""Those that others name; what is a field's own type is found by itself."""


def flow_schema() -> dict[str, Any]:
    """The schema of what `flow.serialize()` gives, and `flow.deserialize()` reads."""
    return _schema("flow", CURRENT_FORMAT, FlowDocument)


def job_schema() -> dict[str, Any]:
    """The schema of what `job_state.serialize()` gives, and `job_state.deserialize()` reads."""
    return _schema("job", CURRENT_FORMAT, JobDocument)


def transfer_schema() -> dict[str, Any]:
    """The schema of what `store.export()` gives, and `store.admit()` reads."""
    return _schema("transfer", TRANSFER_FORMAT, Transfer)


SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "flow": flow_schema,
    "job": job_schema,
    "transfer": transfer_schema,
}
"""What makes each schema, by the name of the file in which it is shipped beside this module."""


def _schema(name: str, number: int, shape: type[Any]) -> dict[str, Any]:
    definitions = _definitions()
    return {
        "$schema": _DIALECT,
        "$id": f"urn:routilux:{name}:{number}",
        **a(shape),
        "$defs": {name: definitions[name] for name in sorted(_reached(definitions, shape.__name__))},
    }


def _definitions() -> dict[str, Any]:
    _, definitions = msgspec.json.schema_components(_SHAPES, ref_template=PREFIX + "{name}")
    for shape in _SHAPES:
        if issubclass(shape, OpenShape):
            definitions[shape.__name__]["additionalProperties"] = a("field")
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(definitions))
    return plain | value_schemas(PREFIX)


def _reached(definitions: dict[str, Any], name: str) -> set[str]:
    """The names of all definitions that one needs."""
    reached, waiting = {name}, [name]
    while waiting:
        new = set(_named(definitions[waiting.pop()])) - reached
        reached |= new
        waiting += new
    return reached


def _named(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str):
            yield reference.removeprefix(PREFIX)
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from _named(item)
