"""What Ctrl-C is while no job runs here. This imports next to nothing: it may come meanwhile."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

INTERRUPTED = 130
"""The exit code of what a signal has ended, as shells have it."""


def ctrl_c_ends_at_once() -> None:
    """Let Ctrl-C end this process without a word, while there is nothing that could be left half done."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def ctrl_c_interrupts() -> Iterator[None]:
    """Have it be an exception again until this is left. Where Ctrl-C was ignored before, it still is."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        ctrl_c_ends_at_once()
