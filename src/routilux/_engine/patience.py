"""Calls that may take longer than their caller has, since they wait for a lock or a store."""

import threading
from collections.abc import Callable
from typing import TypeVar

from routilux._engine.awaited import Awaited

T = TypeVar("T")


def within(patience: float | None, call: Callable[[], T]) -> T:
    """What a call gives; TimeoutError after `patience` seconds, and then it goes on by itself."""
    if patience is None:
        return call()
    given: list[T] = []
    done = Awaited()

    def run() -> None:
        try:
            given.append(call())
        except Exception as error:  # noqa: BLE001 - it is raised to the caller, if he still waits
            done.come_true(error)
        else:
            done.come_true()

    threading.Thread(target=run, name="routilux-patience", daemon=True).start()
    done.wait(patience)
    return given[0]
