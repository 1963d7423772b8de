"""A clock that moves when told to."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from math import inf

from routilux._engine.clock import ScheduledCall, Timer


class VirtualClock:
    """Time as seconds since the epoch, which only `advance` moves on; timers fire on the caller's thread."""

    is_in_use = False

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start
        self._calls: list[tuple[float, int, ScheduledCall]] = []
        self._numbers = count()

    def now(self) -> float:
        """Say what time it is."""
        return self._now

    def follow_wall(self) -> None:
        """Stay: it has no wall to follow."""

    def stand_by(self) -> None:
        """Be ready: it needs no thread."""

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Call back when the clock is advanced to `when` or beyond."""
        call = ScheduledCall(callback)
        heappush(self._calls, (when, next(self._numbers), call))
        return call

    @property
    def next_timer(self) -> float | None:
        """When the next timer fires, or None."""
        while self._calls and self._calls[0][2].callback is None:
            heappop(self._calls)
        return self._calls[0][0] if self._calls else None

    def advance(self, seconds: float) -> None:
        """Move on, firing on the way the timers that come due, in order; ValueError for what is no time to come."""
        if not 0.0 <= seconds < inf:
            raise ValueError(f"a clock is moved on by seconds, 0 or more, not by {seconds!r}")
        end = self._now + seconds
        while (when := self.next_timer) is not None and when <= end:
            self._now = max(self._now, when)
            heappop(self._calls)[2]()
        self._now = end

    def advance_to_next_timer(self) -> bool:
        """Move on to the next timer and fire it; False where there is none."""
        when = self.next_timer
        if when is None:
            return False
        self.advance(max(when - self._now, 0.0))
        return True
