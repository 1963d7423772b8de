"""Calls that come to their end whatever becomes of their callers: they wait for a lock, or change a store."""

from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from time import monotonic
from traceback import format_exception_only
from typing import Generic, TypeVar

from routilux._engine.awaited import Awaited, TimeIsUp, left_until
from routilux._engine.threads import hears_signals, start_nameless
from routilux.errors import NoThreadError

T = TypeVar("T")


class _Call(Generic[T]):
    """A call that one thread makes, whichever takes it, and what has come of it."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._untaken = [call]
        self._given: list[T] = []
        self._errors: list[BaseException] = []
        self._over = Awaited()

    def is_over(self, patience: float | None) -> bool:
        """Have another thread make it, and wait for that; False where none can be had: then nobody makes it.

        TimeIsUp after `patience` seconds. What a signal raises comes when it is over, or when nobody will make it.
        """
        end = None if patience is None else monotonic() + patience
        try:
            start_nameless("routilux-patience", partial(copy_context().run, self._make))
            self._over.wait(left_until(end, monotonic()))
        except TimeIsUp:
            raise
        except BaseException as error:
            if self._take() is None:
                with suppress(TimeIsUp):
                    self._over.wait(left_until(end, monotonic()))
                self._tell(error)
                raise
            if isinstance(error, NoThreadError):
                return False
            error.add_note("(routilux: what this has come into the middle of was not begun)")
            raise
        return True

    def _take(self) -> Callable[[], T] | None:
        """The call, once."""
        try:
            return self._untaken.pop()
        except IndexError:
            return None

    def _make(self) -> None:
        call = self._take()
        if call is None:
            return
        try:
            self._given.append(call())
        except BaseException as error:  # noqa: BLE001 - it is raised to the caller, if he still waits
            self._errors.append(error)
        self._over.come_true()

    def _tell(self, interruption: BaseException) -> None:
        """Say with what a signal has raised what nobody would learn otherwise."""
        if not self._over.is_done:
            interruption.add_note("(routilux: what this has come into the middle of goes on by itself)")
        for error in self._errors:
            what = "".join(format_exception_only(error)).rstrip()
            interruption.add_note(f"(routilux: what this has come into the middle of has failed: {what})")

    def result(self) -> T:
        """What it has given or raised."""
        if self._errors:
            raise self._errors.pop()
        return self._given.pop()


def within(patience: float | None, call: Callable[[], T]) -> T:
    """What a call gives; TimeIsUp after `patience` seconds, and then it goes on by itself.

    No signal is raised in the middle of it. They are raised in the main thread, at any moment: so another one makes its
    calls. What a signal raises there (KeyboardInterrupt) is raised when the call is over, or with the next signal; the
    call comes to its end in any case, or was not begun. Notes say so, and whether it goes on, or has failed. Where no
    thread can be had the caller makes it.
    """
    if patience is None and not hears_signals():
        return call()
    made = _Call(call)
    return made.result() if made.is_over(patience) else call()
