"""Names of classes, and what may have one."""

import sys
import types
from enum import Enum
from typing import Any

import pytest

from serilux import (
    NameConflictError,
    Serializable,
    SeriluxError,
    UnknownClassError,
    decode,
    encode,
    is_registered,
    lookup_class,
    register_serializable,
    registered_name,
)
from serilux._registry import REGISTRY, Registry
from tests.serilux.samples import Box, Colour, Model, Pair, Point, Record, Unregistered


def serializable(name: str, qualname: str = "", module: str = "made_here") -> type[Serializable]:
    return type(name, (Serializable,), {"__module__": module, "__qualname__": qualname or name})


@pytest.mark.parametrize("cls", [Box, Colour, Point, Record, Model])
def test_the_name_is_that_of_the_class(cls: type[Any]) -> None:
    assert registered_name(cls) == cls.__name__
    assert lookup_class(cls.__name__) is cls
    assert is_registered(cls)


def test_another_name_may_be_given() -> None:
    assert registered_name(Pair) == "FrozenPair"
    assert lookup_class("FrozenPair", "here") is Pair


def test_a_name_may_be_given_without_decorating() -> None:
    cls = serializable("Plainly")
    assert registered_name(register_serializable(cls, name="OfItsOwn")) == "OfItsOwn"  # type: ignore[call-overload]


def test_nothing_is_registered_to_begin_with() -> None:
    registry = Registry()
    assert (registry.knows(Box), registry.trusts("made_here")) == (False, False)
    registry.add(Box, "Box")
    registry.add_exception(KeyError, ["made_here.Missing"])
    assert (registry.name_of(Box), registry.find("Box", ""), registry.trusts(Box.__module__)) == ("Box", Box, True)
    assert registry.exception_names(KeyError) == ("builtins.KeyError", "made_here.Missing")


def test_a_class_that_was_never_registered_has_its_own_name() -> None:
    assert registered_name(Unregistered) == "Unregistered"
    assert not is_registered(Unregistered)
    with pytest.raises(UnknownClassError, match=r"'Unregistered'.*@serilux\.register_serializable") as caught:
        lookup_class("Unregistered", "routines.a")
    assert caught.value.path == "routines.a"


def test_functions_of_the_module_of_a_registered_class_may_be_named() -> None:
    assert not REGISTRY.trusts("registered_from_here")
    register_serializable(serializable("Trusting", "Outer.Trusting", module="registered_from_here"))
    assert REGISTRY.trusts("registered_from_here")


def test_the_decorator_returns_the_class() -> None:
    cls = serializable("Returned")
    assert register_serializable(cls) is cls
    assert register_serializable(name="ReturnedToo")(cls) is cls


def test_the_same_class_defined_again_replaces_the_older() -> None:
    first = register_serializable(serializable("Cell"))
    second = register_serializable(serializable("Cell"))
    assert lookup_class("Cell") is second
    assert registered_name(first) == "Cell"
    assert type(decode(encode(first()))) is second


def test_a_new_name_replaces_the_former() -> None:
    cls = register_serializable(serializable("Renamed"))
    register_serializable(name="AfterRenaming")(cls)
    assert registered_name(cls) == "AfterRenaming"
    with pytest.raises(UnknownClassError):
        lookup_class("Renamed")


def test_two_classes_of_one_name_are_an_error_only_when_it_is_used() -> None:
    first = register_serializable(serializable("RegistryTwin", "a.Twin"))
    register_serializable(serializable("RegistryTwin", "b.Twin"))
    message = r"made_here\.a\.Twin and made_here\.b\.Twin.*name='"
    with pytest.raises(NameConflictError, match=message):
        registered_name(first)
    with pytest.raises(NameConflictError, match=message) as caught:
        encode([first()])
    assert caught.value.path == "value[0]"
    with pytest.raises(NameConflictError, match=message) as caught:
        decode({"a": {"$object": {"class": "RegistryTwin", "fields": {}}}})
    assert caught.value.path == "value.a"
    register_serializable(name="FirstTwin")(first)
    assert encode(first()) == {"$object": {"class": "FirstTwin", "fields": {}}}


def test_what_is_registered_later_counts_for_a_class_that_has_been_written_before() -> None:
    cls = register_serializable(serializable("LaterTwin", "c.Twin"))
    assert encode(cls()) == {"$object": {"class": "LaterTwin", "fields": {}}}
    register_serializable(serializable("LaterTwin", "d.Twin"))
    with pytest.raises(NameConflictError):
        encode(cls())
    register_serializable(name="LaterFirstTwin")(cls)
    assert encode(cls()) == {"$object": {"class": "LaterFirstTwin", "fields": {}}}


def test_a_class_is_known_by_what_it_is_not_by_what_its_metaclass_says_it_equals() -> None:
    class Same(type(Serializable)):  # type: ignore[misc]
        def __eq__(cls, other: object) -> bool:
            return True

        def __hash__(cls) -> int:
            return 1

    names = ["SameOne", "SameOther"]
    classes = [register_serializable(Same(name, (Serializable,), {"__module__": "made_here"})) for name in names]
    assert [registered_name(cls) for cls in classes] == names


def test_an_unregistered_class_may_not_take_the_name_of_a_registered_one() -> None:
    stranger = serializable("Box")
    with pytest.raises(NameConflictError, match=r"made_here\.Box"):
        stranger().serialize()


def test_a_class_of_main_belongs_to_its_real_module(monkeypatch: pytest.MonkeyPatch) -> None:
    main = types.ModuleType("__main__")
    main.__spec__ = types.SimpleNamespace(name="program.start")  # type: ignore[assignment]
    monkeypatch.setitem(sys.modules, "__main__", main)
    register_serializable(serializable("Started", module="__main__"))
    imported = register_serializable(serializable("Started", module="program.start"))
    assert lookup_class("Started") is imported


class Thing:
    pass


@pytest.mark.parametrize("cls", [Thing, int, dict, type])
def test_other_classes_are_refused(cls: type[Any]) -> None:
    with pytest.raises(TypeError, match="make it a subclass of Serializable"):
        register_serializable(cls)


@pytest.mark.parametrize("thing", [5, "Box", lambda: None])
def test_what_is_no_class_is_refused(thing: Any) -> None:
    with pytest.raises(TypeError, match="decorates a class"):
        register_serializable(thing)


@pytest.mark.parametrize("name", ["", 5, b"x"])
def test_an_odd_name_is_refused(name: Any) -> None:
    with pytest.raises(TypeError, match=f"the name of Thing in documents is a str that is not empty, not {name!r}"):
        register_serializable(name=name)(Thing)


def test_a_name_that_json_cannot_hold_is_refused() -> None:
    with pytest.raises(
        TypeError, match=r"the name of Thing in documents is text without lone surrogates, not '\\ud800'"
    ):
        register_serializable(name="\ud800")(Thing)


def test_models_need_no_library_that_was_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pydantic")
    monkeypatch.delitem(sys.modules, "msgspec")
    with pytest.raises(TypeError, match="pydantic model"):
        register_serializable(Model)
    with pytest.raises(SeriluxError):
        encode(Thing())
    assert "pydantic" not in sys.modules


def test_enums_of_two_registrations_are_told_apart() -> None:
    class Shade(Enum):
        DARK = 1

    register_serializable(Shade)
    assert decode(encode(Shade.DARK)) is Shade.DARK
