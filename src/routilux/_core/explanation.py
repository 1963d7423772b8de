"""What a job does, waits for and has failed of: as data, and as text."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from routilux._core.alike import SHOWN, grouped
from routilux._core.job import Job, PauseRequest
from routilux._core.plan_records import names_in
from routilux._model import JobStatus
from routilux._plan import slot_named
from routilux._records import AppliedPlan, ErrorInfo, RoutineState, Task, task_id


class TaskNote(msgspec.Struct, frozen=True):
    """One task: where it goes, how often it was retried, since when and until when it is as it is.

    `source` is the event that it came from, as `routine.event`; times are aware and in UTC, `until` is None where there
    is no end.
    """

    task_id: str
    routine_id: str
    slot: str
    since: datetime
    until: datetime | None
    retry_count: int
    source: str | None

    def __str__(self) -> str:
        parts = [f"{self.routine_id}.{self.slot} (task {self.task_id})"]
        if self.source is not None:
            parts.append(f"from {self.source}")
        if self.retry_count:
            parts.append(f"retried {self.retry_count} times" if self.retry_count > 1 else "retried once")
        parts.append(f"since {self.since.isoformat()}")
        if self.until is not None:
            parts.append(f"until {self.until.isoformat()}")
        return ", ".join(parts)


class JoinNote(msgspec.Struct, frozen=True):
    """A slot with data on which no handler has run, as its `when` has not held yet.

    `counts` tells how many values each parameter has: a list's length, else one.
    """

    routine_id: str
    slot: str
    counts: dict[str, int]

    def __str__(self) -> str:
        counts = ", ".join(f"{count} of {name!r}" for name, count in self.counts.items())
        return f"{self.routine_id}.{self.slot}, which has {counts or 'nothing'}"


class PlanNote(msgspec.Struct, frozen=True):
    """A plan by which the job went on in a changed flow: when, why, and what has been otherwise since, in words."""

    at: datetime
    reason: str
    changes: list[str]

    def __str__(self) -> str:
        reason = f" ({self.reason})" if self.reason else ""
        return f"{self.at.isoformat()}{reason}: {'; '.join(self.changes) or 'nothing of this job was called otherwise'}"


class Explanation(msgspec.Struct, frozen=True):
    """A job's situation.

    `running` handlers; `queued` tasks, in order; tasks that wait for their `time`, as they were emitted with a delay,
    for a `retry` or for a `delivery` from outside; slots that wait for more data until their `when` holds; `failed`
    tasks and the `error` that failed the job; `note` says in words what the job as a whole waits for. `plans` are those
    by which it went on in changed flows, oldest first.

    The text has the error first, and of many tasks of one slot the first ten, with how many there are.
    """

    job_id: str
    flow_id: str
    status: JobStatus
    note: str
    running: list[TaskNote]
    queued: list[TaskNote]
    waiting_for_time: list[TaskNote]
    waiting_for_retry: list[TaskNote]
    waiting_for_delivery: list[TaskNote]
    waiting_for_more: list[JoinNote]
    failed: list[TaskNote]
    error: ErrorInfo | None
    plans: list[PlanNote]

    def __str__(self) -> str:
        return "\n".join(account(self))


def account(explanation: Explanation, shown: int | None = SHOWN) -> Iterator[str]:
    """A job's situation as lines: the error first; of tasks that are alike, as many as are to be `shown`, or all."""
    yield f"job {explanation.job_id} of flow {explanation.flow_id!r} is {explanation.status}: {explanation.note}"
    if explanation.error is not None:
        yield f"  because of {explanation.error.type}: {explanation.error.message}"
        yield from (f"    {line}" for line in traceback_lines(explanation.error))
    groups: tuple[tuple[str, Sequence[TaskNote | JoinNote]], ...] = (
        ("failed:", explanation.failed),
        ("running:", explanation.running),
        ("queued:", explanation.queued),
        ("waits for its time:", explanation.waiting_for_time),
        ("waits for its retry:", explanation.waiting_for_retry),
        ("waits for a delivery:", explanation.waiting_for_delivery),
        ("waits for more data:", explanation.waiting_for_more),
    )
    for title, notes in groups:
        yield from (f"  {line}" for line in grouped(title, notes, _place, shown))
    yield from (f"  changed by a plan at {note}" for note in explanation.plans)


def traceback_lines(error: ErrorInfo) -> list[str]:
    """The lines of an error's traceback; none where no code raised it, so that it only says the message once more."""
    lines = error.traceback.splitlines()
    return [] if lines == f"{error.type}: {error.message}".splitlines() else lines


