"""What each fact makes of a job: the reducer. It changes the job it is given, and nothing else."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from routilux._core.clocks import wait_no_longer_than_asked
from routilux._core.crashes import attempts_lost, task_resolved
from routilux._core.facts import (
    NOTHING,
    STATUS_AND_TIMER_CHANGED,
    STATUS_CHANGED,
    TIMER_CHANGED,
    AttemptsLost,
    Delivered,
    Effects,
    Fact,
    HoldLifted,
    JobCancelled,
    JobResumed,
    JobRetried,
    JobStarted,
    JobTimedOut,
    PauseRequested,
    SharedDataSet,
    TaskAbsorbed,
    TaskFailed,
    TaskFlushed,
    TaskResolved,
    TaskSucceeded,
    TimersFired,
)
from routilux._core.job import Job, PauseRequest
from routilux._core.merging import adopt
from routilux._core.publishing import Published, apply_shared, enlist, publish
from routilux._core.ready_queue import ReadyQueue
from routilux._core.record_kinds import RecordKind, failure_record
from routilux._core.settling import (
    COMPLETED,
    abandon_active,
    add_pause_point,
    close,
    doom,
    move,
    record,
    stop_the_watch,
    touch,
    worsen,
)
from routilux._graph import Graph, Source
from routilux._model import (
    ErrorStrategy,
    JobStatus,
    RoutineStatus,
)
from routilux._records import (
    Changes,
    HistoryRecord,
    Task,
)

RUNNING = JobStatus.RUNNING


def transition(graph: Graph, job: Job, fact: Fact, now: float) -> Effects:
    """Apply one fact to a job; what is left for the engine to do comes back."""
    return _APPLY[type(fact)](graph, job, fact, now)


def take(graph: Graph, job: Job, now: float) -> Task | None:
    """Take the task to run next, or None where nothing may start now. Its data is to be merged into its slot."""
    if job.closing is not None or job.status is not RUNNING or (job.active and not graph.concurrent):
        return None
    ready = job.ready
    if ready.ranked:
        task = ready.pop()
    elif ready.plain:
        task = ready.plain.popleft()
    else:
        return None
    task.since = now
    job.active[task.number] = task
    return task


def _started(graph: Graph, job: Job, fact: JobStarted, now: float) -> Effects:
    job.fingerprint = graph.fingerprint
    job.running_since = now
    move(job, JobStatus.RUNNING, now)
    enlist(job, fact.task, now)
    return STATUS_CHANGED if job.timeout is None else STATUS_AND_TIMER_CHANGED


def _succeeded(graph: Graph, job: Job, fact: TaskSucceeded, now: float) -> Effects:
    return succeed(job, graph.routines[fact.task.target.routine_id], fact, fact.changes, now)


def succeed(job: Job, source: Source, done: Published, changes: Changes | None, now: float) -> Effects:
    """Apply `TaskSucceeded`, which for the commonest of all facts need not be made unless somebody keeps it.

    What nearly all activations do is written out: no changes, and no emission that says how it is to be routed.
    """
    del job.active[done.task.number]
    if job.routines.setdefault(source.routine_id, COMPLETED).outcome is None:
        worsen(job, source.routine_id, RoutineStatus.COMPLETED)
    if changes is not None or done.routing is not None:
        return publish(job, source, done, changes, now) + close(job, now)
    started, outbox, ready = done.started, done.outbox, job.ready
    history, number, routes = job.history, job.next_number, source.routes
    if started is not None:
        history.append(started)
    if outbox:
        for record in outbox:
            history.append(record)
            for route in routes[record.event_name]:
                content = record.content if route.mapping is None else route.mapped(record.content)
                task = Task(number, route.target, content, route.source, route.priority, None, now)
                number += 1
                if route.priority:
                    ready.push(task)
                else:
                    ready.plain.append(task)
        job.next_number = number
    job.updated_at = now
    if job.closing is None and (ready.plain or ready.ranked):
        return NOTHING
    return close(job, now)


def _flushed(graph: Graph, job: Job, fact: TaskFlushed, now: float) -> Effects:
    routine_id = fact.task.target.routine_id
    fact.task.flushes += 1
    touch(job, routine_id)
    return publish(job, graph.routines[routine_id], fact, fact.changes, now)


def _absorbed(graph: Graph, job: Job, fact: TaskAbsorbed, now: float) -> Effects:
    del job.active[fact.task.number]
    touch(job, fact.task.target.routine_id)
    job.updated_at = now
    return close(job, now)


def _failed(graph: Graph, job: Job, fact: TaskFailed, now: float) -> Effects:
    task, strategy = fact.task, fact.decision.strategy
    job.active.pop(task.number, None)
    job.expecting.discard(task)
    routine_id = task.target.routine_id
    touch(job, routine_id)
    if strategy is ErrorStrategy.CONTINUE:
        effects = publish(job, graph.routines[routine_id], fact, fact.changes, now)
    else:
        effects = NOTHING
        record(job, [fact.started] if fact.started is not None else [], now)
    record(job, _failure_records(fact, now), now)
    touch(job, routine_id, error=fact.error)
    if strategy is ErrorStrategy.RETRY:
        job.enlist(_retried(task, fact.decision.delay, now))
        return effects + TIMER_CHANGED + close(job, now)
    worsen(job, routine_id, _OUTCOMES[strategy])
    if strategy is ErrorStrategy.STOP:
        job.add_failed(task)
        doom(job, fact.error)
    return effects + close(job, now)


def _retried(task: Task, delay: float, now: float) -> Task:
    retried = replace(task, retry_count=task.retry_count + 1, since=now)
    if task.data is None:
        retried.deadline = now + delay + (task.patience or 0.0)
    else:
        retried.due = now + delay
    return retried


_OUTCOMES = {
    ErrorStrategy.CONTINUE: RoutineStatus.ERROR_CONTINUED,
    ErrorStrategy.SKIP: RoutineStatus.SKIPPED,
    ErrorStrategy.STOP: RoutineStatus.FAILED,
}
_OUTCOME_RECORDS = {
    ErrorStrategy.CONTINUE: (RecordKind.ERROR_CONTINUED,),
    ErrorStrategy.SKIP: (RecordKind.SKIPPED,),
}


def _failure_records(fact: TaskFailed, now: float) -> list[HistoryRecord]:
    kinds = (RecordKind.ERROR, *_OUTCOME_RECORDS.get(fact.decision.strategy, ()))
    return [failure_record(kind, fact.task, fact.error, now) for kind in kinds]


def _timers_fired(graph: Graph, job: Job, fact: TimersFired, now: float) -> Effects:
    for task in job.pop_due(now):
        job.ready.push(replace(task, due=None, since=now))
    if job.hold_until is not None and job.hold_until <= now:
        job.hold_until = None
    return close(job, now)


def _delivered(graph: Graph, job: Job, fact: Delivered, now: float) -> Effects:
    job.expecting.discard(fact.task)
    job.enlist(replace(fact.task, data=fact.data, since=now, deadline=None, patience=None))
    job.updated_at = now
    return NOTHING


def _shared_data_set(graph: Graph, job: Job, fact: SharedDataSet, now: float) -> Effects:
    apply_shared(job, fact.changes)
    job.updated_at = now
    return NOTHING


def _pause_requested(graph: Graph, job: Job, fact: PauseRequested, now: float) -> Effects:
    request = PauseRequest(fact.reason, fact.checkpoint)
    if job.status is JobStatus.RUNNING:
        if isinstance(job.closing, PauseRequest):
            add_pause_point(job, job.closing, now)
        if job.coming_error is None:
            job.closing = request
        return close(job, now)
    move(job, JobStatus.PAUSED, now)
    add_pause_point(job, request, now)
    return STATUS_CHANGED


def _job_retried(graph: Graph, job: Job, fact: JobRetried, now: float) -> Effects:
    """Go on as if the job had paused before its failed tasks were tried: they come first, each with a new attempt."""
    if job.status is not JobStatus.FAILED:
        raise ValueError(f"job {job.job_id!r} is {job.status}: only a failed job is retried")
    failed, left = job.failed, [*job.ready]
    job.status, job.failed, job.error, job.ready = JobStatus.PAUSED, (), None, ReadyQueue()
    job.elapsed = 0.0
    for task in failed:
        touch(job, task.target.routine_id, outcome=None)
        job.enlist(replace(_retried(task, 0.0, now), due=None, lost_attempts=0))
    for task in left:
        job.ready.push(task)
    return _goes_on(job, fact, now)


def _goes_on(job: Job, fact: JobResumed | JobRetried, now: float) -> Effects:
    move(job, JobStatus.RUNNING, now)
    job.fingerprint = fact.fingerprint
    job.running_since = now
    job.hold_until = fact.hold_until
    wait_no_longer_than_asked(job, now)
    return STATUS_AND_TIMER_CHANGED


def _resumed(graph: Graph, job: Job, fact: JobResumed, now: float) -> Effects:
    effects = _goes_on(job, fact, now)
    for task in fact.recovered:
        adopt(job, graph.slots[task.target], task)
        enlist(job, task, now)
    return effects


def _hold_lifted(graph: Graph, job: Job, fact: HoldLifted, now: float) -> Effects:
    job.hold_until = None
    return close(job, now)


def _cancelled(graph: Graph, job: Job, fact: JobCancelled, now: float) -> Effects:
    move(job, JobStatus.CANCELLED, now)
    job.cancel_reason = fact.reason
    abandon_active(job)
    stop_the_watch(job, now)
    return STATUS_AND_TIMER_CHANGED


def _timed_out(graph: Graph, job: Job, fact: JobTimedOut, now: float) -> Effects:
    abandon_active(job)
    job.closing = fact.error
    job.hold_until = None
    return close(job, now)


_APPLY: dict[type[Any], Callable[[Graph, Job, Any, float], Effects]] = {
    JobStarted: _started,
    TaskSucceeded: _succeeded,
    TaskFlushed: _flushed,
    TaskAbsorbed: _absorbed,
    TaskFailed: _failed,
    TimersFired: _timers_fired,
    Delivered: _delivered,
    SharedDataSet: _shared_data_set,
    PauseRequested: _pause_requested,
    JobResumed: _resumed,
    JobRetried: _job_retried,
    HoldLifted: _hold_lifted,
    JobCancelled: _cancelled,
    JobTimedOut: _timed_out,
    AttemptsLost: attempts_lost,
    TaskResolved: task_resolved,
}
