"""Parts of a document that are what their place asks for, or are refused with their path (law 8)."""

from typing import Any, NoReturn, TypeVar

import msgspec

from routilux._records import Data, read_data
from routilux._shapes import convert
from serilux import check_document, rooted
from serilux.errors import DocumentError

T = TypeVar("T")
NO_JSON = (TypeError, ValueError, OverflowError, RecursionError)
"""What msgspec raises for what it cannot write."""


def refuse(problem: str, path: str) -> NoReturn:
    """Raise DocumentError."""
    raise DocumentError(problem, path=path)


def check_thoroughly(document: Any) -> None:
    """Refuse anything but plain JSON within the limits, node by node."""
    with rooted():
        check_document(document, "")


def most_nodes(part: Any) -> int | None:
    """A number of nodes that part of a document cannot exceed, as each takes a byte at least; None for what is no JSON.

    It says nothing about the kinds of data, which decoding checks.
    """
    text = written(part)
    return None if text is None else len(text)


def written(part: Any) -> bytes | None:
    """JSON of part of a document, which says nothing about the kinds of data; None for what is no JSON."""
    try:
        return msgspec.json.encode(part)
    except NO_JSON:
        return None


def copied(part: T) -> T | None:
    """A copy of part of a document, good if that is plain JSON; None for some of what is not."""
    try:
        copy: T = msgspec.to_builtins(part)
    except NO_JSON:
        return None
    return copy


def checked_data(document: Any, path: str, spare: int = 0) -> Data:
    """Data by name from its document, which has to be an object; with `spare` levels to put around its values."""
    return read_data(convert(document, dict[str, Any], path), path, spare)
