"""Equality that tells 1 from True and 1.0, and finds nan the same as nan."""

from collections.abc import Callable
from enum import Enum
from types import MethodType
from typing import Any, Final, cast

from serilux._fields import Documented, FieldOwner, has_own_document
from serilux._leaves import LEAF_OF_TYPE
from serilux._settings import SETTINGS
from serilux._shapes import shape_of
from serilux.errors import LimitError, SeriluxError


def identical(a: Any, b: Any) -> bool:
    """Tell whether two supported values have equal types and contents all the way down (design law 9).

    nan is identical to nan, 0.0 is not to -0.0; the order of dicts and sets does not matter, nor does the object
    that a method is bound to. Values that documents cannot carry are identical only to themselves.
    Raises LimitError for values that are nested more deeply than `encode` takes them.
    """
    return _same(a, b, SETTINGS.depth)


def _same(a: Any, b: Any, levels: int) -> bool:
    if a is b:
        return True
    kind = type(a)
    if kind is not type(b):
        return False
    if kind in _BY_VALUE:
        return bool(a == b)
    compare = _COMPARE.get(kind, _objects)
    if levels == 0 and _has_inside(a, kind):
        raise LimitError("nested too deeply to compare; see Limits.max_depth")
    return compare(a, b, levels - 1)


def _has_inside(value: Any, kind: type[Any]) -> bool:
    """Tell whether a value counts as a level, empty or not."""
    if kind in _COMPARE:
        return kind in _CONTAINERS
    return isinstance(value, FieldOwner) or not (shape_of(kind) is None or isinstance(value, Enum))


def _texts(a: Any, b: Any, levels: int) -> bool:
    return repr(a) == repr(b)


def _leaves(a: Any, b: Any, levels: int) -> bool:
    leaf = LEAF_OF_TYPE[type(a)]
    try:
        return repr(leaf.dump(a)) == repr(leaf.dump(b))
    except SeriluxError:
        return False


def _sequences(a: Any, b: Any, levels: int) -> bool:
    return len(a) == len(b) and all(_same(x, y, levels) for x, y in zip(a, b, strict=True))


def _sets(a: Any, b: Any, levels: int) -> bool:
    return _mappings(dict.fromkeys(a), dict.fromkeys(b), levels)


def _mappings(a: dict[Any, Any], b: dict[Any, Any], levels: int) -> bool:
    if len(a) != len(b):
        return False
    of_b = {_without_owner(key): (key, item) for key, item in b.items()}
    for key, item in a.items():
        own_key, own_item = of_b.get(_without_owner(key), _NOTHING)
        if not (_same(key, own_key, levels) and _same(item, own_item, levels)):
            return False
    return True


def _without_owner(key: Any) -> Any:
    """What a key is found by: whatever object a method in it is bound to."""
    kind = type(key)
    if kind is MethodType:
        return MethodType, key.__func__
    return kind(map(_without_owner, key)) if kind in (tuple, frozenset) else key


def _objects(a: Any, b: Any, levels: int) -> bool:
    if isinstance(a, FieldOwner):
        return _mappings(_document(a), _document(b), levels)
    if isinstance(a, MethodType):
        return a.__func__ is b.__func__
    shape = shape_of(type(a))
    if shape is None:
        return False
    return all(_same(getattr(a, name), getattr(b, name), levels) for name in shape.names(type(a)))


def _document(value: FieldOwner) -> dict[str, Any]:
    if has_own_document(type(value)):
        return cast(Documented, value).serialize()
    return value.field_values()


_NOTHING: Final = (object(), None)
"""No key is identical to this one."""
_BY_VALUE: Final = frozenset({bool, int, str, bytes})
_CONTAINERS: Final = frozenset({list, tuple, dict, set, frozenset})
_COMPARE: Final[dict[type[Any], Callable[[Any, Any, int], bool]]] = {
    **dict.fromkeys(LEAF_OF_TYPE, _leaves),
    float: _texts,
    complex: _texts,
    list: _sequences,
    tuple: _sequences,
    dict: _mappings,
    set: _sets,
    frozenset: _sets,
}
