"""Objects written field by field (page: Serializable Fields)."""

import json
from typing import Any

import pytest

from serilux import (
    CallableReferenceError,
    CycleError,
    DocumentError,
    Serializable,
    UnknownClassError,
    UnsupportedValueError,
    decode_fields,
    encode_fields,
    register_serializable,
)
from tests.serilux.samples import Box, Point, Unregistered


def test_only_registered_fields_are_written_in_their_order() -> None:
    box = Box()
    box.content = [1, {"k": (2,)}]
    assert list(box.serialize().items()) == [
        ("_type", "Box"),
        ("label", "box"),
        ("content", [1, {"k": {"$tuple": [2]}}]),
        ("check", None),
    ]


def test_lists_dicts_and_objects_come_back() -> None:
    box, inner = Box(), Box()
    inner.label = "inner"
    box.content = {"boxes": [inner], "points": {Point(1, 2).x: Point(3, 4)}}
    other = Box()
    other.deserialize(json.loads(json.dumps(box.serialize())))
    assert other.content["boxes"][0].label == "inner"
    assert other.content["points"] == {1: Point(3, 4)}


def test_reading_does_not_change_the_document() -> None:
    document = Box().serialize()
    before = json.dumps(document)
    Box().deserialize(document)
    assert json.dumps(document) == before


def test_a_missing_field_keeps_the_value_of_the_constructor() -> None:
    box = Box()
    box.deserialize({"_type": "Box", "content": 5})
    assert (box.label, box.content) == ("box", 5)


def test_an_unregistered_class_writes_and_reads_itself() -> None:
    value, other = Unregistered(), Unregistered()
    value.size = 7
    other.deserialize(value.serialize())
    assert other.size == 7


def test_an_unregistered_class_inside_another_is_written_and_not_read() -> None:
    box = Box()
    box.content = [Unregistered()]
    document = box.serialize()
    assert document["content"] == [{"$object": {"class": "Unregistered", "fields": {"size": 1}}}]
    with pytest.raises(UnknownClassError, match=r"'Unregistered'.*register_serializable") as caught:
        Box().deserialize(document)
    assert caught.value.path == "Box.content[0]"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (None, "is a dict, not None"),
        ([], "is a dict, not <list>"),
        ({}, "no '_type'"),
        ({"_type": 5}, "no '_type'"),
        ({"_type": "Point"}, "build an object of class 'Point'"),
        ({"_type": "Box", "sise": 1}, "sise is unknown"),
        ({"_type": "Box", 5: 1}, r"\[5\] is unknown"),
    ],
)
def test_a_document_of_something_else_is_refused(document: Any, message: str) -> None:
    with pytest.raises(DocumentError, match=message) as caught:
        Box().deserialize(document)
    assert caught.value.path == "Box"


@pytest.mark.parametrize("names", ["label", [5], [b"x"]])
def test_names_of_fields_are_a_list_of_texts(names: Any) -> None:
    with pytest.raises(TypeError, match="name"):
        Box().add_serializable_fields(names)


@pytest.mark.parametrize("name", ["", "a b", "_type", "__dict__", "1st"])
def test_names_of_fields_are_those_of_attributes(name: str) -> None:
    box = Box()
    with pytest.raises(ValueError, match="cannot be the name of a field"):
        box.add_serializable_fields(["unsaved", name])
    assert "unsaved" not in box.serialize()


def test_a_field_named_twice_is_written_once() -> None:
    box = Box()
    box.add_serializable_fields(["label", "unsaved"])
    assert list(box.serialize()) == ["_type", "label", "content", "check", "unsaved"]
    assert "unsaved" not in Box().serialize()


def test_a_field_without_value_is_refused() -> None:
    box = Box()
    box.add_serializable_fields(["missing"])
    with pytest.raises(
        UnsupportedValueError, match=r"^Box\.missing: Box has no such attribute; set it in __init__$"
    ) as caught:
        box.serialize()
    assert caught.value.path == "Box.missing"


def test_an_object_that_contains_itself_is_refused() -> None:
    box = Box()
    box.content = {"self": box}
    with pytest.raises(CycleError) as caught:
        box.serialize()
    assert caught.value.path == "Box.content.self"


def test_a_lambda_in_a_field_is_refused() -> None:
    box = Box()
    box.check = lambda value: value
    with pytest.raises(CallableReferenceError, match="top of a module") as caught:
        box.serialize()
    assert caught.value.path == "Box.check"


@register_serializable
class Versioned(Box):
    def serialize(self) -> dict[str, Any]:
        return {**super().serialize(), "version": 2}

    def deserialize(self, data: dict[str, Any]) -> None:
        assert data["version"] == 2
        super().deserialize({name: item for name, item in data.items() if name != "version"})


def test_paths_lead_through_documents_of_their_own_making() -> None:
    inner, box = Versioned(), Box()
    box.content = [inner]
    document = box.serialize()
    inner.content = {"x": bytearray()}
    with pytest.raises(UnsupportedValueError) as caught:
        box.serialize()
    assert caught.value.path == "Box.content[0].content.x"
    document["content"][0]["$object"]["fields"]["content"] = [{"$bogus": 1}]
    with pytest.raises(DocumentError) as caught_reading:
        Box().deserialize(document)
    assert caught_reading.value.path == "Box.content[0].content[0]"


def test_a_path_with_another_root_is_a_step() -> None:
    error = DocumentError("odd", "slots.a")
    error.without_root("Box")
    assert error.path == ".slots.a"


def test_a_class_may_extend_the_document() -> None:
    inner, box, other = Versioned(), Box(), Box()
    inner.content = (1, 2)
    box.content = inner
    other.deserialize(box.serialize())
    assert type(other.content) is Versioned
    assert other.content.content == (1, 2)


def test_fields_are_written_and_read_apart_from_the_object() -> None:
    box, other = Box(), Box()
    box.content, box.check = (1,), box.accepts
    fields = encode_fields(box, "routines.a")
    values = decode_fields(other, fields, "routines.a")
    assert values == {"label": "box", "content": (1,), "check": other.accepts}
    assert other.content is None
    with pytest.raises(DocumentError) as caught:
        decode_fields(other, {"content": {"$bogus": 1}}, "routines.a")
    assert caught.value.path == "routines.a.content"


def test_a_class_without_fields_writes_its_type() -> None:
    assert Serializable().serialize() == {"_type": "Serializable"}
