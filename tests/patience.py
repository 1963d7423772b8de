"""How tests wait: for what they are told of, or, where nobody is told, until it can be seen."""

import threading
from collections.abc import Callable
from time import monotonic, sleep

PATIENCE = 60.0
"""Seconds after which a test has failed: far beyond what any of them needs."""


def until(holds: Callable[[], object]) -> None:
    """Return when something holds of which nobody is told; AssertionError if that takes too long."""
    deadline = monotonic() + PATIENCE
    while not holds():
        assert monotonic() < deadline, f"it did not come about in {PATIENCE:.0f} s"
        sleep(0.0005)


def wait_for_threads(name: str) -> None:
    """Return when all threads of a name have ended."""
    for thread in threading.enumerate():
        if thread.name == name:
            thread.join(PATIENCE)
            assert not thread.is_alive()
