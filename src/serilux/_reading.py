"""Reading a whole from its parts: where each problem is, and all of them at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from serilux._fields import Documented, called
from serilux.errors import CombinedError, SeriluxError

_Object = TypeVar("_Object")
_MOST: Final = 100


def construct(cls: type[_Object], path: str) -> _Object:
    """Build an object to read a document into; what its constructor raises is an error of the document at `path`."""
    with placed(path):
        built: _Object = called(cls, cls)
        return built


def read_part(part: Documented, document: Any, path: str) -> None:
    """Let a part of a whole read its own document; all that is wrong is said with its place in the whole."""
    with placed(path):
        called(type(part), lambda: part.deserialize(document))


@contextmanager
def placed(path: str) -> Iterator[None]:
    """Put the place of a part before the path of what is wrong with it."""
    try:
        yield
    except SeriluxError as error:
        error.under(path)
        raise


@contextmanager
def rooted() -> Iterator[None]:
    """Have paths begin with a name, as those of a whole document do; the whole itself is `$`."""
    try:
        yield
    except SeriluxError as error:
        error.rooted()
        raise


@contextmanager
def collected(problems: list[SeriluxError]) -> Iterator[None]:
    """Keep what is wrong with one part, so that the other parts can be looked at; `raise_together` ends that.

    So do many problems, as each takes more memory than the part that has it.
    """
    try:
        yield
    except SeriluxError as error:
        problems.append(error)
        if len(problems) == _MOST:
            raise CombinedError(problems, "or more") from None


def raise_together(problems: list[SeriluxError]) -> None:
    """Raise what was collected: nothing, the one error as it is, or one CombinedError."""
    if problems:
        raise problems[0] if len(problems) == 1 else CombinedError(problems)
