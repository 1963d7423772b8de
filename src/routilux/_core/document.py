"""A job as a JSON document, and back (DESIGN section 5)."""

from collections.abc import Sequence
from typing import Any

import msgspec

from routilux._core.checked import check_thoroughly, checked_data, most_nodes, refuse
from routilux._core.history import BoundedHistory
from routilux._core.instants import in_our_era, instant, instants, seconds
from routilux._core.job import Job
from routilux._core.long_lists import LONG_LISTS, LongLists
from routilux._core.plan_records import read_plans, write_plans
from routilux._core.shapes import ErrorDocument, JobDocument, PausePointDocument, RoutineStateDocument
from routilux._migrations import CURRENT_FORMAT, upgrade
from routilux._model import SEVERITY, EventKey, JobStatus, RoutineStatus, SlotKey
from routilux._records import RESERVED_IN_STATE, Data, ErrorInfo, HistoryRecord, PausePoint, RoutineState, Task, task_id
from routilux._shapes import convert
from routilux._texts import id_problem
from serilux import all_plain, decode, encode, get_limits


def write_job(job: Job, now: float) -> dict[str, Any]:
    """All of a job but its history, which only grows and can be written later, from a copy of the list."""
    history = job.history
    limit, dropped = (history.maxlen, history.dropped) if isinstance(history, BoundedHistory) else (None, 0)
    statuses = job.routine_statuses(list(job.routines))
    running = 0.0 if job.running_since is None else now - job.running_since
    changed = {"plans": write_plans(job.plans)} if job.plans else {}
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
        "slot_data": write_slot_data(job.slot_data),
        "shared_data": encode(job.shared_data, "shared_data"),
        "shared_log": encode(job.shared_log or [], "shared_log"),
        "pause_points": [_write_pause_point(point, i) for i, point in enumerate(job.pause_points)],
        "error": _write_error(job.coming_error or job.error),
        "cancel_reason": job.cancel_reason,
        "next_task": job.next_number,
        "timeout": job.timeout,
        "durability": job.durability.value,
        "elapsed": max(job.elapsed + running, 0.0),
        "history_limit": limit,
        "history_dropped": dropped,
        "created_at": instant(job.created_at),
        "updated_at": instant(job.updated_at),
        **changed,
    }


def write_history(records: list[HistoryRecord]) -> list[dict[str, Any]]:
    """History records as documents."""
    contents = _encode_each([record.content for record in records], "execution_history", "data")
    times = instants([record.at for record in records])
    return [
        {"routine_id": record.routine_id, "event_name": record.event_name, "data": content, "timestamp": time}
        for record, content, time in zip(records, contents, times, strict=True)
    ]


def write_tasks(job_id: str, tasks: Sequence[Task], path: str) -> list[dict[str, Any]]:
    """Tasks as documents."""
    return [
        {
            "task_id": task_id(job_id, task.number),
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
    return [encode(value, f"{path}[{index}].{field}") for index, value in enumerate(values)]


def _write_source(source: EventKey | None) -> dict[str, str] | None:
    if source is None:
        return None
    return {"source_routine_id": source.routine_id, "source_event": source.event}


def write_slot_data(slot_data: dict[SlotKey, Data]) -> dict[str, dict[str, Any]]:
    """The data of slots as documents, by routine and slot."""
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
    size = _check_short_parts(document)
    try:
        return _job_of(document, size)
    except ValueError:
        check_thoroughly(document)  # says better where there is text with lone surrogates
        raise


def _job_of(document: Any, size: int) -> Job:
    fields = upgrade(document, "JobState")
    read = convert(fields, JobDocument, "")
    created_at = seconds(read.created_at, "created_at") or 0.0
    job = Job(_read_id(read.job_id, "job_id"), _read_id(read.flow_id, "flow_id"), created_at)
    job.fingerprint, job.epoch, job.status = read.flow_fingerprint, read.epoch, read.status
    updated_at = seconds(read.updated_at, "updated_at")
    job.updated_at = created_at if updated_at is None else updated_at
    job.routines = _read_states(read)
    job.slot_data = _read_slot_data(read.slot_data)
    job.shared_data = checked_data(read.shared_data, "shared_data")
    job.shared_log = _decode_list(read.shared_log, "shared_log")
    points = enumerate(read.pause_points)
    job.pause_points = tuple(_read_pause_point(point, f"pause_points[{i}]") for i, point in points)
    job.plans = tuple(read_plans(read.plans, fields.get("plans", [])))
    error = _read_error(read.error)
    if job.status is JobStatus.RUNNING:
        job.closing = error  # it was about to fail when the document was written
    else:
        job.error = error
    job.cancel_reason, job.timeout, job.elapsed = read.cancel_reason, read.timeout, read.elapsed
    job.durability = read.durability
    LongLists(document, read, size).read_into(job)
    return job


def _read_id(given: str, name: str) -> str:
    if problem := id_problem(given):
        refuse(f"an id has {problem}", name)
    return given


def _check_short_parts(document: Any) -> int:
    """Refuse what is no plain JSON in all of a document but its long lists; tells how many nodes that has at most."""
    fields = document.items() if isinstance(document, dict) else ()  # what is no object is refused as such
    short = {name: part for name, part in fields if name not in LONG_LISTS}
    size = most_nodes(short)
    if size is None or size > get_limits().max_nodes:
        check_thoroughly(document)
        return get_limits().max_nodes
    return size


def _decode_list(value: list[Any], path: str) -> list[Any]:
    decoded: list[Any] = decode(value, path)
    return decoded


def _read_slot_data(document: dict[str, Any]) -> dict[SlotKey, Data]:
    slot_data: dict[SlotKey, Data] = {}
    for routine_id, slots in document.items():
        for slot, data in convert(slots, dict[str, Any], f"slot_data.{routine_id}").items():
            slot_data[SlotKey(routine_id, slot)] = checked_data(data, f"slot_data.{routine_id}.{slot}")
    return slot_data


def _read_states(read: JobDocument) -> dict[str, RoutineState]:
    # All that a cancelled job has left open is cancelled: there the status says nothing about an outcome.
    said = SEVERITY[:-1] if read.status is JobStatus.CANCELLED else SEVERITY
    return {
        routine_id: _read_state(state, said, f"routine_states.{routine_id}")
        for routine_id, state in read.routine_states.items()
    }


def _read_state(document: Any, said: tuple[RoutineStatus, ...], path: str) -> RoutineState:
    read = convert(document, RoutineStateDocument, path)
    outcome = read.outcome
    if outcome is None and read.status in said:
        outcome = read.status
    if outcome is not None and outcome not in SEVERITY:
        refuse(f"an outcome is one of {', '.join(SEVERITY)}, not {outcome}", f"{path}.outcome")
    return RoutineState(outcome, _read_error(read.error), _read_own_state(read.state, f"{path}.state"))


def _read_own_state(document: dict[str, Any], path: str) -> Data:
    state = checked_data(document, path)
    for name in sorted(RESERVED_IN_STATE & state.keys()):
        refuse("get_routine_state uses this name itself; choose another", f"{path}.{name}")
    return state


def _read_error(document: ErrorDocument | None) -> ErrorInfo | None:
    return None if document is None else ErrorInfo(**msgspec.structs.asdict(document))


def _read_pause_point(document: PausePointDocument, path: str) -> PausePoint:
    checkpoint = checked_data(document.checkpoint, f"{path}.checkpoint")
    return PausePoint(in_our_era(document.timestamp, f"{path}.timestamp"), document.reason, checkpoint)
