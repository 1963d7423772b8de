"""A stored job to be looked at: none of its classes need be known here."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from routilux._backends.backend import JobRecord, StoredJob
from routilux._core.document import read_job, write_history, write_job
from routilux._core.explanation import Explanation, explain
from routilux._core.job import Job
from routilux._core.opaque import opaque_document, real_document
from routilux._engine.rebuilding import opaque_job
from routilux._graph import Graph


class JobSummary(NamedTuple):
    """A stored job as it is listed; times are aware and in UTC, `owner` is None where nobody runs it.

    `status` is that of the job, or `moved` for one that was exported. `epoch` counts its changes of owner.
    """

    job_id: str
    flow_id: str
    status: str
    epoch: int
    created_at: datetime
    updated_at: datetime
    owner: str | None


class JobView(NamedTuple):
    """A stored job as of its last record: how it is listed, its JobState document, and its account."""

    summary: JobSummary
    document: dict[str, Any]
    explanation: Explanation


def summary_of(record: JobRecord) -> JobSummary:
    """A job's record as it is listed."""
    times = [datetime.fromtimestamp(time, UTC) for time in (record.created_at, record.updated_at)]
    return JobSummary(record.job_id, record.flow_id, record.status, record.epoch, times[0], times[1], record.owner)


def view_of(stored: StoredJob, graph: Graph, now: float) -> JobView:
    """A stored job as people see it; DamagedRecordError where it is not what was written."""
    document, explanation = _told(opaque_job(stored, graph), now)
    return JobView(summary_of(stored.record), real_document(document), explanation)


def _told(job: Job, now: float) -> tuple[dict[str, Any], Explanation]:
    """The document and the account of a job, which can go then: large data lies in memory twice, not three times."""
    document = write_job(job, now) | {"execution_history": write_history(list(job.records()))}
    return document, explain(job, now)


def view_of_document(document: dict[str, Any], now: float) -> JobView:
    """A job in its document, as people see it; a SeriluxError where it is none."""
    job = read_job(opaque_document(document))
    record = JobRecord(
        job.job_id, job.flow_id, "", job.status.value, job.epoch, job.created_at, job.updated_at, owner=None
    )
    return JobView(summary_of(record), document, explain(job, now))
