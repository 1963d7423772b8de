"""The commands that move jobs from store to store: export, import, check."""

import sys
from itertools import chain
from json import loads
from pathlib import Path
from typing import Annotated, Any

import typer

from routilux.cli.failures import FAILED
from routilux.cli.loading import import_apps, load_flow, resources_of
from routilux.cli.options import DEFAULT_STORE, Apps, JobId, Json, StoreUrl, existing_store
from routilux.cli.printing import print_json, print_lines, sync_stdout
from routilux.cli.resuming import Invocation
from routilux.cli.user_output import users_output
from routilux.errors import StoreError
from routilux.flow import Flow
from routilux.job_state import JobState
from routilux.stores import open_store
from serilux.errors import DocumentError, LimitError, SeriluxError

STDIN = Path("-")
FilePath = Annotated[Path, typer.Argument(metavar="FILE", help="What `export` wrote; - is stdin.")]


def export(
    job_id: JobId,
    copy: Annotated[bool, typer.Option("--copy", help="Write a copy with an id of its own; the job stays.")] = False,
    app: Apps = None,
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> int:
    """Move a job out of its store, to stdout: its document, and a tombstone where it was."""
    import_apps(app, as_json=True)
    with existing_store(store) as opened:
        transfer = opened.export(job_id, copy=copy)
        try:
            print_json(transfer)
            sync_stdout()
        except OSError as error:
            if not copy:
                opened.admit(transfer, reclaim=True)
            raise StoreError(f"the document could not be written ({error}); the job is where it was") from error
    return 0


def import_(file: FilePath = STDIN, app: Apps = None, store: StoreUrl = DEFAULT_STORE, json: Json = False) -> int:
    """Take a job that was exported into a store; it waits there to be resumed."""
    import_apps(app, as_json=json)
    transfer = read_transfer(file)
    with open_store(store) as opened:
        job_id = opened.admit(transfer)
        status = opened.summary(job_id).status
    command = Invocation(store, app or []).command("resume", job_id)
    if json:
        print_json({"job_id": job_id, "status": status, "command": command})
    else:
        print_lines([f"job {job_id} is {status}; it goes on with: {command}"])
    return 0


def check(file: FilePath = STDIN, app: Apps = None, json: Json = False) -> int:
    """Say whether an exported job could go on with the classes of these modules, or in a flow (MODULE:FLOW)."""
    transfer = read_transfer(file)
    with users_output(as_json=json):
        problems, notes = _found(transfer, app or [])
    if json:
        print_json({"problems": problems, "notes": notes})
    else:
        print_lines([f"problem: {each}" for each in problems] + [f"note: {each}" for each in notes])
        print_lines(["it cannot go on here" if problems else "it can go on here"])
    return FAILED if problems else 0


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


def read_transfer(file: Path) -> dict[str, Any]:
    """What `export` wrote; DocumentError or LimitError where a file holds no JSON, or that of something else."""
    try:
        read = loads(sys.stdin.read() if file == STDIN else file.read_bytes())
    except ValueError as error:
        raise DocumentError(f"the file is no JSON: {error}", str(file)) from error
    except RecursionError as error:
        raise LimitError("nested too deeply to be read; it is nothing that export wrote", str(file)) from error
    if not isinstance(read, dict) or not read.keys() >= {"format", "flow", "job"}:
        raise DocumentError("it is nothing that `routilux export` wrote", str(file))
    return read
