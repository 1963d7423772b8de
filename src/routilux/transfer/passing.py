"""A flow and a job as one file, and back."""

import io
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from routilux._core.graph_document import write_graph
from routilux._core.plan_records import plan_documents
from routilux._core.planning import still_due
from routilux._files import write_atomically
from routilux._migrations import TRANSFER_FORMAT
from routilux._plan import Plan, checked_plan
from routilux._records import Data
from routilux._resources import Resources
from routilux.errors import DefinitionError, JobStateError, TransferError
from routilux.flow import Flow
from routilux.job_state import JobState
from routilux.transfer.contents import current_transfer
from routilux.transfer.header import Header
from routilux.transfer.keys import KeyRing
from routilux.transfer.packing import MAX_SIZE, packing, unpack_file
from routilux.transfer.seen import SeenEpochs

File = str | os.PathLike[str] | BinaryIO
"""A path, or what is open for bytes."""


def write(
    file: File,
    flow: Flow,
    job_state: JobState,
    *,
    keys: KeyRing | None = None,
    compress: bool = False,
    encrypt: bool = False,
    seen: SeenEpochs | None = None,
) -> None:
    """Write a flow and a job to one file, at a path atomically.

    With `keys` the file is signed with the newest one that signs; with `encrypt` nobody can read it who has not the
    newest one that encrypts. `seen` notes that the job has left. Each file raises the job's epoch by one, so that a
    reader can tell an older one. A job that runs goes on running here: pause it first, if it is to go on elsewhere.

    JobStateError for a job that a store keeps (`Store.export_file` moves that), TransferKeyError where the keys cannot
    do it; then nothing is written.
    """
    put(file, dumps(flow, job_state, keys=keys, compress=compress, encrypt=encrypt, seen=seen))


def dumps(
    flow: Flow,
    job_state: JobState,
    *,
    keys: KeyRing | None = None,
    compress: bool = False,
    encrypt: bool = False,
    seen: SeenEpochs | None = None,
) -> bytes:
    """What `write` writes, to be sent in some other way."""
    made = packing(keys, compress=compress, encrypt=encrypt)
    document = _document(flow, job_state)
    content = made.pack(document)
    if seen is not None:
        seen.note(job_state.job_id, document["job"]["epoch"])
    return content


def _document(flow: Flow, job_state: JobState) -> Data:
    if not isinstance(flow, Flow):
        raise DefinitionError(f"a Flow is expected, not {type(flow).__name__}")
    live = flow._live_job(job_state)
    graph = write_graph(flow._compile()[0])
    with live.lock:
        live.keep_secrets(flow._secrecy)
        if live.custody is not None:
            raise JobStateError(
                f"job {job_state.job_id!r} is kept in a store, which would not know that it has left; "
                f"move it with Store.export_file",
                job_id=job_state.job_id,
                status=job_state.status,
            )
        job = job_state.serialize()
        document = {"format": TRANSFER_FORMAT, "flow": flow.serialize(), "graph": graph, "job": job}
        job["epoch"] = live.job.epoch = live.job.epoch + 1
    return document


def read(
    file: File,
    *,
    keys: KeyRing | None = None,
    seen: SeenEpochs | None = None,
    resources: Mapping[str, object] | None = None,
    flow: Callable[[], Flow] = Flow,
    plan: Plan | None = None,
    max_size: int = MAX_SIZE,
) -> tuple[Flow, JobState]:
    """The flow and the job in a file; `flow.resume(job_state)` lets it go on.

    Nothing in the file is interpreted before it is known to be whole and, with `keys`, to be signed (or encrypted) with
    one of them that is not retired. With `seen`, a file that is not newer than what was seen of its job is refused too,
    and noted otherwise. `resources` are given to the flow, which `flow` makes. With a `plan` both are read as that
    says, unless it was applied to the job before; give it to `resume`, too. `max_size` is how many bytes the file, and
    what is in it, may have.

    What is refused is a TransferError, which says why; a SeriluxError lists what is not known here, or is none of ours.
    """
    given = Resources(resources)

    def admit(header: Header) -> None:
        if seen is not None:
            seen.check(header.job_id, header.epoch)

    with opened(file) as stream:
        document = current_transfer(unpack_file(stream, keys, max_size, admit))
    made, job_state = flow(), JobState()
    made.resources.update(given)
    due = still_due(checked_plan(plan), plan_documents(document.job))
    made.deserialize(document.flow, plan=due)
    job_state.deserialize(document.job, plan=due)
    if seen is not None:
        with named(file):
            seen.note(job_state.job_id, job_state.epoch)
    return made, job_state


def loads(
    content: bytes,
    *,
    keys: KeyRing | None = None,
    seen: SeenEpochs | None = None,
    resources: Mapping[str, object] | None = None,
    flow: Callable[[], Flow] = Flow,
    plan: Plan | None = None,
    max_size: int = MAX_SIZE,
) -> tuple[Flow, JobState]:
    """`read`, of bytes that came in some other way."""
    return read(io.BytesIO(content), keys=keys, seen=seen, resources=resources, flow=flow, plan=plan, max_size=max_size)


def read_document(file: File, *, keys: KeyRing | None = None, max_size: int = MAX_SIZE) -> Data:
    """The transfer document in a file, which `Store.admit` takes too; what `read` refuses is."""
    with opened(file) as stream:
        return unpack_file(stream, keys, max_size)


def put(file: File, content: bytes) -> None:
    """Write content to a file, at a path atomically."""
    if isinstance(file, str | os.PathLike):
        write_atomically(Path(file), content)
    else:
        file.write(content)
        file.flush()


@contextmanager
def opened(file: File) -> Iterator[BinaryIO]:
    """A file to be read; errors about what is in it name it."""
    with named(file):
        if isinstance(file, str | os.PathLike):
            with open(file, "rb") as stream:
                yield stream
        else:
            yield file


@contextmanager
def named(file: File) -> Iterator[None]:
    """Errors about a file name it, if it has a path."""
    try:
        yield
    except TransferError as error:
        if isinstance(file, str | os.PathLike):
            error.file = os.fspath(file)
        raise
