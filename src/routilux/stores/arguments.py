"""Which jobs somebody asks a store for: statuses, ids of flows, ages."""

from datetime import timedelta

from routilux._backends.backend import MOVED
from routilux._model import JobStatus
from routilux.errors import DefinitionError, listed


def checked_status(status: object) -> str | None:
    """A job's status, or that of what was moved out; None for any. DefinitionError for what is none."""
    statuses = [*JobStatus, MOVED]
    if status is not None and (not isinstance(status, str) or status not in statuses):
        raise DefinitionError(f"unknown status {status!r} of a job; there are: {listed(statuses)}", known=statuses)
    return status


def checked_flow_id(flow_id: object) -> str | None:
    """A flow's id, None for any, or DefinitionError."""
    if flow_id is not None and not isinstance(flow_id, str):
        raise DefinitionError(f"a flow_id is a text, or None for those of all flows, not {flow_id!r}")
    return flow_id


def checked_age(older_than: object) -> float:
    """An age in seconds, or DefinitionError."""
    age = older_than.total_seconds() if isinstance(older_than, timedelta) else older_than
    if isinstance(age, bool) or not isinstance(age, int | float) or not age >= 0:
        raise DefinitionError(f"older_than is a timedelta, or a number of seconds, from 0 on, not {older_than!r}")
    return float(age)
