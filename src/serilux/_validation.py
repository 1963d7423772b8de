"""Checks of classes: when they are registered, and before their objects are written."""

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import Any, TypeVar, overload

from serilux._fields import FieldOwner, check_constructible
from serilux._json import is_text, step_to
from serilux._registry import REGISTRY
from serilux._shapes import check_shape, shape_of
from serilux.errors import ConstructorError

_Class = TypeVar("_Class", bound=type[Any])


@overload
def register_serializable(cls: _Class) -> _Class: ...
@overload
def register_serializable(
    cls: None = None, *, name: str | None = None, aliases: Iterable[str] = ()
) -> Callable[[_Class], _Class]: ...
def register_serializable(cls: _Class | None = None, *, name: str | None = None, aliases: Iterable[str] = ()) -> Any:
    """Make a class known by its name, or by another, so that documents may hold its objects.

    For subclasses of Serializable, Enums, dataclasses, msgspec Structs and pydantic models (2.11 or newer).
    References may name the functions of its module from then on. `aliases` are names that it had before: documents
    with them are read, and written with its name of now. An exception is no data, and is registered for its aliases
    alone: the qualified names that it had. Raises ConstructorError for a Serializable that cannot be built without
    arguments, TypeError for other classes (page: Serialization Validation). A name that stands for two classes is a
    NameConflictError when it is used; an alias of two exceptions is one at once.

    >>> from dataclasses import dataclass
    >>> from serilux import decode, encode, register_serializable
    >>> @register_serializable(name="shop.Money")
    ... @dataclass
    ... class Money:
    ...     amount: int
    >>> encode(Money(20))
    {'$object': {'class': 'shop.Money', 'fields': {'amount': 20}}}
    >>> decode(encode(Money(20)))
    Money(amount=20)
    """
    if cls is None:
        return lambda decorated: _register(decorated, name, aliases)
    return _register(cls, name, aliases)


def _register(cls: _Class, name: str | None, aliases: Iterable[str]) -> _Class:
    """Register a class after checking that its objects can be written and built."""
    if not isinstance(cls, type):
        raise TypeError(f"register_serializable decorates a class, not {type(cls).__name__}")
    if name is not None and (problem := _name_problem(name)):
        raise TypeError(f"the name of {cls.__name__} in documents is {problem}")
    others = _checked_aliases(aliases)
    if issubclass(cls, BaseException) and others:
        REGISTRY.add_exception(cls, others)
        if shape_of(cls) is None:
            return cls
    if issubclass(cls, FieldOwner):
        check_constructible(cls)
    elif not issubclass(cls, Enum):
        check_shape(cls)
    REGISTRY.add(cls, cls.__name__ if name is None else name, others)
    return cls


def _checked_aliases(aliases: Iterable[str]) -> list[str]:
    if isinstance(aliases, str) or not isinstance(aliases, Iterable):
        raise TypeError(f"register_serializable takes a list of aliases, such as ['OldName'], not {aliases!r}")
    others = list(aliases)
    for alias in others:
        if problem := _name_problem(alias):
            raise TypeError(f"an alias is a name that a class had before, {problem}")
    return others


def _name_problem(name: object) -> str:
    """Say what the name of a class in documents is, where this is none; "" where it is one."""
    if type(name) is not str or not name:
        return f"a str that is not empty, not {name!r}"
    return "" if is_text(name) else f"text without lone surrogates, not {name!r}"


def check_serializable(obj: FieldOwner, path: str) -> None:
    """Check that an object and each Serializable in its fields can be built without arguments.

    Raises ConstructorError, which names path and class (page: Serialization Validation).
    """
    seen: set[int] = set()
    waiting: list[tuple[Any, str]] = [(obj, path)]
    while waiting:
        value, place = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        _check_class(value, place)
        waiting.extend(_parts(value, place))


def _check_class(value: object, path: str) -> None:
    if isinstance(value, FieldOwner):
        try:
            check_constructible(type(value))
        except ConstructorError as error:
            error.under(path)
            raise


def _parts(value: Any, path: str) -> Iterator[tuple[Any, str]]:
    for step, part in _steps(value):
        yield part, path + step


def _steps(value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, FieldOwner):
        return [(step_to(name), getattr(value, name, None)) for name in value._serializable_fields]
    if isinstance(value, dict):
        return [(step_to(key), item) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [(f"[{index}]", item) for index, item in enumerate(value)]
    if isinstance(value, (set, frozenset)):
        return [("", item) for item in value]
    shape = shape_of(type(value))
    names = () if shape is None else shape.names(type(value))
    return [(f".{name}", getattr(value, name, None)) for name in names]
