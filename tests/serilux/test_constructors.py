"""Constructors without arguments (page: Constructor Requirements, Serialization Validation)."""

import pickle
from typing import Any

import pytest

from serilux import (
    ConstructorError,
    ForeignMethodError,
    Serializable,
    UnsupportedValueError,
    check_constructible,
    check_serializable,
    register_serializable,
)
from tests.serilux.samples import Box, NeedsArguments, Point, Record

TEXT = (
    "BadRoutine cannot be deserialized because its __init__ method requires\n"
    "parameters: required_param\n"
    "Serializable classes must support initialization with no arguments.\n"
    "For Routine subclasses, use _config dictionary instead of constructor parameters."
)


class BadRoutine(Serializable):
    def __init__(self, required_param: Any) -> None:
        self.param = required_param


def test_the_text_is_the_one_of_the_page() -> None:
    with pytest.raises(TypeError) as caught:
        check_constructible(BadRoutine)
    assert str(caught.value) == TEXT


def test_the_error_carries_the_facts() -> None:
    with pytest.raises(ConstructorError) as caught:
        check_constructible(NeedsArguments)
    assert caught.value.cls_name == "NeedsArguments"
    assert caught.value.parameters == ("size", "colour")
    assert "parameters: size, colour\n" in str(caught.value)


def test_registration_checks_at_once() -> None:
    with pytest.raises(ConstructorError, match="requires\nparameters: required_param"):
        register_serializable(BadRoutine)


class Defaults(Serializable):
    def __init__(self, a: int = 1, *args: Any, b: int = 2, **kwargs: Any) -> None:
        pass


@pytest.mark.parametrize("cls", [Defaults, Box, Serializable])
def test_defaults_and_gathering_parameters_are_fine(cls: type[Any]) -> None:
    check_constructible(cls)


@pytest.mark.parametrize(
    ("content", "path"),
    [
        (BadRoutine(1), "flow.content"),
        ([0, BadRoutine(1)], "flow.content[1]"),
        ({"odd key": (BadRoutine(1),)}, "flow.content['odd key'][0]"),
        ({BadRoutine(1)}, "flow.content"),
        (Point(Record(BadRoutine(1))), "flow.content.x.name"),
    ],
)
def test_each_nested_object_is_checked(content: Any, path: str) -> None:
    box, inner = Box(), Box()
    inner.content = content
    box.content = inner
    with pytest.raises(ConstructorError) as caught:
        check_serializable(box, "flow.routines")
    whole = path.replace("flow", "flow.routines.content", 1)
    assert caught.value.path == whole
    assert str(caught.value) == f"{whole} (BadRoutine) cannot be serialized:\n{TEXT}"


def test_the_object_itself_is_checked() -> None:
    with pytest.raises(ConstructorError) as caught:
        check_serializable(BadRoutine(1), "routine")
    assert caught.value.path == "routine"


def test_a_field_that_was_never_set_is_no_matter_of_constructors() -> None:
    box = Box()
    box.add_serializable_fields(["never_set"])
    check_serializable(box, "box")


def test_objects_that_contain_each_other_are_checked_once() -> None:
    box = Box()
    box.content = [box, int, "text", len, {1, 2}]
    check_serializable(box, "box")


@pytest.mark.parametrize(
    "error",
    [
        ConstructorError("Bad", ("a", "b"), "routines.x"),
        ForeignMethodError("Cannot", "routines.x"),
        UnsupportedValueError("no", "value[0]"),
    ],
)
def test_errors_go_to_other_processes(error: Any) -> None:
    error.under("job.")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def test_an_error_shows_what_it_was_made_of() -> None:
    assert repr(UnsupportedValueError("no", "value[0]")) == "UnsupportedValueError('no', 'value[0]')"
    assert ConstructorError("Bad", ("a",), "routines.x").path == "routines.x"


def test_a_field_without_a_value_needs_no_constructor() -> None:
    point = Point(1)
    del point.x
    box = Box()
    box.content = point
    check_serializable(box, "box")
