"""Calls that come to their end whatever becomes of their callers: they wait for a lock, or change a store."""

import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from time import monotonic
from typing import Generic, TypeVar

from routilux._engine.awaited import Awaited, TimeIsUp, left_until
from routilux._engine.threads import start_thread
from routilux.errors import NoThreadError

T = TypeVar("T")


class _Call(Generic[T]):
    """A call that another thread makes, and what has come of it."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._given: list[T] = []
        self._errors: list[BaseException] = []
        self._over = Awaited()

    def begin(self) -> None:
        """Make it, on a thread; where none can be had the caller makes it."""
        try:
            start_thread("routilux-patience", copy_context().run, self._make)
        except NoThreadError:
            self._make()

    def _make(self) -> None:
        try:
            self._given.append(self._call())
        except BaseException as error:  # noqa: BLE001 - it is raised to the caller, if he still waits
            self._errors.append(error)
        self._over.come_true()

    def result(self, patience: float | None) -> T:
        """What it gives or raises; TimeIsUp after `patience` seconds. What a signal raises comes after that."""
        end = None if patience is None else monotonic() + patience
        try:
            self._over.wait(patience)
        except TimeIsUp:
            raise
        except BaseException:
            with suppress(TimeIsUp):
                self._over.wait(left_until(end, monotonic()))
            raise
        if self._errors:
            raise self._errors.pop()
        return self._given.pop()


def within(patience: float | None, call: Callable[[], T]) -> T:
    """What a call gives; TimeIsUp after `patience` seconds, and then it goes on by itself.

    No signal is raised in the middle of it. They are raised in the main thread, at any moment: so another one makes its
    calls. What a signal raises there (KeyboardInterrupt) is raised when the call is over, or with the next signal; the
    call comes to its end in any case.
    """
    if patience is None and threading.current_thread() is not threading.main_thread():
        return call()
    made = _Call(call)
    made.begin()
    return made.result(patience)
