"""A stored job in words: what it is, what it did, what it waits for and why it failed."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from routilux._core.alike import SHOWN, grouped
from routilux._core.explanation import Explanation, account, traceback_lines
from routilux._engine.owner import shown
from routilux._records import ErrorInfo
from routilux.cli.endings import error_document, error_line
from routilux.cli.printing import columns
from routilux.cli.tally import Count, Tally, total
from routilux.stores import JobSummary, JobView

LAST = 10
"""How many of the newest history records are shown."""


def summary_document(summary: JobSummary, *, orphaned: bool) -> dict[str, Any]:
    """How a job is listed, as JSON; `orphaned` says that it was running when its owner went."""
    owner = None if summary.owner is None else shown(summary.owner)
    return summary._asdict() | {"owner": owner, "orphaned": orphaned}


def owner_text(document: dict[str, Any]) -> str:
    """Who runs a job, in words."""
    if document["orphaned"]:
        return "gone; recover it"
    return document["owner"] or "-"


def counts_of(view: JobView) -> dict[str, Count]:
    """What each routine of a job has done."""
    tally = Tally()
    for record in view.document["execution_history"]:
        tally.add(record["routine_id"], record["event_name"], record["data"])
    return tally.counts(task["routine_id"] for task in view.document["failed_tasks"])


def shown_job(listed: dict[str, Any], view: JobView, shown: int | None = SHOWN) -> Iterator[str]:
    """A job's state as lines: who runs it, its error, routines, tasks, shared data and newest history."""
    yield from head(listed)
    yield from shown_state(view, shown)


def shown_state(view: JobView, shown: int | None = SHOWN) -> Iterator[str]:
    """A job's error, routines, tasks (of one slot as many as are to be `shown`), shared data and newest history."""
    if view.explanation.error is not None:
        yield f"why: {error_line(view.explanation.error)}"
    yield from routine_table(view)
    document = view.document
    for title, name in (("failed task", "failed_tasks"), ("pending task", "pending_tasks")):
        yield from grouped(title, document[name], _target, shown, _shown_task)
    for point in document["pause_points"]:
        yield f"paused at {point['timestamp']}" + (f": {point['reason']}" if point["reason"] else "")
    for note in view.explanation.plans:
        yield f"changed by a plan at {note}"
    for key, value in document["shared_data"].items():
        yield f"shared {key} = {json.dumps(value)}"
    for record in document["execution_history"][-LAST:]:
        yield f"{record['timestamp']} {record['routine_id']} {record['event_name']} {json.dumps(record['data'])}"


def _target(task: dict[str, Any]) -> str:
    return f"{task['routine_id']}.{task['slot']}"


def _shown_task(task: dict[str, Any]) -> str:
    return f"{task['task_id']} for {_target(task)}"


def head(listed: dict[str, Any]) -> Iterator[str]:
    """How a job is listed, in one line and a bit."""
    yield f"job {listed['job_id']} of flow {listed['flow_id']!r} is {listed['status']}, epoch {listed['epoch']}"
    yield f"created {listed['created_at'].isoformat()}, last written {listed['updated_at'].isoformat()}"
    yield f"run by: {owner_text(listed)}"


def routine_table(view: JobView) -> list[str]:
    """What each routine has done, as columns."""
    states, now = view.document["routine_states"], _names_of_now(view)
    rows: list[tuple[str, ...]] = [("routine", "status", "activations", "events", "errors", "retries")]
    for routine_id, count in counts_of(view).items():
        status = states[routine_id]["status"] if routine_id in states else now.get(routine_id, "-")
        numbers = (count.activations, count.events, count.errors, count.retries)
        rows.append((routine_id, status, *map(str, numbers)))
    return columns(rows) if len(rows) > 1 else []


def _names_of_now(view: JobView) -> dict[str, str]:
    """What has become of routines that history calls by names which plans have changed since."""
    names: dict[str, str] = {}
    for applied in view.document.get("plans", []):
        renamed = applied["plan"].get("routines", {})
        names = renamed | {old: renamed.get(new, new) for old, new in names.items()}
    return {old: f"is {new} now" for old, new in names.items()}


def explained_job(listed: dict[str, Any], view: JobView, shown: int | None = SHOWN) -> Iterator[str]:
    """A job's account as lines: why it failed, with places in the user's code, what it waits for, what it did."""
    error, done = view.explanation.error, total(counts_of(view).values())
    lines = account(msgspec.structs.replace(_explanation(listed, view), error=None), shown)
    yield next(lines)
    if error is not None:
        yield f"  why: {error_line(error)}"
        yield from (f"    {line}" for line in traceback_lines(error))
    yield from lines
    yield f"  run by: {owner_text(listed)}"
    yield f"  so far: {done}"
    yield from (f"    {line}" for line in routine_table(view))
    for routine_id, last in routine_errors(view).items():
        yield f"  last error of {routine_id}: {error_line(last)}"


def _explanation(listed: dict[str, Any], view: JobView) -> Explanation:
    """A job's account, which cannot know by itself that its process has gone."""
    if not listed["orphaned"]:
        return view.explanation
    return msgspec.structs.replace(
        view.explanation, note="its process has gone: recover it, and what ran is tried again"
    )


def routine_errors(view: JobView) -> dict[str, ErrorInfo]:
    """The last error of each routine that has had one."""
    states = view.document["routine_states"].items()
    return {routine_id: msgspec.convert(state["error"], ErrorInfo) for routine_id, state in states if state["error"]}


def explained_document(listed: dict[str, Any], view: JobView) -> dict[str, Any]:
    """A job's account as JSON."""
    error = view.explanation.error
    errors = {routine_id: error_document(each) for routine_id, each in routine_errors(view).items()}
    return {
        "job": listed,
        "explanation": _explanation(listed, view),
        "error": None if error is None else error_document(error),
        "done": counts_of(view),
        "errors": errors,
    }
