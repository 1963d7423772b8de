"""What a thread runs in the middle of something else: it must not wait there, as it may have what others need for that.

Handlers of what is logged run so, and calls and claims of a store; so does whatever comes meanwhile: a signal's
handler, or a finalizer, which the garbage collector calls at any moment.
"""

import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class _Depth(threading.local):
    """In how many things a thread is."""

    of_here = 0


_DEPTH = _Depth()


def in_the_middle(call: Callable[P, T], /, *args: P.args, **keywords: P.kwargs) -> T:
    """What a call gives; whatever this thread runs meanwhile does not wait for others.

    No context manager: what a signal raises as one is entered or left would leave its thread marked. Here it can come
    only before the mark, or during the call.
    """
    before = _DEPTH.of_here
    try:
        _DEPTH.of_here = before + 1
        return call(*args, **keywords)
    finally:
        _DEPTH.of_here = before


def is_in_the_middle() -> bool:
    """Whether the calling thread must not wait."""
    return _DEPTH.of_here > 0
