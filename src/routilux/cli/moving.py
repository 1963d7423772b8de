"""The commands that move jobs from store to store: export, import, inspect."""

import sys
from typing import Annotated

import typer

from routilux.cli.failures import FAILED
from routilux.cli.files import look_into
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
    StoreUrl,
    existing_store,
    keys_in,
    transfer_file,
)
from routilux.cli.printing import print_json, print_lines, sync_stdout
from routilux.cli.resuming import Invocation
from routilux.errors import StoreError
from routilux.stores import Store, open_store


def export(
    job_id: JobId,
    copy: Annotated[bool, typer.Option("--copy", help="Write a copy with an id of its own; the job stays.")] = False,
    key_file: KeyFile = None,
    compress: Annotated[bool, typer.Option("--compress", help="Make the file smaller.")] = False,
    encrypt: Annotated[bool, typer.Option("--encrypt", help="Only for those who have the key can it be read.")] = False,
    app: Apps = None,
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> int:
    """Move a job out of its store, to stdout: its document, and a tombstone where it was."""
    import_apps(app, as_json=True)
    sealed = compress or encrypt or key_file is not None
    if sealed and sys.stdout.isatty():
        raise typer.BadParameter("what is written then is no text; send stdout to a file", param_hint="stdout")
    with existing_store(store) as opened:
        if sealed:
            keys = keys_in(key_file)
            opened.export_file(job_id, sys.stdout.buffer, copy=copy, keys=keys, compress=compress, encrypt=encrypt)
        else:
            _export_json(opened, job_id, copy=copy)
    return 0


def _export_json(store: Store, job_id: str, *, copy: bool) -> None:
    transfer = store.export(job_id, copy=copy)
    try:
        print_json(transfer)
        sync_stdout()
    except OSError as error:
        if not copy:
            store.admit(transfer, reclaim=True)
        raise StoreError(f"the document could not be written ({error}); the job is where it was") from error


def import_(
    file: FilePath = STDIN,
    key_file: KeyFile = None,
    max_size: MaxSize = LARGEST,
    app: Apps = None,
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> int:
    """Take a job that was exported into a store; it waits there to be resumed."""
    import_apps(app, as_json=json)
    keys = keys_in(key_file)
    with open_store(store) as opened:
        job_id = opened.admit_file(transfer_file(file), keys=keys, max_size=max_size)
        status = opened.summary(job_id).status
    command = Invocation(store, app or []).command("resume", job_id)
    if json:
        print_json({"job_id": job_id, "status": status, "command": command})
    else:
        print_lines([f"job {job_id} is {status}; it goes on with: {command}"])
    return 0


def inspect(file: FilePath = STDIN, key_file: KeyFile = None, max_size: MaxSize = LARGEST, json: Json = False) -> int:
    """Say which job is in a file, how it was made, and whether it is whole; none of its classes need be known."""
    seen = look_into(transfer_file(file), keys_in(key_file), max_size)
    if json:
        print_json(seen.document())
    else:
        print_lines(seen.lines())
    return FAILED if seen.problem else 0
