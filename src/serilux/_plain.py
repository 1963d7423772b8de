"""Many documents at once: whether they are values as they stand, asked column by column instead of node by node.

A column holds values that are likely of one type: those that many dicts have under one name, or the items of lists.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain
from math import isfinite
from typing import Any, Final

from serilux._json import MAX_INT, MIN_INT
from serilux._settings import SETTINGS

_Column = Sequence[Any]


def all_plain(values: _Column) -> bool:
    """Tell whether values are their own documents, through and through: ASCII texts, small numbers, no tags.

    A quick yes for the common case, worked out in loops of C; a no only means that each has to be encoded or decoded.
    """
    return count_plain(values) is not None


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
    kinds = set(map(type, column))
    if len(kinds) == 1:
        return [(kinds.pop(), column)]
    return [(kind, [item for item in column if type(item) is kind]) for kind in kinds]


def _is_plain(kind: type[Any], column: _Column) -> bool:
    """Tell whether values of one type are plain, what is inside of them aside."""
    if kind is str:
        return "".join(column).isascii()
    if kind is float:
        return isfinite(sum(column))
    if kind is int:
        return bool(min(column) >= MIN_INT and max(column) <= MAX_INT)
    if kind is dict:
        # Asked of all names, since one of another type may equal a str and so hide in a set behind it.
        return set(map(type, chain.from_iterable(column))) <= {str}
    return kind in _ALWAYS_PLAIN


_ALWAYS_PLAIN: Final = frozenset({type(None), bool, list})
_NOT_PLAIN: Final = object()


def _inside(kind: type[Any], column: _Column) -> list[_Column]:
    if kind is list:
        return [list(chain.from_iterable(column))]
    if kind is dict:
        return [inner for dicts in _by_size(column) for inner in _fields(dicts)]
    return []


def _by_size(dicts: _Column) -> list[_Column]:
    if len(set(map(len, dicts))) == 1:
        return [dicts]
    sizes: defaultdict[int, list[Any]] = defaultdict(list)
    for item in dicts:
        sizes[len(item)].append(item)
    return list(sizes.values())


def _fields(dicts: _Column) -> list[_Column]:
    """What dicts of one size hold, name by name if they all have the same; and what is not plain if a name is not."""
    columns = _by_name(dicts)
    names = dicts[0] if columns else set(chain.from_iterable(dicts))
    if not all(name.isascii() and name[:1] != "$" for name in names):
        return [[_NOT_PLAIN]]
    return columns or [list(chain.from_iterable(map(dict.values, dicts)))]


def _by_name(dicts: _Column) -> list[_Column]:
    """The values under each name; nothing if the names differ, or are so many that columns would be short."""
    if len(dicts) <= len(dicts[0]):
        return []
    try:
        return [[item[name] for item in dicts] for name in dicts[0]]
    except KeyError:
        return []
