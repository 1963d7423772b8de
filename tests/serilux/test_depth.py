"""What is accepted where it enters can be saved and read, whatever is put around it (design law 9)."""

import json
from bisect import bisect_left
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from itertools import count
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
    get_limits,
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
HOLDERS_OF_KEYS: dict[str, Callable[[Any], Any]] = {
    "set": lambda inner: {inner},
    "key": lambda inner: {inner: 1},
    "list": lambda inner: [inner],
}
LEAVES = (1, "é", 2**70, datetime(2020, 1, 1, tzinfo=UTC), complex(1, float("inf")), Colour.RED)
NO_CONTAINERS = (*LEAVES, None, 1.5, b"a", float("nan"))
CONTAINERS: dict[str, Callable[[], Any]] = {
    "[]": list,
    "{}": dict,
    "set()": set,
    "(1.5,)": lambda: tuple([1.5]),  # noqa: C409  # a literal would be the same object each time
    "frozenset({1.5})": lambda: frozenset([1.5]),
    "{'a': 1}": lambda: {"a": 1},
    "{1: 2}": lambda: {1: 2},
    "Point": lambda: Point(1, 2),
}
WAYS: dict[str, Callable[[Any, Any, Any], object]] = {
    "encode": lambda value, same, document: encode(value),
    "decode": lambda value, same, document: decode(document),
    "clone": lambda value, same, document: clone(value),
    "copy_fields": lambda value, same, document: copy_fields(value) if type(value) is dict else clone(value),
    "identical": lambda value, same, document: identical(value, same),
}
"""All that goes through values; `same` is another value that is identical, `document` the document of both."""


def nested(leaf: Any, kinds: list[str], ways: dict[str, Callable[[Any], Any]]) -> Any:
    for kind in kinds:
        leaf = ways[kind](leaf)
    return leaf


def as_deep_as_may_enter(value: Any, kind: str) -> dict[str, Any]:
    """Data of a message with the value in as many wraps as are accepted."""

    def accepted(levels: int) -> dict[str, Any]:
        return clone_fields({"value": nested(value, [kind] * levels, WRAPS)})

    refused = range(1, 2 * get_limits().max_depth)  # in which number of wraps; the more, the sooner
    most = bisect_left(refused, True, key=lambda levels: refuses(lambda: accepted(levels)))
    return accepted(most) if most else {"value": value}


def through_json(document: Any) -> Any:
    return json.loads(json.dumps(document, allow_nan=False))


def framed(document: Any) -> Any:
    for _ in range(FRAME):
        document = {"frame": document, "more": 1}
    return document


def refusing(value: Any, same: Any) -> list[str]:
    """The ways that refuse a value because it is too deep."""
    limits = get_limits()
    set_limits(Limits(max_depth=150))
    document = encode(value)
    set_limits(limits)
    return [name for name, way in WAYS.items() if refuses(lambda: way(value, same, document))]  # called at once


def refuses(call: Callable[[], object]) -> bool:
    try:
        call()
    except LimitError:
        return True
    return False


@given(
    st.integers(1, 8),
    st.sampled_from(NO_CONTAINERS) | st.sampled_from(sorted(CONTAINERS)),
    st.lists(st.sampled_from(sorted(KEYS)), max_size=6),
    st.sampled_from(sorted(HOLDERS_OF_KEYS)),
    st.lists(st.sampled_from(sorted(WRAPS)), max_size=12),
)
def test_what_one_way_takes_all_take(
    max_depth: int, bottom: Any, keys: list[str], holder: str, kinds: list[str]
) -> None:
    set_limits(Limits(max_depth=max_depth))
    value, same = (nested(held_by(holder, bottom, keys), kinds, WRAPS) for _ in range(2))
    assert refusing(value, same) in ([], [*WAYS])


def held_by(holder: str, bottom: Any, keys: list[str]) -> Any:
    """Something in a set or a key, where it may be in one; else just that."""
    made = CONTAINERS[bottom]() if bottom in CONTAINERS else bottom
    if made.__hash__ is None or made != made:  # nan
        return made
    return nested(nested(made, keys, KEYS), [holder], HOLDERS_OF_KEYS)


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("kind", "bottom"),
    [("list", bottom) for bottom in NO_CONTAINERS]
    + [(kind, bottom) for kind in sorted(WRAPS.keys() - {"list", "own document"}) for bottom in (1, Colour.RED)],
    ids=repr,
)
def test_the_limit_is_the_same_level_for_all(kind: str, bottom: Any) -> None:
    deepest, same, deeper, its_same = (nested(bottom, [kind] * levels, WRAPS) for levels in (104, 104, 105, 105))
    assert refusing(deepest, same) == []
    assert refusing(deeper, its_same) == [*WAYS]


