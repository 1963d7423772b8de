"""Long lists of a document read part by part, and in these by columns.

Each pass over a column touches all of it; a part is short enough to stay in the processor's cache until the last pass.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from routilux._shapes import convert

PART = 500

Column = Sequence[Any]
_Made = TypeVar("_Made")
_Shape = TypeVar("_Shape", bound=msgspec.Struct)


class Part(Generic[_Shape]):
    """Some nodes of one list, in shape; the first of them has the index `first`."""

    def __init__(self, nodes: list[Any], shape: type[_Shape], name: str, first: int) -> None:
        self._name = name
        self._first = first
        whole: Any = list[shape]  # type: ignore[valid-type]  # made of a value
        self.nodes: list[_Shape]
        try:
            self.nodes = msgspec.convert(nodes, whole)
        except msgspec.ValidationError:
            self.nodes = [convert(node, shape, self.path(index)) for index, node in enumerate(nodes)]

    def path(self, index: int, field: str = "") -> str:
        """Where a node, or one of its fields, stands in the document."""
        return f"{self._name}[{self._first + index}]{field}"


def parts(nodes: Any, shape: type[_Shape], name: str) -> Iterator[Part[_Shape]]:
    """The parts of the list at the path `name`; DocumentError where it is none."""
    every = nodes if type(nodes) is list else convert(nodes, list[Any], name)
    for first in range(0, len(every), PART):
        yield Part(every[first : first + PART], shape, name, first)


class Once(dict[Any, _Made]):
    """What is made of each key, made once."""

    def __init__(self, make: Callable[[Any], _Made]) -> None:
        self._make = make

    def __missing__(self, key: Hashable) -> _Made:
        made = self[key] = self._make(key)
        return made

    def each(self, keys: Column) -> list[_Made]:
        """What is made of each of these keys."""
        return [self[keys[0]]] * len(keys) if are_alike(keys) else [self[key] for key in keys]

    def each_pair(self, firsts: Column, seconds: Column) -> list[_Made]:
        """What is made of each pair of keys."""
        if are_alike(firsts) and are_alike(seconds):
            return [self[firsts[0], seconds[0]]] * len(firsts)
        return [self[pair] for pair in zip(firsts, seconds, strict=True)]


def are_alike(column: Column) -> bool:
    """Tell whether all values, of which there is one at least, equal the first."""
    return bool(column) and column.count(column[0]) == len(column)
