"""How large values and documents may be, and that a whole document is plain JSON."""

import json
from typing import Any

import pytest
from hypothesis import given

from serilux import (
    CycleError,
    DocumentError,
    LimitError,
    Limits,
    SeriluxError,
    UnsupportedValueError,
    check_document,
    clone,
    clone_fields,
    decode,
    encode,
    get_limits,
    set_limits,
)
from serilux._settings import _Settings
from tests.laws.effort import examples
from tests.serilux.samples import Point
from tests.serilux.strategies import values


def test_the_defaults() -> None:
    assert get_limits() == Limits(max_depth=100, max_nodes=20_000_000, max_digits=10_000)


@pytest.mark.parametrize("limits", [{"max_depth": 0}, {"max_nodes": 1.5}, {"max_digits": True}])
def test_limits_are_positive_whole_numbers(limits: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be a positive int"):
        Limits(**limits)


@pytest.mark.parametrize("limits", [None, 5, {"max_depth": 5}])
def test_only_limits_can_be_set(limits: Any) -> None:
    with pytest.raises(TypeError, match="set_limits takes a Limits"):
        set_limits(limits)


@pytest.mark.parametrize("way", [encode, decode, clone, check_document])
@pytest.mark.parametrize("value", [[1, 2, 3, 4], {"a": 1, "b": 2, "c": 3, "d": 4}, [[1], {"a": 1}]])
def test_the_number_of_items_is_limited(way: Any, value: Any) -> None:
    set_limits(Limits(max_nodes=4))
    way(value)
    set_limits(Limits(max_nodes=3))
    with pytest.raises(LimitError, match="max_nodes"):
        way(value)


def test_the_number_of_fields_is_limited() -> None:
    set_limits(Limits(max_nodes=1))
    clone_fields({"a": 1})
    with pytest.raises(LimitError, match="max_nodes"):
        clone_fields({"a": 1, "b": 2})


@pytest.mark.parametrize("way", [encode, decode, clone])
@pytest.mark.parametrize("value", [[[1]], [{"a": 1}], {"a": {"b": 1}}, {"a": {"b": [{}]}}])
def test_the_depth_is_limited(way: Any, value: Any) -> None:
    set_limits(Limits(max_depth=1))
    with pytest.raises(LimitError, match="max_depth"):
        way([[[[value]]]])


def test_an_object_is_one_level_and_each_field_one_item() -> None:
    set_limits(Limits(max_depth=2, max_nodes=4))
    value = Point(Point(1, 2), 3)
    document = encode(value)
    assert decode(document) == value == clone(value)
    set_limits(Limits(max_depth=3))
    assert clone_fields({"a": value}) == {"a": value}
    set_limits(Limits(max_depth=2))
    with pytest.raises(LimitError):
        clone_fields({"a": value})
    set_limits(Limits(max_nodes=3))
    for way, what in ((encode, value), (clone, value), (decode, document)):
        with pytest.raises(LimitError):
            way(what)


def test_digits_are_limited() -> None:
    document = encode(1 << 1000)
    set_limits(Limits(max_digits=100))
    for way, what in ((encode, 1 << 1000), (clone, 1 << 1000), (decode, document)):
        with pytest.raises(LimitError, match="max_digits"):
            way(what)


def test_the_largest_int_of_the_limit_comes_back() -> None:
    for value in ((1 << 40_000) - 1, 1 - (1 << 40_000)):
        assert decode(encode(value)) == value


def test_a_limit_beyond_the_stack_is_a_limit_still() -> None:
    set_limits(Limits(max_depth=1_000_000))
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    for way in (encode, decode, clone, check_document):
        with pytest.raises(LimitError) as refusal:
            way(value, "here")
        assert str(refusal.value) == "here: nested too deeply for the stack; make it flatter"
    while value:
        value = value.pop()


@examples(100)
@given(values)
def test_what_encode_writes_is_a_plain_document(value: Any) -> None:
    check_document(encode(value))


@pytest.mark.parametrize(
    "document",
    [None, True, 1, 1.5, "é", [], {}, {"a": [1, {"é": "ü", "$x": None}]}, [2**63 - 1, -(2**63)], {"$a": 1}],
)
def test_plain_documents_pass(document: Any) -> None:
    before = json.dumps(document)
    check_document(document)
    assert json.dumps(document) == before


class Text(str):
    pass


class Fields(dict):  # type: ignore[type-arg]
    pass


@pytest.mark.parametrize(
    "odd",
    [
        (1,), {1}, b"a", float("nan"), float("inf"), 2**63, "\ud800", Text("a"), Fields(), object(),
        {1: 1}, {Text("a"): 1}, {"\ud800": 1},
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_its_path(odd: Any) -> None:
    with pytest.raises(DocumentError) as caught:
        check_document({"a": [0, {"b": odd}]}, "flow")
    assert caught.value.path.startswith("flow.a[1].b")


def test_depth_and_cycles_of_documents_are_limited() -> None:
    document: Any = 1
    for _ in range(324):
        document = [document]
    check_document(document)
    with pytest.raises(LimitError, match="324 JSON levels") as caught:
        check_document({"a": document})
    assert caught.value.path == "document.a" + "[0]" * 323
    cycle: dict[str, Any] = {"a": []}
    cycle["a"].append(cycle)
    with pytest.raises(CycleError) as caught_cycle:
        check_document(cycle)
    assert caught_cycle.value.path == "document.a[0]"
    same: list[Any] = []
    check_document([same, same, {"a": [same]}, {"a": [same]}])


@pytest.mark.parametrize("document", [{"a": [(1,)]}, [[b"x"]], {"b": {"c": "\ud800"}}, [{"x": 2**64}]])
def test_decode_refuses_what_check_document_refuses(document: Any) -> None:
    for look in (check_document, decode):
        with pytest.raises(SeriluxError) as caught:
            look(document, "same")
        assert caught.value.path.startswith("same")


def test_text_is_checked_on_the_way_in() -> None:
    with pytest.raises(UnsupportedValueError, match="surrogate"):
        encode({"é": "\udfff"})


def test_the_limits_of_the_beginning_are_the_defaults() -> None:
    assert _Settings().limits == Limits()


def test_what_stands_in_two_places_does_not_contain_itself() -> None:
    pairs, items = [[1, 2]], [1]
    assert decode([{"$map": pairs}, {"$map": pairs}]) == [{1: 2}, {1: 2}]
    odd = {1: 2}
    assert clone([odd, odd]) == [{1: 2}, {1: 2}]
    check_document([items, items])
