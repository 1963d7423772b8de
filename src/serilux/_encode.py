"""The walk that writes live values as documents."""

import json
from enum import Enum
from math import isfinite
from typing import Any

from serilux._callables import reference_to
from serilux._clone import Cloner, steps_of
from serilux._fields import TYPE_KEY, FieldOwner
from serilux._json import MAX_INT, MIN_INT
from serilux._leaves import LEAF_OF_TYPE, dump_float, dump_int
from serilux._registry import registered_name
from serilux._shapes import shape_of, take_apart


class Encoder(Cloner):
    """Goes where the cloner goes, and leaves tags instead of copies."""

    __slots__ = ("tried",)

    def __init__(self, owner: object = None) -> None:
        super().__init__(owner, owner)
        self.tried = False
        """Inside an object that is known to come back equal."""

    def integer(self, value: int) -> Any:
        return value if MIN_INT <= value <= MAX_INT else {"$int": dump_int(value)}

    def number(self, value: float) -> Any:
        super().number(value)
        return value if isfinite(value) else {"$float": dump_float(value)}

    def leaf(self, value: Any) -> Any:
        return {LEAF_OF_TYPE[type(value)].tag: self.payload(value)}

    def tuples(self, value: tuple[Any, ...]) -> Any:
        return {"$tuple": self.items(value)}

    def sets(self, value: set[Any]) -> Any:
        return {"$set": _ordered(self.keys(value))}

    def frozen_sets(self, value: frozenset[Any]) -> Any:
        return {"$frozenset": _ordered(self.keys(value))}

    def named(self, done: dict[str, Any]) -> Any:
        return {"$dict": done} if is_tag(done) else done

    def mapped(self, done: list[Any]) -> Any:
        return {"$map": done}

    def member(self, value: Enum) -> Any:
        super().member(value)
        return {"$enum": {"class": registered_name(type(value)), "name": value._name_}}

    def record(self, value: Any) -> Any:
        cls = type(value)
        shape = shape_of(cls)
        assert shape is not None  # nothing else can be registered
        outer = self.tried
        if not outer:
            self.try_copy(value)
        self.tried = True
        fields = self.fields(take_apart(shape, value))
        self.tried = outer
        return _object(cls, fields)

    def try_copy(self, value: Any) -> None:
        """Refuse an object that would not come back equal, and whatever is wrong inside."""
        trial = Cloner(self.owner, self.heir)
        trial.keyed, trial.room, trial.open = self.keyed, self.room, self.open.copy()
        trial.in_fields = self.in_fields
        trial.visit(value)

    def owned(self, value: FieldOwner) -> Any:
        outer, self.owner, self.heir = self.owner, value, value
        fields = self.owned_fields(value)
        self.owner = self.heir = outer
        return _object(type(value), fields)

    def documented(self, value: FieldOwner) -> Any:
        document = self.own_document(value)
        return _object(type(value), {name: item for name, item in document.items() if name != TYPE_KEY})

    def reference(self, value: Any) -> Any:
        return {"$callable": reference_to(value, self.owner)}


def is_tag(node: dict[str, Any]) -> bool:
    """Tell whether an object of a document is a tag with its payload."""
    return len(node) == 1 and next(iter(node))[:1] == "$"


def _object(cls: type[Any], fields: dict[str, Any]) -> dict[str, Any]:
    return {"$object": {"class": registered_name(cls), "fields": fields}}


def _ordered(members: list[Any]) -> list[Any]:
    """Return members of a set in an order that depends on nothing but them."""
    kinds = set(map(type, members))
    if kinds in ({str}, {int}):
        return sorted(members)
    return sorted(members, key=lambda member: json.dumps(member, sort_keys=True))


Encoder.steps = steps_of(Encoder)
