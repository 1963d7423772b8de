"""The threads of a flow, and the queue of jobs that have something to run."""

import threading
from collections import deque
from typing import Protocol


class Servable(Protocol):
    """A job as the workers see it."""

    queued: bool

    def serve(self, others_wait: "OthersWait") -> bool:
        """Run activations until there are none, or others wait; True when some are left."""


class OthersWait(Protocol):
    """Tells a job that is served whether it keeps others waiting."""

    def __call__(self) -> bool:
        """Whether another job is queued."""


class Workers(Protocol):
    """Whatever it is that serves jobs."""

    def submit(self, job: Servable) -> None:
        """See to it that the job is served. It may be queued already."""

    def replace_stuck(self) -> None:
        """Make up for a worker whose handler does not come back in time."""

    def retire(self) -> bool:
        """Say, once per `replace_stuck`, that the calling worker is one too many."""

    def close(self) -> None:
        """Serve what is queued, then nothing more."""


class WorkerThreads:
    """Up to `limit` daemon threads, started when there is work for them, that take jobs in turn."""

    def __init__(self, limit: int, name: str) -> None:
        self._limit = limit
        self._name = name
        self._jobs: deque[Servable] = deque()
        self._changed = threading.Condition(threading.Lock())
        self._idle = 0
        self._threads = 0
        self._surplus = 0
        self._closed = False

    def submit(self, job: Servable) -> None:
        """Queue the job, and wake or start a worker for it."""
        with self._changed:
            if job.queued:
                return
            job.queued = True
            self._jobs.append(job)
            self._find_worker()

    def _find_worker(self) -> None:
        if self._idle:
            self._idle -= 1
            self._changed.notify()
        elif self._threads < self._limit + self._surplus:
            self._threads += 1
            threading.Thread(target=self._run, name=self._name, daemon=True).start()

    def replace_stuck(self) -> None:
        """Allow one more thread until the stuck one retires."""
        with self._changed:
            self._surplus += 1
            if self._jobs:
                self._find_worker()

    def retire(self) -> bool:
        """Take back the permission for one more thread."""
        with self._changed:
            if not self._surplus:
                return False
            self._surplus -= 1
            return True

    def close(self) -> None:
        """Let the threads end when the queue is empty."""
        with self._changed:
            self._closed = True
            self._idle = 0
            self._changed.notify_all()

    def _run(self) -> None:
        while (job := self._next_job()) is not None:
            if job.serve(self._others_wait):
                self.submit(job)
            del job  # which may be over: nobody is to hold it while waiting for the next

    def _others_wait(self) -> bool:
        return bool(self._jobs)

    def _next_job(self) -> Servable | None:
        with self._changed:
            while self._threads <= self._limit + self._surplus:
                if self._jobs:
                    job = self._jobs.popleft()
                    job.queued = False
                    return job
                if self._closed:
                    break
                self._idle += 1
                self._changed.wait()
            self._threads -= 1
            if self._jobs:
                self._find_worker()
            return None
