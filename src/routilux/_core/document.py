"""A job as a JSON document, and back (DESIGN section 5)."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NoReturn, TypeVar

import msgspec

from routilux._core.history import BoundedHistory
from routilux._core.job import Job
from routilux._core.shapes import (
    ConnectionDocument,
    ErrorDocument,
    JobDocument,
    PausePointDocument,
    RoutineStateDocument,
    TaskDocument,
)
from routilux._migrations import CURRENT_FORMAT, upgrade
from routilux._model import SEVERITY, EventKey, JobStatus, RoutineStatus, SlotKey
from routilux._records import Data, ErrorInfo, HistoryRecord, PausePoint, RoutineState, Task
from serilux import all_plain, check_document, decode, encode, get_limits
from serilux.errors import DocumentError, SeriluxError

EARLIEST = datetime(1, 1, 3, tzinfo=UTC).timestamp()
LATEST = datetime(9000, 1, 1, tzinfo=UTC).timestamp()
LAST_NUMBER = 2**53
T = TypeVar("T")


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
    contents = _encode_each([record.content for record in records], "execution_history", "data")
    times = instants([record.at for record in records])
    return [
        {"routine_id": record.routine_id, "event_name": record.event_name, "data": content, "timestamp": time}
        for record, content, time in zip(records, contents, times, strict=True)
    ]


def write_tasks(job_id: str, tasks: list[Task], path: str) -> list[dict[str, Any]]:
    """Tasks as documents."""
    return [
        {
            "task_id": f"{job_id}:{task.number}",
            "routine_id": task.target.routine_id,
            "slot": task.target.slot,
            "data": data,
            "connection": _write_source(task.source),
            "priority": task.priority,
            "metadata": metadata,
            "retry_count": task.retry_count,
            "flushes": task.flushes,
            "merged": merged,
            "seen": None if task.seen is None else dict(task.seen),
            "since": since,
            "due": instant(task.due),
            "deadline": instant(task.deadline),
            "patience": task.patience,
            "lost_attempts": task.lost_attempts,
            "ambiguous": task.ambiguous,
        }
        for task, data, metadata, merged, since in zip(
            tasks,
            _encode_each([task.data for task in tasks], path, "data"),
            _encode_each([task.metadata for task in tasks], path, "metadata"),
            _encode_each([task.merged for task in tasks], path, "merged"),
            instants([task.since for task in tasks]),
            strict=True,
        )
    ]


def _encode_each(values: list[Any], path: str, field: str) -> list[Any]:
    if all_plain(values):
        copies: list[Any] = msgspec.to_builtins(values)
        return copies
    return [None if value is None else encode(value, f"{path}[{index}].{field}") for index, value in enumerate(values)]


def _write_source(source: EventKey | None) -> dict[str, str] | None:
    if source is None:
        return None
    return {"source_routine_id": source.routine_id, "source_event": source.event}


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
    job.pause_points = [_read_pause_point(point, f"pause_points[{i}]") for i, point in enumerate(read.pause_points)]
    error = _read_error(read.error)
    if job.status is JobStatus.RUNNING:
        job.closing = error  # it was about to fail when the document was written
    else:
        job.error = error
    job.cancel_reason, job.timeout, job.elapsed = read.cancel_reason, read.timeout, read.elapsed
    _read_all_tasks(job, read)
    return job


def _check_json(document: Any) -> None:
    """Refuse what is no plain JSON, such as text with lone surrogates, or too large; its data is checked when decoded.

    A node takes a byte at least, so that the nodes of a short document need not be counted.
    """
    try:
        size = len(msgspec.json.encode(document))
    except (TypeError, ValueError, OverflowError, RecursionError):
        size = None
    if size is None or size > get_limits().max_nodes:
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
        problem, found, where = str(error).rpartition(" - at `$")
        problem, where = (problem, where) if found else (where, "")
        full = (path + where.rstrip("`")).lstrip(".") or "$"
        raise DocumentError(f"{problem}; write such documents with serialize()", path=full) from error


def _seconds(time: datetime | None, path: str) -> float | None:
    return None if time is None else _seconds_each([time], path)[0]


def _seconds_each(times: list[datetime], path: str) -> list[float]:
    """Times in seconds since the epoch; `path` has a place for the index of a refused one."""
    seconds = list(map(datetime.timestamp, times))
    if seconds and not EARLIEST <= min(seconds) <= max(seconds) <= LATEST:
        index = next(index for index, second in enumerate(seconds) if not EARLIEST <= second <= LATEST)
        _refuse(
            f"a time of our era, up to the year 9000, is expected, not {times[index].isoformat()}", path.format(index)
        )
    return seconds


def _refuse(problem: str, path: str) -> NoReturn:
    raise DocumentError(problem, path=path)


def _decode_fields(value: dict[str, Any], path: str) -> Data:
    decoded = decode(value, path)
    if type(decoded) is not dict or not all(type(name) is str for name in decoded):
        _refuse(f"an object with named values is expected, not {type(decoded).__name__}", path)
    return decoded


def _decode_each(values: list[Any], path: str) -> list[Any]:
    """The data of each node of a list, or None where it has none; `path` has a place for the index."""
    if all_plain(values):
        copies: list[Any] = msgspec.to_builtins(values)
        return copies
    return [None if value is None else _decode_fields(value, path.format(index)) for index, value in enumerate(values)]


def _decode_list(value: list[Any], path: str) -> list[Any]:
    decoded: list[Any] = decode(value, path)
    return decoded


def _read_history(read: JobDocument) -> list[HistoryRecord] | BoundedHistory:
    documents, path = read.execution_history, "execution_history[{}]"
    contents = _decode_each([document.data for document in documents], path + ".data")
    times = _seconds_each([document.timestamp for document in documents], path + ".timestamp")
    records = [
        HistoryRecord(document.routine_id, document.event_name, content, time)
        for document, content, time in zip(documents, contents, times, strict=True)
    ]
    if read.history_limit is None:
        return records
    return BoundedHistory(records, read.history_limit, read.history_dropped)


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


def _read_pause_point(document: PausePointDocument, path: str) -> PausePoint:
    checkpoint = _decode_fields(document.checkpoint, f"{path}.checkpoint")
    (time,) = _seconds_each([document.timestamp], f"{path}.timestamp")
    return PausePoint(time, document.reason, checkpoint)


def _read_all_tasks(job: Job, read: JobDocument) -> None:
    pending = _read_tasks(job, read.pending_tasks, "pending_tasks[{}]")
    job.failed = _read_tasks(job, read.failed_tasks, "failed_tasks[{}]")
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
    tasks = [(f"pending_tasks[{index}]", task.task_id) for index, task in enumerate(read.pending_tasks)]
    tasks += [(f"failed_tasks[{index}]", task.task_id) for index, task in enumerate(read.failed_tasks)]
    first = {task_id: path for path, task_id in reversed(tasks)}
    path, task_id = next((path, task_id) for path, task_id in tasks if task_id and first[task_id] != path)
    _refuse(f"two tasks have the id {task_id!r}", f"{path}.task_id")


def _read_tasks(job: Job, documents: list[TaskDocument], path: str) -> list[Task]:
    now = datetime.fromtimestamp(job.updated_at, UTC)
    return [
        Task(
            number,
            SlotKey(document.routine_id, document.slot),
            data,
            _read_source(document.connection),
            document.priority,
            metadata,
            since,
            document.retry_count,
            document.flushes,
            merged,
            document.seen,
            None if document.due is None else _seconds(document.due, path.format(index) + ".due"),
            None if document.deadline is None else _seconds(document.deadline, path.format(index) + ".deadline"),
            document.patience,
            document.lost_attempts,
            document.ambiguous,
        )
        for index, (document, number, data, metadata, merged, since) in enumerate(
            zip(
                documents,
                _task_numbers(job.job_id, documents, path + ".task_id"),
                _decode_each([document.data for document in documents], path + ".data"),
                _decode_each([document.metadata for document in documents], path + ".metadata"),
                _decode_each(_merged_of(documents, path + ".merged"), path + ".merged"),
                _seconds_each([document.since or now for document in documents], path + ".since"),
                strict=True,
            )
        )
    ]


def _merged_of(documents: list[TaskDocument], path: str) -> list[dict[str, Any] | None]:
    for index, document in enumerate(documents):
        if document.data is None and (document.merged is not None or document.seen is not None):
            _refuse("a task that waits for its data has merged nothing yet", path.format(index))
    return [document.merged for document in documents]


def _read_source(document: ConnectionDocument | None) -> EventKey | None:
    return None if document is None else EventKey(document.source_routine_id, document.source_event)


def _task_numbers(job_id: str, documents: list[TaskDocument], path: str) -> list[int]:
    """The number in each task's id; 0 for one without an id."""
    prefix, numbers = f"{job_id}:", []
    for index, document in enumerate(documents):
        task_id = document.task_id or f"{prefix}0"
        digits = task_id.removeprefix(prefix)
        if not _is_number(digits) or digits == task_id or (digits[0] == "0" and document.task_id is not None):
            _refuse(f"a task of this job has an id like '{job_id}:1', not {task_id!r}", path.format(index))
        numbers.append(int(digits))
    return numbers


def _is_number(digits: str) -> bool:
    return digits.isascii() and digits.isdecimal() and len(digits) < 17
