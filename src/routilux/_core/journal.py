"""What happens to a job as lines of a journal, and a job brought forward by them.

A line says what a fact said, so that `replay` makes the same of it as the engine did: by the same transitions, and
without any of the user's code, whose answers (merged data, decisions, changes) are in the lines. A line is a list: its
kind, when it happened, and what the functions here write and read.
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from routilux._core.facts import (
    AttemptsLost,
    Delivered,
    Happening,
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
    TaskMerged,
    TaskResolved,
    TaskSucceeded,
    TimersFired,
)
from routilux._core.job import Job
from routilux._core.merging import merge, put_merged
from routilux._core.record_kinds import start_record
from routilux._core.transition import take, transition
from routilux._graph import Graph
from routilux._model import EventKey, SlotKey
from routilux._records import Changes, Decision, Emission, ErrorInfo, Expectation, HistoryRecord, Task
from routilux.errors import DamagedRecordError
from serilux import all_plain, decode, encode
from serilux.errors import SeriluxError

JOURNAL_FORMAT = 1


Value = Callable[[Any], Any]
"""From a value to its document, or back."""


def write_record(happened: Iterable[tuple[Happening, float]]) -> bytes:
    """What has happened, and when, as one record of a journal."""
    happened, values = list(happened), []

    def seen(value: Any) -> Any:
        values.append(value)
        return value

    lines = [_line(what, at, seen) for what, at in happened]
    plain = all_plain(values)
    if not plain:
        lines = [_line(what, at, encode) for what, at in happened]
    return msgspec.json.encode([JOURNAL_FORMAT, plain, lines])


def replay(graph: Graph, job: Job, record: bytes) -> None:
    """Let everything that a record tells happen to a job.

    DamagedRecordError where it cannot have happened to it, SeriluxError where its values cannot be read here.
    """
    plain, lines = _parts(record)
    value = _as_it_is if plain else decode
    for line in lines:
        try:
            _happen(graph, job, value, *line)
        except SeriluxError:
            raise
        except (LookupError, StopIteration, TypeError, ValueError) as error:
            raise DamagedRecordError(
                f"{str(line)[:200]} cannot have happened here: {error!r}", kind="record"
            ) from error


def _parts(record: bytes) -> tuple[bool, list[Any]]:
    """Whether a record's values are plain, and its lines; DamagedRecordError where it is of another format."""
    try:
        number, *parts = msgspec.json.decode(record, type=list[Any])
        if number == JOURNAL_FORMAT:
            return msgspec.convert(parts, tuple[bool, list[Any]])
    except ValueError as error:
        raise DamagedRecordError(f"it cannot be read: {error}", kind="record") from error
    raise DamagedRecordError(f"its format is {number!r}; this routilux reads format {JOURNAL_FORMAT}", kind="record")


def _as_it_is(value: Any) -> Any:
    return value


def _line(what: Happening, at: float, value: Value) -> list[Any]:
    kind = type(what)
    return [_KINDS[kind], at, *_WRITERS[kind](what, value)]


def _happen(graph: Graph, job: Job, value: Value, kind: str, at: float, *content: Any) -> None:
    what = _READERS[kind](job, value, *content)
    if isinstance(what, TaskMerged):
        put_merged(job, *what)
    elif isinstance(what, Task):
        taken = take(graph, job, at)
        if taken is not what:
            raise ValueError(f"task {what.number} is not the next one")
        merge(job, graph.slots[taken.target], taken)
    else:
        transition(graph, job, what, at)


# Tasks in their places.


def _write_taken(task: Task, value: Value) -> list[Any]:
    return [task.number]


def _read_taken(job: Job, value: Value, number: int) -> Task:
    task = job.ready.peek()
    if task.number != number:
        raise ValueError(f"task {task.number} comes before task {number}")
    return task


def _write_merged(merged: TaskMerged, value: Value) -> list[Any]:
    return [merged.task.number, value(merged.data)]


def _read_merged(job: Job, value: Value, number: int, data: Any) -> TaskMerged:
    return TaskMerged(job.active[number], value(data))


def _write_new(task: Task, value: Value) -> list[Any]:
    return [task.target, value(task.data), task.source, task.priority, task.retry_count]


def _read_new(value: Value, target: Any, data: Any, source: Any, priority: int, retry_count: int) -> Task:
    key = None if source is None else EventKey(*source)
    return Task(0, SlotKey(*target), value(data), key, priority, retry_count=retry_count)


