"""Formats of documents: which one is written, which ones are read, and how old ones are upgraded.

An older format gets one pure function in `UPGRADES`, from a document of its format to one of the next.
"""

from collections.abc import Callable
from typing import Any

from serilux.errors import DocumentError

CURRENT_FORMAT = 1
"""Of a Flow and of a JobState."""
TRANSFER_FORMAT = 1
"""Of an exported job, which has a flow and a job with formats of their own in it."""

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]
UPGRADES: dict[tuple[str, int], Upgrade] = {}
"""From which format of which kind of document; it may not change what it is given."""


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
    return upgraded(document, kind, CURRENT_FORMAT)


def upgraded(document: dict[str, Any], kind: str, current: int) -> dict[str, Any]:
    """A document in the current format of its kind; DocumentError where it is newer, or says no format."""
    number = document.get("format")
    oldest = min((step for known, step in UPGRADES if known == kind), default=current)
    if type(number) is not int or number < oldest:
        raise DocumentError(f"a format is a whole number from {oldest}, not {number!r}", path="format")
    if number > current:
        raise DocumentError(
            f"{kind} format {number} is newer than this routilux, which reads up to {current}; "
            f"upgrade routilux on this host",
            path="format",
        )
    for step in range(number, current):
        document = UPGRADES[kind, step](document)
    return document