@pytest.mark.unmeasured
@pytest.mark.parametrize("bottom", CONTAINERS)
@pytest.mark.parametrize("kind", ["list", "dataclass", "fields"])
def test_a_container_counts_although_nothing_more_is_in_it(kind: str, bottom: str) -> None:
    deepest, same, deeper, its_same = (
        nested(CONTAINERS[bottom](), [kind] * levels, WRAPS) for levels in (103, 103, 104, 104)
    )
    assert refusing(deepest, same) == []
    assert refusing(deeper, its_same) == [*WAYS]


@pytest.mark.unmeasured
@pytest.mark.parametrize("kind", sorted(KEYS))
@pytest.mark.parametrize("holder", sorted(HOLDERS_OF_KEYS))
def test_the_limit_is_the_same_level_for_what_is_in_a_set_or_key(kind: str, holder: str) -> None:
    deepest, same, deeper, its_same = (
        nested(nested(1.5, [kind] * levels, KEYS), [holder], HOLDERS_OF_KEYS) for levels in (103, 103, 104, 104)
    )
    assert refusing(deepest, same) == []
    assert refusing(deeper, its_same) == [*WAYS]


@pytest.mark.parametrize("holder", ["list", "fields", "dict"])
def test_an_own_document_has_the_same_levels_for_all(holder: str) -> None:
    deepest, same, deeper, its_same = (
        nested(own_of(nested(1, ["list"] * count, WRAPS)), [holder] * 50, WRAPS) for count in (53, 53, 54, 54)
    )
    assert refusing(deepest, same) == []
    assert refusing(deeper, its_same) == [*WAYS]


def test_what_is_no_container_is_compared_at_the_last_level_too() -> None:
    for one, other in ((Colour.RED, Colour.GREEN), (1.5, 2.5), (len, max), (object(), object())):
        assert not identical(nested(one, ["list"] * 104, WRAPS), nested(other, ["list"] * 104, WRAPS))


def test_what_enters_is_held_to_four_levels_less() -> None:
    copy = clone_fields({"a": nested(1, ["list"] * 99, WRAPS)})
    assert refusing(copy, copy) == []
    with pytest.raises(LimitError, match="deeper than 100 levels"):
        clone_fields({"a": nested(1, ["list"] * 100, WRAPS)})


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
        value = clone_fields({"value": nested(nested(leaf, keys, KEYS), kinds, WRAPS)})["value"]
    except LimitError:
        value = leaf
    value = as_deep_as_may_enter(value, last)
    inside = nested(value, around, WRAPS)
    document = through_json(encode(inside))
    check_document(framed(document))
    read = decode(document)
    for kind in reversed(around):
        read = read[0] if kind == "list" else read.content
    assert identical(read, value)


@pytest.mark.parametrize("kind", sorted(WRAPS))
def test_a_hundred_levels_of_anything_are_saved_and_read(kind: str) -> None:
    value = as_deep_as_may_enter(LEAVES[3], kind)
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
    set_limits(Limits(max_depth=1))
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


def lists(levels: int) -> Any:
    value: Any = "innermost"
    for _ in range(levels):
        value = [value]
    return value


def is_refused(read: Callable[[Any], object], levels: int) -> bool:
    try:
        read(lists(levels))
    except LimitError:
        return True
    return False


def read_into_box(value: Any) -> None:
    Box().deserialize({"_type": "Box", "content": value})


def test_a_value_is_read_with_levels_kept_free_and_a_field_with_none() -> None:
    deepest = next(levels for levels in count() if is_refused(decode, levels + 1))
    for spare in range(4):
        read = partial(decode, spare=spare)
        assert [is_refused(read, deepest - spare + more) for more in (0, 1)] == [False, True]
    assert [is_refused(read_into_box, deepest - 1 + more) for more in (0, 1)] == [False, True]
