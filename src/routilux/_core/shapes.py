"""The shape of a JobState document, node by node: what `msgspec` checks before anything is read.

Fields stand in the order in which they are written. The long lists are read part by part, and data and times in them by
columns (`long_lists`), so here they are taken as they are: an object would be made of each.
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from routilux._model import LONGEST, Durability, JobStatus, RoutineStatus

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Priority = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=LONGEST)]


class _Document(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    pass


class HistoryDocument(_Document):
    """One record of `execution_history`."""

    routine_id: str
    event_name: str
    data: Any
    timestamp: str


class ConnectionDocument(_Document):
    """What brought a task: the routine and the event."""

    source_routine_id: str
    source_event: str


class TaskDocument(_Document, kw_only=True):
    """One of `pending_tasks` or `failed_tasks`; `data` is null while it waits to be delivered to."""

    task_id: str | None = None
    routine_id: str
    slot: str
    data: Any
    connection: ConnectionDocument | None = None
    priority: Priority = 0
    metadata: Any = None
    retry_count: Count = 0
    flushes: Count = 0
    merged: Any = None
    seen: dict[str, Count] | None = None
    since: str | None = None
    due: Instant | None = None
    deadline: Instant | None = None
    patience: Seconds | None = None
    lost_attempts: Count = 0
    ambiguous: bool = False


class ErrorDocument(_Document):
    """Why an attempt or a job failed."""

    type: str
    message: str = ""
    routine_id: str | None = None
    task_id: str | None = None
    traceback: str = ""


class RoutineStateDocument(_Document):
    """What a job remembers of a routine; `outcome` is the worst so far of its settled tasks."""

    status: RoutineStatus
    outcome: RoutineStatus | None = None
    error: ErrorDocument | None = None
    state: dict[str, Any] = {}


class PausePointDocument(_Document):
    """When and why the job was paused."""

    timestamp: Instant
    reason: str = ""
    checkpoint: dict[str, Any] = {}


class JobDocument(_Document):
    """A whole JobState."""

    flow_id: str
    job_id: str
    status: JobStatus
    flow_fingerprint: str = ""
    epoch: Count = 0
    routine_states: dict[str, Any] = {}
    execution_history: Any = []
    pending_tasks: Any = []
    failed_tasks: Any = []
    slot_data: dict[str, Any] = {}
    shared_data: dict[str, Any] = {}
    shared_log: list[Any] = []
    pause_points: list[PausePointDocument] = []
    error: ErrorDocument | None = None
    cancel_reason: str | None = None
    next_task: Count = 1
    timeout: Seconds | None = None
    durability: Durability = Durability.GROUP
    elapsed: Seconds = 0.0
    history_limit: Count | None = None
    history_dropped: Count = 0
    created_at: Instant | None = None
    updated_at: Instant | None = None
