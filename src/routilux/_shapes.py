"""What documents are made of, field by field: what they are read by, and what their JSON Schemas are made of.

A shape is a `msgspec.Struct`; its fields stand in the order in which they are written. What has a reader of its own,
such as data, is `Any` to `msgspec`, and says by a schema what it is.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Annotated, Any, TypeVar

import msgspec

from routilux._model import LONGEST
from routilux.errors import BindingError, DefinitionError
from serilux import read_object
from serilux.errors import DocumentError

PREFIX = "#/$defs/"
"""Where schemas find each other."""

T = TypeVar("T")


class Shape(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A node of a document that has these fields and no others."""


class OpenShape(Shape, forbid_unknown_fields=False):
    """A node that has these fields, and those that its class has registered."""


def said(**schema: Any) -> msgspec.Meta:
    """More of a field's schema than its type says."""
    return msgspec.Meta(extra_json_schema=schema)


def a(shape: type[Any] | str) -> dict[str, str]:
    """The schema of a shape, or of one of the kinds of values."""
    return {"$ref": PREFIX + (shape if isinstance(shape, str) else shape.__name__)}


def or_null(schema: Mapping[str, Any]) -> msgspec.Meta:
    """Something, or null."""
    return said(anyOf=[schema, {"type": "null"}])


def list_of(shape: type[Any] | str) -> msgspec.Meta:
    """Each item of a list is one."""
    return said(type="array", items=a(shape))


def by_name(shape: type[Any] | str, **more: Any) -> msgspec.Meta:
    """Under each name of an object there is one."""
    return said(type="object", additionalProperties=a(shape), **more)


NAMED = {"propertyNames": {"minLength": 1}}
MAYBE = msgspec.UNSET
"""Of a field that need not be there."""
Maybe = msgspec.UnsetType
_INSTANT = said(
    pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:?[0-9]{2})$"
)

DataDocument = Annotated[Any, said(**a("data"))]
Value = Annotated[Any, said(**a("value"))]
Reference = Annotated[Any, or_null(a("reference"))]
OptionalData = Annotated[Any, or_null(a("data"))]
Name = Annotated[str, msgspec.Meta(min_length=1)]
Instant = Annotated[datetime, msgspec.Meta(tz=True), _INSTANT]
InstantText = Annotated[str, _INSTANT, said(format="date-time")]
Whole = Annotated[int, msgspec.Meta(ge=0)]
Number = Annotated[float, msgspec.Meta(ge=0)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Priority = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=LONGEST)]
Timeout = Annotated[float, msgspec.Meta(gt=0, le=LONGEST)]


def convert(value: Any, shape: type[T], path: str) -> T:
    """The part at `path` in its shape; DocumentError says what of it is not."""
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        problem, found, where = str(error).rpartition(" - at `$")
        problem, where = (problem, where) if found else (where, "")
        full = (path + where.rstrip("`")).lstrip(".") or "$"
        raise DocumentError(f"{problem}; write such documents with serialize()", path=full) from error


@contextmanager
def read_as_document(path: str) -> Iterator[None]:
    """What a definition refuses of what a document says is refused as that of the document at `path`."""
    try:
        yield
    except (DefinitionError, BindingError) as error:
        raise DocumentError(str(error), path=path) from error


def read_fields(document: Any, shape: type[Shape], path: str, further: Iterable[str] = ()) -> dict[str, Any]:
    """The fields of a document that its shape knows, as they are given; each is what the shape says.

    `further` are other fields that it may have. All that are unknown or missing are said together.
    """
    names = _names(shape)
    optional = [name for name, required in names.items() if not required]
    needed = [name for name, required in names.items() if required]
    fields = read_object(document, path, required=needed, optional=[*optional, *further])
    own = {name: fields[name] for name in names if name in fields}
    convert(own, shape, path)
    return own


@cache
def _names(shape: type[Shape]) -> dict[str, bool]:
    """The fields of a shape, and whether they are required."""
    return {field.encode_name: field.required for field in msgspec.structs.fields(shape)}
