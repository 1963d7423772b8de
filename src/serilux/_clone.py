"""The walk that copies live values, and refuses those that documents cannot carry."""

from collections.abc import Callable
from enum import Enum
from math import isnan
from types import MethodType
from typing import Any, ClassVar, cast

from serilux._callables import reference_to
from serilux._fields import TYPE_KEY, Documented, FieldOwner, called, check_constructible, has_own_document
from serilux._identical import identical
from serilux._json import MAX_INT, MIN_INT, is_flat, step_to
from serilux._leaves import LEAF_OF_TYPE, dump_int, has_nan
from serilux._refusals import unsupported
from serilux._registry import REGISTRY, registered_name
from serilux._shapes import put_together, shape_of, take_apart
from serilux._walk import Walk
from serilux.errors import SeriluxError, UnsupportedValueError


class Cloner(Walk):
    """Copies containers and objects, and shares what cannot change."""

    __slots__ = ("heir",)

    steps: ClassVar[dict[type[Any], Callable[[Any, Any], Any]]]
    refusal = UnsupportedValueError

    def __init__(self, owner: object = None, heir: object = None, spare: int = 0) -> None:
        super().__init__(owner, spare)
        self.heir = heir
        """The copy of the owner, to which its methods are bound."""

    def integer(self, value: int) -> Any:
        if not MIN_INT <= value <= MAX_INT:
            dump_int(value)
        return value

    def number(self, value: float) -> Any:
        if isnan(value):
            self.refuse_nan_key()
        return value

    def leaf(self, value: Any) -> Any:
        self.payload(value)
        return value

    def payload(self, value: Any) -> Any:
        if has_nan(value):
            self.refuse_nan_key()
        return LEAF_OF_TYPE[type(value)].dump(value)

    def tuples(self, value: tuple[Any, ...]) -> Any:
        return tuple(self.items(value))

    def sets(self, value: set[Any]) -> Any:
        return set(self.keys(value))

    def frozen_sets(self, value: frozenset[Any]) -> Any:
        return frozenset(self.keys(value))

    def mapping(self, value: dict[Any, Any]) -> Any:
        if is_flat(value):
            return self.flat(value)
        if all(type(key) is str for key in value):
            return self.named(self.fields(value))
        return self.mapped(self.pairs(value))

    def named(self, done: dict[str, Any]) -> Any:
        return done

    def mapped(self, done: list[Any]) -> Any:
        return dict(done)

    def pairs(self, value: dict[Any, Any]) -> list[Any]:
        """Return what becomes of each key and its value."""
        self.enter(value, len(value))
        done = []
        key: Any = None
        try:
            for key, item in value.items():
                done.append([self.key(key), self.visit(item)])
        except SeriluxError as error:
            error.under(step_to(key))
            raise
        self.leave(value)
        return done

    def other(self, value: Any) -> Any:
        cls = type(value)
        if isinstance(value, FieldOwner):
            self.refuse_no_data(cls)
            self.refuse_identity_key(cls)
            check_constructible(cls)
            return self.documented(value) if has_own_document(cls) else self.owned(value)
        if REGISTRY.knows(cls):
            registered_name(cls)
            return self.member(value) if isinstance(value, Enum) else self.record(value)
        if self.owner is not None and callable(value):
            return self.reference(value)
        raise unsupported(value)

    def member(self, value: Enum) -> Any:
        if type(value).__members__.get(value._name_) is not value:
            raise UnsupportedValueError(f"{value!r} is no single member of its Enum; store its value instead")
        return value

    def record(self, value: Any) -> Any:
        """Copy through the constructor, and refuse an object that it does not make again."""
        cls = type(value)
        shape = shape_of(cls)
        assert shape is not None  # nothing else can be registered
        self.refuse_identity_key(cls)
        copy = put_together(shape, cls, self.fields(take_apart(shape, value), value))
        if not identical(copy, value):
            raise UnsupportedValueError(
                f"the constructor of {cls.__name__} makes another object of this one's fields; "
                "let it take them as they are"
            )
        return copy

    def owned(self, value: FieldOwner) -> Any:
        """Copy the registered fields into a new object."""
        copy = called(type(value), type(value))
        outer = self.owner, self.heir
        self.owner, self.heir = value, copy
        fields = self.owned_fields(value)
        self.owner, self.heir = outer
        copy.add_serializable_fields(fields)
        copy.set_fields(fields)
        return copy

    def owned_fields(self, value: FieldOwner) -> dict[str, Any]:
        """Return what becomes of the registered fields."""
        return self.fields(value.field_values(), value)

    def documented(self, value: FieldOwner) -> Any:
        """Copy through the object's own document."""
        document = self.own_document(value)
        copy = called(type(value), type(value))
        called(type(value), lambda: copy.deserialize(document))
        return copy

    def own_document(self, value: FieldOwner) -> dict[str, Any]:
        """Return the document of an object that makes its own."""
        self.enter(value, 0)
        try:
            document = cast(Documented, value).serialize()
        except SeriluxError as error:
            error.without_root(registered_name(type(value)))
            raise
        if type(document) is not dict or TYPE_KEY not in document:
            raise UnsupportedValueError(f"{type(value).__name__}.serialize() gave no dict with {TYPE_KEY!r}")
        self.leave(value)
        self.check_own(document)
        return document

    def reference(self, value: Callable[..., Any]) -> Any:
        reference_to(value, self.owner)
        return MethodType(value.__func__, self.heir) if isinstance(value, MethodType) else value


def steps_of(walk: type[Cloner]) -> dict[type[Any], Callable[[Any, Any], Any]]:
    """Return which method of the walk takes which type."""
    return {
        type(None): walk.same,
        bool: walk.same,
        str: walk.text,
        int: walk.integer,
        float: walk.number,
        list: walk.items,
        tuple: walk.tuples,
        dict: walk.mapping,
        set: walk.sets,
        frozenset: walk.frozen_sets,
        **dict.fromkeys(LEAF_OF_TYPE, walk.leaf),
    }


Cloner.steps = steps_of(Cloner)
