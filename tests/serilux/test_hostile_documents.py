"""Design law 8: reading refuses what is malformed, with its path, and touches nothing."""

import copy
import sys
from typing import Any

import pytest

from serilux import (
    CycleError,
    DocumentError,
    LimitError,
    SeriluxError,
    UnknownClassError,
    UntrustedReferenceError,
    decode,
)
from tests.serilux.samples import Box, Own, Strict


def obj(cls: Any, fields: Any) -> dict[str, Any]:
    return {"$object": {"class": cls, "fields": fields}}


def deep(levels: int, tag: str = "$tuple") -> Any:
    document: Any = 1
    for _ in range(levels):
        document = {tag: [document]}
    return document


class Text(str):
    pass


NAN = {"$float": "nan"}
CASES: dict[str, tuple[Any, type[SeriluxError], str]] = {
    "unknown tag": ({"$bogus": 1}, DocumentError, ""),
    "nearly a tag": ({"$tupel": []}, DocumentError, ""),
    "empty tag": ({"$": 1}, DocumentError, ""),
    "surrogate tag": ({"$\ud800": 1}, DocumentError, ""),
    "tuple of no list": ({"$tuple": {"a": 1}}, DocumentError, ""),
    "set of text": ({"$set": "abc"}, DocumentError, ""),
    "set with a duplicate": ({"$set": [1, 2, 1]}, DocumentError, "[2]"),
    "set with equal members": ({"$set": [1, True]}, DocumentError, "[1]"),
    "set with an unhashable member": ({"$set": [[1]]}, DocumentError, "[0]"),
    "frozenset with an unhashable member": ({"$frozenset": [{"$set": []}]}, DocumentError, "[0]"),
    "set with nan": ({"$set": [NAN]}, DocumentError, "[0]"),
    "set with decimal nan": ({"$set": [{"$decimal": "NaN"}]}, DocumentError, "[0]"),
    "set with complex nan": ({"$set": [{"$complex": [NAN, 0.0]}]}, DocumentError, "[0]"),
    "set with an object equal to itself only": ({"$set": [obj("ById", {"value": 1})]}, DocumentError, "[0]"),
    "signalling nan in a set": ({"$set": [{"$decimal": "sNaN"}]}, DocumentError, "[0]"),
    "map with a duplicate": ({"$map": [[1, "a"], [1, "b"]]}, DocumentError, "[1]"),
    "map with equal keys": ({"$map": [[1, "a"], [1.0, "b"]]}, DocumentError, "[1]"),
    "map with text keys": ({"$map": [["a", 1]]}, DocumentError, ""),
    "empty map": ({"$map": []}, DocumentError, ""),
    "map of no pairs": ({"$map": [[1, 2, 3]]}, DocumentError, "[0]"),
    "map of no lists": ({"$map": [{"k": 1}]}, DocumentError, "[0]"),
    "map of no list": ({"$map": {"a": 1}}, DocumentError, ""),
    "map with an unhashable key": ({"$map": [[[], 1]]}, DocumentError, "[0]"),
    "map with a bad key": ({"$map": [[{"$bogus": 1}, 1]]}, DocumentError, "[0]"),
    "map with a bad value": ({"$map": [[1, {"$bogus": 1}]]}, DocumentError, "[1]"),
    "escaped plain dict": ({"$dict": {"a": 1}}, DocumentError, ""),
    "escaped list": ({"$dict": []}, DocumentError, ""),
    "escaped odd keys": ({"$dict": {1: 1}}, DocumentError, ""),
    "escaped bad value": ({"$dict": {"$x": {"$bogus": 1}}}, DocumentError, "['$x']"),
    "bytes of no base64": ({"$bytes": "a"}, DocumentError, ""),
    "bytes with spaces": ({"$bytes": "YQ= ="}, DocumentError, ""),
    "bytes in another form": ({"$bytes": "YR=="}, DocumentError, ""),
    "bytes of a list": ({"$bytes": [1]}, DocumentError, ""),
    "bytes of odd text": ({"$bytes": "\ud800"}, DocumentError, ""),
    "datetime of a number": ({"$datetime": 5}, DocumentError, ""),
    "datetime in another form": ({"$datetime": "20240101T000000"}, DocumentError, ""),
    "datetime of a date": ({"$datetime": "2024-01-01"}, DocumentError, ""),
    "datetime of no day": ({"$datetime": "2024-02-30T00:00:00"}, DocumentError, ""),
    "datetime with fold 2": ({"$datetime": ["2024-01-01T00:00:00", 2, None]}, DocumentError, ""),
    "datetime with fold true": ({"$datetime": ["2024-01-01T00:00:00", True, None]}, DocumentError, ""),
    "datetime with needless fold": ({"$datetime": ["2024-01-01T00:00:00", 0, None]}, DocumentError, ""),
    "datetime with no such zone": ({"$datetime": ["2024-01-01T00:00:00", 0, "No/Such"]}, DocumentError, ""),
    "zone that is a folder": ({"$datetime": ["2024-01-01T00:00:00", 0, "America"]}, DocumentError, ""),
    "zone that leads out": ({"$datetime": ["2024-01-01T00:00:00", 0, "../../etc/passwd"]}, DocumentError, ""),
    "zone from the root": ({"$datetime": ["2024-01-01T00:00:00", 0, "/etc/passwd"]}, DocumentError, ""),
    "zone of a number": ({"$datetime": ["2024-01-01T00:00:00", 0, 5]}, DocumentError, ""),
    "zone and offset": ({"$datetime": ["2024-01-01T00:00:00+01:00", 0, "UTC"]}, DocumentError, ""),
    "zone name without offset": ({"$datetime": ["2024-01-01T00:00:00", 0, ["X"]]}, DocumentError, ""),
    "zone name that is odd": ({"$datetime": ["2024-01-01T00:00:00+01:00", 0, ["\ud800"]]}, DocumentError, ""),
    "time of no hour": ({"$time": "25:00"}, DocumentError, ""),
    "time of a datetime": ({"$time": "2024-01-01T00:00:00"}, DocumentError, ""),
    "date of a number": ({"$date": 1}, DocumentError, ""),
    "date in another form": ({"$date": "2024-W01-1"}, DocumentError, ""),
    "timedelta of floats": ({"$timedelta": [1.0, 0, 0]}, DocumentError, ""),
    "timedelta of true": ({"$timedelta": [True, 0, 0]}, DocumentError, ""),
    "timedelta in another form": ({"$timedelta": [0, 86400, 0]}, DocumentError, ""),
    "timedelta too large": ({"$timedelta": [10**12, 0, 0]}, DocumentError, ""),
    "timedelta of two": ({"$timedelta": [1, 0]}, DocumentError, ""),
    "decimal of words": ({"$decimal": "many"}, DocumentError, ""),
    "decimal of a number": ({"$decimal": 1.5}, DocumentError, ""),
    "decimal in another form": ({"$decimal": " 1_0"}, DocumentError, ""),
    "decimal too large": ({"$decimal": "9" * 10_001}, LimitError, ""),
    "int too large": ({"$int": "0x" + "f" * 20_000}, LimitError, ""),
    "int in decimal": ({"$int": "18446744073709551616"}, DocumentError, ""),
    "int that needs no tag": ({"$int": "0x5"}, DocumentError, ""),
    "int of a number": ({"$int": 5}, DocumentError, ""),
    "int with a sign in the wrong place": ({"$int": "0x-8000000000000000"}, DocumentError, ""),
    "float that needs no tag": ({"$float": "1.5"}, DocumentError, ""),
    "float in another form": ({"$float": "NaN"}, DocumentError, ""),
    "uuid in another form": ({"$uuid": "{12345678123456781234567812345678}"}, DocumentError, ""),
    "uuid of a number": ({"$uuid": 1}, DocumentError, ""),
    "complex of ints": ({"$complex": [1, 2]}, DocumentError, ""),
    "complex of one": ({"$complex": [1.0]}, DocumentError, ""),
    "complex of odd parts": ({"$complex": [{"x": 1}, 1.0]}, DocumentError, ""),
    "path of no kind": ({"$path": ["Path", "a"]}, DocumentError, ""),
    "path of text": ({"$path": "a"}, DocumentError, ""),
    "path in another form": ({"$path": ["PurePosixPath", "a//b"]}, DocumentError, ""),
    "path of another system": ({"$path": ["WindowsPath", "a"]}, DocumentError, ""),
    "enum of no class": ({"$enum": {"class": "Nope", "name": "A"}}, UnknownClassError, ""),
    "enum of a dataclass": ({"$enum": {"class": "Point", "name": "A"}}, DocumentError, ""),
    "enum of no member": ({"$enum": {"class": "Colour", "name": "mro"}}, DocumentError, ""),
    "enum of a number": ({"$enum": {"class": "Colour", "name": 1}}, DocumentError, ""),
    "enum of a list": ({"$enum": ["Colour", "RED"]}, DocumentError, ""),
    "enum with more": ({"$enum": {"class": "Colour", "name": "RED", "x": 1}}, DocumentError, ""),
    "object of no class": (obj("Nope", {}), UnknownClassError, ""),
    "object nearly of a class": (obj("Poimt", {}), UnknownClassError, ""),
    "object of a class by path": (obj("os.system", {}), UnknownClassError, ""),
    "object of an unregistered class": (obj("Unregistered", {"size": 1}), UnknownClassError, ""),
    "object of an enum": (obj("Colour", {}), DocumentError, ""),
    "object of a class by number": (obj(5, {}), DocumentError, ""),
    "object with a list of fields": (obj("Point", [1, 2]), DocumentError, ""),
    "object without fields": ({"$object": {"class": "Point"}}, DocumentError, ""),
    "object of text": ({"$object": "Point"}, DocumentError, ""),
    "dataclass with a field missing": (obj("Point", {"y": 1}), DocumentError, ""),
    "dataclass with a field too many": (obj("Point", {"x": 1, "y": 2, "z": 3}), DocumentError, ""),
    "dataclass with a method as field": (obj("Point", {"x": 1, "y": 2, "__class__": 3}), DocumentError, ""),
    "dataclass with an odd field": (obj("Point", {"x": 1, "y": 2, 3: 4}), DocumentError, ""),
    "dataclass with a bad field": (obj("Point", {"x": 1, "y": [{"$bogus": 1}]}), DocumentError, ".y[0]"),
    "dataclass that refuses": (obj("Percent", {"value": 101}), DocumentError, ""),
    "struct with a field missing": (obj("Record", {"size": 1}), DocumentError, ""),
    "model that refuses": (obj("Model", {"name": 5, "tags": 1, "extra": None}), DocumentError, ""),
    "model by alias": (obj("Model", {"theName": "a", "tags": [], "extra": None}), DocumentError, ""),
    "box with an unknown field": (obj("Box", {"lable": "x"}), DocumentError, ""),
    "box with a method as field": (obj("Box", {"serialize": 1}), DocumentError, ""),
    "box with a bad field": (obj("Box", {"content": {"$bogus": 1}}), DocumentError, ".content"),
    "box that may not refer": (
        obj("Box", {"check": {"$callable": "os:system"}}),
        UntrustedReferenceError,
        ".check",
    ),
    "box whose setter refuses": (obj("Strict", {"first": 1, "even": 3}), DocumentError, ".even"),
    "own document that is refused": (obj("Own", {"sum": 1, "items": [5]}), DocumentError, ""),
    "own document that lacks a field": (obj("Own", {}), DocumentError, ""),
    "own document that is no JSON": (obj("Own", {"sum": 1, "items": (1,)}), DocumentError, ".items"),
    "own document with a second type": (obj("Own", {"sum": 0, "items": [], "_type": "Box"}), DocumentError, ""),
    "callable in data": ({"$callable": "builtins:len"}, DocumentError, ""),
    "big plain int": (2**63, DocumentError, ""),
    "plain nan": (float("nan"), DocumentError, ""),
    "plain inf": (float("-inf"), DocumentError, ""),
    "plain tuple": ((1,), DocumentError, ""),
    "plain bytes": (b"a", DocumentError, ""),
    "text of a subclass": (Text("a"), DocumentError, ""),
    "lone surrogate": ("\ud800", DocumentError, ""),
    "lone surrogate as key": ({"\ud800": 1, "a": 1}, DocumentError, r"['\ud800']"),
    "key of a subclass": ({Text("a"): 1}, DocumentError, ""),
    "number as key": ({1: 1}, DocumentError, ""),
    "deep tuples": (deep(105), LimitError, "[0]" * 104),
    "deep sets": (deep(105, "$frozenset"), LimitError, "[0]" * 104),
    "very deep lists": (deep(5000), LimitError, "[0]" * 104),
}