# Activations.


def _write_published(fact: TaskSucceeded | TaskFlushed | TaskFailed, value: Value) -> list[Any]:
    line = [fact.task.number, fact.started is not None, _write_outbox(fact.outbox, value)]
    if fact.routing is not None or fact.changes is not None:
        line += [_write_routing(fact.routing, value), _write_changes(fact.changes, value)]
    return line


def _read_published(
    task: Task, value: Value, started: bool, outbox: list[Any], routing: Any = None, changes: Any = None
) -> tuple[HistoryRecord | None, list[HistoryRecord], dict[int, Emission] | None, Changes | None]:
    return (
        start_record(task.target, task.since) if started else None,
        _read_outbox(task, outbox, value),
        _read_routing(routing, value),
        _read_changes(changes, value),
    )


def _write_outbox(outbox: list[HistoryRecord], value: Value) -> list[Any]:
    return [[record.event_name, value(record.content), record.at] for record in outbox]


def _read_outbox(task: Task, outbox: Any, value: Value) -> list[HistoryRecord]:
    return [HistoryRecord(task.target.routine_id, event, value(content), at) for event, content, at in outbox]


def _write_routing(routing: dict[int, Emission] | None, value: Value) -> list[Any] | None:
    if routing is None:
        return None
    return [
        [index, emission.priority, value(emission.metadata), *([] if emission.delay is None else [emission.delay])]
        for index, emission in routing.items()
    ]


def _read_routing(routing: Any, value: Value) -> dict[int, Emission] | None:
    if routing is None:
        return None
    return {index: Emission(priority, value(metadata), *delay) for index, priority, metadata, *delay in routing}


def _write_changes(changes: Changes | None, value: Value) -> list[Any] | None:
    if changes is None:
        return None
    expected = [[expectation.slot, expectation.patience] for expectation in changes.expected]
    return [value(changes.written), changes.removed, value(changes.logged), value(changes.state), expected]


def _read_changes(changes: Any, value: Value) -> Changes | None:
    if changes is None:
        return None
    written, removed, logged, state, expected = changes
    return Changes(
        value(written), removed, value(logged), value(state), [Expectation(*expectation) for expectation in expected]
    )


def _read_succeeded(job: Job, value: Value, number: int, *published: Any) -> TaskSucceeded:
    task = job.active[number]
    return TaskSucceeded(task, *_read_published(task, value, *published))


def _read_flushed(job: Job, value: Value, number: int, *published: Any) -> TaskFlushed:
    task = job.active[number]
    return TaskFlushed(task, *_read_published(task, value, *published))


def _write_failed(fact: TaskFailed, value: Value) -> list[Any]:
    outcome = [_write_error(fact.error), fact.decision.strategy, fact.decision.delay]
    return [*outcome, *_write_published(fact, value)]


def _read_failed(
    job: Job, value: Value, error: Any, strategy: str, delay: float, number: int, *published: Any
) -> TaskFailed:
    task = job.active[number] if number in job.active else job.expecting.tasks[number]
    decision = msgspec.convert({"strategy": strategy, "delay": delay}, Decision)
    return TaskFailed(task, *_read_published(task, value, *published), _read_error(error), decision)


def _write_absorbed(fact: TaskAbsorbed, value: Value) -> list[Any]:
    return [fact.task.number]


def _read_absorbed(job: Job, value: Value, number: int) -> TaskAbsorbed:
    return TaskAbsorbed(job.active[number])


def _write_error(error: ErrorInfo) -> dict[str, Any]:
    return msgspec.structs.asdict(error)


def _read_error(error: Any) -> ErrorInfo:
    return msgspec.convert(error, ErrorInfo)


# What comes from outside of any activation.


def _write_started(fact: JobStarted, value: Value) -> list[Any]:
    return _write_new(fact.task, value)


def _read_started(job: Job, value: Value, *task: Any) -> JobStarted:
    return JobStarted(_read_new(value, *task))


def _write_delivered(fact: Delivered, value: Value) -> list[Any]:
    return [fact.task.number, value(fact.data)]


def _read_delivered(job: Job, value: Value, number: int, data: Any) -> Delivered:
    return Delivered(job.expecting.tasks[number], value(data))


def _write_shared(fact: SharedDataSet, value: Value) -> list[Any]:
    return [_write_changes(fact.changes, value)]


