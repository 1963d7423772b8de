"""The walk that reads documents: it makes values of known tags and objects of registered classes only."""

from collections.abc import Callable
from enum import Enum
from math import isfinite
from typing import Any, Final, NamedTuple, cast

from serilux._callables import resolve_reference
from serilux._encode import is_tag
from serilux._fields import TYPE_KEY, Documented, FieldOwner, called, has_own_document, read_object
from serilux._json import MAX_INT, MIN_INT, did_you_mean, is_flat, one_of, shown, step_to
from serilux._leaves import LEAF_OF_TAG, Leaf, has_nan, load_leaf
from serilux._payloads import REFERENCE, Schema, escaped, list_of, map_of, named_parts, set_of
from serilux._registry import lookup_class, registered_name
from serilux._shapes import field_names, put_together, shape_of
from serilux._walk import Walk
from serilux.errors import DocumentError, SeriluxError


class Decoder(Walk):
    """Reads a document without changing it."""

    __slots__ = ()

    refusal = DocumentError

    def integer(self, node: int) -> int:
        if not MIN_INT <= node <= MAX_INT:
            raise DocumentError("an integer beyond 64 bits is written {'$int': '0x...'}")
        return node

    def number(self, node: float) -> float:
        if not isfinite(node):
            raise DocumentError("nan and infinities are written {'$float': 'nan'}, 'inf' or '-inf'")
        return node

    def other(self, node: Any) -> Any:
        raise DocumentError(f"{shown(node)} is no JSON; documents hold dict, list, str, int, float, bool and None")

    def mapping(self, node: dict[Any, Any]) -> Any:
        if is_flat(node):
            return self.flat(node)
        for key in node:
            if type(key) is not str:
                raise DocumentError(f"the keys of a JSON object are str; this one is {shown(key)}")
        return self.tag(node) if is_tag(node) else self.fields(node)

    def tag(self, node: dict[str, Any]) -> Any:
        ((tag, payload),) = node.items()
        leaf = LEAF_OF_TAG.get(tag)
        if leaf is not None:
            return self.leaf(leaf, payload)
        composed = TAGS.get(tag)
        if composed is None:
            known = sorted([*LEAF_OF_TAG, *TAGS])
            hint = did_you_mean(tag, known)
            raise DocumentError(f"unknown tag {shown(tag)}{hint}; a dict with such a key is written {{'$dict': ...}}")
        return composed.read(self, payload)

    def leaf(self, leaf: Leaf, payload: Any) -> Any:
        value = load_leaf(leaf, payload)
        if has_nan(value):
            self.refuse_nan_key()
        return value

    def tuples(self, payload: Any) -> Any:
        return tuple(self.items(_list_of("$tuple", payload)))

    def sets(self, payload: Any) -> Any:
        return set(self.members("$set", payload))

    def frozen_sets(self, payload: Any) -> Any:
        return frozenset(self.members("$frozenset", payload))

    def members(self, tag: str, payload: Any) -> Any:
        """Return the members of a set, each hashable and there but once."""
        members = self.keys(_list_of(tag, payload))
        seen: dict[Any, Any] = {}
        for index, member in enumerate(members):
            _put(seen, member, None, f"[{index}]")
        return seen

    def pairs_of(self, payload: Any) -> Any:
        """Read a dict with keys that are not all str."""
        pairs = _list_of("$map", payload)
        self.enter(pairs, len(pairs))
        done: dict[Any, Any] = {}
        for index, pair in enumerate(pairs):
            self.pair(pair, done, f"[{index}]")
        self.leave(pairs)
        if all(type(key) is str for key in done):
            raise DocumentError("a dict with only str keys is written as a plain object, not as '$map'")
        return done

    def pair(self, pair: Any, done: dict[Any, Any], place: str) -> None:
        if type(pair) is not list or len(pair) != 2:
            raise DocumentError("a '$map' is a list of [key, value]", place)
        try:
            key = self.key(pair[0])
        except SeriluxError as error:
            error.under(place)
            raise
        try:
            value = self.visit(pair[1])
        except SeriluxError as error:
            error.under(step_to(key))
            raise
        _put(done, key, value, place)

    def escaped(self, payload: Any) -> Any:
        if type(payload) is not dict or not all(type(key) is str for key in payload) or not is_tag(payload):
            raise DocumentError("'$dict' holds an object that looks like a tag; others are written plainly")
        return self.fields(payload)

    def member(self, payload: Any) -> Any:
        parts = _named_parts("$enum", payload, "name")
        cls = lookup_class(parts["class"], "")
        if not issubclass(cls, Enum):
            raise DocumentError(f"{parts['class']!r} is no Enum")
        name = parts["name"]
        if type(name) is not str or name not in cls.__members__:
            raise DocumentError(f"{cls.__name__} has no member {shown(name)}; it has {one_of(cls.__members__)}")
        return cls.__members__[name]

    def record(self, payload: Any) -> Any:
        parts = _named_parts("$object", payload, "fields")
        cls = lookup_class(parts["class"], "")
        self.refuse_identity_key(cls)
        fields = parts["fields"]
        if type(fields) is not dict:
            raise DocumentError(f"the fields of {cls.__name__} are an object, not {shown(fields)}")
        if issubclass(cls, FieldOwner):
            self.refuse_no_data(cls)
            return self.documented(cls, fields) if has_own_document(cls) else self.owned(cls, fields)
        shape = shape_of(cls)
        if shape is None or issubclass(cls, Enum):
            raise DocumentError(f"{cls.__name__} is no class with fields; its members are written '$enum'")
        needed, others = field_names(shape, cls)  # type: ignore[arg-type]  # mypy doubts that a class is hashable
        read_object(fields, "", required=needed, optional=others)
        return put_together(shape, cls, self.fields(fields))

    def owned(self, cls: type[FieldOwner], fields: dict[Any, Any]) -> Any:
        made = called(cls, cls)
        made.set_fields(self.fields_of(made, fields))
        return made

    def fields_of(self, owner: FieldOwner, fields: dict[Any, Any]) -> dict[str, Any]:
        """Return the fields of an object that is being read, which may name its methods."""
        read_object(fields, "", optional=owner._serializable_fields)
        outer, self.owner = self.owner, owner
        done = self.fields(fields)
        self.owner = outer
        return done

    def documented(self, cls: type[FieldOwner], fields: dict[Any, Any]) -> Any:
        self.check_own(fields)
        if TYPE_KEY in fields:
            raise DocumentError(f"{TYPE_KEY!r} is no field; the class stands beside the fields")
        made = called(cls, cls)
        document = {TYPE_KEY: registered_name(cls), **fields}
        called(cls, lambda: cast(Documented, made).deserialize(document))
        return made

    def reference(self, payload: Any) -> Any:
        if self.owner is None:
            raise DocumentError("a callable may stand only in the fields of a Serializable")
        return resolve_reference(payload, self.owner, "")


