"""What a flow's jobs run on."""

import os
import threading
from collections.abc import Callable

from routilux._engine.awaited import Awaited
from routilux._engine.clock import Clock, SystemClock
from routilux._engine.coroutines import Coroutines, LazyLoopThread
from routilux._engine.lost_at_exit import Unsettled, watch
from routilux._engine.namesakes import is_same_moment
from routilux._engine.news import JobLost, tell
from routilux._engine.workers import Workers, WorkerThreads
from routilux._forks import renew_after_fork
from routilux.errors import FlowShutDownError, RoutiluxError

Moment = tuple[str, float]
"""What tells a job from others of its id: when it was created."""


def moment_of(job: Unsettled) -> Moment:
    """Which job it is, by whatever handle."""
    return job.job.job_id, job.job.created_at


def _is_same(moment: Moment, other: Moment) -> bool:
    return moment[0] == other[0] and is_same_moment(moment[1], other[1])


class Engine:
    """A clock, workers, an event loop, and the jobs that run on them in this process.

    `closed_first` says why of those whose store was closed before the flow, and which have not come back here. A signal
    may have one of its calls made in the middle of another, so that its locks can be taken again.
    """

    def __init__(self, clock: Clock, workers: Workers, coroutines: Coroutines, new_id: Callable[[], str]) -> None:
        self.clock = clock
        self.workers = workers
        self.coroutines = coroutines
        self.new_id = new_id
        self.closed = self.is_at_rest = False
        self._begin_anew()
        renew_after_fork(self)

    def _begin_anew(self) -> None:
        self.jobs: set[Unsettled] = set()
        self.closed_first: dict[Moment, RoutiluxError] = {}
        self._untold: dict[Moment, str] = {}
        self._lock = threading.RLock()

    def admit(self, job: Unsettled) -> None:
        """Take a job in; FlowShutDownError where none is taken in any more, NoThreadError where none could be run.

        What it will need is there before anything of it is: that a thread is missing later holds a job up, at most.
        """
        self.workers.stand_by()
        self.clock.stand_by()
        with self._lock:
            if self.closed:
                raise FlowShutDownError("the flow has been shut down; build or deserialize another")
            self.jobs.add(job)
        self.clock.follow_wall()

    def note_closed_first(self, job: Unsettled, error: RoutiluxError, *, is_idle: bool) -> None:
        """Have it raised at the end that a job's store was closed first; one that `is_idle` is not kept until then."""
        self.closed_first[moment_of(job)] = error
        if is_idle:
            self._untold[moment_of(job)] = job.job.flow_id
            self.jobs.discard(job)

    def note_told(self, job: Unsettled) -> None:
        """Know that operators are told of a job."""
        self._untold.pop(moment_of(job), None)

    def tell_of_closed_first(self) -> None:
        """Tell operators of the jobs whose store was closed first, and of which they have not been told."""
        while self._untold:
            moment, flow_id = self._untold.popitem()
            tell(moment[0], flow_id, JobLost(self.closed_first[moment]))

    def welcome_back(self, job: Unsettled) -> None:
        """Tell no more of a job whose store was closed first: it goes on here, by another handle than then."""
        with self._lock:
            for moment in [moment for moment in self.closed_first if _is_same(moment, moment_of(job))]:
                del self.closed_first[moment]
                self._untold.pop(moment, None)
                self.jobs -= {other for other in list(self.jobs) if moment_of(other) == moment and other is not job}

    def stop_admitting(self) -> None:
        """Take in no more jobs."""
        with self._lock:
            self.closed = True

    def wait_for(self, awaited: Awaited, timeout: float | None = None) -> None:
        """Block the caller until it has come true; TimeIsUp after `timeout` seconds."""
        awaited.wait(timeout)

    def close(self) -> None:
        """End the threads when they have nothing left to do."""
        self.is_at_rest = True  # first: a signal may have it called again in the middle
        try:
            self.workers.close()
            self.coroutines.close()
        except BaseException:
            self.is_at_rest = False
            raise


EngineFactory = Callable[[str, int], Engine]
_SYSTEM_CLOCK = SystemClock()  # one thread for the timers of a process

_SYSTEM_RANDOM: Callable[[int], bytes] = getattr(os, "getrandom", os.urandom)
"""Not `urandom` where there is a choice: that hands the interpreter to busy workers, which doubles what a job costs."""


def random_id() -> str:
    """A name that nothing else has: the system makes each, so that no copy of this process's memory repeats any."""
    return _SYSTEM_RANDOM(16).hex()


def threaded_engine(flow_id: str, max_workers: int) -> Engine:
    """An engine of real threads on the machine's clock."""
    engine = Engine(
        _SYSTEM_CLOCK,
        WorkerThreads(max_workers, f"routilux-{flow_id}"),
        LazyLoopThread(f"routilux-loop-{flow_id}"),
        random_id,
    )
    watch(engine)
    return engine
