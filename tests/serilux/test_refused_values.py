"""What documents cannot carry is refused where it stands, alike by encode and clone."""

import array
from collections import Counter, OrderedDict, UserDict, namedtuple
from dataclasses import InitVar, dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import msgspec
import pydantic
import pytest

from serilux import (
    CallableReferenceError,
    ConstructorError,
    CycleError,
    LimitError,
    Serializable,
    SeriluxError,
    UnsupportedValueError,
    clone,
    clone_fields,
    encode,
    register_serializable,
)
from tests.serilux.samples import Bits, Box, ById, Growing, Loose, Model, NeedsArguments, Open, Own, Point, Private

Named = namedtuple("Named", ["a"])
NAN = float("nan")


class Text(str):
    pass


class Number(int):
    pass


class Real(float):
    pass


class Items(list):  # type: ignore[type-arg]
    pass


class Plain:
    pass


class PlainEnum(Enum):
    A = 1


@register_serializable
@dataclass(frozen=True)
class Keyed:
    first: dict[Any, Any] = field(hash=False)
    last: float


@dataclass
class PlainData:
    x: int = 1


class PlainStruct(msgspec.Struct):
    x: int = 1


class PlainModel(pydantic.BaseModel):
    x: int = 1


class Moment(datetime):
    pass


class Zone(tzinfo):
    def utcoffset(self, when: datetime | None) -> timedelta:
        return timedelta(0)


def loose() -> Loose:
    value = Loose("a")
    value.more = 1  # type: ignore[attr-defined]
    return value


def point_with_more() -> Point:
    value = Point(1)
    value.more = 1  # type: ignore[attr-defined]
    return value


def point_with_less() -> Point:
    value = Point(1)
    del value.x
    return value


def box_with_less() -> Box:
    value = Box()
    del value.label
    return value


def badly_written() -> Own:
    class Bad(Own):
        def serialize(self) -> Any:
            return []

    return Bad()


def not_json() -> Own:
    class NotJson(Own):
        def serialize(self) -> Any:
            return {"_type": "NotJson", "x": (1,)}

    return NotJson()


def cycle() -> list[Any]:
    value: list[Any] = []
    value.append({"k": (value,)})
    return value


def box_cycle() -> Box:
    value = Box()
    value.content = [value]
    return value


def point_cycle() -> Point:
    value = Point(None)
    value.x = value
    return value


def dict_cycle() -> dict[Any, Any]:
    value: dict[Any, Any] = {}
    value[1] = value
    return value


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


