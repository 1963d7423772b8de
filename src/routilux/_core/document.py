"""A job as a JSON document, and back (DESIGN section 5)."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, NoReturn, TypeVar

import msgspec

from routilux._core.history import BoundedHistory
from routilux._core.job import Job
from routilux._migrations import CURRENT_FORMAT, upgrade
from routilux._model import LONGEST, SEVERITY, EventKey, JobStatus, RoutineStatus, SlotKey
from routilux._records import Data, ErrorInfo, HistoryRecord, PausePoint, RoutineState, Task
from serilux import check_document, decode, encode, is_flat
from serilux.errors import DocumentError, SeriluxError

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Priority = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=LONGEST)]
EARLIEST = datetime(1, 1, 3, tzinfo=UTC).timestamp()
LATEST = datetime(9000, 1, 1, tzinfo=UTC).timestamp()
LAST_NUMBER = 2**53


T = TypeVar("T")
R = TypeVar("R")


class _Document(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    pass


class HistoryDocument(_Document):
    """One record of `execution_history`."""

    routine_id: str
    event_name: str
    data: dict[str, Any]
    timestamp: Instant


class ConnectionDocument(_Document):
    """What brought a task: the routine and the event."""

    source_routine_id: str
    source_event: str


class TaskDocument(_Document):
    """One of `pending_tasks` or `failed_tasks`; `data` is null while it waits to be delivered to."""

    routine_id: str
    slot: str
    data: dict[str, Any] | None
    task_id: str | None = None
    connection: ConnectionDocument | None = None
    priority: Priority = 0
    metadata: dict[str, Any] | None = None
    retry_count: Count = 0
    flushes: Count = 0
    merged: dict[str, Any] | None = None
    since: Instant | None = None
    due: Instant | None = None
    deadline: Instant | None = None
    patience: Seconds | None = None


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
    execution_history: list[HistoryDocument] = []
    pending_tasks: list[TaskDocument] = []
    failed_tasks: list[TaskDocument] = []
    slot_data: dict[str, Any] = {}
    shared_data: dict[str, Any] = {}
    shared_log: list[Any] = []
    pause_points: list[PausePointDocument] = []
    error: ErrorDocument | None = None
    cancel_reason: str | None = None
    next_task: Count = 1
    timeout: Seconds | None = None
    elapsed: Seconds = 0.0
    history_limit: Count | None = None
    history_dropped: Count = 0
    created_at: Instant | None = None
    updated_at: Instant | None = None


def instants(times: Iterable[float]) -> list[str]:
    """Times in seconds since the epoch as ISO 8601 texts in UTC."""
    texts: list[str] = msgspec.to_builtins([datetime.fromtimestamp(time, UTC) for time in times])
    return texts


def instant(time: float | None) -> str | None:
    """One time as text, None as None."""
    return None if time is None else instants([time])[0]


def write_job(job: Job, now: float) -> dict[str, Any]:
    """All of a job but its history, which only grows and can be written later, from a copy of the list."""
    history = job.history
    limit, dropped = (history.maxlen, history.dropped) if isinstance(history, BoundedHistory) else (None, 0)
    statuses = job.routine_statuses(list(job.routines))
    running = 0.0 if job.running_since is None else now - job.running_since
    return {
        "_type": "JobState",
        "format": CURRENT_FORMAT,
        "flow_id": job.flow_id,
        "flow_fingerprint": job.fingerprint,
        "job_id": job.job_id,
        "epoch": job.epoch,
        "status": job.status.value,
        "routine_states": {
            routine_id: _write_state(state, statuses[routine_id], f"routine_states.{routine_id}")
            for routine_id, state in sorted(job.routines.items())
        },
        "execution_history": [],
        "pending_tasks": write_tasks(job.job_id, job.pending(), "pending_tasks"),
        "failed_tasks": write_tasks(job.job_id, job.failed, "failed_tasks"),
        "slot_data": _write_slot_data(job.slot_data),
        "shared_data": encode(job.shared_data, "shared_data"),
        "shared_log": encode(job.shared_log, "shared_log"),
        "pause_points": [_write_pause_point(point, i) for i, point in enumerate(job.pause_points)],
        "error": _write_error(job.closing if isinstance(job.closing, ErrorInfo) else job.error),
        "cancel_reason": job.cancel_reason,
        "next_task": job.next_number,
        "timeout": job.timeout,
        "elapsed": max(job.elapsed + running, 0.0),
        "history_limit": limit,
        "history_dropped": dropped,
        "created_at": instant(job.created_at),
        "updated_at": instant(job.updated_at),
    }


def write_history(records: list[HistoryRecord]) -> list[dict[str, Any]]:
    """History records as documents."""
    times = instants([record.at for record in records])
    return [
        {
            "routine_id": record.routine_id,
            "event_name": record.event_name,
            "data": encode(record.content),
            "timestamp": time,
        }
        for record, time in zip(records, times, strict=True)
    ]


def write_tasks(job_id: str, tasks: list[Task], path: str) -> list[dict[str, Any]]:
    """Tasks as documents."""
    since = instants([task.since for task in tasks])
    return [_write_task(job_id, task, time) for task, time in zip(tasks, since, strict=True)]


def _write_task(job_id: str, task: Task, since: str) -> dict[str, Any]:
    source, data, merged = task.source, task.data, task.merged
    return {
        "task_id": f"{job_id}:{task.number}",
        "routine_id": task.target.routine_id,
        "slot": task.target.slot,
        "data": None if data is None else encode(data),
        "connection": None
        if source is None
        else {"source_routine_id": source.routine_id, "source_event": source.event},
        "priority": task.priority,
        "metadata": None if task.metadata is None else encode(task.metadata),
        "retry_count": task.retry_count,
        "flushes": task.flushes,
        "merged": None if merged is None else encode(merged),
        "since": since,
        "due": instant(task.due),
        "deadline": instant(task.deadline),
        "patience": task.patience,
    }


def _write_slot_data(slot_data: dict[SlotKey, Data]) -> dict[str, dict[str, Any]]:
    written: dict[str, dict[str, Any]] = {}
    for key, data in sorted(slot_data.items()):
        written.setdefault(key.routine_id, {})[key.slot] = encode(data, f"slot_data.{key}")
    return written


def _write_state(state: RoutineState, status: RoutineStatus | None, path: str) -> dict[str, Any]:
    return {
        "status": (status or RoutineStatus.PENDING).value,
        "outcome": None if state.outcome is None else state.outcome.value,
        "error": _write_error(state.error),
        "state": encode(state.state, f"{path}.state"),
    }


def _write_error(error: ErrorInfo | None) -> dict[str, Any] | None:
    return None if error is None else msgspec.structs.asdict(error)


def _write_pause_point(point: PausePoint, index: int) -> dict[str, Any]:
    return {
        "timestamp": instant(point.at),
        "reason": point.reason,
        "checkpoint": encode(point.checkpoint, f"pause_points[{index}].checkpoint"),
    }


def read_job(document: Any) -> Job:
    """The job that a document describes; DocumentError names the path of what is wrong with it (law 8)."""
    _check_json(document)
    document = upgrade(document, "JobState")
    fields = {name: value for name, value in document.items() if name not in ("_type", "format")}
    read = _convert(fields, JobDocument, "")
    created_at = _seconds(read.created_at, "created_at") or 0.0
    job = Job(read.job_id, read.flow_id, created_at)
    job.fingerprint, job.epoch, job.status = read.flow_fingerprint, read.epoch, read.status
    updated_at = _seconds(read.updated_at, "updated_at")
    job.updated_at = created_at if updated_at is None else updated_at
    job.routines = _read_states(read)
    job.history = _read_history(read)
    job.slot_data = _read_slot_data(read.slot_data)
    job.shared_data = _decode_fields(read.shared_data, "shared_data")
    job.shared_log = _decode_list(read.shared_log, "shared_log")
    job.pause_points = _each(_read_pause_point, read.pause_points, "pause_points")
    error = _read_error(read.error)
    if job.status is JobStatus.RUNNING:
        job.closing = error  # it was about to fail when the document was written
    else:
        job.error = error
    job.cancel_reason, job.timeout, job.elapsed = read.cancel_reason, read.timeout, read.elapsed
    _read_all_tasks(job, read)
    return job


def _check_json(document: Any) -> None:
    """Refuse what is no plain JSON, such as text with lone surrogates; the data in it is checked when it is decoded."""
    try:
        msgspec.json.encode(document)
    except (TypeError, ValueError, OverflowError, RecursionError):
        _check_thoroughly(document)


def _check_thoroughly(document: Any) -> None:
    try:
        check_document(document, "")
    except SeriluxError as error:
        error.path = error.path.removeprefix(".") or "$"
        raise


def _convert(value: Any, shape: type[T], path: str) -> T:
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at `$")
        full = (path + where.rstrip("`")).lstrip(".") or "$"
        raise DocumentError(f"{problem}; write such documents with serialize()", path=full) from error


def _seconds(time: datetime | None, path: str) -> float | None:
    return None if time is None else _instant_seconds(time, path)


def _instant_seconds(time: datetime, path: str) -> float:
    seconds = time.timestamp()
    if not EARLIEST <= seconds <= LATEST:
        _refuse(f"a time of our era, up to the year 9000, is expected, not {time.isoformat()}", path)
    return seconds


def _refuse(problem: str, path: str) -> NoReturn:
    raise DocumentError(problem, path=path)


def _decode_fields(value: dict[str, Any], path: str) -> Data:
    """The data of an object that `msgspec` has copied, so that what needs no decoding need not be copied again."""
    if is_flat(value):
        return value
    decoded = decode(value, path)
    if type(decoded) is not dict or not all(type(name) is str for name in decoded):
        _refuse(f"an object with named values is expected, not {type(decoded).__name__}", path)
    return decoded


def _decode_list(value: list[Any], path: str) -> list[Any]:
    decoded: list[Any] = decode(value, path)
    return decoded


def _read_history(read: JobDocument) -> list[HistoryRecord] | BoundedHistory:
    records = _each(_read_record, read.execution_history, "execution_history")
    if read.history_limit is None:
        return records
    return BoundedHistory(records, read.history_limit, read.history_dropped)


def _read_record(document: HistoryDocument) -> HistoryRecord:
    return HistoryRecord(
        document.routine_id,
        document.event_name,
        _decode_fields(document.data, ".data"),
        _instant_seconds(document.timestamp, ".timestamp"),
    )


def _each(read: Callable[[T], R], documents: list[T], path: str) -> list[R]:
    """Read each of a list; paths are put together only for a refusal."""
    done: list[R] = []
    try:
        for document in documents:
            done.append(read(document))
    except SeriluxError as error:
        error.under(f"{path}[{len(done)}]")
        raise
    return done


def _read_slot_data(document: dict[str, Any]) -> dict[SlotKey, Data]:
    slot_data: dict[SlotKey, Data] = {}
    for routine_id, slots in document.items():
        for slot, data in _convert(slots, dict[str, Any], f"slot_data.{routine_id}").items():
            path = f"slot_data.{routine_id}.{slot}"
            slot_data[SlotKey(routine_id, slot)] = _decode_fields(_convert(data, dict[str, Any], path), path)
    return slot_data


def _read_states(read: JobDocument) -> dict[str, RoutineState]:
    # All that a cancelled job has left open is cancelled: there the status says nothing about an outcome.
    said = SEVERITY[:-1] if read.status is JobStatus.CANCELLED else SEVERITY
    return {
        routine_id: _read_state(state, said, f"routine_states.{routine_id}")
        for routine_id, state in read.routine_states.items()
    }


def _read_state(document: Any, said: tuple[RoutineStatus, ...], path: str) -> RoutineState:
    read = _convert(document, RoutineStateDocument, path)
    outcome = read.outcome
    if outcome is None and read.status in said:
        outcome = read.status
    if outcome is not None and outcome not in SEVERITY:
        _refuse(f"an outcome is one of {', '.join(SEVERITY)}, not {outcome}", f"{path}.outcome")
    return RoutineState(outcome, _read_error(read.error), _decode_fields(read.state, f"{path}.state"))


def _read_error(document: ErrorDocument | None) -> ErrorInfo | None:
    return None if document is None else ErrorInfo(**msgspec.structs.asdict(document))


def _read_pause_point(document: PausePointDocument) -> PausePoint:
    checkpoint = _decode_fields(document.checkpoint, ".checkpoint")
    return PausePoint(_instant_seconds(document.timestamp, ".timestamp"), document.reason, checkpoint)


def _read_all_tasks(job: Job, read: JobDocument) -> None:
    pending = _each(partial(_read_task, job), read.pending_tasks, "pending_tasks")
    job.failed = _each(partial(_read_task, job), read.failed_tasks, "failed_tasks")
    job.next_number = _number_tasks([*pending, *job.failed], read)
    for task in pending:
        job.enlist(task)


def _number_tasks(tasks: list[Task], read: JobDocument) -> int:
    """Check the numbers of tasks, number those without an id (written by hand), and say which is the next."""
    numbers = [task.number for task in tasks if task.number]
    following = max(read.next_task, max(numbers, default=0) + 1, 1)
    if len(set(numbers)) < len(numbers):
        _refuse_twin(read)
    for task in tasks:
        if not task.number:
            task.number = following
            following += 1
    if following > LAST_NUMBER:
        _refuse(f"the tasks of a job are numbered up to {LAST_NUMBER}", "next_task")
    return following


def _refuse_twin(read: JobDocument) -> NoReturn:
    seen: set[str | None] = set()
    for path, documents in (("pending_tasks", read.pending_tasks), ("failed_tasks", read.failed_tasks)):
        for index, document in enumerate(documents):
            if document.task_id is not None and document.task_id in seen:
                _refuse(f"two tasks have the id {document.task_id!r}", f"{path}[{index}].task_id")
            seen.add(document.task_id)
    raise AssertionError("no task has the id of another")


def _task_number(job_id: str, task_id: str) -> int:
    digits = task_id.removeprefix(f"{job_id}:")
    if digits == task_id or not (digits.isascii() and digits.isdecimal() and len(digits) < 17) or digits[0] == "0":
        _refuse(f"a task of this job has an id like '{job_id}:1', not {task_id!r}", ".task_id")
    return int(digits)


def _read_task(job: Job, document: TaskDocument) -> Task:
    if document.data is None and document.merged is not None:
        _refuse("a task that waits for its data has merged nothing yet", ".merged")
    source = document.connection
    return Task(
        0 if document.task_id is None else _task_number(job.job_id, document.task_id),
        SlotKey(document.routine_id, document.slot),
        None if document.data is None else _decode_fields(document.data, ".data"),
        None if source is None else EventKey(source.source_routine_id, source.source_event),
        document.priority,
        None if document.metadata is None else _decode_fields(document.metadata, ".metadata"),
        job.updated_at if document.since is None else _instant_seconds(document.since, ".since"),
        document.retry_count,
        document.flushes,
        None if document.merged is None else _decode_fields(document.merged, ".merged"),
        _seconds(document.due, ".due"),
        _seconds(document.deadline, ".deadline"),
        document.patience,
    )