@pytest.mark.parametrize("case", CASES)
def test_a_malformed_document_is_refused_with_its_path(case: str) -> None:
    document, error, path = CASES[case]
    modules = set(sys.modules)
    with pytest.raises(error) as caught:
        decode(document if "deep" in case else {"data": [document]})
    assert caught.value.path == (f"value{path}" if "deep" in case else f"value.data[0]{path}")
    assert str(caught.value).startswith(caught.value.path)
    assert isinstance(caught.value, (ValueError, TypeError))
    assert set(sys.modules) == modules


@pytest.mark.parametrize("case", [case for case in CASES if "deep" not in case])
def test_a_refused_document_leaves_object_and_document_alone(case: str) -> None:
    box = Box()
    box.content = kept = ["kept"]
    document = {"_type": "Box", "label": "new", "content": CASES[case][0]}
    before = copy.deepcopy(document)
    state = dict(vars(box))
    with pytest.raises(SeriluxError):
        box.deserialize(document) if case != "callable in data" else decode(document["content"])
    assert vars(box) == state
    assert box.content is kept
    assert repr(document) == repr(before)


def test_a_zone_that_leads_out_is_never_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def looked_for(key: str) -> None:
        raise AssertionError(key)

    monkeypatch.setattr("serilux._leaves.ZoneInfo", looked_for)
    for key in ("../../etc/passwd", "/etc/passwd", "a.b", "a//b", "", "x" * 101, "é"):
        with pytest.raises(DocumentError, match="no name of a time zone"):
            decode({"$time": ["00:00:00", 0, key]})


