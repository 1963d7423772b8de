"""What to do instead: the advice for each value that cannot be written."""

from enum import Enum
from typing import Any

from serilux._shapes import shape_of
from serilux.errors import UnsupportedValueError

_EXACT = (str, int, float, complex, list, dict, set, frozenset, bytes)
_REGISTER = "register its class with @serilux.register_serializable"


def unsupported(value: object) -> UnsupportedValueError:
    """Return the error for a value of a type that documents cannot carry."""
    cls = type(value)
    name = cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
    return UnsupportedValueError(f"{_with_article(name)} cannot be written; {_advice(value, cls)}")


def _with_article(name: str) -> str:
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


def _advice(value: object, cls: type[Any]) -> str:
    if isinstance(value, type):
        return "pass data, not a class; its name may do"
    if isinstance(value, Enum) or shape_of(cls) is not None:
        return _REGISTER
    if isinstance(value, tuple):
        return "use a plain tuple or a registered dataclass: a named tuple would come back as another type"
    if isinstance(value, (bytearray, memoryview)):
        return "use bytes(...)"
    for plain in _EXACT:
        if isinstance(value, plain):
            return f"convert it with {plain.__name__}(...): a subclass would come back as another type"
    if callable(value):
        return "pass data, not a callable; only fields of a Serializable may hold functions"
    return (
        "use plain data, or a registered dataclass or Serializable; a client, a connection or an open file is no data: "
        "each process has its own"
    )
