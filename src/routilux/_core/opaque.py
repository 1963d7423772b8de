"""Parts of a stored job with their values left as JSON, so that it can be looked at where nobody knows their classes.

What a job does never depends on its values, and a journal is replayed without users' code: a job that is rebuilt
from these parts has come exactly as far as the real one. It must not run: its handlers would be given JSON.

What is tagged is left as the text of its JSON: so it is no deeper than the value that it stands for, and takes no more
memory. Only a dict that looks like a tag stays one, since it may be data by name; its name gets a mark.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from routilux._core.checked import check_thoroughly

_MARK = "\x00json:"
"""Begins a text that stands for a tag, or for a text that begins so itself."""


def opaque_snapshot(snapshot: bytes) -> bytes:
    """A snapshot that is read as a job of plain JSON."""
    return _changed(snapshot, _escape_snapshot)


def opaque_segment(segment: bytes) -> bytes:
    """A segment of a history whose contents are plain JSON."""
    return _changed(segment, lambda read: read | {"plain": True, "contents": _hidden(read["contents"])})


def opaque_record(record: bytes) -> bytes:
    """A record of a journal whose values are plain JSON."""
    return _changed(record, lambda read: [read[0], True, *_hidden(read[2:])])


def real_document(document: dict[str, Any]) -> dict[str, Any]:
    """The document of the real job, from that of the one made of these parts."""
    return {name: _shown(field) for name, field in document.items()}


def opaque_document(document: dict[str, Any]) -> dict[str, Any]:
    """A JobState document that is read as that of a job of plain JSON; a SeriluxError where it is no plain JSON."""
    check_thoroughly(document)
    return _hidden_fields(document)


def _escape_snapshot(read: Any) -> Any:
    return read | {"document": _hidden_fields(read["document"]), "pause": _hidden(read["pause"])}


def _hidden_fields(document: dict[str, Any]) -> dict[str, Any]:
    return {name: _hidden(field) for name, field in document.items()}


def _hidden(node: Any) -> Any:
    """A part of a document without tags."""
    if type(node) is list:
        return [_hidden(item) for item in node]
    if type(node) is str:
        return _text(node) if node.startswith(_MARK) else node
    if type(node) is not dict:
        return node
    if not _looks_like_a_tag(node):
        return {_marked(name) if name.startswith(_MARK) else name: _hidden(item) for name, item in node.items()}
    escaped = node.get("$dict")
    if type(escaped) is not dict:
        return _text(node)
    return {_marked(name): _hidden(item) for name, item in escaped.items()}


def _text(node: Any) -> str:
    return _MARK + msgspec.json.encode(node).decode()


def _marked(name: str) -> str:
    return _MARK + name


def _shown(node: Any) -> Any:
    """What was hidden, where it was."""
    if type(node) is list:
        return [_shown(item) for item in node]
    if type(node) is str:
        return msgspec.json.decode(node.removeprefix(_MARK)) if node.startswith(_MARK) else node
    if type(node) is not dict:
        return node
    shown = {name.removeprefix(_MARK): _shown(item) for name, item in node.items()}
    return {"$dict": shown} if _looks_like_a_tag(shown) else shown


def _looks_like_a_tag(node: dict[str, Any]) -> bool:
    return len(node) == 1 and next(iter(node))[:1] == "$"


def _changed(content: bytes, change: Callable[[Any], Any]) -> bytes:
    try:
        return msgspec.json.encode(change(msgspec.json.decode(content)))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return content  # whoever reads it says what is wrong with it