def test_a_document_that_contains_itself_is_refused() -> None:
    document: list[Any] = []
    document.append({"$tuple": document})
    with pytest.raises(CycleError) as caught:
        decode(document)
    assert caught.value.path == "value[0]"


def test_fields_set_before_the_refused_one_are_set_back() -> None:
    strict = Strict()
    with pytest.raises(DocumentError, match="odd"):
        strict.deserialize({"_type": "Strict", "first": 5, "even": 3})
    assert (strict.first, strict.even) == (0, 0)


def test_the_error_of_a_constructor_is_kept_as_the_cause() -> None:
    with pytest.raises(DocumentError, match="RuntimeError: not a percentage") as caught:
        decode(obj("Percent", {"value": 101}))
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_an_object_with_its_own_document_is_read_by_it() -> None:
    own = decode(obj("Own", {"sum": 3, "items": [1, 2]}))
    assert type(own) is Own
    assert own.items == [1, 2]


def test_close_names_are_suggested() -> None:
    with pytest.raises(DocumentError, match=r"did you mean '\$tuple'"):
        decode({"$tupel": []})
    with pytest.raises(UnknownClassError, match="did you mean 'Point'"):
        decode(obj("Poimt", {}))
    with pytest.raises(DocumentError, match="did you mean 'label'"):
        decode(obj("Box", {"lable": 1}))
