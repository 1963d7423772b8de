"""What refusals say, word for word: what is wrong, where, and what to do."""

import re
from collections.abc import Callable
from dataclasses import InitVar, dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum
from functools import partial
from pathlib import PurePosixPath
from types import MethodType
from typing import Any, NamedTuple

import pytest

from serilux import (
    Limits,
    Serializable,
    SeriluxError,
    check_document,
    check_serializable,
    clone,
    clone_fields,
    decode,
    encode,
    get_limits,
    identical,
    lookup_class,
    reference_to,
    register_serializable,
    resolve_reference,
    set_limits,
    trust,
)
from tests.serilux.samples import (
    Bits,
    Box,
    ById,
    Growing,
    NeedsArguments,
    Point,
    Private,
    anonymous,
    double,
    nested,
)

BOX = Box()


class Elsewhere(tzinfo):
    def utcoffset(self, _: datetime | None) -> timedelta:
        return timedelta(0)


@register_serializable
class BrokenOwn(Serializable):
    def serialize(self) -> dict[str, Any]:
        return {"no": "type"}


@dataclass
class Seeded:
    x: int
    seed: InitVar[int]


class Spot(NamedTuple):
    x: int
    y: int


class Text(str):
    pass


class Mood(Enum):
    GOOD = 1


@register_serializable
class BadlyRead(Serializable):
    def serialize(self) -> dict[str, Any]:
        return {"_type": "BadlyRead"}

    def deserialize(self, data: dict[str, Any]) -> None:
        raise ValueError("not read")


@register_serializable(name="Twice")
class OneOfTwo(Serializable):
    pass


@register_serializable(name="Twice")
class TwoOfTwo(Serializable):
    pass


@register_serializable(name="Fresh", aliases=["Former"])
class WithAlias(Serializable):
    pass


@register_serializable(name="Former")
class NamedAsTheAlias(Serializable):
    pass


def holding(value: Any, name: str, item: Any) -> Any:
    setattr(value, name, item)
    return value


def without(value: Any, name: str) -> Any:
    delattr(value, name)
    return value


def with_content(content: Any) -> Box:
    return holding(Box(), "content", content)


def nested_lists(levels: int) -> Any:
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    return value


def containing_itself() -> Any:
    value: list[Any] = [1]
    value.append({"a": value})
    return value


def said_by(call: Callable[[], Any]) -> str:
    with pytest.raises((SeriluxError, TypeError, ValueError)) as refusal:
        call()
    words = f"{type(refusal.value).__name__}: {refusal.value}"
    words = re.sub(" at 0x[0-9a-f]+", " at ...", words)
    return re.sub(r"(\[0\]){5,}", lambda steps: f"[0]*{len(steps[0]) // 3}", words)


def within(limits: Limits, call: Callable[[], Any]) -> Any:
    before = get_limits()
    set_limits(limits)
    try:
        return call()
    finally:
        set_limits(before)