def _read_shared(job: Job, value: Value, changes: Any) -> SharedDataSet:
    return SharedDataSet(_read_changes(changes, value) or Changes())


def _write_pause(fact: PauseRequested, value: Value) -> list[Any]:
    return [fact.reason, value(fact.checkpoint)]


def _read_pause(job: Job, value: Value, reason: str, checkpoint: Any) -> PauseRequested:
    return PauseRequested(reason, value(checkpoint))


def _write_resumed(fact: JobResumed, value: Value) -> list[Any]:
    return [fact.fingerprint, fact.hold_until, [_write_new(task, value) for task in fact.recovered]]


def _read_resumed(job: Job, value: Value, fingerprint: str, hold_until: float, recovered: list[Any]) -> JobResumed:
    return JobResumed(fingerprint, [_read_new(value, *task) for task in recovered], hold_until)


def _write_retried(fact: JobRetried, value: Value) -> list[Any]:
    return [fact.fingerprint, fact.hold_until]


def _read_retried(job: Job, value: Value, fingerprint: str, hold_until: float) -> JobRetried:
    return JobRetried(fingerprint, hold_until)


def _write_cancelled(fact: JobCancelled, value: Value) -> list[Any]:
    return [fact.reason]


def _read_cancelled(job: Job, value: Value, reason: str) -> JobCancelled:
    return JobCancelled(reason)


def _write_timed_out(fact: JobTimedOut, value: Value) -> list[Any]:
    return [_write_error(fact.error)]


def _read_timed_out(job: Job, value: Value, error: Any) -> JobTimedOut:
    return JobTimedOut(_read_error(error))


def _write_lost(fact: AttemptsLost, value: Value) -> list[Any]:
    return [fact.died, fact.limit, fact.alone]


def _read_lost(job: Job, value: Value, died: bool, limit: int, alone: bool = False) -> AttemptsLost:
    return AttemptsLost(died, limit, alone)


def _write_resolved(fact: TaskResolved, value: Value) -> list[Any]:
    return [fact.task.number, fact.again, *([_write_outbox(fact.outbox, value)] if fact.outbox else [])]


def _read_resolved(job: Job, value: Value, number: int, again: bool, outbox: Any = ()) -> TaskResolved:
    task = next(task for task in job.ready if task.number == number)
    return TaskResolved(task, again, _read_outbox(task, outbox, value))


def _write_nothing(fact: TimersFired | HoldLifted, value: Value) -> list[Any]:
    return []


def _read_timers_fired(job: Job, value: Value) -> TimersFired:
    return TimersFired()


def _read_hold_lifted(job: Job, value: Value) -> HoldLifted:
    return HoldLifted()


_Writer = Callable[[Any, Value], list[Any]]
_Reader = Callable[..., Happening]
_LINES: list[tuple[type[Any], str, _Writer, _Reader]] = [
    (Task, "taken", _write_taken, _read_taken),
    (TaskMerged, "merged", _write_merged, _read_merged),
    (TaskSucceeded, "done", _write_published, _read_succeeded),
    (TaskFlushed, "flushed", _write_published, _read_flushed),
    (TaskFailed, "failed", _write_failed, _read_failed),
    (TaskAbsorbed, "absorbed", _write_absorbed, _read_absorbed),
    (JobStarted, "started", _write_started, _read_started),
    (TimersFired, "timers", _write_nothing, _read_timers_fired),
    (Delivered, "delivered", _write_delivered, _read_delivered),
    (SharedDataSet, "shared", _write_shared, _read_shared),
    (PauseRequested, "pause", _write_pause, _read_pause),
    (JobResumed, "resumed", _write_resumed, _read_resumed),
    (JobRetried, "retried", _write_retried, _read_retried),
    (HoldLifted, "held", _write_nothing, _read_hold_lifted),
    (JobCancelled, "cancelled", _write_cancelled, _read_cancelled),
    (JobTimedOut, "timeout", _write_timed_out, _read_timed_out),
    (AttemptsLost, "lost", _write_lost, _read_lost),
    (TaskResolved, "resolved", _write_resolved, _read_resolved),
]
_KINDS = {kind: name for kind, name, _, _ in _LINES}
_WRITERS = {kind: writer for kind, _, writer, _ in _LINES}
_READERS = {name: reader for _, name, _, reader in _LINES}
