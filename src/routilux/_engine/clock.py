"""Time as a port: what it is now, and being called when it is later."""

import threading
import time
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Protocol

from routilux._engine.threads import is_mine, start_thread, tell_of
from routilux._engine.workers import OthersWait, WorkerThreads
from routilux._forks import renew_after_fork
from routilux.errors import NoThreadError

MOST_CALLERS = 16


class Timer(Protocol):
    """Something that will happen, unless it is cancelled."""

    def cancel(self) -> None:
        """Let it not happen. Nothing changes where it has happened already."""


class Clock(Protocol):
    """Seconds since the epoch, and calls at given times."""

    def now(self) -> float:
        """Say what time it is."""

    def follow_wall(self) -> None:
        """Catch up, where the time is behind what the machine shows."""

    @property
    def is_in_use(self) -> bool:
        """Whether the calling thread is in the middle of a call that keeps others out: a signal may have come."""

    def stand_by(self) -> None:
        """Be able to call back from now on; NoThreadError where that cannot be."""

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Call back, on some other thread, at `when` or soon after."""


class ScheduledCall:
    """A callback that can be cancelled, and served by a worker."""

    __slots__ = ("callback", "queued")

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback
        self.queued: object = None

    def cancel(self) -> None:
        """Let it not happen."""
        self.callback = None

    def __call__(self) -> None:
        callback, self.callback = self.callback, None
        if callback is not None:
            callback()

    def serve(self, others_wait: OthersWait) -> None:
        """Let it happen."""
        self()


Reading = Callable[[], float]


class SystemClock:
    """The machine's clock, which never goes back; one thread for all timers, and others on which they go off.

    What a timer does waits for the lock of its job, behind users' code or its store: it holds up no other job's, until
    `MOST_CALLERS` do so at once.

    Time goes on as the monotonic clock does, from what the wall showed. Where the wall is found to be ahead (it was
    set, or the machine slept) time follows; where it was set back, due times that are in documents would come late,
    so time goes on.
    """

    def __init__(self, wall: Reading = time.time, monotonic: Reading = time.monotonic) -> None:
        self._numbers = count()
        self._crowded = 64
        self._begin_anew()
        self.now, self.follow_wall = _paired(wall, monotonic)
        renew_after_fork(self)

    def _begin_anew(self) -> None:
        self._lock = threading.RLock()  # entered itself: a Condition could be left locked by a signal
        self._changed = threading.Condition(self._lock)
        self._calls: list[tuple[float, int, ScheduledCall]] = []
        self._thread: threading.Thread | None = None
        self._callers = WorkerThreads(MOST_CALLERS, "routilux-alarms")

    @property
    def is_in_use(self) -> bool:
        """Whether the calling thread is in the middle of a call that keeps others out: a signal may have come."""
        return is_mine(self._lock)

    def stand_by(self) -> None:
        """Have the thread that waits for the next timer; NoThreadError where it cannot be started."""
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = start_thread("routilux-timers", self._run)

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Call back on one of the clock's threads; NoThreadError where there is none, and cannot be one."""
        call = ScheduledCall(callback)
        self.stand_by()
        self.follow_wall()
        with self._lock:
            if len(self._calls) >= self._crowded:
                self._forget_cancelled()
            heappush(self._calls, (when, next(self._numbers), call))
            if self._calls[0][2] is call:
                self._changed.notify()
        return call

    def _run(self) -> None:
        while True:
            try:
                self._go_off(self._wait_for_next())
            except BaseException as error:  # noqa: BLE001 - no timer may cost the others their thread
                tell_of(error)

    def _go_off(self, call: ScheduledCall) -> None:
        try:
            self._callers.submit(call)
        except NoThreadError:  # better here, where it holds up others, than not at all
            call()

    def _wait_for_next(self) -> ScheduledCall:
        with self._lock:
            while True:
                self._drop_cancelled()
                self.follow_wall()
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


def _paired(wall: Reading, monotonic: Reading) -> tuple[Reading, Callable[[], None]]:
    """Closures, because the time is read several times in each activation."""
    ahead = wall() - monotonic()

    def now() -> float:
        return ahead + monotonic()

    def catch_up() -> None:
        nonlocal ahead
        ahead = max(ahead, wall() - monotonic())

    return now, catch_up
