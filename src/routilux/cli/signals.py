"""Ctrl-C and SIGTERM as news, instead of an exception in the middle of something."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from types import FrameType

Signals = signal.Signals
News = Signals | str | None
"""A signal, a remark to be shown, or None for a reason to look."""

_CAUGHT = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def signals_to(news: "SimpleQueue[News]") -> Iterator[None]:
    """Put each signal into a queue, which may be done at any moment, until this is left."""

    def tell(number: int, frame: FrameType | None) -> None:
        news.put(signal.Signals(number))

    former = {number: signal.signal(number, tell) for number in _CAUGHT}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
