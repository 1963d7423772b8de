"""How objects of registered classes come apart into fields and are put together again."""

import sys
from collections.abc import Callable
from dataclasses import MISSING, is_dataclass
from dataclasses import fields as dataclass_fields
from functools import cached_property, lru_cache
from types import MemberDescriptorType
from typing import Any, NamedTuple

from serilux._fields import called, named_parameters
from serilux._json import one_of
from serilux.errors import UnsupportedValueError

Values = dict[str, Any]


class Shape(NamedTuple):
    """One family of classes: dataclasses, msgspec structs, pydantic models."""

    names: Callable[[type[Any]], tuple[str, ...]]
    needed: Callable[[type[Any]], tuple[str, ...]]
    """The names of the fields that have no default: a document that is older than the others has not got these."""
    beside: Callable[[Any, tuple[str, ...]], set[str]]
    """The names of what an object holds beside its fields, which have these names."""
    build: Callable[[type[Any], Values], Any]


def shape_of(cls: type[Any]) -> Shape | None:
    """Return the family of a class, or None if it has none.

    A library that was not imported has no classes here, so none is imported to find out.
    """
    if is_dataclass(cls):
        return _DATACLASS
    for module, base, shape in (("msgspec", "Struct", _STRUCT), ("pydantic", "BaseModel", _MODEL)):
        if module in sys.modules and issubclass(cls, getattr(sys.modules[module], base)):
            return shape
    return None


@lru_cache(maxsize=1024)
def field_names(shape: Shape, cls: type[Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the fields that have no default, and of the others."""
    needed = shape.needed(cls)
    return needed, tuple(name for name in shape.names(cls) if name not in needed)


def check_shape(cls: type[Any]) -> None:
    """Raise TypeError for a class that has no shape, or whose constructor wants more than its fields."""
    shape = shape_of(cls)
    if shape is None:
        raise TypeError(
            f"{cls.__name__} cannot be registered; make it a subclass of Serializable, an Enum, a dataclass, "
            "a msgspec Struct or a pydantic model"
        )
    names = shape.names(cls)
    lost = [parameter.name for parameter in named_parameters(cls) if parameter.name not in names]
    if lost and shape is _DATACLASS:
        raise TypeError(
            f"{cls.__name__} cannot be registered: its constructor takes {one_of(lost)}, which is no field; "
            "a document could not give it"
        )
    if shape is _DATACLASS and (inherited := _content_of(cls)):
        raise TypeError(
            f"{cls.__name__} cannot be registered: what it holds as a {inherited.__name__} is no field, and would be "
            "lost; let it have a field for that"
        )


def take_apart(shape: Shape, value: Any) -> Values:
    """Return the fields of an object. Raises UnsupportedValueError if it holds more than them, or less."""
    names = shape.names(type(value))
    if lost := shape.beside(value, names):
        raise UnsupportedValueError(
            f"{type(value).__name__} holds more than its fields: {one_of(sorted(lost))}, which would be "
            "lost; declare a field for it"
        )
    try:
        return {name: getattr(value, name) for name in names}
    except AttributeError as error:
        missing = [name for name in names if not hasattr(value, name)]
        raise UnsupportedValueError(f"{type(value).__name__} has no value for {one_of(missing)}; set it") from error


def put_together(shape: Shape, cls: type[Any], values: Values) -> Any:
    """Return a new object of the class, made by its constructor from all of its fields.

    Raises DocumentError around whatever the constructor raises.
    """
    return called(cls, lambda: shape.build(cls, values))


_HEAP_TYPE = 1 << 9
"""A flag of classes made by a `class` statement (Py_TPFLAGS_HEAPTYPE): others may hold what no attribute shows."""


def _content_of(cls: type[Any]) -> type[Any] | None:
    """Return the container, text or number that a class is beside its fields, if it is one; exceptions may be."""
    builtins = [base for base in cls.__mro__ if not base.__flags__ & _HEAP_TYPE and base is not object]
    return next((base for base in builtins if not issubclass(base, BaseException)), None)


def _beside_dataclass(value: Any, names: tuple[str, ...]) -> set[str]:
    slots = _slots_beside_fields(type(value))  # type: ignore[arg-type]  # mypy doubts that a class is hashable
    return _attributes_beside(value, names).union([name for name in slots if hasattr(value, name)])


@lru_cache(maxsize=1024)
def _slots_beside_fields(cls: type[Any]) -> frozenset[str]:
    """Return the names of slots that are no fields of a class; what is in them is in no `__dict__`."""
    slots = (name for base in cls.__mro__ for name, part in vars(base).items() if type(part) is MemberDescriptorType)
    return frozenset(slots).difference(_dataclass_names(cls))  # type: ignore[arg-type]  # see above


def _attributes_beside(value: Any, names: tuple[str, ...]) -> set[str]:
    cls = type(value)
    beside: set[str] = getattr(value, "__dict__", {}).keys() - names
    return {name for name in beside if not isinstance(getattr(cls, name, None), cached_property)}


@lru_cache(maxsize=1024)
def _dataclass_names(cls: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in dataclass_fields(cls))


def _dataclass_needed(cls: type[Any]) -> tuple[str, ...]:
    return tuple(
        field.name for field in dataclass_fields(cls) if field.default is MISSING and field.default_factory is MISSING
    )


def _build_dataclass(cls: type[Any], values: Values) -> Any:
    by_constructor = _constructed(cls)  # type: ignore[arg-type]  # mypy doubts that a class is hashable
    built = cls(**{name: value for name, value in values.items() if name in by_constructor})
    for name in values.keys() - by_constructor:
        object.__setattr__(built, name, values[name])
    return built


@lru_cache(maxsize=1024)
def _constructed(cls: type[Any]) -> frozenset[str]:
    """Return the names of the fields that a constructor takes."""
    return frozenset(field.name for field in dataclass_fields(cls) if field.init)


def _struct_names(cls: type[Any]) -> tuple[str, ...]:
    return tuple(cls.__struct_fields__)


def _struct_needed(cls: type[Any]) -> tuple[str, ...]:
    fields = sys.modules["msgspec"].structs.fields(cls)
    return tuple(field.name for field in fields if field.required)


def _build_struct(cls: type[Any], values: Values) -> Any:
    return cls(**values)


def _model_names(cls: type[Any]) -> tuple[str, ...]:
    return tuple(cls.model_fields)


def _model_needed(cls: type[Any]) -> tuple[str, ...]:
    return tuple(name for name, field in cls.model_fields.items() if field.is_required())


def _beside_model(value: Any, names: tuple[str, ...]) -> set[str]:
    """Private attributes count: nothing says how they could be set again."""
    unnamed = (value.__pydantic_extra__ or {}) | (value.__pydantic_private__ or {})
    return _attributes_beside(value, names).union(unnamed)


def _build_model(cls: type[Any], values: Values) -> Any:
    """Validate by field names, whatever aliases the model has (pydantic 2.11 or newer)."""
    return cls.model_validate(values, by_alias=False, by_name=True)


_DATACLASS = Shape(_dataclass_names, _dataclass_needed, _beside_dataclass, _build_dataclass)  # type: ignore[arg-type]  # mypy doubts that a class is hashable
_STRUCT = Shape(_struct_names, _struct_needed, _attributes_beside, _build_struct)
_MODEL = Shape(_model_names, _model_needed, _beside_model, _build_model)