DOCUMENTS: list[tuple[Any, str]] = [
    (2**63, "DocumentError: value: an integer beyond 64 bits is written {'$int': '0x...'}"),
    (float("nan"), "DocumentError: value: nan and infinities are written {'$float': 'nan'}, 'inf' or '-inf'"),
    (b"", "DocumentError: value: b'' is no JSON; documents hold dict, list, str, int, float, bool and None"),
    ({1: 2}, "DocumentError: value: the keys of a JSON object are str; this one is 1"),
    ({"$unknown": 1}, "DocumentError: value: unknown tag '$unknown'; a dict with such a key is written {'$dict': ...}"),
    (
        {"$tupel": []},
        "DocumentError: value: unknown tag '$tupel' (did you mean '$tuple'?); a dict with such a "
        "key is written {'$dict': ...}",
    ),
    ({"$tuple": 5}, "DocumentError: value: '$tuple' holds a list, not 5"),
    ({"$set": "x"}, "DocumentError: value: '$set' holds a list, not 'x'"),
    ({"$frozenset": 5}, "DocumentError: value: '$frozenset' holds a list, not 5"),
    ({"$set": [1, 1]}, "DocumentError: value[1]: the same key or member twice"),
    (
        {"$set": [{"$float": "nan"}]},
        "DocumentError: value[0]: nan in a set or as a key could not be found again; use a list",
    ),
    (
        {"$set": [{"$object": {"class": "ById", "fields": {"value": 1}}}]},
        "DocumentError: value[0]: ById in a set or as a key could not be found again; give it "
        "__eq__ and __hash__, or use a list",
    ),
    ({"$map": {}}, "DocumentError: value: '$map' holds a list, not <dict>"),
    (
        {"$map": [["a", 1]]},
        "DocumentError: value: a dict with only str keys is written as a plain object, not as '$map'",
    ),
    ({"$map": [[1, 2, 3]]}, "DocumentError: value[0]: a '$map' is a list of [key, value]"),
    ({"$map": [[1, 1], [2, {"$tuple": 1}]]}, "DocumentError: value[2]: '$tuple' holds a list, not 1"),
    ({"$map": [[{"$tuple": 1}, 1]]}, "DocumentError: value[0]: '$tuple' holds a list, not 1"),
    ({"$map": [[1, 1], [1, 2]]}, "DocumentError: value[1]: the same key or member twice"),
    (
        {"$dict": {"a": 1}},
        "DocumentError: value: '$dict' holds an object that looks like a tag; others are written plainly",
    ),
    ({"$object": {"class": 1, "fields": {}}}, "DocumentError: value: '$object' names a class by a str, not by 1"),
    ({"$enum": 1}, "DocumentError: value: expected an object, found 1"),
    ({"$enum": {"class": "Colour"}}, "DocumentError: value: name is missing; the fields are: 'class', 'name'"),
    ({"$enum": {"class": 1, "name": "RED"}}, "DocumentError: value: '$enum' names a class by a str, not by 1"),
    (
        {"$enum": {"class": "Colour", "name": "BLUE"}},
        "DocumentError: value: Colour has no member 'BLUE'; it has 'RED', 'GREEN', 'ALSO_RED'",
    ),
    ({"$enum": {"class": "Point", "name": "x"}}, "DocumentError: value: 'Point' is no Enum"),
    (
        {"$object": {"class": "Pont", "fields": {}}},
        "UnknownClassError: value: class 'Pont' is not registered here (did you mean 'Point'?); "
        "import its module before reading, and decorate it with @serilux.register_serializable",
    ),
    (
        {"$object": {"class": "Point", "fields": []}},
        "DocumentError: value: the fields of Point are an object, not <list>",
    ),
    (
        {"$object": {"class": "Point", "fields": {"x": 1, "y": 2, "zz": 3, "X": 4}}},
        "DocumentError: value: zz is unknown; X is unknown; the fields are: 'x', 'y'",
    ),
    (
        {"$object": {"class": "Point", "fields": {"y": 1, **{f"more{i}": 1 for i in range(25)}}}},
        "DocumentError: value: x is missing; more0 is unknown; more1 is unknown; more2 is "
        "unknown; more3 is unknown; more4 is unknown; more5 is unknown; more6 is unknown; more7 "
        "is unknown; more8 is unknown; more9 is unknown; more10 is unknown; more11 is unknown; "
        "more12 is unknown; more13 is unknown; more14 is unknown; more15 is unknown; more16 is "
        "unknown; more17 is unknown; more18 is unknown; more19 is unknown; 5 more are unknown; "
        "the fields are: 'x', 'y'",
    ),
    (
        {"$object": {"class": "Colour", "fields": {}}},
        "DocumentError: value: Colour is no class with fields; its members are written '$enum'",
    ),
    (
        {"$object": {"class": "Percent", "fields": {"value": 101}}},
        "DocumentError: value: Percent refused its data: RuntimeError: not a percentage",
    ),
    (
        {"$object": {"class": "Box", "fields": {"lable": 1}}},
        "DocumentError: value: lable is unknown (did you mean 'label'?); the fields are: 'label', 'content', 'check'",
    ),
    (
        {"$object": {"class": "Box", "fields": {"check": {"$callable": 5}}}},
        "CallableReferenceError: value.check: a reference is a text such as 'self.process', not 5",
    ),
    (
        {"$object": {"class": "Box", "fields": {"check": {"$callable": "self.acepts"}}}},
        "CallableReferenceError: value.check: Box defines no method 'acepts' (did you mean 'accepts'?)",
    ),
    (
        {"$object": {"class": "Box", "fields": {"check": {"$callable": "self.serialize"}}}},
        "UntrustedReferenceError: value.check: 'self.serialize' is not a method that documents may name",
    ),
    (
        {"$object": {"class": "Box", "fields": {"check": {"$callable": "self.__init__"}}}},
        "CallableReferenceError: value.check: Box defines no method '__init__'",
    ),
    (
        {"$object": {"class": "Box", "fields": {"check": {"$callable": "nowhere"}}}},
        "CallableReferenceError: value.check: 'nowhere' is no reference; write 'self.method' or "
        "'package.module:function'",
    ),
    (
        {"$object": {"class": "Box", "fields": {"check": {"$callable": "a:b:c"}}}},
        "CallableReferenceError: value.check: 'a:b:c' is no reference; write 'self.method' or "
        "'package.module:function'",
    ),
    (
        {"$object": {"class": "Box", "fields": {"check": {"$callable": "os:system"}}}},
        "UntrustedReferenceError: value.check: functions of module 'os' cannot be named by "
        "documents here; if it is yours, import it and call serilux.trust('os') before reading",
    ),
    (
        {"$object": {"class": "Box", "fields": {"check": {"$callable": "tests.serilux.samples:nested"}}}},
        "CallableReferenceError: value.check: module 'tests.serilux.samples' is not imported, or "
        "defines no function 'nested' at its top",
    ),
    (
        {"$object": {"class": "Box", "fields": {"check": {"$callable": "builtins:eval"}}}},
        "UntrustedReferenceError: value.check: builtin 'eval' cannot be named by documents; "
        "these can: abs, all, any, ascii, bin, callable, chr, divmod, hex, len, max, min, oct, "
        "ord, print, repr, round, sorted, sum",
    ),
    (
        {"$object": {"class": "Own", "fields": {"_type": "Own"}}},
        "DocumentError: value: '_type' is no field; the class stands beside the fields",
    ),
    (
        {"$object": {"class": "Own", "fields": {"sum": 1, "items": [2]}}},
        "DocumentError: value: Own refused its data: ValueError: wrong sum",
    ),
    (
        {"$object": {"class": "Own", "fields": {"sum": 2**64, "items": []}}},
        "DocumentError: value.sum: an integer beyond 64 bits is written {'$int': '0x...'}",
    ),
    (
        {"$object": {"class": "Strict", "fields": {"first": 1, "even": 3}}},
        "DocumentError: value.even: Strict refused its data: ValueError: odd",
    ),
    (
        {"$callable": "builtins:len"},
        "DocumentError: value: a callable may stand only in the fields of a Serializable",
    ),
    (
        {"$int": "-0x8000000000000000"},
        "DocumentError: value: '-0x8000000000000000' is no payload of '$int': an integer of 64 bits needs no tag",
    ),
    ({"$int": 5}, "DocumentError: value: 5 is no payload of '$int': expected a str"),
    ({"$int": "5"}, "DocumentError: value: '5' is no payload of '$int': an integer of 64 bits needs no tag"),
    (
        {"$int": "0X" + "f" * 20},
        "DocumentError: value: the payload of '$int' is not in its one proper form, '0xffffffffffffffffffff'",
    ),
    ({"$int": "f" * 20_000}, "LimitError: value: an integer of too many digits; see Limits.max_digits"),
    ({"$float": 1}, "DocumentError: value: 1 is no payload of '$float': expected a str"),
    ({"$float": "NaN"}, "DocumentError: value: 'NaN' is no payload of '$float': 'NaN'"),
    ({"$complex": [1.0, 2]}, "DocumentError: value: <list> is no payload of '$complex': expected a float"),
    ({"$complex": [1.0, {"$float": "1"}]}, "DocumentError: value: <list> is no payload of '$complex': '1'"),
    ({"$bytes": 1}, "DocumentError: value: 1 is no payload of '$bytes': expected a str"),
    (
        {"$datetime": "2024-01-01"},
        "DocumentError: value: the payload of '$datetime' is not in its one proper form, '2024-01-01T00:00:00'",
    ),
    (
        {"$datetime": ["2024-01-01T00:00:00", 0, "../zone"]},
        "DocumentError: value: <list> is no payload of '$datetime': no name of a time zone",
    ),
    (
        {"$datetime": ["2024-01-01T00:00:00", 0, ["x"]]},
        "DocumentError: value: <list> is no payload of '$datetime': expected a timedelta",
    ),
    (
        {"$datetime": ["2024-01-01T00:00:00", "0", None]},
        "DocumentError: value: <list> is no payload of '$datetime': expected a int",
    ),
    (
        {"$timedelta": [1, 86400, 0]},
        "DocumentError: value: the payload of '$timedelta' is not in its one proper form, [2, 0, 0]",
    ),
    ({"$decimal": "1e2"}, "DocumentError: value: the payload of '$decimal' is not in its one proper form, '1E+2'"),
    ({"$decimal": "1" * 10_001}, "LimitError: value: a Decimal of too many digits; see Limits.max_digits"),
    (
        {"$uuid": "12345678123456781234567812345678"},
        "DocumentError: value: the payload of '$uuid' is not in its one proper form, "
        "'12345678-1234-5678-1234-567812345678'",
    ),
    ({"$path": ["Path", "a"]}, "DocumentError: value: <list> is no payload of '$path': 'Path'"),
    ({"$path": "a"}, "DocumentError: value: 'a' is no payload of '$path': expected a list"),
    (
        ["a", {"b": {"$tuple": ["\ud800"]}}],
        "DocumentError: value[1].b[0]: text with a lone surrogate is not valid; decode it properly, or use bytes",
    ),
    (
        {"\ud800": 1},
        "DocumentError: value['\\ud800']: text with a lone surrogate is not valid; decode it properly, or use bytes",
    ),
]
CALLS: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: encode(object()),
        "UnsupportedValueError: value: an object cannot be written; use plain data, or a "
        "registered dataclass or Serializable; a client, a connection or an open file is no "
        "data: each process has its own",
    ),
    (
        lambda: encode([{"odd key": [2, (1, bytearray())]}]),
        "UnsupportedValueError: value[0]['odd key'][1][1]: a bytearray cannot be written; use bytes(...)",
    ),
    (
        lambda: encode({(1, Spot(1, 2)): 1}),
        "UnsupportedValueError: value[<tuple>][1]: a tests.serilux.test_refusals_word_for_word.Spot cannot be written; "
        "use a plain tuple or a registered dataclass: a named tuple would come back as another type",
    ),
    (
        lambda: encode(Point),
        "UnsupportedValueError: value: a type cannot be written; pass data, not a class; its name may do",
    ),
    (
        lambda: encode(Spot(1, 2)),
        "UnsupportedValueError: value: a tests.serilux.test_refusals_word_for_word.Spot cannot be written; use a "
        "plain tuple or a registered dataclass: a named tuple would come back as another type",
    ),
    (
        lambda: encode(Text()),
        "UnsupportedValueError: value: a tests.serilux.test_refusals_word_for_word.Text cannot be written; "
        "convert it with str(...): a subclass would come back as another type",
    ),
    (
        lambda: encode(Mood.GOOD),
        "UnsupportedValueError: value: a tests.serilux.test_refusals_word_for_word.Mood cannot be written; "
        "register its class with @serilux.register_serializable",
    ),
    (lambda: encode(bytearray()), "UnsupportedValueError: value: a bytearray cannot be written; use bytes(...)"),
    (
        lambda: encode(print),
        "UnsupportedValueError: value: a builtin_function_or_method cannot be written; pass "
        "data, not a callable; only fields of a Serializable may hold functions",
    ),
    (
        lambda: encode("\ud800"),
        "UnsupportedValueError: value: text with a lone surrogate is not valid; decode it properly, or use bytes",
    ),
    (
        lambda: encode(Bits.A | Bits.B),
        "UnsupportedValueError: value: <Bits.A|B: 3> is no single member of its Enum; store its value instead",
    ),
    (
        lambda: encode({ById(1)}),
        "UnsupportedValueError: value[0]: ById in a set or as a key could not be found again; "
        "give it __eq__ and __hash__, or use a list",
    ),
    (
        lambda: encode({float("nan")}),
        "UnsupportedValueError: value[0]: nan in a set or as a key could not be found again; use a list",
    ),
    (
        lambda: encode({Decimal("NaN")}),
        "UnsupportedValueError: value[0]: nan in a set or as a key could not be found again; use a list",
    ),
    (lambda: encode(1 << 40_001), "LimitError: value: an integer of too many digits; see Limits.max_digits"),
    (lambda: encode(Decimal("1" * 10_001)), "LimitError: value: a Decimal of too many digits; see Limits.max_digits"),
    (
        lambda: encode(datetime(2024, 1, 1, tzinfo=timezone(timedelta(microseconds=1)))),
        "UnsupportedValueError: value: an offset of less than a second would be read as none; use whole seconds",
    ),
    (
        lambda: encode(datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=1), "\ud800"))),
        "UnsupportedValueError: value: the timezone's name has a lone surrogate and cannot be written; remove it",
    ),
    (
        lambda: encode(datetime(2024, 1, 1, tzinfo=Elsewhere())),
        "UnsupportedValueError: value: tzinfo Elsewhere cannot be written; use a fixed offset or ZoneInfo('Area/City')",
    ),
    (
        lambda: encode(PurePosixPath("\ud800")),
        "UnsupportedValueError: value: a path that is no proper text cannot be written; rename the file",
    ),
    (
        lambda: encode(holding(Point(1), "more", "extra")),
        "UnsupportedValueError: value: Point holds more than its fields: 'more', which would be "
        "lost; declare a field for it",
    ),
    (lambda: encode(without(Point(1), "x")), "UnsupportedValueError: value: Point has no value for 'x'; set it"),
    (
        lambda: encode(Private()),
        "UnsupportedValueError: value: Private holds more than its fields: '_secret', which "
        "would be lost; declare a field for it",
    ),
    (lambda: encode(nested_lists(110)), "LimitError: value[0]*104: deeper than 104 levels; see Limits.max_depth"),
    (
        lambda: encode(containing_itself()),
        "CycleError: value[1].a: contains itself (a cycle); refer to the outer part by a name or an id instead",
    ),
    (
        lambda: encode(Growing(1)),
        "UnsupportedValueError: value: the constructor of Growing makes another object of this "
        "one's fields; let it take them as they are",
    ),
    (
        lambda: clone(Growing(1)),
        "UnsupportedValueError: value: the constructor of Growing makes another object of this "
        "one's fields; let it take them as they are",
    ),
    (lambda: clone(nested_lists(105)), "LimitError: value[0]*104: deeper than 104 levels; see Limits.max_depth"),
    (
        lambda: clone(containing_itself()),
        "CycleError: value[1].a: contains itself (a cycle); refer to the outer part by a name or an id instead",
    ),
    (
        lambda: within(Limits(max_nodes=6), lambda: clone([1] * 7)),
        "LimitError: value: more than 6 items; see Limits.max_nodes",
    ),
    (
        lambda: within(Limits(max_nodes=6), lambda: encode([1] * 7)),
        "LimitError: value: more than 6 items; see Limits.max_nodes",
    ),
    (
        lambda: within(Limits(max_nodes=6), lambda: decode([1] * 7)),
        "LimitError: value: more than 6 items; see Limits.max_nodes",
    ),
    (lambda: decode(nested_lists(110)), "LimitError: value[0]*104: deeper than 104 levels; see Limits.max_depth"),
    (
        lambda: identical(nested_lists(110), nested_lists(110)),
        "LimitError: nested too deeply to compare; see Limits.max_depth",
    ),
    (
        lambda: check_document(nested_lists(400)),
        "LimitError: document[0]*324: deeper than 324 JSON levels; see Limits.max_depth",
    ),
    (lambda: check_document(containing_itself()), "CycleError: document[1].a: the document contains itself"),
    (
        lambda: check_document({"a": [1, {2: 3}]}),
        "DocumentError: document.a[1][2]: a key of a JSON object is a str without lone surrogates",
    ),
    (
        lambda: check_document({"a": [1, {"b": {1}}]}),
        "DocumentError: document.a[1].b: set is no plain JSON; documents hold exactly dict, "
        "list, str, int, float, bool, None",
    ),
    (
        lambda: check_document({"a": float("inf")}),
        "DocumentError: document.a: a number that is not finite is written {'$float': 'nan'}",
    ),
    (
        lambda: check_document({"a": 2**63}),
        "DocumentError: document.a: an integer beyond 64 bits is written {'$int': '0x...'}",
    ),
    (
        lambda: check_document({"a": "\ud800"}),
        "DocumentError: document.a: text with a lone surrogate is not valid in JSON; remove it",
    ),
    (
        lambda: within(Limits(max_nodes=6), lambda: check_document([1] * 7)),
        "LimitError: document: too many items in one document; see Limits.max_nodes",
    ),
    (lambda: clone_fields([]), "UnsupportedValueError: value: fields are a plain dict, not list"),
    (lambda: clone_fields({"a": 1, 2: 3}), "UnsupportedValueError: value[2]: the name of a field must be a str"),
    (
        lambda: clone_fields({"a": {"b": bytearray()}}),
        "UnsupportedValueError: value.a.b: a bytearray cannot be written; use bytes(...)",
    ),
    (
        lambda: encode(NeedsArguments(1, colour="red")),
        "ConstructorError: value (NeedsArguments) cannot be serialized:\n"
        "NeedsArguments cannot be deserialized because its __init__ method requires\n"
        "parameters: size, colour\n"
        "Serializable classes must support initialization with no arguments.\n"
        "For Routine subclasses, use _config dictionary instead of constructor parameters.",
    ),
    (
        lambda: encode([Box(), with_content(NeedsArguments(1, colour="red"))]),
        "ConstructorError: value[1].content (NeedsArguments) cannot be serialized:\n"
        "NeedsArguments cannot be deserialized because its __init__ method requires\n"
        "parameters: size, colour\n"
        "Serializable classes must support initialization with no arguments.\n"
        "For Routine subclasses, use _config dictionary instead of constructor parameters.",
    ),
    (
        lambda: check_serializable(with_content({"a": [NeedsArguments(1, colour="red")]}), "Box"),
        "ConstructorError: Box.content.a[0] (NeedsArguments) cannot be serialized:\n"
        "NeedsArguments cannot be deserialized because its __init__ method requires\n"
        "parameters: size, colour\n"
        "Serializable classes must support initialization with no arguments.\n"
        "For Routine subclasses, use _config dictionary instead of constructor parameters.",
    ),
    (lambda: encode(BrokenOwn()), "UnsupportedValueError: value: BrokenOwn.serialize() gave no dict with '_type'"),
    (
        lambda: Box().add_serializable_fields("label"),
        "TypeError: add_serializable_fields takes a list of names; write ['label']",
    ),
    (lambda: Box().add_serializable_fields([1]), "TypeError: a field is named by a str, not by 1"),
    (
        lambda: Box().add_serializable_fields(["_type"]),
        "ValueError: '_type' cannot be the name of a field; use the name of an attribute",
    ),
    (
        lambda: Box().add_serializable_fields(["__class__"]),
        "ValueError: '__class__' cannot be the name of a field; use the name of an attribute",
    ),
    (
        lambda: Box().add_serializable_fields(["a b"]),
        "ValueError: 'a b' cannot be the name of a field; use the name of an attribute",
    ),
    (
        lambda: reference_to(Box().accepts, Box()),
        "ForeignMethodError: Cannot serialize method 'accepts' from Box[box].\n"
        "Only methods of the serialized object itself (Box[box])\n"
        "can be serialized for cross-process execution.",
    ),
    (
        lambda: reference_to(BOX.serialize, BOX),
        "CallableReferenceError: method 'serialize' is not what Box.serialize says, or is not "
        "open to references; define it under a public name of its own in your class, and "
        "decorate with functools.wraps",
    ),
    (
        lambda: reference_to(MethodType(len, BOX), BOX),
        "CallableReferenceError: method '<bound method len of <tests.serilux.samples.Box object at ...>>' is not what "
        "Box.<bound method len of <tests.serilux.samples.Box object at ...>> says, or is not open to references; "
        "define it under a public name of its own in your class, and decorate with functools.wraps",
    ),
    (
        lambda: reference_to(nested, BOX),
        "CallableReferenceError: function '_make.<locals>.inner' has no name to be found by; "
        "lambdas and nested functions have none: define it at the top of a module, or as a method",
    ),
    (
        lambda: reference_to(anonymous, BOX),
        "CallableReferenceError: function '<lambda>' has no name to be found by; lambdas and "
        "nested functions have none: define it at the top of a module, or as a method",
    ),
    (
        lambda: reference_to(partial(double, 1), BOX),
        "CallableReferenceError: a partial has no name to be found by; write a function at the "
        "top of a module, or a method that reads its arguments from a field",
    ),
    (
        lambda: reference_to(Point, BOX),
        "CallableReferenceError: type 'Point' has no name to be found by; wrap the class in a "
        "function at the top of a module",
    ),
    (
        lambda: reference_to(eval, BOX),
        "CallableReferenceError: builtin_function_or_method 'eval' has no name to be found by; "
        "these builtins have: abs, all, any, ascii, bin, callable, chr, divmod, hex, len, max, "
        "min, oct, ord, print, repr, round, sorted, sum; wrap others in a function of your own",
    ),
    (
        lambda: reference_to(5, BOX),
        "CallableReferenceError: a int has no name to be found by; use a function defined at the "
        "top of a module, or a method of the object itself",
    ),
    (
        lambda: reference_to(clone, BOX),
        "CallableReferenceError: function 'clone' has no name to be found by; lambdas and nested "
        "functions have none: define it at the top of a module, or as a method",
    ),
    (
        lambda: resolve_reference(5, BOX),
        "CallableReferenceError: value: a reference is a text such as 'self.process', not 5",
    ),
    (
        lambda: resolve_reference("nowhere", BOX),
        "CallableReferenceError: value: 'nowhere' is no reference; write 'self.method' or 'package.module:function'",
    ),
    (
        lambda: lookup_class("Pont"),
        "UnknownClassError: value: class 'Pont' is not registered here (did you mean 'Point'?); "
        "import its module before reading, and decorate it with @serilux.register_serializable",
    ),
    (lambda: clone([BadlyRead()]), "DocumentError: value[0]: BadlyRead refused its data: ValueError: not read"),
    (
        lambda: encode([OneOfTwo()]),
        "NameConflictError: value[0]: the name 'Twice' stands for tests.serilux.test_refusals_word_for_word.OneOfTwo "
        "and tests.serilux.test_refusals_word_for_word.TwoOfTwo; "
        "give one another name with @serilux.register_serializable(name='...')",
    ),
    (
        lambda: lookup_class("Former", "document.x"),
        "NameConflictError: document.x: the name 'Former' stands for "
        "tests.serilux.test_refusals_word_for_word.NamedAsTheAlias and "
        "tests.serilux.test_refusals_word_for_word.WithAlias; "
        "give one another name with @serilux.register_serializable(name='...'), or do without the alias",
    ),
    (lambda: trust(""), "TypeError: trust takes the name of a module, such as 'my_package.steps', not ''"),
    (lambda: trust(5), "TypeError: trust takes the name of a module, such as 'my_package.steps', not 5"),
    (
        lambda: trust("builtins"),
        "UntrustedReferenceError: module 'builtins' can never be trusted; define the function in a module of your own",
    ),
    (
        lambda: trust("routilux.flow"),
        "UntrustedReferenceError: module 'routilux.flow' can never be trusted; define the "
        "function in a module of your own",
    ),
    (lambda: register_serializable(5), "TypeError: register_serializable decorates a class, not int"),
    (
        lambda: register_serializable(name="")(Point),
        "TypeError: the name of Point in documents is a str that is not empty, not ''",
    ),
    (
        lambda: register_serializable(name=5)(Point),
        "TypeError: the name of Point in documents is a str that is not empty, not 5",
    ),
    (
        lambda: register_serializable(aliases="Old")(Point),
        "TypeError: register_serializable takes a list of aliases, such as ['OldName'], not 'Old'",
    ),
    (
        lambda: register_serializable(aliases=[1])(Point),
        "TypeError: an alias is a name that a class had before, a str that is not empty, not 1",
    ),
    (
        lambda: register_serializable(object),
        "TypeError: object cannot be registered; make it a subclass of Serializable, an Enum, a "
        "dataclass, a msgspec Struct or a pydantic model",
    ),
    (
        lambda: register_serializable(NeedsArguments),
        "ConstructorError: NeedsArguments cannot be deserialized because its __init__ method "
        "requires\n"
        "parameters: size, colour\n"
        "Serializable classes must support initialization with no arguments.\n"
        "For Routine subclasses, use _config dictionary instead of constructor parameters.",
    ),
    (
        lambda: register_serializable(Seeded),
        "TypeError: Seeded cannot be registered: its constructor takes 'seed', which is no "
        "field; a document could not give it",
    ),
    (lambda: set_limits(5), "TypeError: set_limits takes a Limits, such as Limits(max_depth=50), not 5"),
    (lambda: Limits(max_depth=0), "ValueError: Limits.max_depth must be a positive int; it is 0"),
    (lambda: Limits(max_digits=True), "ValueError: Limits.max_digits must be a positive int; it is True"),
]


@pytest.mark.parametrize(("document", "words"), DOCUMENTS, ids=[str(at) for at in range(len(DOCUMENTS))])
def test_a_document_is_refused_in_so_many_words(document: Any, words: str) -> None:
    assert said_by(lambda: decode(document)) == words


def test_a_member_that_cannot_be_in_a_set_is_refused_by_its_type() -> None:
    assert said_by(lambda: decode({"$set": [1, []]})).startswith("DocumentError: value[1]: list refused its data: ")


@pytest.mark.parametrize(("call", "words"), CALLS, ids=[str(at) for at in range(len(CALLS))])
def test_a_call_is_refused_in_so_many_words(call: Callable[[], Any], words: str) -> None:
    assert said_by(call) == words


@pytest.mark.parametrize(("module", "words"), [("app", "an app.Thing"), ("Xml", "a Xml.Thing")])
def test_a_class_has_the_article_that_its_module_asks_for(module: str, words: str) -> None:
    thing = type("Thing", (), {"__module__": module})
    assert said_by(lambda: encode(thing())).startswith(f"UnsupportedValueError: value: {words} cannot be written; ")
