"""The commands that remove jobs from a store: delete, prune."""

import re
from contextlib import suppress
from datetime import timedelta
from typing import Annotated

import typer

from routilux.cli.job_ids import whole_id
from routilux.cli.options import DEFAULT_STORE, JobId, Json, StoreUrl, existing_store
from routilux.cli.printing import print_done

_AGE = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def delete(job_id: JobId, store: StoreUrl = DEFAULT_STORE, json: Json = False) -> int:
    """Remove a job that nobody runs, with all that is kept of it; or the tombstone of one that was moved out."""
    with existing_store(store) as opened:
        job_id = whole_id(opened, job_id)
        deleted = opened.delete(job_id)
    done = f"job {job_id} was deleted" if deleted else f"job {job_id} was deleted by somebody else just now"
    print_done({"job_id": job_id, "deleted": deleted}, done, as_json=json)
    return 0


def prune(
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="AGE", help="How long ago they settled: 90s, 30m, 12h, 7d or 2w.")
    ],
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> int:
    """Remove the jobs that settled, or were moved out, longer ago; those that run or are paused stay."""
    age = read_age(older_than)
    with existing_store(store) as opened:
        pruned = opened.prune(older_than=age)
    done = "1 job was removed" if pruned == 1 else f"{pruned} jobs were removed"
    print_done({"pruned": pruned}, done, as_json=json)
    return 0


def read_age(text: str) -> timedelta:
    """A number with a unit as a time; BadParameter for anything else."""
    found = _AGE.fullmatch(text)
    with suppress(OverflowError):
        if found is not None:
            return timedelta(**{_UNITS[found[2]]: float(found[1])})
    raise typer.BadParameter(f"{text!r} is not like 90s, 30m, 12h, 7d or 2w", param_hint="--older-than")
