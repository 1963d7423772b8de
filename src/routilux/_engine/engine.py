"""What a flow's jobs run on."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol
from uuid import uuid4

from routilux._core.job import Job
from routilux._engine.clock import Clock, SystemClock
from routilux._engine.coroutines import Coroutines, LazyLoopThread
from routilux._engine.workers import Workers, WorkerThreads


class RunningJob(Protocol):
    """A job as its engine sees it."""

    job: Job


class Engine:
    """A clock, workers, an event loop, and the jobs that run on them in this process."""

    def __init__(self, clock: Clock, workers: Workers, coroutines: Coroutines, new_id: Callable[[], str]) -> None:
        self.clock = clock
        self.workers = workers
        self.coroutines = coroutines
        self.new_id = new_id
        self.jobs: set[RunningJob] = set()
        self.closed = False

    def wait_for(self, future: "Future[None]", timeout: float | None = None) -> None:
        """Block the caller until the future is done; TimeoutError after `timeout` seconds."""
        future.result(timeout)

    def close(self) -> None:
        """End the threads when they have nothing left to do."""
        self.closed = True
        self.workers.close()
        self.coroutines.close()


EngineFactory = Callable[[str, int], Engine]
_SYSTEM_CLOCK = SystemClock()


def threaded_engine(flow_id: str, max_workers: int) -> Engine:
    """An engine of real threads on the machine's clock."""
    return Engine(
        _SYSTEM_CLOCK,
        WorkerThreads(max_workers, f"routilux-{flow_id}"),
        LazyLoopThread(f"routilux-loop-{flow_id}"),
        lambda: uuid4().hex,
    )
