"""The commands that move jobs from store to store: export, import, check, inspect."""

import sys
from itertools import chain
from typing import Annotated, Any

import typer

from routilux.cli.failures import FAILED
from routilux.cli.files import look_into
from routilux.cli.loading import import_apps, load_flow, resources_of
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
from routilux.cli.user_output import users_output
from routilux.errors import StoreError
from routilux.flow import Flow
from routilux.job_state import JobState
from routilux.stores import Store, open_store
from routilux.transfer.passing import read_document
from serilux.errors import SeriluxError


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


def check(
    file: FilePath = STDIN,
    key_file: KeyFile = None,
    max_size: MaxSize = LARGEST,
    app: Apps = None,
    json: Json = False,
) -> int:
    """Say whether an exported job could go on with the classes of these modules, or in a flow (MODULE:FLOW)."""
    transfer = read_document(transfer_file(file), keys=keys_in(key_file), max_size=max_size)
    with users_output(as_json=json):
        problems, notes = _found(transfer, app or [])
    if json:
        print_json({"problems": problems, "notes": notes})
    else:
        print_lines([f"problem: {each}" for each in problems] + [f"note: {each}" for each in notes])
        print_lines(["it cannot go on here" if problems else "it can go on here"])
    return FAILED if problems else 0


def inspect(file: FilePath = STDIN, key_file: KeyFile = None, max_size: MaxSize = LARGEST, json: Json = False) -> int:
    """Say which job is in a file, how it was made, and whether it is whole; none of its classes need be known."""
    seen = look_into(transfer_file(file), keys_in(key_file), max_size)
    if json:
        print_json(seen.document())
    else:
        print_lines(seen.lines())
    return FAILED if seen.problem else 0


def _found(transfer: dict[str, Any], apps: list[str]) -> tuple[list[str], list[str]]:
    import_apps((app for app in apps if ":" not in app), as_json=False)
    flows, job_state = [load_flow(app, "--app") for app in apps if ":" in app], JobState()
    try:
        job_state.deserialize(transfer["job"])
        if not flows:
            flows = [Flow()]
            flows[0].deserialize(transfer["flow"])
    except SeriluxError as error:
        return [str(error)], []
    given = resources_of(apps)
    for flow in flows:
        flow.resources.update(given | dict(flow.resources))
    verdicts = [flow.check(job_state) for flow in flows]
    return [*chain.from_iterable(verdicts)], [note for verdict in verdicts for note in verdict.notes]
