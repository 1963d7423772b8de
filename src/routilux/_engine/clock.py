"""Time as a port: what it is now, and being called when it is later."""

import threading
import time
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Protocol


class Timer(Protocol):
    """Something that will happen, unless it is cancelled."""

    def cancel(self) -> None:
        """Let it not happen. Nothing changes where it has happened already."""


class Clock(Protocol):
    """Seconds since the epoch, and calls at given times."""

    def now(self) -> float:
        """Say what time it is."""

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Call back, on some other thread, at `when` or soon after."""


class ScheduledCall:
    """A callback that can be cancelled."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Let it not happen."""
        self.callback = None

    def __call__(self) -> None:
        callback, self.callback = self.callback, None
        if callback is not None:
            callback()


class SystemClock:
    """The machine's clock, and one thread for all timers, started with the first."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._calls: list[tuple[float, int, ScheduledCall]] = []
        self._numbers = count()
        self._crowded = 64
        self._thread: threading.Thread | None = None
        self.now = time.time

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Call back on the timer thread."""
        call = ScheduledCall(callback)
        with self._changed:
            if len(self._calls) >= self._crowded:
                self._forget_cancelled()
            heappush(self._calls, (when, next(self._numbers), call))
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="routilux-timers", daemon=True)
                self._thread.start()
            elif self._calls[0][2] is call:
                self._changed.notify()
        return call

    def _run(self) -> None:
        while True:
            self._wait_for_next()()

    def forget_all(self) -> None:
        """Begin anew in a forked process: its parent's thread and timers are not there."""
        self._changed = threading.Condition()
        self._calls, self._thread = [], None

    def _wait_for_next(self) -> ScheduledCall:
        with self._changed:
            while True:
                self._drop_cancelled()
                if not self._calls:
                    self._changed.wait()
                elif (remaining := self._calls[0][0] - self.now()) > 0:
                    self._changed.wait(min(remaining, threading.TIMEOUT_MAX))
                else:
                    return heappop(self._calls)[2]

    def _forget_cancelled(self) -> None:
        """Keep calls that were cancelled long before their time from piling up."""
        self._calls = [entry for entry in self._calls if entry[2].callback is not None]
        heapify(self._calls)
        self._crowded = 64 + 2 * len(self._calls)

    def _drop_cancelled(self) -> None:
        while self._calls and self._calls[0][2].callback is None:
            heappop(self._calls)
