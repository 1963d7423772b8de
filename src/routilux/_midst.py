"""What a thread runs in the middle of something else: it must not wait there, as it may have what others need for that.

A finalizer, which the garbage collector calls at any moment, is run so, and a handler of what is logged.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Depth(threading.local):
    """In how many things a thread is."""

    of_here = 0


_DEPTH = _Depth()


@contextmanager
def in_the_middle() -> Iterator[None]:
    """Have whatever this thread runs meanwhile not wait for others."""
    _DEPTH.of_here += 1
    try:
        yield
    finally:
        _DEPTH.of_here -= 1


def is_in_the_middle() -> bool:
    """Whether the calling thread must not wait."""
    return _DEPTH.of_here > 0
