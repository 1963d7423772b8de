"""Those who wait for something to become true of a job."""

from collections.abc import Callable
from concurrent.futures import Future

from routilux._core.job import Job
from routilux._model import JobStatus

Condition = Callable[[Job], bool]


def is_settled(job: Job) -> bool:
    """Nothing is left to do."""
    return job.settled


def is_not_running(job: Job) -> bool:
    """The job is paused or settled."""
    return job.status is not JobStatus.RUNNING


def is_not_running_or_stuck(job: Job) -> bool:
    """Nothing goes on unless somebody resumes the job or delivers to it."""
    return is_not_running(job) or job.stuck


class Watchers:
    """Futures that are done when their condition holds. All calls are made under the job's lock."""

    __slots__ = ("_conditions", "tasks")

    def __init__(self) -> None:
        self._conditions: tuple[tuple[Condition, Future[None]], ...] = ()
        self.tasks: dict[int, Future[None]] = {}

    def when(self, condition: Condition, job: Job, lost: Exception | None = None) -> "Future[None]":
        """A future that is done when the condition holds, perhaps at once; it raises `lost`, where that is known."""
        future: Future[None] = Future()
        if lost is not None:
            future.set_exception(lost)
        elif condition(job):
            future.set_result(None)
        else:
            self._conditions = (*self._conditions, (condition, future))
        return future

    def when_attempted(self, number: int) -> "Future[None]":
        """A future that is done when an attempt of the task has ended, or the job stops running."""
        return self.tasks.setdefault(number, Future())

    def forget(self, future: "Future[None]") -> None:
        """Let go of somebody who waits no longer."""
        self._conditions = tuple(entry for entry in self._conditions if entry[1] is not future)

    def check(self, job: Job) -> None:
        """Wake those whose condition holds now."""
        if not self._conditions:
            return
        met = [entry for entry in self._conditions if entry[1].cancelled() or entry[0](job)]
        self._conditions = tuple(entry for entry in self._conditions if entry not in met)
        for _, future in met:
            _finish(future)

    def stopped(self) -> None:
        """Wake those who wait for tasks: the job does not run any more."""
        for number in list(self.tasks):
            self.attempted(number)

    def fail(self, error: Exception) -> None:
        """Have all who wait fail: the job is out of this process's hands."""
        futures = [*(future for _, future in self._conditions), *self.tasks.values()]
        self._conditions, self.tasks = (), {}
        for future in futures:
            if future.set_running_or_notify_cancel():
                future.set_exception(error)

    def attempted(self, number: int) -> None:
        """Wake those who wait for this task."""
        if self.tasks and (future := self.tasks.pop(number, None)) is not None:
            _finish(future)


def _finish(future: "Future[None]") -> None:
    if future.set_running_or_notify_cancel():
        future.set_result(None)
