"""How somebody opens a store, and which jobs he asks it for: ids, statuses, ages."""

from datetime import timedelta
from typing import NamedTuple

from routilux._backends.backend import MOVED, Backend, JobRecord
from routilux._model import LONGEST, JobStatus
from routilux._numbers import checked_count, checked_span, shown_number
from routilux._texts import id_problem
from routilux.errors import DefinitionError, UnknownJobError, listed

WINDOW = 0.01
PATIENCE = 30.0
MAX_LOST_ATTEMPTS = 3


class Settings(NamedTuple):
    """How a process uses a store; `open_store` says what they mean."""

    window: float
    patience: float
    max_lost_attempts: int


def checked_settings(window: float, patience: float, max_lost_attempts: int) -> Settings:
    """Settings with which a store can be used, or DefinitionError."""
    return Settings(
        checked_span(window, "window"),
        checked_span(patience, "patience"),
        checked_count(max_lost_attempts, "max_lost_attempts", least=1),
    )


def may_have(job_id: object) -> bool:
    """Whether a store may have a job of this id."""
    return isinstance(job_id, str) and not id_problem(job_id)


def asked_id(job_id: str) -> str:
    """The id of a job that a store may have; UnknownJobError for what can be no id, DefinitionError for no text."""
    if not isinstance(job_id, str):
        raise DefinitionError(f"a job is named by its id, as job_state.job_id is, not by {job_id!r}")
    if not may_have(job_id):
        raise _unknown(job_id)
    return job_id


def record_of(backend: Backend, job_id: str) -> JobRecord:
    """A job as it is listed; UnknownJobError where there is none."""
    record = backend.record(asked_id(job_id))
    if record is None:
        raise _unknown(job_id)
    return record


def _unknown(job_id: str) -> UnknownJobError:
    return UnknownJobError(f"the store has no job {job_id!r}")


def checked_status(status: object) -> str | None:
    """A job's status, or that of what was moved out; None for any. DefinitionError for what is none."""
    statuses = [*JobStatus, MOVED]
    if status is not None and (not isinstance(status, str) or status not in statuses):
        raise DefinitionError(f"unknown status {status!r} of a job; there are: {listed(statuses)}", known=statuses)
    return status


def checked_flow_id(flow_id: object) -> str | None:
    """A flow's id, None for any, or DefinitionError."""
    if flow_id is None:
        return None
    if not isinstance(flow_id, str):
        raise DefinitionError(f"a flow_id is a text, or None for those of all flows, not {flow_id!r}")
    if problem := id_problem(flow_id):
        raise DefinitionError(f"a flow_id has {problem}")
    return flow_id


def checked_age(older_than: object) -> float:
    """An age in seconds, or DefinitionError."""
    age = older_than.total_seconds() if isinstance(older_than, timedelta) else older_than
    if isinstance(age, bool) or not isinstance(age, int | float) or not age >= 0:
        given = shown_number(older_than)
        raise DefinitionError(f"older_than is a timedelta, or a number of seconds, from 0 on, not {given}")
    return float(min(age, LONGEST))
