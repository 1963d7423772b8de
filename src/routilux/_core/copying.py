"""A job as another object, to be changed while the first one stays as it is."""

from msgspec.structs import replace

from routilux._core.expectations import Expectations
from routilux._core.job import Job
from routilux._core.ready_queue import ReadyQueue
from routilux._records import Data


def copied(job: Job) -> Job:
    """A job with the same tasks and data; what changes as it is kept or begins to run is in containers of its own.

    Its history, shared data and shared log are those of the first: to them nothing happens before it runs.
    """
    copy = replace(
        job,
        ready=ReadyQueue(),
        delayed=(),
        expecting=Expectations(),
        active=dict(job.active),
        failed=list(job.failed),
        routines=dict(job.routines),
        slot_data={key: gathered(data) for key, data in job.slot_data.items()},
    )
    for task in (*job.ready, *job.waiting()):
        copy.enlist(task)
    return copy


def gathered(data: Data) -> Data:
    """The data of a slot, which may go on gathering values in lists, in lists of its own."""
    return {name: list(value) if type(value) is list else value for name, value in data.items()}
