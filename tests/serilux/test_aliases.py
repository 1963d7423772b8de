"""Classes that have been renamed or moved: documents with their former names are read still."""

import sys
import types
from copy import copy
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pydantic
import pytest

from serilux import (
    DocumentError,
    NameConflictError,
    Serializable,
    UnknownClassError,
    decode,
    encode,
    exception_names,
    lookup_class,
    register_serializable,
    registered_name,
    renamed_classes,
)
from serilux._registry import REGISTRY


@pytest.fixture(autouse=True)
def names_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is known to no other, nor to itself when it runs again."""
    for table in ("_classes", "_names", "_exceptions"):
        known = getattr(REGISTRY, table)
        monkeypatch.setattr(REGISTRY, table, {key: copy(value) for key, value in known.items()})


@register_serializable(aliases=["OldHouse", "ShedOfTests"])
class House(Serializable):
    def __init__(self) -> None:
        super().__init__()
        self.rooms = 1
        self.add_serializable_fields(["rooms"])


@register_serializable(aliases=["OldMood"])
class Mood(Enum):
    GOOD = 1


@register_serializable(name="AliasedCoin", aliases=["OldCoin"])
@dataclass
class Coin:
    value: int = 0


@register_serializable(aliases=["OldNote"])
class AliasedNote(pydantic.BaseModel):
    text: str = ""


def with_class(document: Any, name: str) -> Any:
    ((tag, parts),) = document.items()
    return {tag: parts | {"class": name}}


@pytest.mark.parametrize(
    ("value", "alias"),
    [(House(), "OldHouse"), (House(), "ShedOfTests"), (Mood.GOOD, "OldMood"), (Coin(3), "OldCoin"),
     (AliasedNote(text="x"), "OldNote")],
)  # fmt: skip
def test_a_value_with_a_former_name_is_read_and_written_with_its_name_of_now(value: Any, alias: str) -> None:
    document = encode(value)
    read = decode(with_class(document, alias))
    assert type(read) is type(value)
    assert encode(read) == document


@pytest.mark.parametrize("name", ["House", "OldHouse"])
def test_an_object_reads_its_document_by_any_of_its_names(name: str) -> None:
    house = House()
    house.deserialize({"_type": name, "rooms": 7})
    assert house.serialize() == {"_type": "House", "rooms": 7}


def test_what_is_wrong_with_it_is_said_with_the_name_of_now() -> None:
    with pytest.raises(DocumentError) as caught:
        House().deserialize({"_type": "OldHouse", "rooms": {"$tuple": 3}})
    assert caught.value.path == "House.rooms"


def test_a_name_that_is_none_of_its_own_is_refused() -> None:
    with pytest.raises(DocumentError, match="of class 'Cottage', this object of class 'House'"):
        House().deserialize({"_type": "Cottage", "rooms": 7})


def test_a_class_registered_again_has_the_aliases_it_was_given_last() -> None:
    cls = type("Moved", (Serializable,), {"__module__": "made_here", "__qualname__": "Moved"})
    register_serializable(aliases=["MovedOnce", "Moved"])(cls)
    register_serializable(aliases=["MovedTwice"])(cls)
    assert lookup_class("MovedTwice") is lookup_class("Moved") is cls
    with pytest.raises(UnknownClassError, match="MovedOnce"):
        lookup_class("MovedOnce")


def test_an_alias_that_is_another_class_is_an_error_when_it_is_used_in_either_direction() -> None:
    taken = register_serializable(type("AliasTaken", (Serializable,), {"__module__": "made_here"}))
    taker = type("AliasTaker", (Serializable,), {"__module__": "made_here"})
    register_serializable(aliases=["AliasTaken"])(taker)
    message = r"'AliasTaken' stands for made_here\.AliasTaken and made_here\.AliasTaker;.*or do without the alias"
    with pytest.raises(NameConflictError, match=message):
        lookup_class("AliasTaken", "here")
    with pytest.raises(NameConflictError, match=message):
        registered_name(taken)
    assert registered_name(taker) == "AliasTaker"
    register_serializable(taker)
    assert lookup_class("AliasTaken") is taken


@pytest.mark.parametrize("aliases", ["OldName", 5, None])
def test_aliases_are_a_list(aliases: Any) -> None:
    with pytest.raises(TypeError, match="a list of aliases"):
        register_serializable(aliases=aliases)(House)


@pytest.mark.parametrize("aliases", [[""], [5], ["Fine", b"x"]])
def test_an_odd_alias_is_refused(aliases: Any) -> None:
    with pytest.raises(TypeError, match="an alias is a name that a class had before, a str that is not empty, not "):
        register_serializable(aliases=aliases)(House)


# Exceptions, which documents hold by their qualified names.


class TooBusy(Exception):
    pass


def test_an_exception_is_known_by_its_qualified_name_and_its_aliases() -> None:
    assert exception_names(TooBusy) == (f"{__name__}.TooBusy",)
    assert register_serializable(aliases=["bank.TooBusy"])(TooBusy) is TooBusy
    assert exception_names(TooBusy) == (f"{__name__}.TooBusy", "bank.TooBusy")
    register_serializable(aliases=["bank.TooBusy", "bank.Busy"])(TooBusy)
    assert exception_names(TooBusy) == (f"{__name__}.TooBusy", "bank.TooBusy", "bank.Busy")


def test_an_exception_is_no_data_for_that() -> None:
    register_serializable(aliases=["bank.Broke"])(Broke := type("Broke", (Exception,), {}))
    with pytest.raises(TypeError, match="cannot be written"):
        encode(Broke())
    with pytest.raises(UnknownClassError):
        lookup_class("bank.Broke")
    with pytest.raises(TypeError, match="cannot be registered"):
        register_serializable(Broke)


def test_an_exception_that_is_data_has_its_aliases_as_both() -> None:
    @register_serializable(aliases=["bank.Denied"])
    @dataclass
    class Denied(Exception):
        code: int = 0

    assert exception_names(Denied)[1:] == ("bank.Denied",)
    assert decode({"$object": {"class": "bank.Denied", "fields": {"code": 3}}}).code == 3


def test_two_exceptions_with_one_alias_are_an_error_at_once() -> None:
    first, second = (type(name, (Exception,), {"__module__": "made_here"}) for name in ("FirstErr", "SecondErr"))
    register_serializable(aliases=["bank.Err"])(first)
    with pytest.raises(NameConflictError, match=r"'bank\.Err' cannot be an alias of made_here\.SecondErr"):
        register_serializable(aliases=["bank.Err"])(second)
    assert exception_names(second) == ("made_here.SecondErr",)


def test_an_alias_that_two_exceptions_have_already_names_both(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [type(name, (Exception,), {"__module__": "made_here"}) for name in ("OneErr", "OtherErr", "ThirdErr")]
    register_serializable(aliases=["made_here_too.Err"])(made[0])
    module = types.ModuleType("made_here_too")
    module.Err = made[1]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "made_here_too", module)
    with pytest.raises(NameConflictError, match=r"for made_here\.OneErr and made_here\.OtherErr; do without it"):
        register_serializable(aliases=["made_here_too.Err"])(made[2])


def test_an_exception_of_an_inner_module_is_found_under_the_alias() -> None:
    with pytest.raises(NameConflictError, match=r"it stands for json\.decoder\.JSONDecodeError"):
        register_serializable(aliases=["json.decoder.JSONDecodeError"])(type("MyJSONError", (ValueError,), {}))


def test_an_exception_that_is_there_under_the_alias_is_an_error_at_once() -> None:
    with pytest.raises(NameConflictError, match=r"it stands for builtins\.ValueError"):
        register_serializable(aliases=["builtins.ValueError"])(type("MyError", (ValueError,), {}))
    register_serializable(aliases=["serilux.DocumentError"])(DocumentError)  # where it is exported, it is the same
    assert exception_names(DocumentError) == ("serilux.errors.DocumentError", "serilux.DocumentError")


# Names for as long as something is read.


def test_renamed_classes_are_found_while_that_is_said() -> None:
    document = {"$object": {"class": "RenamedPenny", "fields": {"value": 3}}}
    with renamed_classes({"RenamedPenny": "AliasedCoin"}):
        assert decode(document) == Coin(3)
    with pytest.raises(UnknownClassError):
        decode(document)


def test_a_name_that_was_given_to_another_class_since_can_be_read_too() -> None:
    with renamed_classes({"House": "Mood", "OldMood": "House"}):
        assert lookup_class("House") is Mood
        assert lookup_class("OldMood") is House


def test_an_object_reads_its_document_by_the_name_it_had_then() -> None:
    house = House()
    with renamed_classes({"Barn": "House"}):
        house.deserialize({"_type": "Barn", "rooms": 2})
    assert house.rooms == 2


def test_names_are_forgotten_when_reading_fails() -> None:
    with pytest.raises(UnknownClassError), renamed_classes({"A": "AliasedCoin"}):
        lookup_class("NobodyKnowsThis")
    with pytest.raises(UnknownClassError):
        lookup_class("A")
