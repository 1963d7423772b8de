"""What can happen to a job (facts, past participles) and what is then to be done (effects)."""

from enum import Enum
from typing import NamedTuple

import msgspec

from routilux._records import Changes, Data, Decision, Emission, ErrorInfo, HistoryRecord, Task


class JobStarted(msgspec.Struct):
    """The job was asked to begin with this delivery."""

    task: Task


class TaskSucceeded(msgspec.Struct, gc=False):
    """A handler returned.

    `started` is its start record, unless a flush has published it before; `outbox` is what it emitted, and `routing`
    says of some of these, by index, how they are to be routed.
    """

    task: Task
    started: HistoryRecord | None
    outbox: list[HistoryRecord]
    routing: dict[int, Emission] | None
    changes: Changes | None


class TaskFlushed(msgspec.Struct):
    """A handler that goes on published what it had done so far."""

    task: Task
    started: HistoryRecord | None
    outbox: list[HistoryRecord]
    routing: dict[int, Emission] | None
    changes: Changes | None


class TaskFailed(msgspec.Struct):
    """An attempt failed, or nobody delivered in time, and the error handler has decided."""

    task: Task
    started: HistoryRecord | None
    outbox: list[HistoryRecord]
    routing: dict[int, Emission] | None
    changes: Changes | None
    error: ErrorInfo
    decision: Decision


class TimersFired(msgspec.Struct):
    """A moment has come that the job waited for."""


class Delivered(msgspec.Struct):
    """Somebody delivered what a task waited for."""

    task: Task
    data: Data


class TaskAbsorbed(msgspec.Struct):
    """A task's data was merged, and its slot's predicate did not hold: no handler is called."""

    task: Task


class SharedDataSet(msgspec.Struct):
    """Somebody outside of any activation changed the shared data."""

    changes: Changes


class PauseRequested(msgspec.Struct):
    """The job shall pause as soon as the activations in flight have committed."""

    reason: str
    checkpoint: Data


class JobResumed(msgspec.Struct):
    """The job goes on, until `hold_until` not settling even if it has nothing left to do.

    `recovered` are tasks built from data that waited in the flow's slots.
    """

    fingerprint: str
    recovered: list[Task]
    hold_until: float


class JobRetried(msgspec.Struct):
    """The failed job goes on, its failed tasks first; until `hold_until` it does not settle."""

    fingerprint: str
    hold_until: float


class HoldLifted(msgspec.Struct):
    """Somebody waits for the job: it may settle."""


class JobCancelled(msgspec.Struct):
    """The job shall do nothing more."""

    reason: str


class JobTimedOut(msgspec.Struct):
    """The job has run for longer than it may."""

    error: ErrorInfo


class AttemptsLost(msgspec.Struct):
    """Whoever ran the job does so no more, and what was in flight with it is lost.

    Where it `died`, the attempts count against the tasks: one that has lost `limit` of them fails its job. With
    `alone` only if nothing else was in flight with it: else it could be the fault of another one.
    """

    died: bool
    limit: int
    alone: bool = False


class TaskResolved(msgspec.Struct):
    """Somebody knows what became of an ambiguous task: it is done, or to be tried `again`.

    `outbox` is what its handler would have emitted.
    """

    task: Task
    again: bool
    outbox: list[HistoryRecord] = []


Fact = (
    JobStarted
    | TaskSucceeded
    | TaskFlushed
    | TaskAbsorbed
    | TaskFailed
    | TimersFired
    | Delivered
    | SharedDataSet
    | PauseRequested
    | JobResumed
    | JobRetried
    | HoldLifted
    | JobCancelled
    | JobTimedOut
    | AttemptsLost
    | TaskResolved
)


class TaskMerged(NamedTuple):
    """A slot's own function has merged the data of a task that was taken."""

    task: Task
    data: Data


Happening = Task | TaskMerged | Fact
"""What a journal tells: that a task was taken, that its data was merged by a function, or a fact."""


class Effect(Enum):
    """What the engine has to see to after a fact. A job is stuck when nothing goes on unless somebody delivers."""

    STATUS_CHANGED = "status changed"
    TIMER_CHANGED = "timer changed"
    STUCK = "stuck"


Effects = tuple[Effect, ...]
NOTHING: Effects = ()
STATUS_CHANGED: Effects = (Effect.STATUS_CHANGED,)
TIMER_CHANGED: Effects = (Effect.TIMER_CHANGED,)
STUCK: Effects = (Effect.STUCK,)
STATUS_AND_TIMER_CHANGED: Effects = STATUS_CHANGED + TIMER_CHANGED
