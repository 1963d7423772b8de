"""Documents of a fixed shape."""

from typing import Any

import pytest

from serilux import DocumentError, read_object


def test_a_document_of_the_shape_is_returned() -> None:
    document = {"a": 1, "b": 2}
    assert read_object(document, "slot", required=("a",), optional=("b", "c")) is document


@pytest.mark.parametrize("document", [None, 5, "text", [1], ("a",)])
def test_anything_but_an_object_is_refused(document: Any) -> None:
    with pytest.raises(DocumentError, match="expected an object") as caught:
        read_object(document, "slot", required=("a",))
    assert caught.value.path == "slot"


def test_all_problems_come_together_with_their_paths() -> None:
    with pytest.raises(DocumentError) as caught:
        read_object({"handlr": 1, "odd key": 2, 3: 4}, "slots.input", required=("handler", "name"))
    assert str(caught.value) == (
        "slots.input: slots.input.handler is missing; slots.input.name is missing; "
        "slots.input.handlr is unknown (did you mean 'handler'?); slots.input['odd key'] is unknown; "
        "slots.input[3] is unknown; the fields are: 'handler', 'name'"
    )


def test_an_object_without_fields_is_empty() -> None:
    assert read_object({}, "x") == {}
    with pytest.raises(DocumentError, match="the fields are: nothing"):
        read_object({"a": 1}, "x")


def test_long_names_are_cut_in_messages() -> None:
    with pytest.raises(DocumentError) as caught:
        read_object({"odd " * 1000: 1}, "x")
    assert len(str(caught.value)) < 200


def test_a_field_of_the_root_is_named_without_a_path() -> None:
    with pytest.raises(DocumentError, match=r"^handlr is unknown"):
        read_object({"handlr": 1}, "", optional=["handler"])
