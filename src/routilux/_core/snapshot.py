"""A job that runs, as it is kept in a store: its document, what only its journal needs, and its history in segments."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, TypeVar

import msgspec

from routilux._core.document import read_job, write_job
from routilux._core.history import BoundedHistory
from routilux._core.job import Job, PauseRequest
from routilux._core.plan_records import plan_documents
from routilux._core.ready_queue import ReadyQueue
from routilux._model import JobStatus
from routilux._records import HistoryRecord
from routilux._shapes import Count
from routilux.errors import DamagedRecordError
from serilux import all_plain, decode, encode

SNAPSHOT_FORMAT = 1
T = TypeVar("T")


class _Numbered(msgspec.Struct):
    """What a snapshot of any format says first."""

    format: int


class _Pause(msgspec.Struct, forbid_unknown_fields=True):
    reason: str
    checkpoint: Any


class _Snapshot(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """`document` is that of the job, without history; `active` are the numbers of the tasks in flight, in order.

    `due` says when delayed tasks are due to less than the microsecond of the document: which of them were due at a
    moment of the journal depends on it.
    """

    format: int
    document: dict[str, Any]
    active: list[int]
    at: float
    records: Count
    hold_until: float | None
    pause: _Pause | None
    due: dict[int, float] = {}  # a Struct has its own of an empty one


class _Segment(msgspec.Struct, forbid_unknown_fields=True):
    """History records by columns; `first` is how many there were before them."""

    first: Count
    plain: bool
    routine_ids: list[str]
    event_names: list[str]
    contents: list[Any]
    times: list[float]

    def __post_init__(self) -> None:
        """ValueError where a column is longer than another."""
        if len(set(map(len, (self.routine_ids, self.event_names, self.contents, self.times)))) > 1:
            raise ValueError("its columns are not of one length")


def records_so_far(job: Job) -> int:
    """How many history records a job has written, with those that it does not keep any more."""
    return len(job.records()) + records_dropped(job)


def records_dropped(job: Job) -> int:
    """How many history records a job does not keep any more."""
    return job.history.dropped if isinstance(job.history, BoundedHistory) else 0


def write_snapshot(job: Job, now: float) -> bytes:
    """All of a job but its history."""
    closing = job.closing
    pause = _Pause(closing.reason, encode(closing.checkpoint)) if isinstance(closing, PauseRequest) else None
    document, active, records = write_job(job, now), list(job.active), records_so_far(job)
    due = {number: moment for moment, number, _ in job.delayed}
    return msgspec.json.encode(_Snapshot(SNAPSHOT_FORMAT, document, active, now, records, job.hold_until, pause, due))


def write_segment(job: Job, since: int) -> bytes | None:
    """The history records that came after the first `since` ones and are still kept; None where there are none."""
    first = max(since, records_dropped(job))
    records = list(islice(job.records(), first - records_dropped(job), None))
    if not records:
        return None
    contents = [record.content for record in records]
    plain = all_plain(contents)
    return msgspec.json.encode(
        _Segment(
            first,
            plain,
            [record.routine_id for record in records],
            [record.event_name for record in records],
            contents if plain else [encode(content) for content in contents],
            [record.at for record in records],
        )
    )


def read_snapshot(snapshot: bytes, segments: Sequence[bytes]) -> Job:
    """The job as it was then, its tasks in flight still so; DamagedRecordError where the parts do not fit together."""
    number = _decoded(snapshot, _Numbered, "snapshot").format
    if number != SNAPSHOT_FORMAT:
        raise DamagedRecordError(
            f"the snapshot's format is {number}; this routilux reads {SNAPSHOT_FORMAT}", kind="snapshot"
        )
    read = _decoded(snapshot, _Snapshot, "snapshot")
    job = read_job(read.document)
    _put_in_flight(job, set(read.active))
    _put_due(job, read.due)
    if job.status is JobStatus.RUNNING:
        job.running_since = read.at
    job.hold_until = read.hold_until
    if read.pause is not None:
        job.closing = PauseRequest(read.pause.reason, decode(read.pause.checkpoint))
    _put_history(job, _records(segments), read.records)
    return job


def plans_in(snapshot: bytes) -> list[dict[str, Any]]:
    """The documents of the plans that were applied to a job, by what its snapshot says: no class need be known."""
    return plan_documents(_decoded(snapshot, _Snapshot, "snapshot").document)


def _decoded(content: bytes, shape: type[T], kind: str) -> T:
    try:
        return msgspec.json.decode(content, type=shape)
    except ValueError as error:
        raise DamagedRecordError(f"a {kind} cannot be read: {error}", kind=kind) from error


def _put_in_flight(job: Job, numbers: set[int]) -> None:
    tasks, job.ready = list(job.ready), ReadyQueue()
    for task in tasks:
        if task.number in numbers:
            job.active[task.number] = task
        else:
            job.ready.push(task)


def _put_due(job: Job, due: dict[int, float]) -> None:
    tasks, job.delayed = [task for _, _, task in job.delayed], ()
    for task in tasks:
        task.due = due.get(task.number, task.due)
        job.enlist(task)


def _records(segments: Sequence[bytes]) -> Iterable[tuple[int, HistoryRecord]]:
    for content in segments:
        segment = _decoded(content, _Segment, "segment")
        contents = segment.contents if segment.plain else [decode(value) for value in segment.contents]
        columns = zip(segment.routine_ids, segment.event_names, contents, segment.times, strict=True)
        for number, (routine_id, event_name, data, at) in enumerate(columns, segment.first):
            yield number, HistoryRecord(routine_id, event_name, data, at)


def _put_history(job: Job, records: Iterable[tuple[int, HistoryRecord]], total: int) -> None:
    first = records_dropped(job)
    kept = [(number, record) for number, record in records if number >= first]
    if [number for number, _ in kept] != list(range(first, total)):
        raise DamagedRecordError(f"the history has {len(kept)} of its {total - first} records", kind="segment")
    if isinstance(job.history, BoundedHistory):
        job.history = BoundedHistory([record for _, record in kept], job.history.maxlen or 0, first)
    else:
        job.history = [record for _, record in kept]
