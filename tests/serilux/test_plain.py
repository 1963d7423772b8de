"""What is quickly known to be its own document is exactly that."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serilux import Limits, all_plain, encode, get_limits, set_limits
from tests.serilux.strategies import values

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
]


@pytest.mark.parametrize("value", PLAIN)
def test_plain_values_are(value: Any) -> None:
    assert all_plain([value, value])


@pytest.mark.parametrize("value", NOT_PLAIN)
def test_one_that_needs_a_tag_or_a_refusal_among_plain_ones_is_not(value: Any) -> None:
    assert not all_plain([1, value, "text"])


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


@settings(max_examples=300)
@given(st.lists(values, max_size=4))
def test_what_is_plain_is_written_as_it_stands(items: list[Any]) -> None:
    written = json.dumps([encode(item) for item in items], allow_nan=False)
    assert not all_plain(items) or json.dumps(items) == written
