"""What the reading of an input may cost, and what it may do."""

import json
import sys
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec

from tests.fuzz import probes

SECONDS = 1.0
TRACED_SLOWER = 10
"""Times, while memory is traced: that makes the reading of deep documents up to 16 times slower."""
TIMES = 10
LOADED = 2
"""Times what it takes to have the input in memory: an empty dict is two bytes of text and 72 of memory, so that to load
a text of many takes 18 times its size already. What is read has such a copy of its own, beside the document."""
SPARE = 512 * 1024
"""Bytes beyond ten times the input: an error that comes from the deepest level that the limits allow, through as many
calls, has a traceback of 300 KiB."""

HARMLESS = frozenset(
    {
        "builtins.id",
        "gc.get_referents",
        "object.__getattr__",
        "object.__setattr__",
        "object.__delattr__",
        "sys._getframe",
    }
)
"""What Python code does all the time; setting an attribute is told of where it is one such as `__class__`."""


class Watch:
    """Sees all that the interpreter tells of while it is open: imports, files, processes, code that is made."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.seconds = 0.0
        """How long the last call took: of the processor's time, since others use it, too."""
        self._open = False

        def audit(event: str, args: tuple[Any, ...]) -> None:
            if self._open and event not in HARMLESS:
                self._see(event, args)

        sys.addaudithook(audit)  # it cannot be removed; a method is called four times as slowly, at each `id`

    def _see(self, event: str, args: tuple[Any, ...]) -> None:
        if not _is_zone_file(event, args) and not _is_signature(event, args):
            self.seen.append(f"{event} {args!r:.200}")

    def over(self, call: Callable[[], Any], text: str, *, traced: bool) -> Any:
        """What a call returns; AssertionError for what it must not do, or costs, where `text` is its input.

        It may take ten times the size of its input, or twice what that takes once it is loaded. That is looked
        at if it is `traced`, which makes it five to sixteen times slower.
        """
        self.seen.clear()
        probes.CALLS.clear()
        if traced:
            tracemalloc.start()
        start = time.thread_time()
        self._open = True
        try:
            return call()
        finally:
            self._open = False
            self.seconds = time.thread_time() - start
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert self.seen == [], f"reading it did {self.seen}"
            assert probes.CALLS == [], f"reading it called {probes.CALLS}"
            assert self.seconds < SECONDS * (TRACED_SLOWER if traced else 1), f"reading it took {self.seconds:.2f} s"
            assert peak <= _allowed(text, peak), f"reading {len(text)} bytes took {peak} bytes of memory"


def _allowed(text: str, peak: int) -> int:
    """How much memory the reading of a text may take."""
    if peak <= TIMES * len(text) + SPARE:
        return peak
    return LOADED * max(_loaded(json.loads, text), _loaded(msgspec.json.decode, text)) + SPARE


def _loaded(load: Callable[[str], Any], text: str) -> int:
    """How much memory a document takes: texts of one letter are objects of their own where msgspec has read them."""
    tracemalloc.start()
    with suppress(ValueError):  # it is no JSON to one that takes no NaN and no lone surrogate
        load(text)
    loaded = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return loaded


def _is_zone_file(event: str, args: tuple[Any, ...]) -> bool:
    """Whether it is only that a time zone's file is read, from where the system keeps them."""
    return event == "open" and "zoneinfo" in str(args[0]) and args[1] in ("rb", "r")


def _is_signature(event: str, args: tuple[Any, ...]) -> bool:
    """Whether it is only that `inspect` asks what parameters a builtin such as `print` has: that is a text."""
    return event == "compile" and isinstance(args[0], bytes) and args[0].startswith(b"def foo(")


WATCH = Watch()
