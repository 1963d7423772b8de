"""Which records of a job's history are the engine's own, what they say, and how they are told from users' events.

A user may call an event what the engine calls a record of its own: only with the names in its content is that certain.
"""

from collections.abc import Iterable
from enum import StrEnum

from routilux._model import SlotKey
from routilux._records import ErrorInfo, HistoryRecord, Task


class RecordKind(StrEnum):
    """What a record of the engine's says, by its `event_name`."""

    START = "start"
    """A handler was called."""
    ERROR = "error"
    """An attempt failed."""
    ERROR_CONTINUED = "error_continued"
    """The job goes on, with what the failed attempt had emitted."""
    SKIPPED = "skipped"
    """The job goes on, without what the failed attempt had emitted."""
    RESOLVED = "resolved"
    """Somebody said what became of an ambiguous task."""


_FAILURE = frozenset({"type", "message", "attempt"})
_NAMES = {
    RecordKind.START: frozenset({"slot"}),
    RecordKind.ERROR: _FAILURE,
    RecordKind.ERROR_CONTINUED: _FAILURE,
    RecordKind.SKIPPED: _FAILURE,
    RecordKind.RESOLVED: frozenset({"attempt", "again"}),
}


def kind_of(event_name: str, content: Iterable[str]) -> RecordKind | None:
    """The kind of a record, by the names in its content too; None for an event that was emitted."""
    for kind, names in _NAMES.items():
        if event_name == kind and names == set(content):
            return kind
    return None


def start_record(target: SlotKey, at: float) -> HistoryRecord:
    """That a handler was called."""
    return HistoryRecord(target.routine_id, RecordKind.START.value, {"slot": target.slot}, at)


def failure_record(kind: RecordKind, task: Task, error: ErrorInfo, at: float) -> HistoryRecord:
    """That an attempt has failed, or what that means."""
    content = {"type": error.type, "message": error.message, "attempt": task.retry_count + 1}
    return HistoryRecord(task.target.routine_id, kind.value, content, at)


def answer_record(task: Task, at: float, *, again: bool) -> HistoryRecord:
    """What somebody said of an ambiguous task."""
    content = {"attempt": task.retry_count + 1, "again": again}
    return HistoryRecord(task.target.routine_id, RecordKind.RESOLVED.value, content, at)
