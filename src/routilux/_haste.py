"""How long a caller is willing to wait for a store, where that is shorter than the store waits by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic

LEAST = 0.1
"""Seconds that a store is given in any case, as is a call of whoever has no patience: it may be busy for a moment."""
GRACE = 5 * LEAST
"""Seconds in which several calls of a store come to their end that were begun in time."""
_end: ContextVar[float | None] = ContextVar("routilux_store_end", default=None)


@contextmanager
def in_time(seconds: float | None) -> Iterator[None]:
    """Have stores wait for others no longer than until so many seconds from now, on this thread; None for no limit.

    Within another limit the earlier one counts.
    """
    ends = [end for end in (_end.get(), None if seconds is None else monotonic() + seconds) if end is not None]
    with _until(min(ends, default=None)):
        yield


@contextmanager
def without_haste() -> Iterator[None]:
    """Have stores wait as long as they do by themselves: for what must not be left half done."""
    with _until(None):
        yield


def seconds_left() -> float | None:
    """How many seconds a store may wait; None where nobody has said."""
    end = _end.get()
    return None if end is None else max(end - monotonic(), LEAST)


def at_most(seconds: float) -> float:
    """So many seconds, or as many as there are left if these are fewer."""
    left = seconds_left()
    return seconds if left is None else min(seconds, left)


@contextmanager
def _until(end: float | None) -> Iterator[None]:
    token = _end.set(end)
    try:
        yield
    finally:
        _end.reset(token)
