"""A task that may have killed its process is left alone for a while, so that it is known whether it does."""

from collections.abc import Callable

from routilux._core.crashes import solitude
from routilux._core.job import Job
from routilux._engine.alarms import Alarms
from routilux._records import Task


class Solitude:
    """A task that has just been taken, beside which nothing begins; the job goes on with others (`go_on`) later.

    All calls are made under the job's lock.
    """

    __slots__ = ("_alarms", "_end", "_task")

    def __init__(self, task: Task, now: float, alarms: Alarms, go_on: Callable[[], None]) -> None:
        self._task = task
        self._end = now + solitude(task)
        self._alarms = alarms
        alarms.leave_alone_until(self._end, go_on)

    def lasts(self, job: Job, now: float) -> bool:
        """Whether nothing else may begin yet: the task is in flight, and its time is not over."""
        if now < self._end and job.active.get(self._task.number) is self._task:
            return True
        self._alarms.leave_alone_no_more()
        return False
