"""What the document of a flow is made of, and whether one is: none of its classes need be known for that."""

from typing import Annotated, Any

from msgspec import Meta, field

from routilux._migrations import CURRENT_FORMAT, upgrade
from routilux._model import ExecutionStrategy, SideEffects
from routilux._shapes import (
    MAYBE,
    NAMED,
    DataDocument,
    Maybe,
    Name,
    OpenShape,
    Timeout,
    a,
    by_name,
    convert,
    list_of,
    or_null,
    read_fields,
    said,
)
from routilux.connection import ConnectionDocument
from routilux.error_handler import ErrorHandlerDocument
from routilux.event import EventDocument
from routilux.slot import SlotDocument
from serilux import check_document, collected, raise_together
from serilux.errors import DocumentError, SeriluxError

_NAMES = said(type="array", items={"type": "string", "minLength": 1})


class RoutineDocument(OpenShape):
    """A routine of a flow, with the fields that its class has registered."""

    type_: str = field(name="_type")
    config: DataDocument | Maybe = field(name="_config", default=MAYBE)
    error_handler: Annotated[Any, or_null(a(ErrorHandlerDocument))] | Maybe = field(
        name="_error_handler", default=MAYBE
    )
    slots: Annotated[Any, by_name(SlotDocument, **NAMED)] | Maybe = field(name="_slots", default=MAYBE)
    events: Annotated[Any, by_name(EventDocument, **NAMED)] | Maybe = field(name="_events", default=MAYBE)
    requires: Annotated[Any, _NAMES] | Maybe = field(name="_requires", default=MAYBE)
    secrets: Annotated[Any, _NAMES] | Maybe = field(name="_secrets", default=MAYBE)
    effects: Annotated[str, said(enum=[*SideEffects])] | Maybe = field(name="_effects", default=MAYBE)


class FlowDocument(OpenShape):
    """A whole flow, with the fields that its class has registered."""

    type_: str = field(name="_type")
    format: Annotated[int, said(const=CURRENT_FORMAT)]
    flow_id: Name
    execution_strategy: Annotated[str, said(enum=[*ExecutionStrategy])] | Maybe = MAYBE
    max_workers: Annotated[int, Meta(ge=1)] | Maybe = MAYBE
    execution_timeout: Timeout | Maybe | None = MAYBE
    error_handler: Annotated[Any, or_null(a(ErrorHandlerDocument))] | Maybe = MAYBE
    routines: Annotated[dict[str, Any], by_name(RoutineDocument, **NAMED)] | Maybe = MAYBE
    connections: Annotated[list[Any], list_of(ConnectionDocument)] | Maybe = MAYBE


def checked_flow(document: Any, path: str) -> dict[str, Any]:
    """The document of a flow in the current format; all that is wrong is said together, whatever its classes are."""
    check_document(document, path)
    name = document.get("_type") if isinstance(document, dict) else None
    try:
        current = upgrade(document, "Flow", name if isinstance(name, str) else "Flow")
    except DocumentError as error:
        error.without_root("$")
        error.under(path)
        raise
    fields = read_fields(current, FlowDocument, path, further=current)
    problems: list[SeriluxError] = []
    for routine_id, routine in parts_by_name(fields.get("routines", {}), "routine", f"{path}.routines").items():
        with collected(problems):
            _check_routine(routine, f"{path}.routines.{routine_id}")
    for index, connection in enumerate(fields.get("connections", [])):
        with collected(problems):
            read_fields(connection, ConnectionDocument, f"{path}.connections[{index}]")
    with collected(problems):
        _check_error_handler(fields.get("error_handler"), f"{path}.error_handler")
    raise_together(problems)
    return current


def _check_routine(document: Any, path: str) -> None:
    further = document if isinstance(document, dict) else ()
    fields = read_fields(document, RoutineDocument, path, further=further)
    convert(fields.get("_config", {}), dict[str, Any], f"{path}._config")
    for name in ("_requires", "_secrets"):
        convert(fields.get(name, []), list[Name], f"{path}.{name}")
    _check_error_handler(fields.get("_error_handler"), f"{path}._error_handler")
    for name, slot in parts_by_name(fields.get("_slots", {}), "slot", f"{path}._slots").items():
        own = read_fields(slot, SlotDocument, f"{path}._slots.{name}")
        convert(own.get("_data", {}), dict[str, Any], f"{path}._slots.{name}._data")
    for name, event in parts_by_name(fields.get("_events", {}), "event", f"{path}._events").items():
        read_fields(event, EventDocument, f"{path}._events.{name}")


def _check_error_handler(document: Any, path: str) -> None:
    if document is not None:
        read_fields(document, ErrorHandlerDocument, path)


def parts_by_name(documents: Any, kind: str, path: str) -> dict[str, Any]:
    """The documents of parts, each under its name; DocumentError where they are no such thing."""
    if type(documents) is not dict:
        raise DocumentError(f"{kind}s are an object by name, not {type(documents).__name__}", path)
    if "" in documents:
        raise DocumentError(f"each {kind} needs a name, not ''", path)
    return documents
