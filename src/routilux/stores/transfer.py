"""Jobs on their way from one store to another, with all they need."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from io import UnsupportedOperation
from os import fstat, fsync
from pathlib import Path
from stat import S_ISREG
from time import time
from typing import BinaryIO
from uuid import uuid4

from routilux._backends.backend import MOVED, Backend, Batch, NewJob, StoredJob
from routilux._core.document import read_job, write_history, write_job
from routilux._core.graph_document import graph_of, write_definition, write_graph
from routilux._core.journal import write_record
from routilux._core.opaque import opaque_document
from routilux._core.plan_records import plan_documents
from routilux._core.snapshot import write_segment, write_snapshot
from routilux._engine.custody import definition_of
from routilux._engine.rebuilding import definition_behind, rebuild
from routilux._files import Draft, check_new
from routilux._flow_document import checked_flow
from routilux._migrations import TRANSFER_FORMAT
from routilux._model import JobStatus
from routilux._plan import Plan, checked_plan
from routilux._records import Data
from routilux._texts import id_problem
from routilux.errors import JobStateError, StoreError, TransferReplayedError
from routilux.stores.arguments import PATIENCE
from routilux.stores.checking import Candidate, Checked, Checker
from routilux.stores.departure import Departure
from routilux.stores.host import Host
from routilux.transfer.contents import checked_transfer, read_contents
from routilux.transfer.header import Header
from routilux.transfer.keys import KeyRing
from routilux.transfer.packing import unpack_file
from routilux.transfer.passing import File, named, opened, put
from serilux import renamed_classes
from serilux.errors import DocumentError


def transfer_of(backend: Backend, job_id: str, *, copy: bool, patience: float = PATIENCE) -> Data:
    """Move a job out of a store, or copy it; a store that does not answer is asked again for `patience` seconds."""
    stored = _to_be_exported(backend, job_id, copy=copy)
    document = _document(backend, stored, copy=copy)
    with _leaving(backend, stored, document, copy=copy, patience=patience):
        return document


def _to_be_exported(backend: Backend, job_id: str, *, copy: bool) -> StoredJob:
    """A job as it is stored: one that runs may be copied at any moment (law 4), but not moved."""
    stored = backend.read(job_id)
    if stored.record.status == JobStatus.RUNNING and not copy:
        raise JobStateError(f"job {job_id!r} is running: pause it first", job_id=job_id, status=JobStatus.RUNNING)
    return stored


def _document(backend: Backend, stored: StoredJob, *, copy: bool) -> Data:
    """A job as it leaves its store: a copy is another job, and what is moved has the next epoch."""
    flow, graph = definition_behind(backend, stored)
    job = rebuild(stored, graph).job
    if copy:
        job.job_id, job.epoch = uuid4().hex, 0
    else:
        job.epoch += 1
    document = write_job(job, job.updated_at) | {"execution_history": write_history(list(job.records()))}
    return {"format": TRANSFER_FORMAT, "flow": flow, "graph": write_graph(graph), "job": document}


def _leaving(
    backend: Backend, stored: StoredJob, document: Data, *, copy: bool, patience: float, draft: Draft | None = None
) -> AbstractContextManager[None]:
    """Have a job out of its store, and back where something fails; a copy has nothing to leave."""
    if copy:
        return nullcontext()
    admit = partial(admit_transfer, backend, reclaim=True)
    return Departure(backend, stored, document, admit=admit, patience=patience, draft=draft).out()


def export_file(
    backend: Backend,
    job_id: str,
    file: File,
    pack: Callable[[Data], bytes],
    *,
    copy: bool,
    patience: float = PATIENCE,
) -> str:
    """Move a job out of a store into a file; one that cannot be written is where it was. Its id comes back.

    At a path the file, a new one, is on disk before the job leaves the store. What is open cannot be unwritten, and
    somebody may read it at once: so there the job leaves before, and never are there two that could go on.
    StrandedJobError, which has the job, where it may be in neither.
    """
    stored = _to_be_exported(backend, job_id, copy=copy)
    document = _document(backend, stored, copy=copy)
    leaving = partial(_leaving, backend, stored, document, copy=copy, patience=patience)
    try:
        if isinstance(file, str | os.PathLike):
            check_new(Path(file))
            with Draft(Path(file)) as draft:
                _put_in_place(draft, pack(document), lambda: leaving(draft=draft))
        else:
            _put_into_stream(file, pack(document), leaving)
    except OSError as error:
        raise StoreError(f"the file could not be written ({error}); job {job_id!r} is where it was") from error
    exported: str = document["job"]["job_id"]
    return exported


Leaving = Callable[[], AbstractContextManager[None]]


def _put_into_stream(file: BinaryIO, content: bytes, leaving: Leaving) -> None:
    with leaving():
        put(file, content)
        _sync(file)


def _put_in_place(draft: Draft, content: bytes, leaving: Leaving) -> None:
    """The draft is written, then the job moved, then the draft kept."""
    draft.write(content)
    with leaving():
        draft.keep_as_new()


def _sync(file: BinaryIO) -> None:
    """Return when what was written is on disk, if that is where it goes."""
    with suppress(UnsupportedOperation, AttributeError):  # what only stands in for a file
        descriptor = file.fileno()
        if S_ISREG(fstat(descriptor).st_mode):
            fsync(descriptor)


def admit_file(
    backend: Backend, file: File, keys: KeyRing | None, max_size: int, *, reclaim: bool, plan: Plan | None = None
) -> str:
    """Take a job into a store from a file; one that is here already is refused before it is interpreted."""

    def admit(header: Header) -> None:
        if not id_problem(header.job_id):  # else it is in no store, and refused when its job is read
            _check_welcome(backend, header.job_id, header.epoch, reclaim=reclaim)

    with opened(file) as stream:
        document = unpack_file(stream, keys, max_size, admit)
    with named(file):
        return admit_transfer(backend, document, reclaim=reclaim, plan=plan)


def admit_transfer(backend: Backend, transfer: Data, *, reclaim: bool, plan: Plan | None = None) -> str:
    """Take a job into a store; nobody owns it there until it is resumed. Classes are called there as a plan says."""
    with renamed_classes(checked_plan(plan).classes):
        flow, graph, job = read_contents(transfer)
    _check_nothing_waits(flow)
    _check_welcome(backend, job.job_id, job.epoch, reclaim=reclaim)
    definition = definition_of(write_definition(flow, graph))
    snapshot, segment = write_snapshot(job, job.updated_at), write_segment(job, 0)
    replaces = _newest(job.epoch, reclaim=reclaim)
    new = NewJob(job.flow_id, definition, None, snapshot, segment, replaces)
    at, status = time(), job.status.value
    batch = Batch(job.job_id, job.created_at, job.epoch, 1, write_record([]), at, status, releases=True, new=new)
    if backend.write([batch]):
        _check_welcome(backend, job.job_id, job.epoch, reclaim=reclaim)
        raise JobStateError(f"job {job.job_id!r} has come into this store just now", job_id=job.job_id)
    return job.job_id


def _newest(epoch: int, *, reclaim: bool) -> int:
    """Up to which epoch a job may have left the store to come back by a file of this one."""
    return epoch if reclaim else epoch - 1


def _check_welcome(backend: Backend, job_id: str, epoch: int, *, reclaim: bool) -> None:
    record = backend.record(job_id)
    if record is None:
        return
    if record.status != MOVED and reclaim and epoch > record.epoch:
        raise JobStateError(f"job {job_id!r} is in this store, and has not left it: go on with that", job_id=job_id)
    if record.status != MOVED and epoch > record.epoch:
        raise JobStateError(f"job {job_id!r} is in this store already, and has moved elsewhere too", job_id=job_id)
    if record.status != MOVED:
        raise TransferReplayedError(
            f"job {job_id!r} is in this store already (epoch {record.epoch}), and this is a copy of epoch {epoch}",
            job_id=job_id,
            epoch=epoch,
            known=record.epoch,
        )
    if record.epoch > _newest(epoch, reclaim=reclaim):
        raise _replayed(job_id, epoch, record.epoch)


def _replayed(job_id: str, epoch: int, known: int) -> TransferReplayedError:
    return TransferReplayedError(
        f"job {job_id!r} was moved out of this store (epoch {known}), and this is a copy from before or then "
        f"(epoch {epoch}): it may go on elsewhere",
        job_id=job_id,
        epoch=epoch,
        known=known,
    )


def _check_nothing_waits(flow: Data) -> None:
    """Refuse to lose what waits in the slots of a flow, which is the data of no job: stores keep nothing else."""
    for routine_id, routine in flow.get("routines", {}).items():
        for name, slot in routine.get("_slots", {}).items():
            if slot.get("_data"):
                raise DocumentError(
                    "an exported flow has no data in its slots, since a store keeps only what belongs to jobs; "
                    "read the file with routilux.transfer.read, and resume its job with store=",
                    f"flow.routines.{routine_id}._slots.{name}._data",
                )


def check_transfer(transfer: Data, host: Host) -> Checked:
    """Say whether an exported job could go on with the code that is loaded here; nothing is changed (law 7).

    DocumentError where it is no exported job at all; what of it cannot be read here is among the problems.
    """
    read = checked_transfer(transfer)
    document = read.job
    candidate = Candidate(
        str(document.get("flow_id")),
        "",
        checked_flow(read.flow, "flow"),
        graph_of(read.graph),
        plan_documents(document),
        lambda: read_job(document),
        lambda: read_job(opaque_document(document)),
    )
    verdict = Checker(host).verdict(candidate)
    return Checked(str(document.get("job_id")), candidate.flow_id, str(document.get("status")), verdict)
