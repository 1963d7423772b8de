"""What a flow's jobs run on."""

import os
import threading
from collections.abc import Callable

from msgspec import Struct

from routilux._engine.apart import IsHeldUp, Needs, do_apart
from routilux._engine.awaited import Awaited
from routilux._engine.clock import Clock, SystemClock
from routilux._engine.coroutines import Coroutines, LazyLoopThread
from routilux._engine.lost_at_exit import Unsettled, watch
from routilux._engine.namesakes import is_same_moment
from routilux._engine.news import JobLost, tell
from routilux._engine.workers import Workers, WorkerThreads
from routilux._forks import renew_after_fork
from routilux.errors import FlowShutDownError, RoutiluxError


class _LeftFirst(Struct, eq=False):
    """A job whose store was closed before its flow, with the error that says so."""

    job_id: str
    created_at: float
    flow_id: str
    error: RoutiluxError


class Engine:
    """A clock, workers, an event loop, and the jobs that run on them in this process.

    A signal may have one of its calls made in the middle of another, so that its locks can be taken again. `deadlines`
    are those of the threads that are shutting it down; `ends_at` is when it is to be shut down by what is done apart.
    Once the engine `came_to_rest`, that waits no longer.
    """

    def __init__(self, clock: Clock, workers: Workers, coroutines: Coroutines, new_id: Callable[[], str]) -> None:
        self.clock = clock
        self.workers = workers
        self.coroutines = coroutines
        self.new_id = new_id
        self.closed = self.is_at_rest = False
        self.deadlines: dict[int, float] = {}
        self._begin_anew()
        renew_after_fork(self)

    def _begin_anew(self) -> None:
        self.ends_at: float | None = None
        self.came_to_rest = Awaited()
        self.jobs: set[Unsettled] = set()
        self._left_first: dict[str, list[_LeftFirst]] = {}
        self._untold: set[_LeftFirst] = set()
        self._leaving = threading.RLock()  # a finalizer may close a store in the middle
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
        """Know that a job's store was closed before its flow; one that `is_idle` is not kept for that."""
        left = _LeftFirst(job.job.job_id, job.job.created_at, job.job.flow_id, error)
        with self._leaving:
            self._untold.add(left)
            self._left_first.setdefault(left.job_id, []).append(left)
        if is_idle:
            self.jobs.discard(job)

    def is_to_be_told(self, job: Unsettled) -> bool:
        """Whether operators have not been told yet that a job is lost; whoever asks tells them."""
        for left in list(self._left_first.get(job.job.job_id, ())):
            if left.created_at == job.job.created_at:
                return self._takes_telling(left)
        return True

    def _takes_telling(self, left: _LeftFirst) -> bool:
        """Have one thread tell of it; without a lock, as a signal may come and another ask meanwhile."""
        try:
            self._untold.remove(left)
        except KeyError:
            return False
        return True

    def tell_of_closed_first(self) -> list[RoutiluxError]:
        """Tell operators of each job whose store was closed first, and which has not come back here, once.

        What says so of all of them comes back. Where a signal breaks that off, the next call tells the rest.
        """
        all_left = [left for of_id in list(self._left_first.values()) for left in list(of_id)]
        for left in all_left:
            try:
                if self._takes_telling(left):
                    tell(left.job_id, left.flow_id, JobLost(left.error))
            except BaseException:
                self._untold.add(left)
                raise
        return [left.error for left in all_left]

    def welcome_back(self, job: Unsettled) -> None:
        """Tell no more of a job whose store was closed first: it goes on here, by another handle than then."""
        with self._leaving:
            all_left = self._left_first.pop(job.job.job_id, [])
            back = [left for left in all_left if is_same_moment(left.created_at, job.job.created_at)]
            self._untold.difference_update(back)
            if others := [left for left in all_left if left not in back]:
                self._left_first.setdefault(job.job.job_id, [])[:0] = others  # a finalizer may have closed a store
        if back:
            self.jobs -= {other for other in list(self.jobs) if _is_former(other, job)}

    def stop_admitting(self) -> None:
        """Take in no more jobs."""
        with self._lock:
            self.closed = True

    def wait_for(self, awaited: Awaited, timeout: float | None = None) -> None:
        """Block the caller until it has come true; TimeIsUp after `timeout` seconds."""
        awaited.wait(timeout)

    def shut_down_apart(self, call: Callable[[], None], needs: Needs, is_held_up: IsHeldUp) -> None:
        """Have that done outside of what the caller is in the middle of; a process that ends waits for it.

        NoThreadError where it cannot be done.
        """
        do_apart("routilux-shutdown", call, needs, is_held_up)

    def close(self) -> None:
        """End the threads when they have nothing left to do."""
        self.is_at_rest = True  # first: a signal may have it called again in the middle
        try:
            self.workers.close()
            self.coroutines.close()
        except BaseException:
            self.is_at_rest = False
            raise
        self.came_to_rest.come_true()


def _is_former(other: Unsettled, job: Unsettled) -> bool:
    """Whether it is another handle of the same job."""
    is_of_its_id = other is not job and other.job.job_id == job.job.job_id
    return is_of_its_id and is_same_moment(other.job.created_at, job.job.created_at)


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
