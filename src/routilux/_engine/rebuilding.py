"""A stored job as a job again."""

from typing import Any, NamedTuple

from msgspec.structs import replace

from routilux._backends.backend import Backend, StoredJob
from routilux._core.graph_document import read_definition
from routilux._core.job import Job
from routilux._core.journal import replay
from routilux._core.opaque import opaque_record, opaque_segment, opaque_snapshot
from routilux._core.planning import still_due
from routilux._core.snapshot import plans_in, read_snapshot, records_so_far
from routilux._graph import Graph
from routilux._plan import NO_PLAN, Plan
from routilux.errors import DamagedRecordError
from serilux.errors import SeriluxError


class Rebuilt(NamedTuple):
    """A job as of its last record, and how many of its history records are in its segments."""

    job: Job
    written: int


def due_for(stored: StoredJob, plan: Plan) -> Plan:
    """The plan, for a stored job that is not past it; else one that says nothing."""
    return plan if plan == NO_PLAN else still_due(plan, plans_in(stored.snapshot))


def rebuild(stored: StoredJob, graph: Graph) -> Rebuilt:
    """Bring a job forward from its snapshot by its journal; `graph` is the one that it ran with.

    DamagedRecordError says which part cannot be; SeriluxError which class or reference is not known here.
    """
    job_id = stored.record.job_id
    try:
        job = read_snapshot(stored.snapshot, stored.segments)
    except DamagedRecordError as error:
        raise DamagedRecordError(f"job {job_id!r} cannot be read: {error}", kind=error.kind, job_id=job_id) from error
    written = records_so_far(job)
    for number, record in enumerate(stored.journal, stored.number - len(stored.journal) + 1):
        try:
            replay(graph, job, record)
        except DamagedRecordError as error:
            raise DamagedRecordError(
                f"record {number} of job {job_id!r}: {error}", kind="record", number=number, job_id=job_id
            ) from error
        except SeriluxError as error:
            error.without_root("value")
            error.under(f"jobs.{job_id}.journal[{number}]")
            raise
    job.epoch = stored.record.epoch
    return Rebuilt(job, written)


def definition_behind(backend: Backend, stored: StoredJob) -> tuple[dict[str, Any], Graph]:
    """The document of the flow that a stored job ran with, and its graph."""
    return read_definition(backend.definition(stored.record.definition))


def opaque_job(stored: StoredJob, graph: Graph) -> Job:
    """A stored job as a job whose values are left as JSON: none of their classes need be known."""
    return rebuild(opaque(stored), graph).job


def opaque(stored: StoredJob) -> StoredJob:
    """A stored job with its values left as JSON."""
    return replace(
        stored,
        snapshot=opaque_snapshot(stored.snapshot),
        segments=[opaque_segment(segment) for segment in stored.segments],
        journal=[opaque_record(record) for record in stored.journal],
    )
