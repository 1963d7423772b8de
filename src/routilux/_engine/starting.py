"""How a job begins, whatever becomes of its caller."""

from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct

from routilux._engine.awaited import Awaited
from routilux._engine.keeping import Keeping
from routilux._engine.live_job import LiveJob
from routilux._engine.setting import Setting
from routilux._records import Task

T = TypeVar("T")


class Start(Struct, frozen=True):
    """A job that has not begun, with all that it begins with.

    A signal may come at any moment: what has begun by then is never left to nobody.
    """

    live: LiveJob
    setting: Setting
    task: Task
    keeping: Keeping | None
    named: bool

    def alone(self) -> None:
        """Begin, and have workers run the job, as soon as all so far is on disk: nobody sees what could be lost."""
        self._led(self._leave)

    def _leave(self) -> None:
        self.live.sync()
        self.live.submit()

    def attempted(self) -> Awaited:
        """Begin, and have workers run the job; what comes true with its first attempt."""
        return self._led(lambda: self.live.when_attempted(self.task))

    def run_here(self) -> None:
        """Begin, and return when the first attempt has ended, on the caller's thread if nothing speaks against that."""
        self._led(self._run_first)
        self.live.sync()

    def _run_first(self) -> None:
        if self.live.may_run_here(self.task):
            self.live.run_here(self.task)
            if not self.live.is_attempted_now(self.task):
                return  # else a worker was quicker
        self.live.block_on(self.live.when_attempted(self.task))

    def _led(self, lead: Callable[[], T]) -> T:
        """Begin, and let the caller do what he has begun the job for; where he is kept from that, it runs by itself."""
        try:
            self._begin()
            return lead()
        except BaseException:
            self.live.submit()
            raise

    def _begin(self) -> None:
        """Begin; where a signal ends that early for its caller, the job runs by itself as soon as it has begun."""
        if self.keeping is None:
            self._start()
            return
        is_left = False

        def begin() -> None:
            self._start()
            if is_left:
                self.live.submit()

        try:
            self.live.uninterrupted(begin, keeping=self.keeping)
        except BaseException:
            is_left = True
            raise

    def _start(self) -> None:
        try:
            self.live.start(self.setting, self.task, self.keeping, named=self.named)
        except BaseException as error:
            if self.keeping is None:  # else it is kept as it is, by a thread to which no signal comes
                self._abandon(error)
            raise

    def _abandon(self, error: BaseException) -> None:
        """Let go of a job that is nobody's yet, whatever came as it began."""
        with self.live.telling():
            if self.live.attached:
                self.live.distrust(error)
            else:
                self.live.abandon()
