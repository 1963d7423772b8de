"""What a flow's jobs run on."""

import os
import threading
from collections.abc import Callable

from routilux._engine.awaited import Awaited
from routilux._engine.clock import Clock, SystemClock
from routilux._engine.coroutines import Coroutines, LazyLoopThread
from routilux._engine.lost_at_exit import Unsettled, watch
from routilux._engine.workers import Workers, WorkerThreads
from routilux._forks import renew_after_fork
from routilux.errors import FlowShutDownError, RoutiluxError


class Engine:
    """A clock, workers, an event loop, and the jobs that run on them in this process.

    `closed_first` says that of those whose store was closed before the flow, and which have not come back.
    """

    def __init__(self, clock: Clock, workers: Workers, coroutines: Coroutines, new_id: Callable[[], str]) -> None:
        self.clock = clock
        self.workers = workers
        self.coroutines = coroutines
        self.new_id = new_id
        self.closed = False
        self._begin_anew()
        renew_after_fork(self)

    def _begin_anew(self) -> None:
        self.jobs: set[Unsettled] = set()
        self.closed_first: dict[str, RoutiluxError] = {}
        self._lock = threading.Lock()

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
            self.closed_first.pop(job.job.job_id, None)
        self.clock.follow_wall()

    def stop_admitting(self) -> bool:
        """Take in no more jobs; False where that was so already."""
        with self._lock:
            was_open, self.closed = not self.closed, True
            return was_open

    def wait_for(self, awaited: Awaited, timeout: float | None = None) -> None:
        """Block the caller until it has come true; TimeIsUp after `timeout` seconds."""
        awaited.wait(timeout)

    def close(self) -> None:
        """End the threads when they have nothing left to do."""
        self.workers.close()
        self.coroutines.close()


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
