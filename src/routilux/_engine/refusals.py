"""What a store says of jobs that it does not take in, or keeps no more."""

from routilux._backends.backend import MOVED, JobRecord
from routilux._core.job import Job
from routilux._engine.job_log import Position
from routilux._engine.namesakes import is_same_moment
from routilux._engine.owner import is_said_to_be_gone, shown
from routilux._model import SETTLED, JobStatus
from routilux.errors import JobExistsError, OwnershipLost, StoreError, UnknownJobError


def another(job_id: str) -> UnknownJobError:
    """For a job in whose place the store has another one."""
    return UnknownJobError(
        f"the job {job_id!r} of this handle is not in the store, which has another one of that id: it was deleted, or "
        f"never got there; get the other one with store.load({job_id!r})"
    )


def lost_to(record: JobRecord | None, job: Job, position: Position) -> OwnershipLost:
    """For a job that ran here until now, by what its store has under that id."""
    job_id = job.job_id
    if record is None:
        return OwnershipLost(f"job {job_id!r} was deleted from its store while it ran here")
    if record.created_at != position.created_at:
        return OwnershipLost(
            f"job {job_id!r} was deleted from its store while it ran here; the store has another one of that id"
        )
    return OwnershipLost(
        f"job {job_id!r} was taken over by {_taker(record)} (epoch {record.epoch}; here it was {position.epoch}); what "
        f"this process has done since is not part of it"
    )


def _taker(record: JobRecord) -> str:
    if record.owner is None or is_said_to_be_gone(record.owner):
        return "another, which has let it go since"
    return shown(record.owner)


def overtaken(record: JobRecord | None, job: Job) -> OwnershipLost | None:
    """For who waits for a job that does not run here, in vain by what its store has under that id; else None.

    One that nobody runs may go on here, whoever has had it meanwhile.
    """
    job_id, here = job.job_id, "while it was waited for here, where it did not run"
    if record is None:
        return OwnershipLost(f"job {job_id!r} was deleted from its store {here}")
    if not is_same_moment(record.created_at, job.created_at):
        return OwnershipLost(f"job {job_id!r} was deleted from its store {here}; that has another one of that id")
    if record.status == MOVED:
        return OwnershipLost(f"job {job_id!r} was moved out of its store {here}; it is where that was admitted")
    if record.status in SETTLED:
        what = f"is {record.status} by now, which others have seen to"
    elif record.status == JobStatus.RUNNING and record.epoch > job.epoch:
        what = f"was taken over by {_taker(record)}"
    else:
        return None
    return OwnershipLost(
        f"job {job_id!r} {what} (epoch {record.epoch}; here it was {job.epoch}); this handle does not show what became "
        f"of it, store.load({job_id!r}) does"
    )


def closed_first(job_id: str) -> StoreError:
    """For a job that still ran when its store was closed."""
    return StoreError(
        f"the store has been closed while job {job_id!r} still ran here, and keeps no more of it; close it after the "
        f"flow: with open_store(...) as store, flow:"
    )


def closed_meanwhile(job_id: str) -> StoreError:
    """For a job that somebody waits for, and that did not run here when its store was closed."""
    return StoreError(
        f"the store of job {job_id!r} has been closed, so that the job does not go on by this handle; open the store "
        f"again, and get the job with store.load({job_id!r})"
    )


def exists(record: JobRecord) -> JobExistsError:
    """For a new job whose id another has, or had."""
    job_id = record.job_id
    if record.status == MOVED:
        return JobExistsError(
            f"job {job_id!r} was moved out of the store, and may go on elsewhere; start the new one under another id, "
            f"or delete what is left of it first",
            job_id=job_id,
        )
    return JobExistsError(
        f"the store has a job {job_id!r} already, which is {record.status}; get it with store.load({job_id!r}), or "
        f"start the new one under another id",
        job_id=job_id,
        status=JobStatus(record.status),
    )
