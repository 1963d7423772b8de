"""The threads of a flow, and the queue of jobs that have something to run."""

import threading
from collections import deque
from contextlib import suppress
from typing import Protocol

from routilux._engine.threads import is_mine, start_thread
from routilux._forks import renew_after_fork
from routilux.errors import NoThreadError


class Servable(Protocol):
    """A job as the workers see it; `queued` says by which of them it is, as it may be others' by now."""

    queued: object

    def serve(self, others_wait: "OthersWait") -> None:
        """Run activations until there are none, or others wait; what is left is submitted anew."""


class OthersWait(Protocol):
    """Tells a job that is served whether it keeps others waiting."""

    def __call__(self) -> bool:
        """Whether another job is queued."""


class Workers(Protocol):
    """Whatever it is that serves jobs."""

    def stand_by(self) -> None:
        """Be able to serve jobs from now on; NoThreadError where that cannot be."""

    def submit(self, job: Servable) -> None:
        """See to it that the job is served. It may be queued already."""

    def replace_stuck(self) -> None:
        """Make up for a worker whose handler does not come back in time."""

    def retire(self) -> bool:
        """Say, once per `replace_stuck`, that the calling worker is one too many."""

    @property
    def is_in_use(self) -> bool:
        """Whether the calling thread is in the middle of a call, and no worker gets on: a signal may have come."""

    def close(self) -> None:
        """Serve what is queued, then nothing more."""


class WorkerThreads:
    """Up to `limit` daemon threads, started when there is work for them, that take jobs in turn.

    One that stands by does not end before `close`. Where there is one, and no other can be started, it does all the
    work, until a later job finds that another can. A signal may have one of the calls made in the middle of another.
    """

    def __init__(self, limit: int, name: str) -> None:
        self._limit = limit
        self._name = name
        self._closed = False
        self._begin_anew()
        renew_after_fork(self)

    def _begin_anew(self) -> None:
        self._jobs: deque[Servable] = deque()
        self._lock = threading.RLock()  # entered itself: a Condition could be left locked by a signal
        self._changed = threading.Condition(self._lock)
        self._threads: set[threading.Thread] = set()
        self._idle = 0
        self._surplus = 0

    def stand_by(self) -> None:
        """Have a thread; NoThreadError where none can be started."""
        if not self._threads:
            with self._lock:
                if not self._threads:
                    self._start_thread()

    def submit(self, job: Servable) -> None:
        """Queue the job, and wake or start a worker for it; NoThreadError where there is none and cannot be one."""
        with self._lock:
            if job.queued is self:
                return
            if not self._threads:
                self._start_thread()
            try:
                job.queued = self
                self._jobs.append(job)
                self._find_worker()
            except BaseException:  # a signal: the job may be queued, and then somebody has to know
                job.queued = self if job in self._jobs else None
                self._changed.notify()
                raise

    def _find_worker(self) -> None:
        """See to it that there is a worker for each job that is queued, if there may be."""
        if self._idle >= len(self._jobs):
            self._changed.notify()
        elif len(self._threads) < self._limit + self._surplus:
            with suppress(NoThreadError):  # those that there are do it
                self._start_thread()

    def _start_thread(self) -> None:
        """Start one more, which is idle until it has the lock."""
        thread = start_thread(self._name, self._run)
        self._idle += 1
        self._threads.add(thread)

    def replace_stuck(self) -> None:
        """Allow one more thread until the stuck one retires."""
        with self._lock:
            self._surplus += 1
            if self._jobs:
                self._find_worker()

    def retire(self) -> bool:
        """Take back the permission for one more thread."""
        with self._lock:
            if not self._surplus:
                return False
            self._surplus -= 1
            return True

    @property
    def is_in_use(self) -> bool:
        """Whether the calling thread is in the middle of a call, and no worker gets on: a signal may have come."""
        return is_mine(self._lock)

    def close(self) -> None:
        """Let the threads end when the queue is empty."""
        with self._lock:
            self._closed = True
            self._changed.notify_all()

    def _run(self) -> None:
        me = threading.current_thread()
        try:
            self._arrive(me)
            while (job := self._next_job(me)) is not None:
                job.serve(self._others_wait)
                del job  # which may be over: nobody is to hold it while waiting for the next
        finally:
            with self._lock:
                if me in self._threads:  # it dies
                    self._end(me)

    def _arrive(self, me: threading.Thread) -> None:
        with self._lock:
            if me in self._threads:
                self._idle -= 1
            else:  # Ctrl-C has ended the call that started it
                self._threads.add(me)

    def _others_wait(self) -> bool:
        return bool(self._jobs)

    def _next_job(self, me: threading.Thread) -> Servable | None:
        with self._lock:
            while me in self._threads:  # in a fork that a handler has made, it is not
                if len(self._threads) > self._limit + self._surplus or (self._closed and not self._jobs):
                    self._end(me)
                elif self._jobs:
                    job = self._jobs.popleft()
                    if job.queued is self:
                        job.queued = None
                        return job
                else:
                    self._rest()
            return None

    def _rest(self) -> None:
        self._idle += 1
        try:
            self._changed.wait()
        finally:
            self._idle -= 1

    def _end(self, me: threading.Thread) -> None:
        self._threads.discard(me)
        if self._jobs:
            self._find_worker()
