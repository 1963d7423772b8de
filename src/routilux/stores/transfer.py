"""Jobs on their way from one store to another, with all they need."""

from time import time
from typing import Annotated, Any
from uuid import uuid4

import msgspec

from routilux._backends.backend import MOVED, Backend, Batch, NewJob, StoredJob
from routilux._core.document import read_job, write_history, write_job
from routilux._core.graph_document import GraphDocument, graph_of, read_definition, write_definition, write_graph
from routilux._core.job import Job
from routilux._core.journal import write_record
from routilux._core.shapes import JobDocument
from routilux._core.snapshot import write_segment, write_snapshot
from routilux._engine.custody import definition_of
from routilux._engine.rebuilding import rebuild
from routilux._flow_document import FlowDocument, checked_flow
from routilux._graph import Graph
from routilux._migrations import TRANSFER_FORMAT, upgraded
from routilux._model import JobStatus
from routilux._records import Data
from routilux._shapes import a, said
from routilux.errors import JobStateError
from serilux import check_document, rooted
from serilux.errors import DocumentError, SeriluxError


class Transfer(msgspec.Struct, forbid_unknown_fields=True):
    """A job and its flow: the documents of both, and the graph that the job ran with."""

    format: Annotated[int, said(const=TRANSFER_FORMAT)]
    flow: Annotated[dict[str, Any], said(**a(FlowDocument))]
    graph: GraphDocument
    job: Annotated[dict[str, Any], said(**a(JobDocument))]


def transfer_of(backend: Backend, job_id: str, *, copy: bool) -> Data:
    """Move a job out of a store, or copy it."""
    stored = backend.read(job_id)
    if stored.record.status == JobStatus.RUNNING:
        raise JobStateError(f"job {job_id!r} is running: pause it first", job_id=job_id, status=JobStatus.RUNNING)
    job, flow, graph = _parts(backend, stored)
    if copy:
        job.job_id, job.epoch = uuid4().hex, 0
    elif backend.move_out(job_id, epoch=stored.record.epoch) is None:
        raise JobStateError(f"job {job_id!r} was taken over just now; pause it, then export it", job_id=job_id)
    else:
        job.epoch += 1
    document = write_job(job, job.updated_at) | {"execution_history": write_history(list(job.records()))}
    return {"format": TRANSFER_FORMAT, "flow": flow, "graph": write_graph(graph), "job": document}


def _parts(backend: Backend, stored: StoredJob) -> tuple[Job, Data, Graph]:
    flow, graph = read_definition(backend.definition(stored.record.definition))
    return rebuild(stored, graph).job, flow, graph


def admit_transfer(backend: Backend, transfer: Data, *, reclaim: bool) -> str:
    """Take a job into a store; nobody owns it there until it is resumed."""
    flow, graph, job = _read(transfer)
    record = backend.record(job.job_id)
    if record is not None and record.status != MOVED:
        raise JobStateError(f"job {job.job_id!r} is in this store already", job_id=job.job_id)
    if record is not None and not backend.clear_tombstone(job.job_id, up_to=job.epoch if reclaim else job.epoch - 1):
        raise JobStateError(
            f"job {job.job_id!r} was moved out of this store (epoch {record.epoch}), and this is a copy from before or "
            f"then (epoch {job.epoch}): it may go on elsewhere",
            job_id=job.job_id,
        )
    definition = definition_of(write_definition(flow, graph))
    snapshot, segment = write_snapshot(job, job.updated_at), write_segment(job, 0)
    new = NewJob(job.flow_id, definition, job.created_at, None, snapshot, segment)
    batch = Batch(job.job_id, job.epoch, 1, write_record([]), time(), job.status.value, releases=True, new=new)
    if backend.write([batch]):
        raise JobStateError(f"job {job.job_id!r} has come into this store just now", job_id=job.job_id)
    return job.job_id


def _read(transfer: Any) -> tuple[Data, Graph, Job]:
    if not isinstance(transfer, dict):
        raise DocumentError(f"this is no exported job: it is an object, not {type(transfer).__name__}", "$")
    with rooted():
        check_document(transfer, "")
    document = upgraded(transfer, "exported job", TRANSFER_FORMAT)
    try:
        read = msgspec.convert(document, Transfer)
    except msgspec.ValidationError as error:
        raise DocumentError(f"this is no exported job: {error}", "$") from error
    flow = checked_flow(read.flow, "flow")
    _refuse_data(flow)
    return flow, graph_of(read.graph), _read_job(read.job)


def _read_job(document: Data) -> Job:
    try:
        return read_job(document)
    except SeriluxError as error:
        error.without_root("$")
        error.under("job")
        raise


def _refuse_data(flow: Data) -> None:
    """What waits in a flow's slots is the data of no job: it is never exported, and would be lost here."""
    for routine_id, routine in flow.get("routines", {}).items():
        for name, slot in routine.get("_slots", {}).items():
            if slot.get("_data"):
                place = f"flow.routines.{routine_id}._slots.{name}._data"
                raise DocumentError("an exported flow has no data in its slots", place)
