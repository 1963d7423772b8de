"""How a job comes to rest: what becomes of its routines, and of itself."""

from typing import Any

from msgspec.structs import replace

from routilux._core.facts import NOTHING, STATUS_AND_TIMER_CHANGED, STUCK, TIMER_CHANGED, Effects
from routilux._core.job import Job, PauseRequest
from routilux._core.ready_queue import ReadyQueue
from routilux._model import JOB_TRANSITIONS, SEVERITY, JobStatus, RoutineStatus
from routilux._records import ErrorInfo, HistoryRecord, PausePoint, RoutineState, Task


def record(job: Job, records: list[HistoryRecord], now: float) -> None:
    """Write records of the job's history."""
    job.history.extend(records)
    job.updated_at = now


UNTOUCHED = RoutineState()
COMPLETED = RoutineState(RoutineStatus.COMPLETED)


def touch(job: Job, routine_id: str, **changes: Any) -> None:
    """Remember that a routine has had something to do, and what that has changed of its state."""
    state = job.routines.get(routine_id, UNTOUCHED)
    job.routines[routine_id] = replace(state, **changes) if changes else state


def worsen(job: Job, routine_id: str, outcome: RoutineStatus) -> None:
    """Let an outcome count for a routine, unless a worse one does already."""
    so_far = job.routines.get(routine_id, UNTOUCHED).outcome
    if so_far is None or SEVERITY.index(outcome) > SEVERITY.index(so_far):
        touch(job, routine_id, outcome=outcome)


def abandon_active(job: Job) -> None:
    """Put the tasks in flight back in front of the queue; what becomes of their attempts no longer counts."""
    tasks = list(map(replace, job.active.values()))
    job.active.clear()
    put_first(job, tasks)


def put_first(job: Job, tasks: list[Task]) -> None:
    """Put tasks in front of all that are ready and have their priority."""
    tasks, job.ready = [*tasks, *job.ready], ReadyQueue()
    for task in tasks:
        job.ready.push(task)


def doom(job: Job, error: ErrorInfo) -> None:
    """Let the job fail when what runs has ended; of several reasons the first counts."""
    job.closing = job.coming_error or error


def close(job: Job, now: float) -> Effects:
    """Let the job settle or pause where it is due."""
    if job.active or job.status is not JobStatus.RUNNING:
        return NOTHING
    closing = job.closing
    if closing is None and not job.idle:
        return STUCK if job.stuck else NOTHING
    if job.hold_until is not None and not isinstance(closing, PauseRequest) and now < job.hold_until:
        return TIMER_CHANGED
    if isinstance(closing, PauseRequest):
        move(job, JobStatus.PAUSED, now)
        add_pause_point(job, closing, now)
    elif closing is None:
        move(job, JobStatus.COMPLETED, now)
    else:
        move(job, JobStatus.FAILED, now)
        job.error = closing
    stop_the_watch(job, now)
    return STATUS_AND_TIMER_CHANGED


def add_pause_point(job: Job, request: PauseRequest, now: float) -> None:
    """Note when and why the job was paused."""
    job.pause_points += (PausePoint(now, request.reason, request.checkpoint),)


def stop_the_watch(job: Job, now: float) -> None:
    """Count no more time against the job, and drop what it was about to do."""
    job.closing = None
    job.hold_until = None
    if job.running_since is not None:
        job.elapsed += max(now - job.running_since, 0.0)
        job.running_since = None


def move(job: Job, status: JobStatus, now: float) -> None:
    """Change the job's status; ValueError where that one may not follow."""
    if (job.status, status) not in JOB_TRANSITIONS:
        raise ValueError(f"job {job.job_id!r} is {job.status}: it cannot become {status}")
    job.status = status
    job.updated_at = now