def _list_of(tag: str, payload: Any) -> list[Any]:
    if type(payload) is not list:
        raise DocumentError(f"{tag!r} holds a list, not {shown(payload)}")
    return payload


def _named_parts(tag: str, payload: Any, other: str) -> dict[str, Any]:
    parts = read_object(payload, "", required=("class", other))
    if type(parts["class"]) is not str:
        raise DocumentError(f"{tag!r} names a class by a str, not by {shown(parts['class'])}")
    return parts


def _put(done: dict[Any, Any], key: Any, value: Any, place: str) -> None:
    """Add a key that must be new."""
    try:
        known = called(type(key), lambda: key in done)
    except SeriluxError as error:
        error.under(place)
        raise
    if known:
        raise DocumentError("the same key or member twice", place)
    done[key] = value


class Tag(NamedTuple):
    """How what stands behind a tag is read; `payload` makes its JSON Schema from that of the values in it."""

    read: Callable[[Decoder, Any], Any]
    payload: Callable[[Schema], Schema]


TAGS: Final[dict[str, Tag]] = {
    "$tuple": Tag(Decoder.tuples, list_of),
    "$set": Tag(Decoder.sets, set_of),
    "$frozenset": Tag(Decoder.frozen_sets, set_of),
    "$map": Tag(Decoder.pairs_of, map_of),
    "$dict": Tag(Decoder.escaped, escaped),
    "$enum": Tag(Decoder.member, lambda value: named_parts(name={"type": "string"})),
    "$object": Tag(Decoder.record, lambda value: named_parts(fields={"type": "object"})),
    "$callable": Tag(Decoder.reference, lambda value: REFERENCE),
}

Decoder.steps = {
    type(None): Decoder.same,
    bool: Decoder.same,
    str: Decoder.text,
    int: Decoder.integer,
    float: Decoder.number,
    list: Decoder.items,
    dict: Decoder.mapping,
}
