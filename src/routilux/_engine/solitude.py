"""A task that may have killed its process is left alone for a while, so that it is known whether it does."""

from collections.abc import Callable

from routilux._core.crashes import solitude
from routilux._core.job import Job
from routilux._engine.alarms import Alarms
from routilux._records import Task


class Solitude:
    """The `task` beside which nothing begins, if there is one. All calls are made under the job's lock."""

    __slots__ = ("_alarms", "_end", "task")

    def __init__(self, alarms: Alarms) -> None:
        self.task: Task | None = None
        self._alarms = alarms
        self._end = 0.0

    def begin(self, task: Task, now: float, go_on: Callable[[], None]) -> None:
        """Leave a task that has just been taken alone, and have the job go on with others later."""
        self.task, self._end = task, now + solitude(task)
        self._alarms.leave_alone_until(self._end, go_on)

    def lasts(self, job: Job, now: float) -> bool:
        """Whether nothing else may begin yet: the task is in flight, and its time is not over."""
        task = self.task
        if task is not None and now < self._end and job.active.get(task.number) is task:
            return True
        self.task = None
        self._alarms.leave_alone_no_more()
        return False