def _place(note: TaskNote | JoinNote) -> str:
    return f"{note.routine_id}.{note.slot}"


def explain(job: Job, now: float) -> Explanation:
    """Say what a job does, what it waits for and why it failed."""
    waiting = job.waiting()
    return Explanation(
        job.job_id,
        job.flow_id,
        job.status,
        _note(job, now),
        [_task_note(job, task) for task in job.active.values()],
        [_task_note(job, task) for task in job.ready],
        [_task_note(job, task) for task in waiting if task.data is not None and not task.retry_count],
        [_task_note(job, task) for task in waiting if task.data is not None and task.retry_count],
        [_task_note(job, task) for task in waiting if task.data is None],
        unmet_joins(job),
        [_task_note(job, task) for task in job.failed],
        job.error or job.coming_error,
        [_plan_note(applied) for applied in job.plans],
    )


def _plan_note(applied: AppliedPlan) -> PlanNote:
    plan = names_in(applied.plan)
    changes = [
        f"routine {old!r} is {new!r} since; what history says of before then, it says of {old!r}"
        for old, new in plan.routines.items()
    ]
    changes += [f"slot {str(key)!r} is {str(plan.slot_of(key))!r} since" for key in plan.moves]
    changes += [f"class {old!r} is {new!r} since" for old, new in plan.classes.items()]
    for place, names in plan.parameters.items():
        key = slot_named(place)
        changes += [f"parameter {old!r} of {str(key)!r} is {new!r} since" for old, new in names.items()]
    changes += [f"routine {name!r} was configured anew by {by}" for name, by in applied.plan.get("config", {}).items()]
    changes += [
        f"task {task.get('task_id')} for {task.get('routine_id')}.{task.get('slot')} was dropped"
        for task in applied.dropped_tasks
    ]
    for routine_id, slots in applied.dropped_data.items():
        changes += [f"the data that had come to '{routine_id}.{slot}' was dropped" for slot in slots]
    return PlanNote(datetime.fromtimestamp(applied.at, UTC), plan.reason, changes)


def unmet_joins(job: Job) -> list[JoinNote]:
    """The slots with data, and no task that is open, of routines none of whose tasks has had an outcome."""
    open_slots = {task.target for task in job.unfinished().values()}
    return [
        JoinNote(key.routine_id, key.slot, {name: _count(value) for name, value in data.items()})
        for key, data in sorted(job.slot_data.items())
        if key not in open_slots and job.routines.get(key.routine_id, RoutineState()).outcome is None
    ]


def _count(value: object) -> int:
    return len(value) if isinstance(value, list) else 1


def _note(job: Job, now: float) -> str:
    if job.status is JobStatus.PENDING:
        return "it has not been started"
    if job.status is JobStatus.PAUSED:
        point = job.pause_points[-1] if job.pause_points else None
        return "it waits to be resumed" + (f" ({point.reason})" if point is not None and point.reason else "")
    if job.status is JobStatus.CANCELLED:
        return f"it was cancelled ({job.cancel_reason})" if job.cancel_reason else "it was cancelled"
    if job.status is JobStatus.FAILED:
        return "a task failed and nothing more is started" if job.failed else "nothing more is started"
    if job.status is JobStatus.COMPLETED:
        return _completed_note(job)
    return _running_note(job, now)


def _completed_note(job: Job) -> str:
    unmet = [repr(routine_id) for routine_id, state in job.routines.items() if state.outcome is None]
    if not unmet:
        return "all work is done"
    return f"all work is done, but data came to {', '.join(unmet)} whose `when` never held"


def _running_note(job: Job, now: float) -> str:
    if isinstance(job.closing, PauseRequest):
        return "it pauses when what runs has finished"
    if job.coming_error is not None:
        return "it fails when what runs has finished"
    if job.active:
        return "handlers run"
    if job.ready:
        return "tasks are queued"
    wake = job.next_wake()
    if wake is not None:
        return f"nothing to do for the next {max(wake - now, 0.0):.3f} s"
    return "it waits for a delivery"


def _task_note(job: Job, task: Task) -> TaskNote:
    until = task.due if task.data is not None else task.deadline
    return TaskNote(
        task_id(job.job_id, task.number),
        task.target.routine_id,
        task.target.slot,
        datetime.fromtimestamp(task.since, UTC),
        None if until is None else datetime.fromtimestamp(until, UTC),
        task.retry_count,
        None if task.source is None else str(task.source),
    )
