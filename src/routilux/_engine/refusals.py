"""What a store says of jobs that it does not take in, or keeps no more."""

from routilux._backends.backend import MOVED, JobRecord
from routilux._model import JobStatus
from routilux.errors import JobExistsError, StoreError


def closed_first(job_id: str) -> StoreError:
    """For a job that still ran when its store was closed."""
    return StoreError(
        f"the store has been closed while job {job_id!r} still ran here, and keeps no more of it; close it after the "
        f"flow: with open_store(...) as store, flow:"
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
