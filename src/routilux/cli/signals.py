"""Ctrl-C and SIGTERM as news, instead of an exception in the middle of something."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from types import FrameType

Signals = signal.Signals
News = Signals | str | None
"""A signal, a remark to be shown, or None for a reason to look."""

_CAUGHT = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def signals_to(news: "SimpleQueue[News]", leave: Callable[[], object]) -> Iterator[None]:
    """Put each signal into a queue, which may be done at any moment, until this is left.

    After that they are what they were before; where there was one, this process has only to end: the next has it leave.
    """
    heard: list[signal.Signals] = []

    def tell(number: int, frame: FrameType | None) -> None:
        heard.append(signal.Signals(number))
        news.put(heard[-1])

    def end(number: int, frame: FrameType | None) -> None:
        leave()

    former = {number: signal.signal(number, tell) for number in _CAUGHT}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, end if heard else handler)
