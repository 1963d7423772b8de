"""The shape of a JobState document, node by node: what `msgspec` checks before anything is read.

Fields stand in the order in which they are written. The long lists are read part by part, and data and times in them by
columns (`long_lists`), so here they are taken as they are: an object would be made of each.
"""

from typing import Annotated, Any

from msgspec import Meta, field

from routilux._migrations import CURRENT_FORMAT
from routilux._model import SEVERITY, Durability, JobStatus, RoutineStatus
from routilux._records import RESERVED_IN_STATE
from routilux._shapes import (
    Count,
    DataDocument,
    Instant,
    InstantText,
    OptionalData,
    Priority,
    Seconds,
    Shape,
    a,
    by_name,
    list_of,
    said,
)


class HistoryDocument(Shape):
    """One record of `execution_history`."""

    routine_id: str
    event_name: str
    data: DataDocument
    timestamp: InstantText


class SourceDocument(Shape):
    """What brought a task: the routine and the event."""

    source_routine_id: str
    source_event: str


class TaskDocument(Shape, kw_only=True):
    """One of `pending_tasks` or `failed_tasks`; `data` is null while it waits to be delivered to."""

    task_id: str | None = None
    routine_id: str
    slot: str
    data: OptionalData
    connection: SourceDocument | None = None
    priority: Priority = 0
    metadata: OptionalData = None
    retry_count: Count = 0
    flushes: Count = 0
    merged: OptionalData = None
    seen: dict[str, Count] | None = None
    since: InstantText | None = None
    due: Instant | None = None
    deadline: Instant | None = None
    patience: Seconds | None = None
    lost_attempts: Count = 0
    ambiguous: bool = False


class ErrorDocument(Shape):
    """Why an attempt or a job failed."""

    type: str
    message: str = ""
    routine_id: str | None = None
    task_id: str | None = None
    traceback: str = ""


_OUTCOME = said(enum=[*SEVERITY])
_OWN_STATE = said(**a("data"), properties=dict.fromkeys(sorted(RESERVED_IN_STATE), False))


class RoutineStateDocument(Shape):
    """What a job remembers of a routine; `outcome` is the worst so far of its settled tasks."""

    status: RoutineStatus
    outcome: Annotated[RoutineStatus, _OUTCOME] | None = None
    error: ErrorDocument | None = None
    state: Annotated[dict[str, Any], _OWN_STATE] = {}


class PausePointDocument(Shape):
    """When and why the job was paused."""

    timestamp: Instant
    reason: str = ""
    checkpoint: Annotated[dict[str, Any], said(**a("data"))] = {}


_SLOT_DATA = said(additionalProperties={"type": "object", "additionalProperties": a("data")})
_PLACE = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2}]}


def _by_place(said_of_it: dict[str, Any]) -> Meta:
    """What is said of slots, each of which is `routine.slot`; or pairs, where a slot is both its names."""
    pair = {"type": "array", "prefixItems": [_PLACE, said_of_it], "minItems": 2, "maxItems": 2}
    return said(anyOf=[{"type": "object", "additionalProperties": said_of_it}, {"type": "array", "items": pair}])


_NAMES = {"type": "object", "additionalProperties": {"type": "string"}}


class PlanDocument(Shape):
    """A plan as `Plan.document` writes it."""

    routines: dict[str, str] = {}
    slots: Annotated[Any, _by_place(_PLACE)] = {}
    parameters: Annotated[Any, _by_place(_NAMES)] = {}
    classes: dict[str, str] = {}
    config: dict[str, str] = {}
    drop: Annotated[list[Any], said(items=_PLACE)] = []
    forget: Annotated[list[Any], said(items=_PLACE)] = []
    flow_id: str | None = None
    reason: str = ""


class AppliedPlanDocument(Shape, kw_only=True):
    """A plan that was applied to the job, when, and what it dropped: tasks, and data by routine and slot.

    What was dropped is read by nobody any more, so that it may be any JSON.
    """

    applied_at: Instant
    flow_fingerprint: str = ""
    plan: PlanDocument
    dropped_tasks: list[dict[str, Any]] = []
    dropped_data: dict[str, dict[str, Any]] = {}


class JobDocument(Shape, kw_only=True):
    """A whole JobState."""

    type_: Annotated[str, said(const="JobState")] = field(name="_type")
    format: Annotated[int, said(const=CURRENT_FORMAT)]
    flow_id: str
    flow_fingerprint: str = ""
    job_id: str
    epoch: Count = 0
    status: JobStatus
    routine_states: Annotated[dict[str, Any], by_name(RoutineStateDocument)] = {}
    execution_history: Annotated[Any, list_of(HistoryDocument)] = []
    pending_tasks: Annotated[Any, list_of(TaskDocument)] = []
    failed_tasks: Annotated[Any, list_of(TaskDocument)] = []
    slot_data: Annotated[dict[str, Any], _SLOT_DATA] = {}
    shared_data: Annotated[dict[str, Any], said(**a("data"))] = {}
    shared_log: Annotated[list[Any], list_of("value")] = []
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
    plans: list[AppliedPlanDocument] = []
