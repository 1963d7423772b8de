"""The commands that ask something of a job, whoever runs it: pause, cancel, deliver."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from routilux._haste import in_time
from routilux.cli.awaiting import store_watched
from routilux.cli.invocation import Invocation
from routilux.cli.job_ids import whole_id
from routilux.cli.loading import import_apps
from routilux.cli.options import (
    DEFAULT_LIMIT,
    DEFAULT_STORE,
    Apps,
    JobId,
    Json,
    Limit,
    Patience,
    Reason,
    StoreUrl,
    existing_store,
)
from routilux.cli.parameters import read_data
from routilux.cli.printing import complain
from routilux.cli.resuming import print_outlook
from routilux.stores import Store


def pause(
    job_id: JobId,
    reason: Reason = "",
    timeout: Patience = None,
    app: Apps = None,
    max_lost_attempts: Limit = DEFAULT_LIMIT,
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> int:
    """Pause a job, here, in another process or nowhere; what runs finishes first."""
    import_apps(app, as_json=json)
    with _asked_in_time(store, timeout, max_lost_attempts) as opened:
        job_id = whole_id(opened, job_id)
        opened.pause(job_id, reason, timeout=timeout)
        print_outlook(opened, job_id, Invocation(store, app or [], max_lost_attempts), as_json=json)
    return 0


def cancel(
    job_id: JobId,
    reason: Reason = "",
    timeout: Patience = None,
    app: Apps = None,
    max_lost_attempts: Limit = DEFAULT_LIMIT,
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> int:
    """Settle a job as cancelled, whoever runs it; what its handlers still do is discarded."""
    import_apps(app, as_json=json)
    with _asked_in_time(store, timeout, max_lost_attempts) as opened:
        job_id = whole_id(opened, job_id)
        opened.cancel(job_id, reason, timeout=timeout)
        print_outlook(opened, job_id, Invocation(store, app or [], max_lost_attempts), as_json=json)
    return 0


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
    task: Annotated[
        str | None,
        typer.Option("--task", metavar="ID", help="The task that it is for; else the one that waits longest."),
    ] = None,
    timeout: Patience = None,
    app: Apps = None,
    max_lost_attempts: Limit = DEFAULT_LIMIT,
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> int:
    """Give a task that waits for somebody (`Routine.expect`) its data, whoever runs the job."""
    delivered = read_data(data, param or [])
    import_apps(app, as_json=json)
    with _asked_in_time(store, timeout, max_lost_attempts) as opened:
        job_id = whole_id(opened, job_id)
        opened.deliver(job_id, routine, slot, delivered, task_id=task, timeout=timeout)
        print_outlook(opened, job_id, Invocation(store, app or [], max_lost_attempts), as_json=json)
    return 0


@contextmanager
def _asked_in_time(url: str, seconds: float | None, limit: int) -> Iterator[Store]:
    """A store that is there already, and is waited for no longer than that; that it is away is told as it happens."""
    with in_time(seconds), existing_store(url, limit) as store, store_watched(complain):
        yield store
