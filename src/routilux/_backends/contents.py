"""Rows of a database become a job again, if they are what was written."""

from binascii import crc32
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from routilux._backends.backend import JobRecord, StoredJob
from routilux.errors import DamagedRecordError

_PIECE = 5120
"""For more than that at once binascii lets other threads have the interpreter, and then waits up to 5 ms for it."""


class SnapshotRow(msgspec.Struct, frozen=True, array_like=True):
    """A snapshot that covers all records up to `number`, and which segments there are beside it."""

    number: int
    first_segment: int
    next_segment: int
    checksum: int
    content: bytes


ContentRow = tuple[int, int, bytes]
"""The number, checksum and content of a segment or a record."""


def checksum(job_id: str, kind: str, number: int, content: bytes) -> int:
    """What tells whether a content is damaged, or is another one's."""
    value = crc32(f"{kind} {number} {job_id}".encode())
    view = memoryview(content)
    for start in range(0, len(content), _PIECE):
        value = crc32(view[start : start + _PIECE], value)
    return value


def verified(job_id: str, kind: str, number: int, stored: int, content: object) -> bytes:
    """A content that is as it was written; DamagedRecordError where it is not."""
    if not isinstance(content, bytes) or checksum(job_id, kind, number, content) != stored:
        raise _unusable(job_id, kind, number, "is damaged: it is not what was written")
    return content


class Request(NamedTuple):
    """A request as it is stored."""

    id: int
    job_id: str
    checksum: int
    content: object

    @property
    def is_whole(self) -> bool:
        """Whether it is as it was written."""
        content = self.content
        return isinstance(content, bytes) and checksum(self.job_id, "request", 0, content) == self.checksum

    def verified(self) -> tuple[str, bytes]:
        """Whom it is for, and what it says; DamagedRecordError where that is not what was written."""
        return self.job_id, verified(self.job_id, "request", 0, self.checksum, self.content)


def damaged(requests: Sequence[Request]) -> list[int]:
    """The ids of requests that are not what was written: they are told once, and hold up the others no longer."""
    return [request.id for request in requests if not request.is_whole]


def assembled(
    record: JobRecord, snapshot: SnapshotRow | None, segments: Sequence[ContentRow], journal: Sequence[ContentRow]
) -> StoredJob:
    """A job from its rows, each verified; DamagedRecordError where one is damaged or missing."""
    job_id = record.job_id
    if snapshot is None:
        raise _missing(job_id, "snapshot", 0)
    segment_numbers = range(snapshot.first_segment, snapshot.next_segment)
    last = journal[-1][0] if journal else snapshot.number
    return StoredJob(
        record=record,
        number=last,
        snapshot=verified(job_id, "snapshot", snapshot.number, snapshot.checksum, snapshot.content),
        segments=_all_of(job_id, "segment", segment_numbers, segments),
        first_segment=snapshot.first_segment,
        journal=_all_of(job_id, "record", range(snapshot.number + 1, last + 1), journal),
    )


def _all_of(job_id: str, kind: str, numbers: range, rows: Iterable[ContentRow]) -> list[bytes]:
    by_number = {number: (stored, content) for number, stored, content in rows}
    for number in numbers:
        if number not in by_number:
            raise _missing(job_id, kind, number)
    return [verified(job_id, kind, number, *by_number[number]) for number in numbers]


def _missing(job_id: str, kind: str, number: int) -> DamagedRecordError:
    return _unusable(job_id, kind, number, "is missing")


def _unusable(name: str, kind: str, number: int, problem: str) -> DamagedRecordError:
    message = f"{kind} {number} of {name!r} {problem}; restore the store from a backup, or delete the job"
    whose = {"definition_id" if kind == "definition" else "job_id": name}
    return DamagedRecordError(message, kind=kind, number=number, **whose)
