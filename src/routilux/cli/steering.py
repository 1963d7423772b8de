"""The commands that ask something of a job, whoever runs it: pause, cancel, deliver."""

from typing import Annotated

import typer

from routilux._backends.haste import in_time
from routilux.cli.job_ids import whole_id
from routilux.cli.loading import import_apps
from routilux.cli.options import DEFAULT_STORE, Apps, JobId, Json, Patience, Reason, StoreUrl, existing_store
from routilux.cli.parameters import read_data
from routilux.cli.printing import print_json, print_lines
from routilux.cli.resuming import Invocation, going_on, next_command
from routilux.stores import Store


def pause(
    job_id: JobId,
    reason: Reason = "",
    timeout: Patience = None,
    app: Apps = None,
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> int:
    """Pause a job, here, in another process or nowhere; what runs finishes first."""
    import_apps(app, as_json=json)
    with in_time(timeout), existing_store(store) as opened:
        job_id = whole_id(opened, job_id)
        opened.pause(job_id, reason, timeout=timeout)
        return _told(opened, job_id, Invocation(store, app or []), json)


def cancel(
    job_id: JobId,
    reason: Reason = "",
    timeout: Patience = None,
    app: Apps = None,
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> int:
    """Settle a job as cancelled, whoever runs it; what its handlers still do is discarded."""
    import_apps(app, as_json=json)
    with in_time(timeout), existing_store(store) as opened:
        job_id = whole_id(opened, job_id)
        opened.cancel(job_id, reason, timeout=timeout)
        return _told(opened, job_id, Invocation(store, app or []), json)


def deliver(
    job_id: JobId,
    routine: Annotated[str, typer.Argument(metavar="ROUTINE", help="The routine that waits; `explain` names it.")],
    slot: Annotated[str, typer.Argument(metavar="SLOT", help="Its slot that waits.")],
    param: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="K=V", help="A parameter of its handler: JSON, or else text. May be repeated."),
    ] = None,
    data: Annotated[
        str | None, typer.Option("--data", metavar="JSON", help="All parameters as one JSON object.")
    ] = None,
    timeout: Patience = None,
    app: Apps = None,
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> int:
    """Give a task that waits for somebody (`Routine.expect`) its data, whoever runs the job."""
    delivered = read_data(data, param or [])
    import_apps(app, as_json=json)
    with in_time(timeout), existing_store(store) as opened:
        job_id = whole_id(opened, job_id)
        opened.deliver(job_id, routine, slot, delivered, timeout=timeout)
        return _told(opened, job_id, Invocation(store, app or []), json)


def _told(store: Store, job_id: str, given: Invocation, as_json: bool) -> int:
    status, command = store.summary(job_id).status, next_command(store, job_id, given)
    if as_json:
        print_json({"job_id": job_id, "status": status, "command": command})
    else:
        print_lines([going_on(status, job_id, command)])
    return 0
