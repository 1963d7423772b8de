"""The only recursive walk, over values and documents alike. What becomes of a node is up to the subclass.

Paths cost nothing until something is refused: then each container puts its step before the error's path.
"""

from collections.abc import Callable, Collection
from typing import Any, ClassVar

from serilux._fields import FieldOwner
from serilux._json import check_levels, is_text, step_to
from serilux._settings import SETTINGS
from serilux.errors import CycleError, LimitError, SeriluxError

_EQUAL_BY_IDENTITY: Any = object.__eq__


class Walk:
    """One walk over one value or document."""

    __slots__ = ("in_fields", "keyed", "max_depth", "max_nodes", "open", "owner", "room")

    steps: ClassVar[dict[type[Any], Callable[[Any, Any], Any]]]
    """What to do with each exact type."""
    refusal: ClassVar[type[SeriluxError]]
    """How this walk refuses."""

    def __init__(self, owner: object, spare: int = 0) -> None:
        """`spare` levels are kept free for what will be put around the value."""
        self.owner = owner
        """Whose methods callables may name; None where there may be no callables."""
        self.max_depth = SETTINGS.depth - spare
        self.max_nodes = self.room = SETTINGS.limits.max_nodes
        self.open: set[int] = set()
        """The containers above this place: its depth, and where a cycle would close."""
        self.in_fields = owner is not None
        """Whether all of this belongs to the fields of one object, and is nobody's data."""
        self.keyed = False
        """Inside a set or a key, where a value must equal itself."""

    def visit(self, node: Any) -> Any:
        """Return what becomes of a node."""
        step = self.steps.get(type(node))
        return self.other(node) if step is None else step(self, node)

    def other(self, node: Any) -> Any:
        """Return what becomes of a node of a type without a step of its own."""
        ...

    def same(self, node: Any) -> Any:
        return node

    def text(self, node: str) -> str:
        if not (node.isascii() or is_text(node)):
            raise self.refusal("text with a lone surrogate is not valid; decode it properly, or use bytes")
        return node

    def items(self, node: Collection[Any]) -> list[Any]:
        """Return what becomes of each item."""
        self.enter(node, len(node))
        done: list[Any] = []
        try:
            for item in node:
                done.append(self.visit(item))
        except SeriluxError as error:
            error.under(f"[{len(done)}]")
            raise
        self.leave(node)
        return done

    def fields(self, node: dict[str, Any], of: object = None) -> dict[str, Any]:
        """Return what becomes of each field of a dict, or of the object that it was taken from."""
        whole = node if of is None else of
        self.enter(whole, len(node))
        done: dict[str, Any] = {}
        name = ""
        try:
            for name, item in node.items():
                done[self.text(name)] = self.visit(item)
        except SeriluxError as error:
            error.under(step_to(name))
            raise
        self.leave(whole)
        return done

    def flat(self, node: dict[str, Any]) -> dict[str, Any]:
        """Return a copy of a dict that is its own document."""
        self.count(len(node))
        return node.copy()

    def keys(self, node: Collection[Any]) -> list[Any]:
        """Return what becomes of each member of a set."""
        outer, self.keyed = self.keyed, True
        done = self.items(node)
        self.keyed = outer
        return done

    def key(self, node: Any) -> Any:
        """Return what becomes of a key."""
        outer, self.keyed = self.keyed, True
        done = self.visit(node)
        self.keyed = outer
        return done

    def refuse_nan_key(self) -> None:
        if self.keyed:
            raise self.refusal("nan in a set or as a key could not be found again; use a list")

    def refuse_identity_key(self, cls: type[Any]) -> None:
        if self.keyed and cls.__eq__ is _EQUAL_BY_IDENTITY:
            raise self.refusal(
                f"{cls.__name__} in a set or as a key could not be found again; "
                "give it __eq__ and __hash__, or use a list"
            )

    def refuse_no_data(self, cls: type[FieldOwner]) -> None:
        if not (cls._may_be_data or self.in_fields):
            raise self.refusal(f"a {cls.__name__} is no data; pass its id, or what serialize() gives")

    def enter(self, node: object, size: int) -> None:
        """Open a container. Raises CycleError if it is open already, or LimitError."""
        if id(node) in self.open:
            raise CycleError("contains itself (a cycle); refer to the outer part by a name or an id instead")
        self.count(size)
        self.open.add(id(node))

    def count(self, size: int) -> None:
        """Make room for a container's items. Raises LimitError."""
        if len(self.open) >= self.max_depth:
            raise LimitError(f"deeper than {self.max_depth} levels; see Limits.max_depth")
        self.room -= size
        if self.room < 0:
            raise LimitError(f"more than {self.max_nodes} items; see Limits.max_nodes")

    def check_own(self, document: object) -> None:
        """Check a document of an object's own making: each of its JSON levels is one of those that are left here."""
        check_levels(document, self.max_depth - len(self.open))

    def leave(self, node: object) -> None:
        self.open.discard(id(node))
