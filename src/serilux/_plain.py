"""Many documents at once: whether they are values as they stand, asked column by column instead of node by node.

A column holds values that are likely of one type: those that many dicts have under one name, or the items of lists.
"""

import struct
import sys
from collections.abc import Sequence
from gc import get_referents
from itertools import chain
from math import isfinite
from operator import countOf
from typing import Any, Final

from serilux._settings import SETTINGS

_Column = Sequence[Any]


def all_plain(values: _Column) -> bool:
    """Tell whether values are their own documents, through and through: ASCII texts, small numbers, no tags.

    A quick yes for the common case, worked out in loops of C; a no only means that each has to be encoded or decoded.
    """
    return (len(values) <= _FEW and _are_flat(values)) or count_plain(values) is not None


_FEW: Final = 4
_LEVELS_OF_FLAT: Final = 3


def _are_flat(values: _Column) -> bool:
    """Tell whether values are dicts of plain values that have nothing inside: quicker asked one by one, if few."""
    for value in values:
        if type(value) is not dict or not all(map(_is_plain_name, value)):
            return False
        for field in value.values():
            if type(field) in _CONTAINERS or not _is_plain(type(field), (field,)):
                return False
    nodes = len(values) + sum(map(len, values))
    return nodes <= SETTINGS.max_nodes and SETTINGS.limits.max_depth >= _LEVELS_OF_FLAT


def _is_plain_name(name: object) -> bool:
    return type(name) is str and name.isascii() and name[:1] != "$"


def count_plain(*columns: _Column) -> int | None:
    """Count the nodes of values in columns, inner ones included; None if they are not `all_plain`."""
    level, room = list(columns), SETTINGS.max_nodes
    for _ in range(SETTINGS.limits.max_depth):
        level = [column for column in level if column]
        if not level:
            return SETTINGS.max_nodes - room
        room -= sum(map(len, level))
        parts = [part for column in level for part in _by_type(column)]
        if room < 0 or not all(_is_plain(kind, part) for kind, part in parts):
            return None
        level = [inner for kind, part in parts for inner in _inside(kind, part)]
    return None


def _by_type(column: _Column) -> list[tuple[type[Any], _Column]]:
    first = type(column[0])
    if countOf(map(type, column), first) == len(column):
        return [(first, column)]
    return [(kind, [item for item in column if type(item) is kind]) for kind in set(map(type, column))]


def _is_plain(kind: type[Any], column: _Column) -> bool:
    """Tell whether values of one type are plain, what is inside of them aside."""
    if kind is str:
        return "".join(column).isascii()
    if kind is float:
        return isfinite(sum(column))
    return _fit_64_bits(column) if kind is int else kind in _ALWAYS_PLAIN


_CONTAINERS: Final = frozenset({list, dict})
_ALWAYS_PLAIN: Final = frozenset({type(None), bool, *_CONTAINERS})
_NOT_PLAIN: Final = object()


def _fit_64_bits(column: Sequence[int]) -> bool:
    try:
        struct.pack(f"{len(column)}q", *column)
    except struct.error:
        return False
    return True


def _inside(kind: type[Any], column: _Column) -> list[_Column]:
    if kind is list:
        return [get_referents(*column)]
    return _fields(column) if kind is dict else []


def _fields(dicts: _Column) -> list[_Column]:
    """What dicts hold, in columns where all have the same names; and what is not plain if a name is not."""
    values = _values(dicts)
    names = set() if values is None else set().union(*dicts)
    if values is None or not all(name.isascii() and name[:1] != "$" for name in names):
        return [[_NOT_PLAIN]]
    width = len(names)
    if width < len(dicts) and len(values) == width * len(dicts):
        return [values[place::width] for place in range(width)]
    return [values]


def _values_walked(dicts: _Column) -> list[Any] | None:
    """The values of dicts; None if there is a name that is no str, even one that equals a str.

    The garbage collector's walk goes through the values of a dict that has only str keys, and through the keys too of
    any other: then there is more in it than the dicts are long.
    """
    values = get_referents(*dicts)
    return values if len(values) == sum(map(len, dicts)) else None


def _values_asked(dicts: _Column) -> list[Any] | None:
    """The same, in three times the time."""
    if not set(map(type, chain.from_iterable(dicts))) <= {str}:
        return None
    return list(chain.from_iterable(map(dict.values, dicts)))


# From Python 3.13 on the walk leaves out the values of a dict that belongs to an object.
_values = _values_walked if sys.version_info < (3, 13) else _values_asked
