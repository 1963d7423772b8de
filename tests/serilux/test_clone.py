"""Copies are equal and independent, and refuse what documents cannot carry."""

import json
from dataclasses import dataclass
from enum import Enum
from types import MethodType
from typing import Any

import pydantic
import pytest
from hypothesis import given

from serilux import (
    DocumentError,
    Serializable,
    SeriluxError,
    UnsupportedValueError,
    clone,
    clone_fields,
    decode,
    encode,
    identical,
    register_serializable,
)
from serilux._clone import Cloner, steps_of
from serilux._encode import Encoder
from serilux._fields import default_document, has_own_document
from serilux._leaves import LEAF_OF_TYPE
from serilux._registry import Registry
from tests.laws.effort import examples
from tests.serilux.samples import Box, Model, Own, Point, Unregistered, double
from tests.serilux.strategies import values

lawful = examples(150)


def containers(value: Any) -> list[int]:
    """Return the addresses of all mutable parts."""
    if isinstance(value, (list, tuple, set, frozenset)):
        inner = [address for item in value for address in containers(item)]
        return inner if isinstance(value, (tuple, frozenset)) else [id(value), *inner]
    if isinstance(value, dict):
        return [id(value), *(address for item in value.values() for address in containers(item))]
    if isinstance(value, (Box, Point, Own)):
        return [id(value), *containers(vars(value))[1:]]
    return []


@lawful
@given(values)
def test_a_copy_is_identical_and_shares_nothing_that_changes(value: Any) -> None:
    copy = clone(value)
    assert identical(copy, value)
    assert not set(containers(copy)) & set(containers(value))


@lawful
@given(values)
def test_copying_leaves_the_value_as_it_was(value: Any) -> None:
    before = json.dumps(encode(value))
    clone(value)
    assert json.dumps(encode(value)) == before


@pytest.mark.parametrize(
    "data",
    [{}, {"x": 1}, {"x": 1.5, "y": None, "z": True}, {"name": "abc"}, {"$x": 1}, {"x": float("nan")}],
)
def test_simple_fields_are_copied(data: dict[str, Any]) -> None:
    copy = clone_fields(data)
    assert identical(copy, data)
    assert copy is not data


@pytest.mark.parametrize("data", [{"é": 1}, {"x": "é"}, {"x": 2**70}, {"x": [1]}, {"x": {"y": (1, {2})}}])
def test_other_fields_are_copied_too(data: dict[str, Any]) -> None:
    assert identical(clone_fields(data), data)


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({1: 2}, "data[1]"),
        ({"x": object()}, "data.x"),
        ({"x": "\ud800"}, "data.x"),
        ({"\ud800": 1}, r"data['\ud800']"),
        ({"x": [1, {"y": bytearray()}]}, "data.x[1].y"),
        ({type("S", (str,), {})("k"): 1}, "data.k"),
        ([1], "data"),
        ({"x": 1 << 50_000}, "data.x"),
    ],
)
def test_fields_are_refused_with_their_path(data: Any, path: str) -> None:
    with pytest.raises(SeriluxError) as caught:
        clone_fields(data, "data")
    assert caught.value.path == path


def test_a_copied_object_has_its_own_methods() -> None:
    box = Box()
    box.check = [box.accepts, double, len]
    box.content = Point(box.accepts)
    copy = clone(box)
    assert copy.check == [copy.accepts, double, len]
    assert isinstance(copy.content.x, MethodType)
    assert copy.content.x.__self__ is copy


def test_an_unregistered_object_is_copied() -> None:
    value = Unregistered()
    value.size = 5
    assert clone([value])[0].size == 5


def test_an_object_is_copied_through_its_own_document() -> None:
    own = Own()
    own.items = [1, 2]
    assert clone(own).items == [1, 2]
    assert clone(own) is not own


def test_callables_are_no_data() -> None:
    with pytest.raises(UnsupportedValueError):
        clone([double])


class Tired(Serializable):
    """It can be built once."""

    built = False

    def __init__(self) -> None:
        if Tired.built:
            raise RuntimeError("enough")


class TiredOwn(Tired):
    def serialize(self) -> dict[str, Any]:
        return {"_type": "TiredOwn"}


@pytest.mark.parametrize("cls", [Tired, TiredOwn])
def test_what_a_constructor_raises_is_said_with_the_name_of_its_class(
    cls: type[Tired], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = cls()
    monkeypatch.setattr(Tired, "built", True)
    with pytest.raises(DocumentError, match=f"^value: {cls.__name__} refused its data: RuntimeError: enough$"):
        clone(made)
    monkeypatch.setattr(Registry, "find", lambda registry, name, path: cls)
    with pytest.raises(DocumentError, match=f"^value: {cls.__name__} refused its data: RuntimeError: enough$"):
        decode({"$object": {"class": cls.__name__, "fields": {}}})


@pytest.mark.parametrize("walk", [Cloner, Encoder])
def test_a_walk_takes_all_that_has_no_parts_in_its_own_way(walk: type[Cloner]) -> None:
    assert {kind: step for kind, step in steps_of(walk).items() if kind in LEAF_OF_TYPE} == dict.fromkeys(
        LEAF_OF_TYPE, walk.leaf
    )


def test_a_class_has_its_own_document_unless_both_methods_are_marked() -> None:
    class Marked(Serializable):
        @default_document
        def serialize(self) -> dict[str, Any]:
            return {}

    assert not has_own_document(Marked)


def test_a_model_whose_aliases_are_names_of_other_fields_is_copied_by_the_names() -> None:
    class Crossed(pydantic.BaseModel):
        a: int = pydantic.Field(alias="b")
        b: int = pydantic.Field(alias="a")

    register_serializable(Crossed)
    assert clone(Crossed(a=1, b=2)).a == 2


def test_a_model_that_holds_what_is_no_field_is_refused() -> None:
    model = Model(theName="a")
    object.__setattr__(model, "more", 1)
    with pytest.raises(UnsupportedValueError, match="holds more than its fields: 'more'"):
        clone(model)


def test_a_member_of_an_enum_is_no_object_although_it_has_fields() -> None:
    @dataclass
    class Size:
        width: int

    class Paper(Size, Enum):
        A4 = 210

    register_serializable(Paper)
    with pytest.raises(DocumentError, match="Paper is no class with fields; its members are written '\\$enum'"):
        decode({"$object": {"class": "Paper", "fields": {"width": 210}}})
