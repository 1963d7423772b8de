"""The commands that look at stored jobs, and need none of their classes: jobs, show, explain."""

from typing import Annotated

import typer

from routilux._backends.backend import MOVED
from routilux._core.alike import SHOWN
from routilux.cli.accounts import (
    explained_document,
    explained_job,
    head,
    owner_text,
    shown_job,
    summary_document,
)
from routilux.cli.job_ids import whole_id
from routilux.cli.options import DEFAULT_STORE, JobId, Json, StoreUrl, existing_store
from routilux.cli.printing import columns, print_json, print_lines
from routilux.stores import JobView, Store

All = Annotated[bool, typer.Option("--all", help="Show every task, also where there are many of a slot.")]


def jobs(
    status: Annotated[str | None, typer.Option("--status", help="Only jobs with this status.")] = None,
    flow: Annotated[str | None, typer.Option("--flow", metavar="ID", help="Only jobs of this flow.")] = None,
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> int:
    """List the jobs of a store, oldest first."""
    with existing_store(store) as opened:
        orphans = {orphan.job_id for orphan in opened.orphans()}
        found = [summary_document(each, orphaned=each.job_id in orphans) for each in opened.jobs(status, flow)]
    if json:
        print_json(found)
        return 0
    rows = [("job", "flow", "status", "epoch", "last written", "run by")]
    for each in found:
        written = each["updated_at"].isoformat(timespec="seconds")
        rows.append((each["job_id"], each["flow_id"], each["status"], str(each["epoch"]), written, owner_text(each)))
    print_lines(columns(rows) if found else ["no jobs"])
    return 0


def show(job_id: JobId, all_: All = False, store: StoreUrl = DEFAULT_STORE, json: Json = False) -> int:
    """Show how far a job has come: its routines, its tasks, its data, its newest history."""
    with existing_store(store) as opened:
        listed, view = _seen(opened, whole_id(opened, job_id))
    if json:
        print_json({"job": listed, "document": None if view is None else view.document})
    else:
        print_lines(head(listed) if view is None else shown_job(listed, view, None if all_ else SHOWN))
    return 0


def explain(job_id: JobId, all_: All = False, store: StoreUrl = DEFAULT_STORE, json: Json = False) -> int:
    """Say what a job did, what it waits for and why it failed, with the place in your code."""
    with existing_store(store) as opened:
        listed, view = _seen(opened, whole_id(opened, job_id))
    if view is None:
        print_json({"job": listed}) if json else print_lines(head(listed))
    elif json:
        print_json(explained_document(listed, view))
    else:
        print_lines(explained_job(listed, view, None if all_ else SHOWN))
    return 0


def _seen(store: Store, job_id: str) -> tuple[dict[str, object], JobView | None]:
    """How a job is listed, and what is to be seen of it: nothing of one that was moved out."""
    summary = store.summary(job_id)
    orphaned = job_id in {orphan.job_id for orphan in store.orphans()}
    view = None if summary.status == MOVED else store.peek(job_id)
    return summary_document(summary, orphaned=orphaned), view
