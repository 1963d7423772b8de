"""Those who wait for something to become true of a job."""

from collections.abc import Callable

from routilux._core.job import Job
from routilux._engine.awaited import Awaited
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
    """What comes true when its condition holds. All calls are made under the job's lock."""

    __slots__ = ("_conditions", "tasks")

    def __init__(self) -> None:
        self._conditions: tuple[tuple[Condition, Awaited], ...] = ()
        self.tasks: dict[int, Awaited] = {}

    def when(self, condition: Condition, job: Job, lost: Exception | None = None) -> Awaited:
        """What comes true when the condition holds, perhaps at once; it raises `lost`, where that is known."""
        awaited = Awaited()
        if lost is not None:
            awaited.come_true(lost)
        elif condition(job):
            awaited.come_true()
        else:
            self._conditions = (*self._conditions, (condition, awaited))
        return awaited

    @property
    def are_waiting(self) -> bool:
        """Whether somebody still waits for a condition; no lock is needed to ask."""
        return any(not (awaited.is_done or awaited.given_up) for _, awaited in self._conditions)

    def when_attempted(self, number: int) -> Awaited:
        """What comes true when an attempt of the task has ended, or the job stops running."""
        return self.tasks.setdefault(number, Awaited())

    def forget(self, awaited: Awaited) -> None:
        """Let go of somebody who waits no longer."""
        self._conditions = tuple(entry for entry in self._conditions if entry[1] is not awaited)

    def check(self, job: Job) -> None:
        """Wake those whose condition holds now."""
        if not self._conditions:
            return
        met = [entry for entry in self._conditions if entry[1].given_up or entry[0](job)]
        for _, awaited in met:  # before they are forgotten: a signal may come in the middle
            awaited.come_true()
        self._conditions = tuple(entry for entry in self._conditions if entry not in met)

    def stopped(self) -> None:
        """Wake those who wait for tasks: the job does not run any more."""
        for number in list(self.tasks):
            self.attempted(number)

    def fail(self, error: Exception) -> None:
        """Have all who wait fail: the job is out of this process's hands."""
        for awaited in [*(awaited for _, awaited in self._conditions), *self.tasks.values()]:
            awaited.come_true(error)
        self._conditions, self.tasks = (), {}

    def tell(self, error: Exception, job: Job) -> None:
        """Have those fail whose condition does not hold; no lock is held, so that who comes just then may be missed."""
        for condition, awaited in self._conditions:
            if not condition(job):  # else they are just being woken
                awaited.come_true(error)

    def attempted(self, number: int) -> None:
        """Wake those who wait for this task."""
        if self.tasks and (awaited := self.tasks.get(number)) is not None:
            awaited.come_true()
            del self.tasks[number]


NOBODY = Watchers()
"""Those of all jobs for which nobody waits."""
