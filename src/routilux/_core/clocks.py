"""Times that another host's clock has set."""

from msgspec.structs import replace

from routilux._core.expectations import Expectations
from routilux._core.job import Job
from routilux._records import Task


def wait_no_longer_than_asked(job: Job, now: float) -> None:
    """Where the clock is behind that of whoever let tasks wait, begin to wait anew: it would take as much longer."""
    waiting = [*(entry[2] for entry in job.delayed), *job.expecting.tasks.values()]
    if any(task.since > now for task in waiting):
        job.delayed, job.expecting = (), Expectations()
        for task in waiting:
            job.enlist(_from_now_on(task, now) if task.since > now else task)


def _from_now_on(task: Task, now: float) -> Task:
    due = None if task.due is None else now + (task.due - task.since)
    deadline = None if task.deadline is None else now + (task.deadline - task.since)
    return replace(task, since=now, due=due, deadline=deadline)
