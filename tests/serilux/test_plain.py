"""What is quickly known to be its own document is exactly that."""

import json
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serilux import Limits, all_plain, count_plain, encode, get_limits, set_limits
from tests.serilux.strategies import values


class Colour(StrEnum):
    """Equals a str, and is none."""

    RED = "red"


PLAIN = [None, True, 1, -(2**63), 0.5, "text", [], {}, [1, [2.0, "x"]], {"a": {"b": [None]}}]
NOT_PLAIN = [
    2**63,
    float("nan"),
    float("inf"),
    "\u00e9",
    "\ud800",
    (1,),
    {"$x": 1},
    {1: 2},
    {"\u00e9": 1},
    [[{"a": (1,)}]],
    b"",
    object(),
    {Colour.RED: 1},
]


@pytest.mark.parametrize("value", PLAIN)
def test_plain_values_are(value: Any) -> None:
    assert all_plain([value, value])


@pytest.mark.parametrize("value", NOT_PLAIN)
def test_one_that_needs_a_tag_or_a_refusal_among_plain_ones_is_not(value: Any) -> None:
    assert not all_plain([1, value, "text"])


FIELDS = {"red": 1, "text": "x", "list": [1], "dict": {"a": None}}


def test_many_values_with_the_same_fields_are() -> None:
    assert all_plain([dict(FIELDS) for _ in range(20)])


@pytest.mark.parametrize("value", [value for value in NOT_PLAIN if not isinstance(value, dict)])
@pytest.mark.parametrize("name", FIELDS)
def test_one_that_is_not_plain_among_many_with_the_same_fields_is_found(name: str, value: Any) -> None:
    assert not all_plain([*[dict(FIELDS) for _ in range(20)], FIELDS | {name: value}])


def test_a_name_that_is_not_plain_is_found_behind_one_that_equals_it() -> None:
    assert not all_plain([{"red": 1}, {"red": 1}, {Colour.RED: 1}])


@pytest.mark.parametrize("odd", [{"$x": 1, "b": 2}, {"a": 1, "b": (2,)}, {"a": 1, "\u00e9": 2}])
def test_fields_that_the_others_do_not_have_are_seen(odd: dict[str, Any]) -> None:
    assert not all_plain([*[{"a": 1, "b": 2} for _ in range(20)], odd])


def test_what_is_too_deep_is_not() -> None:
    nested: Any = []
    for _ in range(get_limits().max_depth):
        nested = [nested]
    assert not all_plain([nested])


def test_what_is_too_large_is_not() -> None:
    limits = get_limits()
    set_limits(Limits(max_nodes=3))
    try:
        assert not all_plain([[1], [2]])
    finally:
        set_limits(limits)


@pytest.mark.parametrize(
    ("columns", "count"),
    [
        ([], 0),
        ([[]], 0),
        ([[1, "x"], [None]], 3),
        ([[[1, [2, 3]], {"a": {"b": 4}}]], 8),
        ([[dict(FIELDS) for _ in range(20)]], 20 * 7),
        ([[1], [(1,)]], None),
    ],
)
def test_plain_nodes_are_counted(columns: list[list[Any]], count: int | None) -> None:
    assert count_plain(*columns) == count


@settings(max_examples=300)
@given(st.lists(values, max_size=4))
def test_what_is_plain_is_written_as_it_stands(items: list[Any]) -> None:
    written = json.dumps([encode(item) for item in items], allow_nan=False)
    assert not all_plain(items) or json.dumps(items) == written
