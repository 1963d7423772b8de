"""The commands that move jobs from store to store: export, import, inspect."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from tempfile import gettempdir
from typing import Annotated, BinaryIO
from uuid import uuid4

import typer

from routilux._backends.backend import MOVED
from routilux._files import write_atomically
from routilux._plan import Plan
from routilux._records import Data
from routilux.cli.awaiting import store_watched
from routilux.cli.failures import FAILED
from routilux.cli.files import MOST_AROUND, look_into
from routilux.cli.invocation import Invocation
from routilux.cli.job_ids import whole_id
from routilux.cli.loading import import_apps
from routilux.cli.options import (
    DEFAULT_STORE,
    LARGEST,
    STDIN,
    Apps,
    FilePath,
    JobId,
    Json,
    KeyFile,
    MaxSize,
    PlanFile,
    StoreUrl,
    existing_store,
    is_there,
    keys_in,
    transfer_file,
)
from routilux.cli.plan_files import read_plan
from routilux.cli.printing import complain, json_text, print_done, print_json, print_lines
from routilux.cli.resuming import print_outlook
from routilux.errors import StrandedJobError
from routilux.stores import Store, open_store
from routilux.stores.transfer import export_file
from routilux.transfer import KeyRing
from routilux.transfer.packing import packing
from routilux.transfer.passing import named, opened


def export(
    job_id: JobId,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it to this file, which must be new.")
    ] = None,
    copy: Annotated[bool, typer.Option("--copy", help="Write a copy with an id of its own; the job stays.")] = False,
    key_file: KeyFile = None,
    compress: Annotated[bool, typer.Option("--compress", help="Make the file smaller.")] = False,
    encrypt: Annotated[bool, typer.Option("--encrypt", help="Only for those who have the key can it be read.")] = False,
    app: Apps = None,
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> int:
    """Move a job out of its store, to a file or to stdout: its document, and a tombstone where it was."""
    import_apps(app, as_json=True)
    sealed = compress or encrypt or key_file is not None
    _check_goal(output, copy=copy, sealed=sealed)
    pack = packing(keys_in(key_file), compress=compress, encrypt=encrypt).pack if sealed else _as_text
    with existing_store(store) as here:
        job_id, file, ledger = whole_id(here, job_id), output or sys.stdout.buffer, here.ledger
        with _saved_if_stranded(pack), store_watched(complain):
            exported = export_file(ledger.backend, job_id, file, pack, copy=copy, patience=ledger.patience)
        if output is not None:
            _tell_exported(here, job_id, exported, output, json)
    return 0


def _check_goal(output: Path | None, *, copy: bool, sealed: bool) -> None:
    """Refuse to write over a file, which may be all that there is of another job, or to lose a job on stdout."""
    if output is not None and output.exists():
        raise typer.BadParameter(f"{output} is there already, and may hold a job; name a new file", param_hint="-o")
    if output is None and sys.stdout.isatty() and not copy:
        raise typer.BadParameter(
            "the job would leave its store for a terminal; give -o FILE, or --copy to look", param_hint="stdout"
        )
    if output is None and _nobody_sees_stdout() and not copy:
        raise typer.BadParameter("the job would leave its store for nowhere; give -o FILE", param_hint="stdout")
    if output is None and sys.stdout.isatty() and sealed:
        raise typer.BadParameter("what is written then is no text; give -o FILE", param_hint="stdout")


def _nobody_sees_stdout() -> bool:
    """Whether it is the null device, or was closed."""
    with suppress(OSError):  # what only stands in for stdout has no descriptor
        return os.fstat(sys.stdout.fileno()).st_rdev == os.stat(os.devnull).st_rdev
    return False


def _as_text(transfer: Data) -> bytes:
    return f"{json_text(transfer)}\n".encode()


def _tell_exported(store: Store, job_id: str, exported: str, file: Path, as_json: bool) -> None:
    summary = store.summary(job_id)
    moved = f"job {job_id} was moved to {file} (epoch {summary.epoch})"
    done = moved if exported == job_id else f"a copy of job {job_id} is in {file}, as job {exported}"
    print_done({"job_id": exported, "file": str(file), "moved": summary.status == MOVED}, done, as_json=as_json)


@contextmanager
def _saved_if_stranded(pack: Callable[[Data], bytes]) -> Iterator[None]:
    """Save a job that has left its store, or may have, and has got nowhere, to a file that the error names.

    On stderr is where its document is if it has no `file` after that.
    """
    try:
        yield
    except StrandedJobError as error:
        if not error.file:
            error.file = _saved(pack(error.transfer))
        raise


def _saved(content: bytes) -> str:
    """Save what must not be lost, to a file here, or else among temporary ones; "" where only stderr has it."""
    name = f"stranded-{uuid4().hex}"
    folders: tuple[Callable[[], str | Path], ...] = (Path, gettempdir)
    for folder in folders:
        with suppress(OSError):
            path = Path(folder(), name)
            write_atomically(path, content, mode=0o600)
            return str(path)
    with suppress(OSError):  # then nobody can be told
        sys.stderr.flush()
        sys.stderr.buffer.write(content)
        sys.stderr.buffer.flush()
    return ""


def import_(
    file: FilePath = STDIN,
    key_file: KeyFile = None,
    max_size: MaxSize = LARGEST,
    reclaim: Annotated[
        bool,
        typer.Option("--reclaim", help="Take back what was exported from this store, and imported nowhere."),
    ] = False,
    plan: PlanFile = None,
    app: Apps = None,
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> int:
    """Take a job that was exported into a store; it waits there to be resumed."""
    import_apps(app, as_json=json)
    keys, source, read = keys_in(key_file), transfer_file(file), read_plan(plan)
    if not is_there(store):
        source = BytesIO(_acceptable(source, keys, max_size, read))
    with open_store(store) as here, named(file):
        job_id = here.admit_file(source, keys=keys, reclaim=reclaim, max_size=max_size, plan=read)
        print_outlook(here, job_id, Invocation(store, app or []), as_json=json)
    return 0


def _acceptable(file: Path | BinaryIO, keys: KeyRing | None, max_size: int, plan: Plan | None) -> bytes:
    """What is in a file that any store would take in: so that none is made for one that is refused."""
    with opened(file) as stream:
        content = stream.read(max_size + MOST_AROUND)
    with named(file), open_store("memory:") as trial:
        trial.admit_file(BytesIO(content), keys=keys, max_size=max_size, plan=plan)
    return content


def inspect(file: FilePath = STDIN, key_file: KeyFile = None, max_size: MaxSize = LARGEST, json: Json = False) -> int:
    """Say which job is in a file, how it was made, and whether it is whole; none of its classes need be known."""
    seen = look_into(transfer_file(file), keys_in(key_file), max_size)
    if json:
        print_json(seen.document())
    else:
        print_lines(seen.lines())
    return FAILED if seen.problem else 0
