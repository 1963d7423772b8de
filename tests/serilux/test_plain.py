"""What is quickly known to be its own document is exactly that."""

import json
from collections.abc import Iterator
from enum import IntEnum, StrEnum
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serilux import Limits, _plain, all_plain, count_plain, encode, get_limits, set_limits
from tests.laws.effort import examples
from tests.serilux.strategies import values


class Colour(StrEnum):
    """Equals a str, and is none."""

    RED = "red"
    blue = "blue"  # its hash is that of "blue"


class Level(IntEnum):
    """Equals an int, and is none."""

    LOW = 1


class Text(str):
    """A str that is another type."""


class Number(int):
    """An int that is another type."""


class Real(float):
    """A float that is another type."""


class Items(list[Any]):
    """A list that is another type."""


class Fields(dict[str, Any]):
    """A dict that is another type."""


@pytest.fixture(autouse=True, params=[_plain._values_walked, _plain._values_asked], ids=["walked", "asked"])
def _both_ways(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_plain, "_values", request.param)
        yield


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
    {Text("red"): 1},
    {None: 1},
    Colour.RED,
    Level.LOW,
    Text("text"),
    Number(1),
    Real(0.5),
    Items([1]),
    Fields(a=1),
    {1},
    frozenset([1]),
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


@pytest.mark.parametrize("name", [Text("blue"), Colour.blue])
@pytest.mark.parametrize("plain", [1, 20])
def test_a_name_that_is_not_plain_is_found_behind_one_that_equals_it(plain: int, name: str) -> None:
    assert not all_plain([*[{"blue": 1, "a": 2} for _ in range(plain)], {name: 1, "a": 2}])


class Untouchable:
    """A key that must not be compared."""

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        raise AssertionError


@pytest.mark.parametrize("many", [2, 20])
def test_what_is_no_name_is_not_asked_what_it_equals(many: int) -> None:
    assert not all_plain([{Untouchable(): 1} for _ in range(many)])


def test_names_may_come_in_any_order() -> None:
    assert count_plain([{"a": 1, "b": "x"}, {"b": "x", "a": 1}, {"a": 1, "b": "x"}]) == 9
    assert not all_plain([{"a": 1, "b": "x"}, {"b": "x", "a": (1,)}, {"a": 1, "b": "x"}])


def test_the_fields_of_an_object_are_looked_at() -> None:
    bare = type("Bare", (), {})
    objects = [bare() for _ in range(3)]
    for made in objects:
        made.a, made.b = 1, (2,)
    assert not all_plain([vars(made) for made in objects])


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
        assert not all_plain([{"a": 1}, {"b": 2}])
        assert (count_plain([1, 2, 3]), count_plain([[1, 2]])) == (3, 3)
    finally:
        set_limits(limits)


NAMES = st.one_of(st.sampled_from(["a", "", "$x", "\u00e9", "a$"]), st.just(1))
FIELD = st.sampled_from([None, True, 1, -(2**63), 2**63, 1.5, inf, "x", "\u00e9", [], {}, {"a": 1}, (), b"", Text("x")])


@pytest.mark.parametrize("limits", [Limits(), Limits(max_depth=2), Limits(max_depth=3), Limits(max_nodes=4)], ids=repr)
@examples(100)
@given(st.lists(st.dictionaries(NAMES, FIELD, max_size=3), max_size=6))
def test_few_values_that_are_asked_one_by_one_are_held_to_the_same(limits: Limits, items: list[Any]) -> None:
    former = get_limits()
    set_limits(limits)
    try:
        assert all_plain(items) == (count_plain(items) is not None)
    finally:
        set_limits(former)


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


@examples(100)
@given(st.lists(values, max_size=4))
def test_what_is_plain_is_written_as_it_stands(items: list[Any]) -> None:
    written = json.dumps([encode(item) for item in items], allow_nan=False)
    assert not all_plain(items) or json.dumps(items) == written
