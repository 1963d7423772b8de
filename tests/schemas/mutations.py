"""A document with one thing wrong, for each thing of some kinds that can be wrong with it."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, NamedTuple

OTHERS: list[Any] = [None, True, -1, 0.5, "odd", "", [], [1], {}, {"odd": 1}, {"$odd": 1}, {"$tuple": 1}]


class Mutant(NamedTuple):
    """A document, and what was done to it where."""

    what: str
    path: tuple[Any, ...]
    document: Any


def mutants(document: Any) -> Iterator[Mutant]:
    """Each object with a field more; each field or item missing; each replaced by something of another kind."""
    for path, node in places(document):
        if isinstance(node, dict):
            yield changed("added", document, path, lambda node: node | {"unknown": 1})
        if path:
            yield changed("removed", document, path[:-1], lambda node, last=path[-1]: without(node, last))
        for other in OTHERS:
            if type(other) is not type(node) or (other != node and not isinstance(node, (int, float, bool))):
                yield changed(f"replaced by {other!r}", document, path, lambda node, other=other: deepcopy(other))


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """All nodes with their paths."""
    yield path, node
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, item in items:
        yield from places(item, (*path, step))


def changed(what: str, document: Any, path: tuple[Any, ...], change: Any) -> Mutant:
    """The document, one node of which is another one."""
    return Mutant(what, path, replaced(document, path, change))


def replaced(node: Any, path: tuple[Any, ...], change: Any) -> Any:
    """A copy as far as it differs."""
    if not path:
        return change(node)
    copy = node.copy()
    copy[path[0]] = replaced(node[path[0]], path[1:], change)
    return copy


def without(node: Any, step: Any) -> Any:
    """An object or list with one item less."""
    copy = node.copy()
    del copy[step]
    return copy
