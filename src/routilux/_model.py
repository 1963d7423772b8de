"""The words of the model: ids, statuses, strategies, and which status may follow which."""

from enum import StrEnum
from typing import NamedTuple


class SlotKey(NamedTuple):
    """Where a task is delivered: a routine's id and the name of one of its slots."""

    routine_id: str
    slot: str

    def __str__(self) -> str:
        return f"{self.routine_id}.{self.slot}"


class EventKey(NamedTuple):
    """Where an emission comes from: a routine's id and the name of one of its events."""

    routine_id: str
    event: str

    def __str__(self) -> str:
        return f"{self.routine_id}.{self.event}"


class JobStatus(StrEnum):
    """How far a job has come."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RoutineStatus(StrEnum):
    """How far a routine has come within one job."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    ERROR_CONTINUED = "error_continued"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


class ErrorStrategy(StrEnum):
    """What a failed activation means for its job."""

    STOP = "stop"
    CONTINUE = "continue"
    SKIP = "skip"
    RETRY = "retry"


class ExecutionStrategy(StrEnum):
    """Whether a job runs one activation at a time or as many as there are workers."""

    SEQUENTIAL = "sequential"
    CONCURRENT = "concurrent"


class Durability(StrEnum):
    """When what an activation did is on disk: within the store's window, or before the job's next one starts."""

    GROUP = "group"
    STRICT = "strict"


class SideEffects(StrEnum):
    """What a routine's handlers do to the world outside, should their process die in the middle of an attempt.

    `repeatable`: the attempt is made again. `recorded`: so too, and each attempt is on disk before it begins, so that
    one that kills its process is known from its first time on. `at_most_once`: it is not made again unless somebody
    says so (`Flow.resolve`); until then the job is paused.
    """

    REPEATABLE = "repeatable"
    RECORDED = "recorded"
    AT_MOST_ONCE = "at_most_once"


class MergeKind(StrEnum):
    """How data that arrives at a slot is put together with what is there."""

    OVERRIDE = "override"
    APPEND = "append"
    FUNCTION = "function"


LONGEST = 1e10
"""Seconds: no timeout is longer, so that every deadline is a date."""

SETTLED = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED})
RESUMABLE = frozenset({JobStatus.PENDING, JobStatus.RUNNING, JobStatus.PAUSED})

# The worst of a routine's settled tasks is its status once it has no tasks left. Nothing in a job that goes on makes a
# routine cancelled, but a document may say that it is (page: What Doesn't Get Recovered).
SEVERITY = (
    RoutineStatus.COMPLETED,
    RoutineStatus.SKIPPED,
    RoutineStatus.ERROR_CONTINUED,
    RoutineStatus.FAILED,
    RoutineStatus.CANCELLED,
)

JOB_TRANSITIONS = frozenset(
    {
        (JobStatus.PENDING, JobStatus.RUNNING),  # execute, resume
        (JobStatus.PENDING, JobStatus.CANCELLED),
        (JobStatus.RUNNING, JobStatus.RUNNING),  # resume of a snapshot taken while it ran
        (JobStatus.RUNNING, JobStatus.PAUSED),
        (JobStatus.RUNNING, JobStatus.COMPLETED),
        (JobStatus.RUNNING, JobStatus.FAILED),
        (JobStatus.RUNNING, JobStatus.CANCELLED),
        (JobStatus.PAUSED, JobStatus.PAUSED),  # one more pause point
        (JobStatus.PAUSED, JobStatus.RUNNING),
        (JobStatus.PAUSED, JobStatus.CANCELLED),
        (JobStatus.COMPLETED, JobStatus.PAUSED),  # its work ran out before the pause arrived
    }
)
