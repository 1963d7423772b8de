"""The JSON Schema of values: it takes what `encode` writes, and refuses nothing that `decode` takes."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from serilux import SeriluxError, decode, encode, value_schemas
from serilux._decode import TAGS
from serilux._leaves import LEAF_OF_TAG
from serilux._payloads import Schema, _clock, either, row, text
from tests.serilux.strategies import values

TEXTS = [
    "",
    "a",
    "nan",
    "-0x8000000000000001",
    "2024-01-01",
    "01:02:03",
    "2024-01-01T00:00:00",
    "1E+2",
    "AAA=",
    "self.x",
]
PARTS = st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.floats(-1, 1), st.sampled_from(TEXTS))


def schema_of(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": value_schemas()})


def is_valid(name: str, document: Any) -> bool:
    return schema_of(name).is_valid(document)


documents = st.recursive(
    PARTS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["a", "$", "$x", "class", "name"]), inner, max_size=2),
        st.tuples(st.sampled_from([*LEAF_OF_TAG, *TAGS]), inner).map(lambda tagged: dict([tagged])),
    ),
    max_leaves=8,
)


def test_there_are_schemas_of_four_things() -> None:
    assert [*value_schemas()] == ["value", "data", "field", "reference"]


@given(values)
def test_what_is_written_is_taken(value: Any) -> None:
    written = encode(value)
    assert is_valid("value", written)
    assert is_valid("field", written)
    assert is_valid("data", written) == (isinstance(value, dict) and all(type(key) is str for key in value))


@given(documents)
def test_what_is_refused_cannot_be_read(document: Any) -> None:
    if not is_valid("value", document):
        with pytest.raises(SeriluxError):
            decode(document)


REFUSED = [
    {"$unknown": 1},
    {"$": {}},
    {"$tuple": {}},
    {"$tuple": [{"$unknown": 1}]},
    {"$set": [1, 1]},
    {"$set": [[1]]},
    {"$set": [{}]},
    {"$set": [{"$set": []}]},
    {"$set": [{"$map": [[1, 2]]}]},
    {"$set": [{"$dict": {"$a": 1}}]},
    {"$frozenset": "ab"},
    {"$map": {}},
    {"$map": []},
    {"$map": [["a", 1]]},
    {"$map": [[1, 1], [2]]},
    {"$map": [[1, 1, 1]]},
    {"$map": [[[1], 1]]},
    {"$dict": ["$a"]},
    {"$dict": {"a": 1}},
    {"$dict": {"$a": 1, "$b": 2}},
    {"$dict": {"$a": {"$unknown": 1}}},
    {"$enum": ["class", "name"]},
    {"$enum": {"class": "Colour"}},
    {"$enum": {"class": "Colour", "name": 1}},
    {"$object": {"class": 1, "fields": {}}},
    {"$object": {"class": "Point", "fields": []}},
    {"$object": {"class": "Point", "fields": {}, "more": 1}},
    {"$callable": "builtins:len"},
    {"$int": 5},
    {"$int": "0x5"},
    {"$int": "0x7fffffffffffffff"},
    {"$int": "0X8000000000000000"},
    {"$float": "1.0"},
    {"$float": "NaN"},
    {"$complex": [1.0]},
    {"$complex": [1.0, "nan"]},
    {"$complex": [1.0, {"$float": "1"}]},
    {"$bytes": "A"},
    {"$bytes": "AA=A"},
    {"$datetime": "2024-01-01"},
    {"$datetime": ["2024-01-01T00:00:00", 2, None]},
    {"$datetime": ["2024-01-01T00:00:00", 0, []]},
    {"$time": "1:02:03"},
    {"$date": "20240101"},
    {"$timedelta": [1, 86400, 0]},
    {"$timedelta": [1, 1]},
    {"$decimal": "1e2"},
    {"$decimal": 1},
    {"$uuid": "12345678123456781234567812345678"},
    {"$path": ["Path", "a"]},
    {"$path": "a"},
]


@pytest.mark.parametrize("document", REFUSED, ids=repr)
def test_it_refuses_what_no_value_is_written_as(document: Any) -> None:
    assert not is_valid("value", document)
    with pytest.raises(SeriluxError):
        decode(document)


def test_every_tag_has_something_refused_here() -> None:
    assert {next(iter(document)) for document in REFUSED} - {"$unknown", "$"} == {*LEAF_OF_TAG, *TAGS}


def test_only_fields_hold_callables() -> None:
    document = [{"$callable": "self.accepts"}, {"deep": {"$callable": "tests.samples:double"}}]
    assert (is_valid("value", document), is_valid("field", document)) == (False, True)
    assert not is_valid("field", {"$callable": "accepts"})


def test_data_is_an_object_by_names() -> None:
    assert is_valid("data", {"$dict": {"$tuple": 1}})
    assert [is_valid("data", document) for document in ({"$tuple": [1]}, [], None, {"$map": [[1, 2]]})] == [False] * 4


@pytest.mark.parametrize("name", ["value", "data", "field"])
def test_what_is_inside_is_held_to_the_same(name: str) -> None:
    assert is_valid(name, {"a": {"b": 1}, "c": [1]})
    for inside in ({"b": {"$unknown": 1}, "c": 1}, [{"$unknown": 1}]):
        assert not is_valid(name, {"a": inside, "d": 1})


# The forms of which the schemas are made.

FORMS: list[tuple[Callable[[], Schema], list[Any], list[Any]]] = [
    (lambda: text("[0-9]|ab"), ["1", "ab"], [1, "a", "11", "1ab", ""]),
    (lambda: row({"type": "string"}, {"type": "null"}), [["a", None]], [["a"], ["a", None, 1], [1, None], {}, "a"]),
    (lambda: either({"type": "string"}, {"type": "null"}), ["a", None], [1]),
    (
        lambda: _clock("[0-9]"),
        ["1", "1+01:00", "1-01:00:30.000001", ["1", 0, None], ["1+01:00", 1, "Z"], ["1", 1, "Z" * 100], ["1", 0, [""]]],
        ["x", "1+1", 1, None, ["1"], ["1", 0], ["x", 0, None], ["1", 2, None], ["1", -1, None], ["1", 0, None, 1]],
    ),
    (
        lambda: _clock("[0-9]"),
        [],
        [["1", 0, 1], ["1", 0, ""], ["1", 0, "Z" * 101], ["1", 0, []], ["1", 0, [1]], ["1", 0, ["a", "b"]]],
    ),
]


@pytest.mark.parametrize(("form", "taken", "refused"), FORMS, ids=["text", "row", "either", "clock", "zone"])
def test_a_form_takes_what_has_it(form: Callable[[], Schema], taken: list[Any], refused: list[Any]) -> None:
    validator = Draft202012Validator(form())
    assert [document for document in taken + refused if validator.is_valid(document)] == taken
