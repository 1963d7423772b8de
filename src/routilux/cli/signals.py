"""Ctrl-C and SIGTERM as news, instead of an exception in the middle of something."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from types import FrameType

Heard = SimpleQueue[signal.Signals | None]
"""Signals as they come; None when no more of them are to come."""

_CAUGHT = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def signals_to(heard: Heard, leave: Callable[[], object]) -> Iterator[None]:
    """Put each signal into a queue, which may be done at any moment, until this is left.

    After that they are what they were before; where there was one, this process has only to end: the next has it leave.
    """
    numbers: list[int] = []

    def tell(number: int, frame: FrameType | None) -> None:
        numbers.append(number)
        heard.put(signal.Signals(number))

    def end(number: int, frame: FrameType | None) -> None:
        leave()

    former = {number: signal.signal(number, tell) for number in _CAUGHT}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, end if numbers else handler)
        heard.put(None)