REFUSED: dict[str, tuple[Any, type[SeriluxError], str, str]] = {
    "named tuple": (Named(1), UnsupportedValueError, "", "registered dataclass"),
    "str subclass": (Text("a"), UnsupportedValueError, "", r"str\(\.\.\.\)"),
    "int subclass": (Number(1), UnsupportedValueError, "", r"int\(\.\.\.\)"),
    "float subclass": (Real(1), UnsupportedValueError, "", r"float\(\.\.\.\)"),
    "list subclass": (Items(), UnsupportedValueError, "", r"list\(\.\.\.\)"),
    "ordered dict": (OrderedDict(a=1), UnsupportedValueError, "", r"dict\(\.\.\.\)"),
    "counter": (Counter("a"), UnsupportedValueError, "", r"dict\(\.\.\.\)"),
    "user dict": (UserDict(), UnsupportedValueError, "", "plain data"),
    "key of a str subclass": ({Text("a"): 1}, UnsupportedValueError, ".a", r"str\(\.\.\.\)"),
    "bytearray": (bytearray(b"a"), UnsupportedValueError, "", r"bytes\(\.\.\.\)"),
    "memoryview": (memoryview(b"a"), UnsupportedValueError, "", r"bytes\(\.\.\.\)"),
    "array": (array.array("b"), UnsupportedValueError, "", "plain data"),
    "object": (Plain(), UnsupportedValueError, "", "plain data"),
    "class": (Plain, UnsupportedValueError, "", "not a class"),
    "function": (deep, UnsupportedValueError, "", "not a callable"),
    "builtin": (len, UnsupportedValueError, "", "not a callable"),
    "generator": (iter([]), UnsupportedValueError, "", "plain data"),
    "ellipsis": (..., UnsupportedValueError, "", "plain data"),
    "range": (range(3), UnsupportedValueError, "", "plain data"),
    "surrogate": ("a\ud800", UnsupportedValueError, "", "surrogate"),
    "surrogate as key": ({"\ud800": [1]}, UnsupportedValueError, r"['\ud800']", "surrogate"),
    "surrogate in a path": (PurePosixPath("\udc80"), UnsupportedValueError, "", "path"),
    "surrogate in a zone": (
        datetime(2024, 1, 1, tzinfo=timezone(timedelta(0), "\ud800")),
        UnsupportedValueError,
        "",
        "surrogate",
    ),
    "odd zone": (datetime(2024, 1, 1, tzinfo=Zone()), UnsupportedValueError, "", "fixed offset"),
    "datetime subclass": (Moment(2024, 1, 1), UnsupportedValueError, "", "plain data"),
    "unregistered enum": (PlainEnum.A, UnsupportedValueError, "", "register_serializable"),
    "unregistered dataclass": (PlainData(), UnsupportedValueError, "", "register_serializable"),
    "unregistered struct": (PlainStruct(), UnsupportedValueError, "", "register_serializable"),
    "unregistered model": (PlainModel(), UnsupportedValueError, "", "register_serializable"),
    "several flags": (Bits.A | Bits.B, UnsupportedValueError, "", "single member"),
    "no flag": (Bits(0), UnsupportedValueError, "", "single member"),
    "nan in a set": ({NAN}, UnsupportedValueError, "[0]", "nan"),
    "nan as a key": ({NAN: 1}, UnsupportedValueError, "[nan]", "nan"),
    "nan in a key": ({(1, NAN): 1}, UnsupportedValueError, "[<tuple>][1]", "nan"),
    "nan behind a set in a set": ({(frozenset({1}), NAN)}, UnsupportedValueError, "[0][1]", "nan"),
    "nan behind a dict in a set": ({Keyed({(1,): 2}, NAN)}, UnsupportedValueError, "[0].last", "nan"),
    "complex nan as a key": ({complex(0, NAN): 1}, UnsupportedValueError, "[<complex>]", "nan"),
    "decimal nan in a set": ({Decimal("NaN")}, UnsupportedValueError, "[0]", "nan"),
    "identity in a set": ({ById(1)}, UnsupportedValueError, "[0]", "__eq__"),
    "identity as a key": ({Box(): 1}, UnsupportedValueError, "[<Box>]", "__eq__"),
    "struct with more": (loose(), UnsupportedValueError, "", "more"),
    "dataclass with more": (point_with_more(), UnsupportedValueError, "", "more"),
    "dataclass with less": (point_with_less(), UnsupportedValueError, "", "'x'"),
    "box with less": (box_with_less(), UnsupportedValueError, ".label", "attribute"),
    "model with private state": (Private(), UnsupportedValueError, "", "_secret"),
    "model with extras": (Open.model_validate({"new": 1}), UnsupportedValueError, "", "new"),
    "model that is not valid": (Model.model_construct(name=1), SeriluxError, "", "Model"),
    "constructor that changes": (Growing(1), UnsupportedValueError, "", "constructor"),
    "constructor with arguments": (NeedsArguments(1, colour="red"), ConstructorError, "", "size, colour"),
    "own document that is none": (badly_written(), SeriluxError, "", "Bad"),
    "own document that is no JSON": (not_json(), SeriluxError, ".x", "tuple"),
    "too large an int": (1 << 40_001, LimitError, "", "max_digits"),
    "too large a decimal": (Decimal("1" * 10_001), LimitError, "", "max_digits"),
    "cycle": (cycle(), CycleError, "[0].k[0]", "cycle"),
    "cycle of boxes": (box_cycle(), CycleError, ".content[0]", "cycle"),
    "cycle of dataclasses": (point_cycle(), CycleError, ".x", "cycle"),
    "cycle of dicts": (dict_cycle(), CycleError, "[1]", "cycle"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("way", [encode, clone])
def test_it_is_refused_with_path_and_advice(case: str, way: Any) -> None:
    value, error, path, advice = REFUSED[case]
    with pytest.raises(error, match=advice) as caught:
        way({"data": [0, value]})
    assert caught.value.path == f"value.data[1]{path}"
    assert isinstance(caught.value, (ValueError, TypeError))


def test_the_message_says_where_what_and_what_to_do() -> None:
    with pytest.raises(UnsupportedValueError) as caught:
        encode({"items": [0, {"odd key": bytearray()}]}, "job")
    assert str(caught.value) == "job.items[1]['odd key']: a bytearray cannot be written; use bytes(...)"


def test_a_hundred_levels_are_not_too_deep() -> None:
    assert clone(deep(100)) == deep(100)
    assert encode(deep(100)) == deep(100)


@pytest.mark.parametrize(("way", "levels"), [(clone, 104), (encode, 104), (clone_fields, 100)])
def test_one_level_more_is_too_deep(way: Any, levels: int) -> None:
    with pytest.raises(LimitError, match="max_depth") as caught:
        way({"a": deep(levels)})
    assert caught.value.path == "value.a" + "[0]" * (levels - 1)


def test_the_same_part_twice_is_no_cycle() -> None:
    part = [1]
    assert encode([part, part, {"a": part}]) == [[1], [1], {"a": [1]}]


def test_callables_in_fields_need_a_name() -> None:
    box = Box()
    box.content = {"steps": [partial(len)]}
    with pytest.raises(CallableReferenceError) as caught:
        encode(box)
    assert caught.value.path == "value.content.steps[0]"


def test_a_document_that_writes_itself_for_ever_is_refused() -> None:
    class Endless(Serializable):
        def serialize(self) -> dict[str, Any]:
            return {"_type": "Endless", "inner": encode(self)}

    with pytest.raises(LimitError, match="stack"):
        encode(Endless())


def test_a_dataclass_whose_constructor_wants_more_than_fields_is_not_registered() -> None:
    @dataclass
    class Init:
        x: int
        seed: InitVar[int] = 1

    with pytest.raises(TypeError, match="'seed'"):
        register_serializable(Init)


def test_an_offset_that_would_be_read_as_none_is_refused() -> None:
    with pytest.raises(UnsupportedValueError, match="offset of less than a second"):
        encode(datetime(2020, 1, 1, tzinfo=timezone(timedelta(microseconds=7))))


def test_a_refused_object_has_the_right_article() -> None:
    with pytest.raises(UnsupportedValueError, match=r"an object cannot be written"):
        encode(object())


@dataclass
class Slotted:
    """Has a slot that is no field."""

    __slots__ = ("cache", "x")
    x: int


class Hiding:
    """Has a slot that its subclasses know nothing of."""

    __slots__ = ("hidden",)


@dataclass(slots=True)
class Heir(Hiding):
    x: int


@pytest.mark.parametrize(("cls", "slot"), [(Slotted, "cache"), (Heir, "hidden")])
def test_what_is_in_a_slot_and_no_field_is_not_lost(cls: type[Any], slot: str) -> None:
    register_serializable(cls)
    value = cls(1)
    assert encode(value)["$object"]["fields"] == {"x": 1}
    setattr(value, slot, 2)
    for write in (encode, clone):
        with pytest.raises(UnsupportedValueError, match=f"{cls.__name__} holds more than its fields: '{slot}'"):
            write(value)


@pytest.mark.parametrize("base", [dict, list, set, tuple, str, int, datetime, Decimal])
def test_a_dataclass_that_is_a_container_or_a_value_too_is_refused(base: type[Any]) -> None:
    cls = dataclass(type("Filled", (base,), {"__annotations__": {"x": int}, "x": 1}))
    with pytest.raises(TypeError, match=f"what it holds as a {base.__name__} is no field, and would be lost"):
        register_serializable(cls)
