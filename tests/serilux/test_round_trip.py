"""Design law 9: what is read equals what was written, in value and in type."""

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Context, Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given

from serilux import decode, encode, identical, register_serializable
from tests.laws.effort import examples
from tests.serilux.samples import Box, Computed, Level, Pair, Point
from tests.serilux.strategies import KINDS, hashables, values

lawful = examples(80)


def through_json(document: Any) -> Any:
    return json.loads(json.dumps(document, allow_nan=False))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_comes_back(kind: str) -> None:
    @lawful
    @given(KINDS[kind])
    def law(value: Any) -> None:
        assert identical(decode(through_json(encode(value))), value)

    law()


@examples(400)
@given(values)
def test_mixtures_come_back(value: Any) -> None:
    assert identical(decode(through_json(encode(value))), value)


@examples(200)
@given(hashables)
def test_members_and_keys_come_back(value: Any) -> None:
    for holder in ({value}, frozenset({value}), {value: value}):
        assert identical(decode(through_json(encode(holder))), holder)


@lawful
@given(values)
def test_encoding_is_deterministic(value: Any) -> None:
    assert json.dumps(encode(value)) == json.dumps(encode(decode(through_json(encode(value)))))


@register_serializable
@dataclass
class Tags:
    """Can be a member of a set although there is a dict in it."""

    by_name: dict[str, int]

    def __hash__(self) -> int:
        return 1


def test_the_order_of_members_is_that_of_what_they_say_and_not_of_how_they_say_it() -> None:
    first, as_well, second = Tags({"a": 0, "b": 1}), Tags({"b": 1, "a": 0}), Tags({"a": 0, "c": 1})
    assert decode(encode({first, second})["$set"][1]) == decode(encode({as_well, second})["$set"][1]) == second


@pytest.mark.parametrize("clock", [datetime(2024, 1, 2, fold=1), time(1, 2, fold=1)])
def test_the_second_of_two_equal_hours_comes_back_without_a_zone(clock: Any) -> None:
    assert decode(encode(clock)).fold == 1


@lawful
@given(values)
def test_reading_does_not_change_the_document(value: Any) -> None:
    document = encode(value)
    before = json.dumps(document)
    decode(document)
    assert json.dumps(document) == before


@pytest.mark.parametrize(
    ("value", "document"),
    [
        ((1, 2), {"$tuple": [1, 2]}),
        ({3, 10, 2}, {"$set": [2, 3, 10]}),
        (frozenset({"b", "a"}), {"$frozenset": ["a", "b"]}),
        ({(1,), "x", 1.5}, {"$set": ["x", 1.5, {"$tuple": [1]}]}),
        (b"\xff", {"$bytes": "/w=="}),
        (2**63, {"$int": "0x8000000000000000"}),
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (float("nan"), {"$float": "nan"}),
        (float("-inf"), {"$float": "-inf"}),
        ({1: "a"}, {"$map": [[1, "a"]]}),
        ({"$tuple": 1}, {"$dict": {"$tuple": 1}}),
        ({"$tuple": 1, "b": 2}, {"$tuple": 1, "b": 2}),
        (Decimal("1.50"), {"$decimal": "1.50"}),
        (complex(1, float("inf")), {"$complex": [1.0, {"$float": "inf"}]}),
        (Level.HIGH, {"$enum": {"class": "Level", "name": "HIGH"}}),
        (Pair(1, 2), {"$object": {"class": "FrozenPair", "fields": {"left": 1, "right": 2}}}),
        (
            Box(),
            {"$object": {"class": "Box", "fields": {"label": "box", "content": None, "check": None}}},
        ),
        ({"a": None, "é": "ü"}, {"a": None, "é": "ü"}),
    ],
)
def test_documents_look_like_this(value: Any, document: Any) -> None:
    assert encode(value) == document


def test_true_one_and_one_point_zero_stay_what_they_are() -> None:
    for value in ({True}, {1}, {1.0}, {True: 1}, {1: True}, {1.0: 0}, {"a": True}, [True, 1, 1.0]):
        assert identical(decode(through_json(encode(value))), value)


def test_a_decimal_does_not_depend_on_the_context() -> None:
    value = Decimal("1E+40")
    with localcontext(Context(prec=1, capitals=0)):
        assert decode(encode(value)) == value
        assert encode(value) == {"$decimal": "1E+40"}


def test_fields_that_the_constructor_does_not_take_come_back() -> None:
    value = Computed(2)
    assert value.triple == 6
    value.double = 5
    assert decode(encode(value)) == value


def test_an_alias_of_an_enum_member_is_read() -> None:
    assert decode({"$enum": {"class": "Colour", "name": "ALSO_RED"}}).name == "RED"


def test_the_flat_copy_is_independent() -> None:
    data = {"a": 1}
    assert encode(data) == data and encode(data) is not data
    assert decode(data) == data and decode(data) is not data


def test_objects_inside_objects_come_back() -> None:
    value = Point(Point(Pair(Box(), {1}), None), [Point(1, 2)])
    assert identical(decode(through_json(encode(value))), value)


@pytest.mark.parametrize("seed", ["1", "2"])
def test_sets_are_written_alike_whatever_the_hash_seed(seed: str) -> None:
    program = "import serilux; print(serilux.encode({'b', 'a', ('x', 1), 3, 2.5, b'z'}))"
    run = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
    )
    members = {"b", "a", ("x", 1), 3, 2.5, b"z"}
    assert run.stdout.strip() == repr(encode(members))
