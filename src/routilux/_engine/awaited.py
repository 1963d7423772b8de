"""Something that comes true once, those who wait for it, and for how long."""

import threading
from collections.abc import Callable

from routilux._numbers import shown_number
from routilux.errors import DefinitionError


class TimeIsUp(TimeoutError):
    """Somebody has waited for as long as he would; what a signal raises meanwhile may be another TimeoutError."""


class Awaited:
    """Comes true, or fails with an `error`, once. Any thread may wait for it or have itself told.

    Less than a future of the standard library is: nobody can cancel it, so that several may wait for the same. Where
    it is `given_up`, nobody does any more.
    """

    __slots__ = ("_listeners", "error", "given_up", "is_done")

    def __init__(self) -> None:
        self._listeners: list[Callable[[], None]] = []
        self.error: Exception | None = None
        self.is_done = False
        self.given_up = False

    def come_true(self, error: Exception | None = None) -> None:
        """Let all go on who wait; with an `error` it raises that there. The first time counts."""
        if not self.is_done:
            self.error, self.is_done = error, True
        self._tell_all()  # perhaps once more: a signal may have come in the middle

    def tell(self, listener: Callable[[], None]) -> None:
        """Call a function, which must not raise, when it is done; at once if it is."""
        self._listeners.append(listener)
        if self.is_done:
            self._tell_all()

    def _tell_all(self) -> None:
        """Each listener is taken by one thread, whichever comes first."""
        while self._listeners:
            try:
                listener = self._listeners.pop()
            except IndexError:
                return
            listener()

    def wait(self, timeout: float | None = None) -> None:
        """Return when it has come true; TimeIsUp after `timeout` seconds."""
        if not self.is_done:
            gate = threading.Lock()  # of its own: where a signal ends this, nobody else notices
            gate.acquire()
            self.tell(gate.release)
            if not gate.acquire(timeout=-1 if timeout is None else max(timeout, 0.0)):
                raise TimeIsUp
        if self.error is not None:
            raise self.error.with_traceback(None)  # each who waits raises the same one


def left_until(deadline: float | None, now: float) -> float | None:
    """How many seconds are left; None where there is no end."""
    return None if deadline is None else max(deadline - now, 0.0)


def checked_patience(timeout: float | None) -> float | None:
    """How long to wait, in seconds; below 0 is 0, and more than threads can wait is None, for ever."""
    if timeout is None:
        return None
    if type(timeout) not in (int, float) or timeout != timeout:  # noqa: PLR0124 - nan
        raise DefinitionError(f"a timeout is a number of seconds or None, not {shown_number(timeout)}")
    return None if timeout > threading.TIMEOUT_MAX else max(float(timeout), 0.0)
