"""When a job is to be woken, and when its attempts have taken too long."""

from collections.abc import Callable
from weakref import WeakMethod

from routilux._engine.clock import Clock, Timer


class Alarms:
    """The one timer of a job, what ends its attempts, and what lets others begin beside one.

    Without a clock nothing is ever due. All calls are made under the job's lock.
    """

    __slots__ = ("_clock", "_solitude", "_timer", "_when", "expiries")

    def __init__(self, clock: Clock | None) -> None:
        self.expiries: dict[int, Timer] = {}
        self._clock = clock
        self._solitude: Timer | None = None
        self._timer: Timer | None = None
        self._when: float | None = None

    def wake_at(self, when: float | None, wake: Callable[[], None]) -> None:
        """Have the job woken then, and at no other time; None is never."""
        if when == self._when:
            return
        self.sleep()
        if when is not None and self._clock is not None:
            self._timer, self._when = self._clock.call_at(when, wake), when

    def keep_no_longer(self, wake: Callable[[], None]) -> None:
        """Have the job woken as before, if somebody has it by then: it is not kept for that."""
        when = self._when
        self.sleep()
        self.wake_at(when, _weakly(wake))

    def sleep(self) -> None:
        """Have the job not woken; a timer that is going off just now may still do so."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._when = None

    def fall_silent(self) -> None:
        """Have nothing happen any more: the job is no longer here, nor are its attempts."""
        self.sleep()
        self.leave_alone_no_more()
        for number in list(self.expiries):
            self.release(number)

    def expire_in(self, seconds: float, number: int, expire: Callable[[], None]) -> None:
        """Give an attempt of a task so many seconds."""
        if self._clock is not None:
            self.expiries[number] = self._clock.call_at(self._clock.now() + seconds, expire)

    def leave_alone_until(self, when: float, go_on: Callable[[], None]) -> None:
        """Have the job go on with other tasks then."""
        self.leave_alone_no_more()
        if self._clock is not None:
            self._solitude = self._clock.call_at(when, go_on)

    def leave_alone_no_more(self) -> None:
        """Let the job go on with other tasks now."""
        if self._solitude is not None:
            self._solitude.cancel()
        self._solitude = None

    def release(self, number: int) -> None:
        """Let an attempt that has ended not expire."""
        expiry = self.expiries.pop(number, None)
        if expiry is not None:
            expiry.cancel()


def _weakly(method: Callable[[], None]) -> Callable[[], None]:
    """What calls a method as long as there is its object, which is not kept by that."""
    known = WeakMethod(method)

    def call() -> None:
        if (found := known()) is not None:
            found()

    return call


SILENT = Alarms(None)
"""Those of all jobs that have to be woken for nothing."""
