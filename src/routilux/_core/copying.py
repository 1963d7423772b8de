"""A job as another object, to be changed while the first one stays as it is."""

from msgspec.structs import replace

from routilux._core.expectations import Expectations
from routilux._core.history import BoundedHistory
from routilux._core.job import Job
from routilux._core.ready_queue import ReadyQueue
from routilux._records import Data, HistoryRecord


def copied(job: Job) -> Job:
    """A job with the same tasks and data, in containers of its own: what is done with it is not seen in the other."""
    copy = replace(
        job,
        ready=ReadyQueue(),
        delayed=(),
        expecting=Expectations(),
        active=dict(job.active),
        failed=list(job.failed),
        routines=dict(job.routines),
        history=_own(job.history),
        slot_data={key: gathered(data) for key, data in job.slot_data.items()},
        shared_data=dict(job.shared_data),
        shared_versions=dict(job.shared_versions),
        shared_log=list(job.shared_log),
    )
    for task in (*job.ready, *job.waiting()):
        copy.enlist(task)
    return copy


def _own(history: list[HistoryRecord] | BoundedHistory) -> list[HistoryRecord] | BoundedHistory:
    if isinstance(history, BoundedHistory):
        return BoundedHistory(history, history.maxlen or 0, history.dropped)
    return list(history)


def gathered(data: Data) -> Data:
    """The data of a slot, which may go on gathering values in lists, in lists of its own."""
    return {name: list(value) if type(value) is list else value for name, value in data.items()}
