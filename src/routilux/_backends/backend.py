"""What a store of jobs has to do, as a protocol of few methods.

A stored job is a *snapshot*, the *segments* of its history, which are only ever appended, and the *records* of its
journal since the snapshot, numbered without gaps. Its *epoch* tells who may write to it: taking a job over raises it,
and a write under another one is refused (law 6). When a job is deleted, another may have its id: which of them is meant
is told by when it was *created*, to the bit. Contents are JSON texts that a backend neither reads nor changes; what it
gives back that is not what was written is a `DamagedRecordError`. What cannot be done now, but perhaps later (locked,
full, not reachable), is a `StoreUnavailableError`: whether it was done may then be unknown, so that a record may be
written again.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

MOVED = "moved"
"""The status of a tombstone: all that is left of a job that was moved out."""


class Definition(msgspec.Struct, frozen=True):
    """A flow's document, which is stored once for all jobs that need it."""

    definition_id: str
    document: bytes


class NewJob(msgspec.Struct, frozen=True):
    """What a job is stored with at first; `segment` is the history it has by then.

    It takes the place of a tombstone whose epoch is at most that which it `replaces`, if there is one.
    """

    flow_id: str
    definition: Definition
    owner: str | None
    snapshot: bytes
    segment: bytes | None = None
    replaces: int | None = None


class Batch(msgspec.Struct, frozen=True):
    """One more record for a job's journal: whatever has happened since the last one.

    It is for the job that was `created_at` that time. `number` is one more than the last record's. `at` is the time of
    writing; times are in seconds since the epoch. With `new` the job is created by it, and its snapshot covers all
    before `number`. `status` is the job's new status, None where it has not changed (a new job is pending then);
    `releases` gives up ownership, so that the job has no owner (its epoch stays). `answers` are left for those who
    asked for what is in the record (key and content, as by `Backend.answer`): exactly when it is appended, so that one
    is never there without the other.
    """

    job_id: str
    created_at: float
    epoch: int
    number: int
    content: bytes
    at: float
    status: str | None = None
    releases: bool = False
    new: NewJob | None = None
    answers: tuple[tuple[str, bytes], ...] = ()


class Compaction(msgspec.Struct, frozen=True):
    """A snapshot that stands for all records up to `number`, and the history since the last one as one more segment.

    Segments are numbered from 1; `first_segment` is the oldest that is still wanted: older ones are dropped. With a
    `definition` the job goes on with that one.
    """

    job_id: str
    created_at: float
    epoch: int
    number: int
    snapshot: bytes
    segment: bytes | None = None
    first_segment: int = 1
    definition: Definition | None = None


class JobRecord(msgspec.Struct, frozen=True):
    """A stored job as it is listed. `updated_at` is the time of its last record; nobody runs it where `owner` is None.

    Times are in seconds since the epoch.
    """

    job_id: str
    flow_id: str
    definition: str
    status: str
    epoch: int
    created_at: float
    updated_at: float
    owner: str | None


class StoredJob(msgspec.Struct, frozen=True):
    """All of a stored job. `number` is that of the last record in `journal`, or the one that the snapshot covers.

    `first_segment` is the number of the first of the `segments`, or of the next one where there are none.
    """

    record: JobRecord
    number: int
    snapshot: bytes
    segments: list[bytes]
    first_segment: int
    journal: list[bytes]


class Backend(Protocol):
    """A store of jobs. Its methods may be called from any thread, and block until what they did is on disk.

    A tombstone is listed, and its id is taken; any other method that names its job finds none.
    """

    def definition(self, definition_id: str) -> bytes:
        """A flow's document; UnknownJobError where there is none."""

    def write(self, batches: Sequence[Batch]) -> frozenset[str]:
        """Append records, and say for which ids it was refused: the epoch is another by now, or the job is gone.

        What is not refused is on disk together, or not at all. A new job with the id of a stored one is refused too.
        Records under one id are of one job.
        A record that is stored already, word for word, may be written again, and nothing happens; so may a new job, by
        its owner. StoreError where a number is not the next one.
        """

    def compact(self, compaction: Compaction) -> bool:
        """Replace records by a snapshot; False where the epoch is another by now, or the job gone: nothing has changed.

        Nothing happens where a snapshot covers that number already. StoreError where there is no such record yet.
        """

    def read(self, job_id: str) -> StoredJob:
        """All of a job, as of one moment; UnknownJobError where there is none."""

    def acquire(self, record: JobRecord, owner: str) -> StoredJob | None:
        """Raise a job's epoch by one if it is that of the record still, make `owner` its owner, then read it.

        What was asked of its last owner is forgotten, as whoever asked sees by the epoch; what that answered stays.

        None where the epoch is another by now, or the job: somebody else was faster. UnknownJobError where no job has
        that id.
        """

    def record(self, job_id: str) -> JobRecord | None:
        """A job as it is listed, or None."""

    def records(
        self, *, status: str | None = None, flow_id: str | None = None, owner: str | None = None
    ) -> list[JobRecord]:
        """The jobs that fit, oldest first; those of one moment by their ids."""

    def move_out(self, record: JobRecord, *, at: float) -> StoredJob | None:
        """Move a job out: read it, raise its epoch, leave nothing but a tombstone, its status `moved`, in one step.

        It has to be just as in the record. `at` is the time of the move, which the tombstone has as that of its update:
        by it, whoever gets no answer can see that he has moved the job. None where that is not as in the record by now,
        as it was taken over or written to, or is another; UnknownJobError where no job has that id. What is read still
        has the old epoch and status.
        """

    def delete(self, record: JobRecord) -> bool:
        """Remove a job with all that is kept of it, if it is that of the record, with its epoch, status and owner.

        False where they are not, or there is none: somebody was faster. A tombstone counts as a job.
        """

    def prune(self, *, before: float, statuses: Sequence[str]) -> int:
        """Remove the jobs with one of these statuses whose last record is older than that time; how many comes back.

        Definitions that no job needs any more go with them.
        """

    def beat(self, owner: str) -> None:
        """Say that an owner is alive."""

    def silences(self) -> dict[str, float]:
        """For each owner that has ever beaten and not left, the seconds since it last did, by the store's own clock."""

    def leave(self, owner: str) -> None:
        """Forget an owner that goes; jobs that are still its own have none from then on."""

    def ask(self, job_id: str, key: str, request: bytes) -> None:
        """Leave a request for whoever owns the job; UnknownJobError where there is no such job.

        Nothing happens where that very request lies there, or there is an answer under its key: whoever does not know
        whether he has asked may ask again. Not even a call whose answer was lost is done after that.
        """

    def asked(self, owner: str) -> list[tuple[str, bytes]]:
        """The requests for the jobs of an owner, oldest first. They stay until they are dismissed."""

    def dismiss(self, requests: Sequence[tuple[str, bytes]]) -> None:
        """Remove requests that an owner has done with; what of them is not there any more does no harm."""

    def answer(self, job_id: str, key: str, content: bytes) -> None:
        """Leave an answer for whoever asks for it by that key; nothing happens where the job has gone.

        Nor where there is one already: the first one counts. It stays until it is acknowledged, or the job is deleted:
        also while there is but a tombstone, and with the job that takes the place of that.
        """

    def answered(self, job_id: str, key: str) -> bytes | None:
        """The answer that was left under a key; None where there is none."""

    def acknowledge(self, job_id: str, key: str) -> None:
        """Remove the answer that was left under a key, if there is one: whoever asked has it."""

    def close(self) -> None:
        """Let go of files and connections; nothing is lost, as what was written is on disk.

        Whatever is asked of it after that is a StoreError, but for this, which may be said again.
        """
