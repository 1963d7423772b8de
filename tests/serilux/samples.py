"""Registered classes and functions that the tests write and read."""

from dataclasses import dataclass, field
from enum import Enum, Flag, IntEnum, StrEnum
from functools import cached_property
from typing import Any

import msgspec
import pydantic

from serilux import Serializable, register_serializable


@register_serializable
class Colour(Enum):
    RED = 1
    GREEN = (2, "two")
    ALSO_RED = 1


@register_serializable
class Level(IntEnum):
    LOW = 1
    HIGH = 2


@register_serializable
class Word(StrEnum):
    YES = "yes"


@register_serializable
class Bits(Flag):
    A = 1
    B = 2


@register_serializable
@dataclass
class Point:
    x: Any
    y: Any = None


@register_serializable(name="FrozenPair")
@dataclass(frozen=True, slots=True)
class Pair:
    left: Any
    right: Any


@register_serializable
@dataclass
class Computed:
    base: int
    double: int = field(init=False)

    def __post_init__(self) -> None:
        self.double = self.base * 2

    @cached_property
    def triple(self) -> int:
        return self.base * 3


@register_serializable
@dataclass
class Percent:
    value: int

    def __post_init__(self) -> None:
        if not 0 <= self.value <= 100:
            raise RuntimeError("not a percentage")


@register_serializable
@dataclass
class Growing:
    """Its constructor changes what it is given."""

    value: int

    def __post_init__(self) -> None:
        self.value += 1


@register_serializable
@dataclass(eq=False)
class ById:
    value: int


@register_serializable
class Record(msgspec.Struct, frozen=True):
    name: Any
    size: Any = 0


@register_serializable
class Loose(msgspec.Struct, dict=True):
    name: Any


@register_serializable
class Model(pydantic.BaseModel):
    name: str = pydantic.Field(alias="theName")
    tags: tuple[int, ...] = ()
    extra: Any = None


@register_serializable
class Private(pydantic.BaseModel):
    name: str = ""
    _secret: int = pydantic.PrivateAttr(default=1)


@register_serializable
class Open(pydantic.BaseModel, extra="allow"):
    name: str = ""


@register_serializable
class Box(Serializable):
    def __init__(self) -> None:
        self.label = "box"
        self.content: Any = None
        self.check: Any = None
        self.unsaved = "not written"
        self.add_serializable_fields(["label", "content", "check"])

    def accepts(self, value: Any) -> bool:
        return value is not None

    def _reference_label(self) -> str:
        return f"Box[{self.label}]"


class Unregistered(Serializable):
    def __init__(self) -> None:
        self.size = 1
        self.add_serializable_fields(["size"])


@register_serializable
class Own(Serializable):
    """Writes and reads a document of its own making."""

    def __init__(self) -> None:
        self.items: list[int] = []

    def serialize(self) -> dict[str, Any]:
        return {"_type": "Own", "sum": sum(self.items), "items": list(self.items)}

    def deserialize(self, data: dict[str, Any]) -> None:
        if sum(data["items"]) != data["sum"]:
            raise ValueError("wrong sum")
        self.items = list(data["items"])


class NeedsArguments(Serializable):
    def __init__(self, size: int, *, colour: str, other: int = 1, **more: Any) -> None:
        self.size = size


@register_serializable
class Strict(Serializable):
    """One of its fields refuses what it does not like."""

    def __init__(self) -> None:
        self.first = 0
        self._even = 0
        self.add_serializable_fields(["first", "even"])

    @property
    def even(self) -> int:
        return self._even

    @even.setter
    def even(self, value: int) -> None:
        if value % 2:
            raise ValueError("odd")
        self._even = value


def double(value: Any) -> Any:
    return value * 2


def _make() -> Any:
    def inner(value: Any) -> Any:
        return value

    return inner


nested = _make()
anonymous = lambda value: value  # noqa: E731
alias = double
number = 5
