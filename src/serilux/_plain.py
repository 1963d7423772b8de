"""Many documents at once: whether they are values as they stand, asked level by level instead of node by node."""

from collections.abc import Sequence
from itertools import chain
from math import isfinite
from typing import Any, Final

from serilux._json import MAX_INT, MIN_INT
from serilux._settings import SETTINGS

_PLAIN: Final = frozenset({type(None), bool, int, float, str, list, dict})


def all_plain(values: Sequence[Any]) -> bool:
    """Tell whether values are their own documents, through and through: ASCII texts, small numbers, no tags.

    A quick yes for the common case, worked out in loops of C; a no only means that each has to be encoded or decoded.
    """
    level, room = list(values), SETTINGS.max_nodes
    for _ in range(SETTINGS.limits.max_depth):
        room -= len(level)
        if not level:
            return True
        if room < 0 or not _is_plain_level(level):
            return False
        level = _items(level)
    return False


def _is_plain_level(level: list[Any]) -> bool:
    kinds = set(map(type, level))
    if not kinds <= _PLAIN:
        return False
    if str in kinds and not "".join([item for item in level if type(item) is str]).isascii():
        return False
    if float in kinds and not isfinite(sum([item for item in level if type(item) is float])):
        return False
    return int not in kinds or _are_small([item for item in level if type(item) is int])


def _are_small(numbers: list[int]) -> bool:
    return min(numbers) >= MIN_INT and max(numbers) <= MAX_INT


def _items(level: list[Any]) -> list[Any]:
    """What the containers of a level hold; and one that is not plain if a name is not."""
    lists = [item for item in level if type(item) is list]
    dicts = [item for item in level if type(item) is dict]
    items = list(chain.from_iterable(lists))
    items.extend(chain.from_iterable(map(dict.values, dicts)))
    if dicts and not _are_plain_names(set(chain.from_iterable(dicts))):
        items.append(_NOT_PLAIN)
    return items


_NOT_PLAIN: Final = object()


def _are_plain_names(names: set[Any]) -> bool:
    return all(type(name) is str and name.isascii() and name[:1] != "$" for name in names)
