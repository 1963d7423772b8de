"""The standard streams of this process, whatever it was started with."""

import os
import sys
from io import TextIOWrapper

ESCAPED = "backslashreplace"
"""What is done with characters that a stream's encoding cannot hold."""


def make_streams_ready() -> None:
    """Let everything be printed: what its encoding cannot hold is escaped, and what was closed leads nowhere.

    No file of ours takes the place of one that was closed after that, into which others would print. A stdin that was
    closed stays None in `sys`.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            nowhere = _opened_nowhere()
            if number > 0:
                setattr(sys, name, os.fdopen(nowhere, "w", encoding="utf-8", closefd=False))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=ESCAPED)


def _opened_nowhere() -> int:
    """The lowest descriptor that is free, for child processes too."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.set_inheritable(nowhere, True)
    return nowhere
