"""Formats of the two documents: which one is written, which ones are read, and how old ones are upgraded.

An older format gets one pure function in `UPGRADES`, from a document of its format to one of the next.
"""

from collections.abc import Callable, Mapping
from typing import Any

from serilux.errors import DocumentError

CURRENT_FORMAT = 1
UPGRADES: Mapping[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]] = {}


def upgrade(document: object, kind: str, name: str = "") -> dict[str, Any]:
    """A `kind` document in the current format. It is refused if it is none, or newer than this library (law 8).

    `name` is how the document calls the class that reads it, where that is a subclass.
    """
    name = name or kind
    if not isinstance(document, dict):
        raise DocumentError(f"a {kind} document is an object, not {type(document).__name__}", path="$")
    if document.get("_type") != name:
        raise DocumentError(
            f"the document says it is {document.get('_type')!r}, but {name!r} is read here; "
            f"give the document to the class it names",
            path="_type",
        )
    number = document.get("format")
    if type(number) is not int or number < 1:
        raise DocumentError(f"a format is a whole number from 1, not {number!r}", path="format")
    if number > CURRENT_FORMAT:
        raise DocumentError(
            f"{kind} format {number} is newer than this routilux, which reads up to {CURRENT_FORMAT}; "
            f"upgrade routilux on this host",
            path="format",
        )
    for step in range(number, CURRENT_FORMAT):
        document = UPGRADES[kind, step](document)
    return document
