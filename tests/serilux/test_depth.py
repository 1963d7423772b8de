"""What is accepted where it enters can be saved and read, whatever is put around it (design law 9)."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serilux import (
    LimitError,
    Limits,
    Serializable,
    check_document,
    clone,
    clone_fields,
    copy_fields,
    decode,
    encode,
    identical,
    register_serializable,
    set_limits,
)
from tests.serilux.samples import Box, Colour, Pair, Point, Record
from tests.serilux.strategies import box_of

FRAME = 5
"""What stands around the data of a slot: the flow, its routines, one of them, its slots, one of them."""


@register_serializable
class DepthOwn(Serializable):
    """Writes a document of its own, as deep as its content."""

    def __init__(self) -> None:
        self.content: Any = None

    def serialize(self) -> dict[str, Any]:
        return {"_type": "DepthOwn", "content": encode(self.content)}

    def deserialize(self, data: dict[str, Any]) -> None:
        self.content = decode(data["content"])


def own_of(content: Any) -> DepthOwn:
    own = DepthOwn()
    own.content = content
    return own


WRAPS: dict[str, Callable[[Any], Any]] = {
    "list": lambda inner: [inner],
    "tuple": lambda inner: (inner,),
    "dict": lambda inner: {"a": inner},
    "dict like a tag": lambda inner: {"$a": inner},
    "dict with an odd key": lambda inner: {1: inner},
    "dataclass": Point,
    "struct": Record,
    "fields": lambda inner: box_of("box", inner),
    "own document": own_of,
}
KEYS: dict[str, Callable[[Any], Any]] = {
    "frozenset": lambda inner: frozenset([inner]),
    "tuple": lambda inner: (inner,),
    "dataclass": lambda inner: Pair(inner, 1),
}
LEAVES = (1, "é", 2**70, datetime(2020, 1, 1, tzinfo=UTC), complex(1, float("inf")), Colour.RED)


def nested(leaf: Any, kinds: list[str], ways: dict[str, Callable[[Any], Any]]) -> Any:
    for kind in kinds:
        leaf = ways[kind](leaf)
    return leaf


def as_deep_as_clone_takes(value: Any, wrap: Callable[[Any], Any]) -> Any:
    """The value in as many wraps as are accepted."""
    while True:
        try:
            value = clone(wrap(value))
        except LimitError:
            return value


def through_json(document: Any) -> Any:
    return json.loads(json.dumps(document, allow_nan=False))


def framed(document: Any) -> Any:
    for _ in range(FRAME):
        document = {"frame": document, "more": 1}
    return document


@given(
    st.integers(1, 12),
    st.sampled_from(LEAVES),
    st.lists(st.sampled_from(sorted(KEYS)), max_size=4),
    st.lists(st.sampled_from(sorted(WRAPS)), max_size=12),
    st.sampled_from(sorted(WRAPS)),
    st.lists(st.sampled_from(["list", "fields"]), max_size=4),
)
def test_what_is_accepted_can_be_saved_and_read_in_up_to_four_more_containers(
    max_depth: int, leaf: Any, keys: list[str], kinds: list[str], last: str, around: list[str]
) -> None:
    set_limits(Limits(max_depth=max_depth))
    try:
        value = clone(nested(nested(leaf, keys, KEYS), kinds, WRAPS))
    except LimitError:
        value = leaf
    value = as_deep_as_clone_takes(value, WRAPS[last])
    inside = nested(value, around, WRAPS)
    document = through_json(encode(inside))
    check_document(framed(document))
    read = decode(document)
    for kind in reversed(around):
        read = read[0] if kind == "list" else read.content
    assert identical(read, value)


@pytest.mark.parametrize("kind", sorted(WRAPS))
def test_a_hundred_levels_of_anything_are_saved_and_read(kind: str) -> None:
    value = as_deep_as_clone_takes(LEAVES[3], WRAPS[kind])
    document = through_json(encode(nested(value, ["fields"] * 4, WRAPS)))
    check_document(framed(document))
    assert encode(decode(document)) == document


def test_the_limit_is_where_it_enters() -> None:
    set_limits(Limits(max_depth=3))
    clone_fields({"a": [[1]]})
    with pytest.raises(LimitError, match="deeper than 3 levels"):
        clone_fields({"a": [[[1]]]})


def test_what_was_accepted_is_copied_in_the_containers_it_lies_in() -> None:
    set_limits(Limits(max_depth=3))
    data = {"a": [[[[[1]]]]]}
    copy = copy_fields(data)
    assert copy == data
    assert copy["a"][0] is not data["a"][0]


def test_a_flat_copy_is_independent_too() -> None:
    data = {"a": 1}
    copy = copy_fields(data)
    assert copy == data
    assert copy is not data


def test_an_own_document_has_the_levels_that_are_left() -> None:
    set_limits(Limits(max_depth=5))
    clone([own_of([[[1]]])])
    with pytest.raises(LimitError, match="3 JSON levels"):
        clone([[own_of([[[1]]])]])


def test_the_fields_of_an_object_are_written_although_they_were_accepted_alone() -> None:
    set_limits(Limits(max_depth=3))
    box = Box()
    box.content = [["event", clone({"a": [[1]]})]]
    document = through_json(box.serialize())
    read = Box()
    read.deserialize(document)
    assert read.content == box.content
