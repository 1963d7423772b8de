"""Plain JSON: what it may hold, how deep and large it may be, and how a place in it is called."""

from collections.abc import Iterable
from difflib import get_close_matches
from math import isfinite
from typing import Any, Final

from serilux._settings import SETTINGS, SPARE
from serilux.errors import CycleError, DocumentError, LimitError, SeriluxError

MAX_INT: Final = 2**63 - 1
MIN_INT: Final = -(2**63)
_LEVELS_PER_VALUE: Final = 3
"""A value one level deep is written at most this many JSON levels deep."""


def step_to(key: object) -> str:
    """Return how a path goes on to the item at `key`: `.name`, or `['odd key']`."""
    if isinstance(key, str) and key.isidentifier() and len(key) <= _LONGEST:
        return f".{key}"
    return f"[{shown(key)}]"


def shown(value: object) -> str:
    """Return a short, ASCII-only text for a value in a message, whatever the value is."""
    if type(value) is int and value.bit_length() > 4 * _LONGEST:  # Python may refuse to write it at all
        return f"<int of {value.bit_length()} bits>"
    part = value[:_LONGEST] if isinstance(value, str | bytes) else value
    text = ascii(part) if type(value) in _SHOWABLE else f"<{type(value).__name__}>"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


_LONGEST: Final = 60
"""Characters of a name or value in a message or path. Finding the name nearest to a longer one costs too much."""
_SHOWABLE: Final = frozenset({type(None), bool, int, float, str, bytes})


def one_of(names: Iterable[str]) -> str:
    """Return the names as a list for a message."""
    return ", ".join(repr(name) for name in names) or "nothing"


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return a hint at the name nearest to `name`, or nothing."""
    near = get_close_matches(name, list(names)) if len(name) <= _LONGEST else []
    return f" (did you mean {near[0]!r}?)" if near else ""


def is_text(value: str) -> bool:
    """Tell whether a str can be written as UTF-8, i.e. holds no lone surrogate."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_flat(data: dict[Any, Any]) -> bool:
    """Tell whether a dict is, as it stands, its own document: ASCII names with simple values.

    A quick yes; a no only means that the long way has to be gone.
    """
    key = ""
    for key in data:  # noqa: PLC0206  # twice as fast as items() for few fields
        if type(key) is not str or not key.isascii():
            return False
        item = data[key]
        kind = type(item)
        if kind is str:
            if not item.isascii():
                return False
        elif kind is int:
            if not MIN_INT <= item <= MAX_INT:
                return False
        elif kind is float:
            if item - item != 0.0:  # not a number, or infinite
                return False
        elif item is not None and kind is not bool:
            return False
    return len(data) != 1 or key[:1] != "$"


def scalar_problem(value: object) -> str:
    """Return why a value is not a plain JSON scalar, or "" if it is one."""
    kind = type(value)
    if value is None or kind is bool:
        return ""
    if kind is str:
        return "" if is_text(str(value)) else "text with a lone surrogate is not valid in JSON; remove it"
    if kind is int:
        return "" if MIN_INT <= value <= MAX_INT else "an integer beyond 64 bits is written {'$int': '0x...'}"  # type: ignore[operator]  # kind says so
    if kind is float:
        return "" if isfinite(value) else "a number that is not finite is written {'$float': 'nan'}"  # type: ignore[arg-type]  # kind says so
    return f"{kind.__name__} is no plain JSON; documents hold exactly dict, list, str, int, float, bool, None"


def check_document(document: object, path: str = "document") -> None:
    """Refuse anything but plain JSON within the limits: the first look at what comes from outside.

    Raises DocumentError, LimitError or CycleError, with the path of what is wrong (design law 8).
    """
    try:
        check_levels(document, (SETTINGS.depth + SPARE) * _LEVELS_PER_VALUE)
    except SeriluxError as error:
        error.under(path)
        raise
    except RecursionError as error:
        raise LimitError("nested too deeply for the stack; make it flatter", path) from error


def check_levels(document: object, levels: int) -> None:
    """Refuse anything but plain JSON of up to so many levels."""
    _Check(levels, SETTINGS.limits.max_nodes).node(document)


class _Check:
    """One walk over one document."""

    __slots__ = ("max_depth", "open", "room")

    def __init__(self, max_depth: int, max_nodes: int) -> None:
        self.max_depth = max_depth
        self.room = max_nodes
        self.open: set[int] = set()

    def node(self, node: object) -> None:
        if type(node) is dict:
            if is_flat(node):
                self.count(len(node))
            else:
                self.fields(node)
        elif type(node) is list:
            self.items(node)
        elif problem := scalar_problem(node):
            raise DocumentError(problem)

    def fields(self, node: dict[Any, Any]) -> None:
        self.enter(node)
        key: Any = None
        try:
            for key, item in node.items():
                if type(key) is not str or not (key.isascii() or is_text(key)):
                    raise DocumentError("a key of a JSON object is a str without lone surrogates")
                self.node(item)
        except SeriluxError as error:
            error.under(step_to(key))
            raise
        self.open.discard(id(node))

    def items(self, node: list[Any]) -> None:
        self.enter(node)
        index = 0
        try:
            for index, item in enumerate(node):  # noqa: B007  # read when an item is refused
                self.node(item)
        except SeriluxError as error:
            error.under(f"[{index}]")
            raise
        self.open.discard(id(node))

    def enter(self, node: dict[Any, Any] | list[Any]) -> None:
        if id(node) in self.open:
            raise CycleError("the document contains itself")
        self.count(len(node))
        self.open.add(id(node))

    def count(self, size: int) -> None:
        if len(self.open) >= self.max_depth:
            raise LimitError(f"deeper than {self.max_depth} JSON levels; see Limits.max_depth")
        self.room -= size
        if self.room < 0:
            raise LimitError("too many items in one document; see Limits.max_nodes")
