"""Parts of a stored job with their values left as JSON, so that it can be looked at where nobody knows their classes.

What a job does never depends on its values, and a journal is replayed without users' code: a job that is rebuilt
from these parts has come exactly as far as the real one. It must not run: its handlers would be given JSON.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from serilux import decode, encode


def opaque_snapshot(snapshot: bytes) -> bytes:
    """A snapshot that is read as a job of plain JSON."""
    return _changed(snapshot, _escape_snapshot)


def opaque_segment(segment: bytes) -> bytes:
    """A segment of a history whose contents are plain JSON."""
    return _changed(segment, lambda read: read | {"plain": True})


def opaque_record(record: bytes) -> bytes:
    """A record of a journal whose values are plain JSON."""
    return _changed(record, lambda read: [read[0], True, *read[2:]])


def real_document(document: dict[str, Any]) -> dict[str, Any]:
    """The document of the real job, from that of the one made of these parts."""
    return {name: decode(field, name) for name, field in document.items()}


def opaque_document(document: dict[str, Any]) -> dict[str, Any]:
    """A JobState document that is read as that of a job of plain JSON."""
    return {name: encode(field, name) for name, field in document.items()}


def _escape_snapshot(read: Any) -> Any:
    return read | {"document": opaque_document(read["document"]), "pause": encode(read["pause"], "pause")}


def _changed(content: bytes, change: Callable[[Any], Any]) -> bytes:
    try:
        return msgspec.json.encode(change(msgspec.json.decode(content)))
    except (ValueError, TypeError, LookupError, AttributeError):
        return content  # whoever reads it says what is wrong with it
