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
    """It has not been started."""
    RUNNING = "running"
    """Something runs, is queued, or is waited for: a retry's time, a delivery from outside."""
    PAUSED = "paused"
    """It waits to be resumed."""
    COMPLETED = "completed"
    """Nothing is left to do. Routines may have failed under `continue` or `skip`."""
    FAILED = "failed"
    """A task has failed and nothing more is started: `JobState.error`, `Flow.retry`."""
    CANCELLED = "cancelled"
    """Somebody has ended it."""


class RoutineStatus(StrEnum):
    """How far a routine has come within one job."""

    PENDING = "pending"
    """It has tasks, none of which is being handled."""
    RUNNING = "running"
    """One of its handlers runs."""
    COMPLETED = "completed"
    """It has no tasks left; nor has one of the following become of any that it had."""
    FAILED = "failed"
    """A task of it has failed, and with it the job."""
    ERROR_CONTINUED = "error_continued"
    """A task of it has failed, and the job went on with what it had emitted."""
    SKIPPED = "skipped"
    """A task of it has failed, and the job went on without what it had emitted."""
    CANCELLED = "cancelled"
    """The job was cancelled while it had tasks left."""


class ErrorStrategy(StrEnum):
    """What a failed activation means for its job."""

    STOP = "stop"
    """The job fails."""
    CONTINUE = "continue"
    """The job goes on, with what the attempt had emitted."""
    SKIP = "skip"
    """The job goes on, without what the attempt had emitted."""
    RETRY = "retry"
    """The task is tried again, after a delay; when its retries are used up the job fails."""


class ExecutionStrategy(StrEnum):
    """Whether a job runs one activation at a time or as many as there are workers."""

    SEQUENTIAL = "sequential"
    """One at a time, in the order of the queue."""
    CONCURRENT = "concurrent"
    """As many as there are workers; async handlers are not counted."""


class Durability(StrEnum):
    """When what an activation did is on disk: within the store's window, or before the job's next one starts."""

    GROUP = "group"
    """Within the store's window (0.01 s, unless set), together with what other jobs do in that time."""
    STRICT = "strict"
    """Before the job's next activation starts."""


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
