"""Copies are equal and independent, and refuse what documents cannot carry."""

import json
from types import MethodType
from typing import Any

import pytest
from hypothesis import given

from serilux import SeriluxError, UnsupportedValueError, clone, clone_fields, encode, identical
from tests.laws.effort import examples
from tests.serilux.samples import Box, Own, Point, Unregistered, double
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
