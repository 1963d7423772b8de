"""The journal of one job that runs here: what has happened to it and is not yet on disk."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from typing import NamedTuple, Protocol

from routilux._backends.backend import Batch, Compaction, Definition, NewJob
from routilux._core.facts import Happening
from routilux._core.history import BoundedHistory
from routilux._core.job import Job
from routilux._core.journal import write_record
from routilux._core.snapshot import records_dropped, records_so_far, write_segment, write_snapshot
from routilux._engine.keeping import OnFailure
from routilux._model import Durability, JobStatus
from routilux._records import Task
from routilux.errors import RoutiluxError, StoreError

SMALLEST_JOURNAL = 256 * 1024
"""Bytes: a journal that is shorter is not replaced by a snapshot."""


Keyed = tuple[str, bytes]
"""The key under which somebody asks for an answer, and what that is."""


class Writer(Protocol):
    """What writes the logs of this process; it sets `failure` of a log that can be written no more."""

    window: float

    def mark(self, log: "JobLog") -> None:
        """Remember that a log has something to be written."""

    def flush(self) -> None:
        """Write all there is."""

    def compact(self, log: "JobLog", compaction: Compaction) -> None:
        """Replace a job's journal by a snapshot."""


class Position(NamedTuple):
    """How far a job is written: under which epoch, up to which record, and how much of its history is in segments.

    `created_at` tells the job from others of its id. `segment` is the number of the next segment.
    """

    created_at: float
    epoch: int
    number: int = 0
    history: int = 0
    segment: int = 1


class JobLog:
    """Takes down what happens to a job, under the job's lock; the writer has it written.

    `position` says how far that is, and `failure` why it gets no farther; `told` is the job's status as far as anybody
    may be told of it: on disk. Others may have a job with the status with which it runs no more, unless it is `held`.
    It `is_stored` where something of this log has been written, `is_unanswered` where no answer has come to a write.
    """

    def __init__(
        self,
        writer: Writer,
        job: Job,
        position: Position,
        on_failure: OnFailure,
        *,
        held: bool = False,
    ) -> None:
        self.job = job
        self._held = held
        self.is_stored = self.is_unanswered = False
        self._has_let_go = False
        self.position = position
        self.failure: RoutiluxError | None = None
        self.told = job.status
        self.on_failure = on_failure
        self._writer = writer
        self._due = inf
        self._slack = -inf if job.durability is Durability.STRICT else writer.window / 2
        self._happened: deque[tuple[Happening | JobStatus, float, Keyed | None]] = deque()
        self._answer: Keyed | None = None
        self._new: NewJob | None = None
        self._releases = False
        self._watched = 0
        self._journal_size = 0
        self._snapshot_size = 0
        self._segments: deque[tuple[int, int]] = deque()
        self._first_segment = 1

    @property
    def has_let_go(self) -> bool:
        """Whether others may have the job with what was written last."""
        return self._has_let_go and not self._happened

    def create(self, definition: Definition, owner: str, now: float) -> None:
        """Have the job stored, as it is now, with the first record."""
        job = self.job
        snapshot, segment = self._parts(now)
        self._new = NewJob(job.flow_id, definition, owner, snapshot, segment)
        self.record(job.status, now)

    def record(self, what: Happening | JobStatus, at: float) -> None:
        """Take down what has happened, or the status that the job has got by it."""
        self._happened.append((what, at, self._answer))
        self._answer = None  # it is given once
        if self._due == inf:
            self._due = at + self._slack
            self._writer.mark(self)

    @contextmanager
    def answering(self, key: str, content: bytes) -> Iterator[None]:
        """Leave an answer for whoever asks by that key, in one transaction with what is taken down meanwhile."""
        self._answer = (key, content)
        try:
            yield
        finally:
            self._answer = None

    def record_attempts_first(self, count: int) -> None:
        """Have that many of the next attempts on disk before they begin: the job's last process has died."""
        self._watched = count

    def begin(self, task: Task, at: float, *, recorded: bool) -> bool:
        """Take down that a task was taken, and say whether that has to be on disk before its attempt begins."""
        self.record(task, at)
        if not (recorded or self._watched or task.lost_attempts):
            return False
        self._watched = max(self._watched - 1, 0)
        return True

    def is_behind(self, now: float) -> bool:
        """Whether there is something for `keep_up` to do."""
        return now > self._due or self._is_long

    @property
    def _is_long(self) -> bool:
        return self._journal_size > max(SMALLEST_JOURNAL, 2 * self._snapshot_size)

    def keep_up(self, now: float) -> None:
        """Write, under the job's lock, what has been waiting for half of the window, and keep the journal short.

        `sync` says what is raised.
        """
        if now > self._due:
            self.sync()
        if self._is_long and self.job.status is JobStatus.RUNNING:  # a job that runs no more may be another's by now
            self.sync()
            self.compact(now)

    def sync(self) -> None:
        """Return when all that has happened is on disk; OwnershipLost or StoreError where it never will be."""
        self._writer.flush()
        if self.failure is not None:
            raise self.failure

    def next_batch(self, at: float) -> Batch | None:
        """All that has happened since the last one, to be written; None where that is nothing."""
        self._due = inf
        happened = [self._happened.popleft() for _ in range(len(self._happened))]
        if not happened:
            return None
        lines: list[tuple[Happening, float]] = []
        status: JobStatus | None = None
        for what, when, _ in happened:
            if isinstance(what, JobStatus):
                status = what
            else:
                lines.append((what, when))
        answers = tuple([answer for *_, answer in happened if answer is not None])
        content = write_record(lines)
        new, self._new = self._new, None
        self._journal_size += len(content)
        created_at, epoch, number, history, segment = self.position
        number += 1
        self.position = Position(created_at, epoch, number, history, segment)
        value = None if status is None else status.value
        has_come_to_rest = status is not None and status is not JobStatus.RUNNING and not self._held
        self._has_let_go = releases = self._releases or has_come_to_rest
        return Batch(self.job.job_id, created_at, epoch, number, content, at, value, releases, new, answers)

    def compact(self, now: float, definition: Definition | None = None) -> None:
        """Replace the journal by a snapshot, under the job's lock and after a `sync`; perhaps of a changed flow."""
        try:
            compaction = self._compaction(now, definition)
        except Exception as error:
            self.failure = StoreError(f"job {self.job.job_id!r} cannot be written: {error}")
            raise self.failure from error
        self._writer.compact(self, compaction)
        if self.failure is not None:
            raise self.failure

    def _compaction(self, now: float, definition: Definition | None) -> Compaction:
        snapshot, segment = self._parts(now)
        created_at, epoch, number, *_ = self.position
        first = self._oldest_segment()
        return Compaction(self.job.job_id, created_at, epoch, number, snapshot, segment, first, definition)

    def write_history_anew(self) -> None:
        """Let the next snapshot have all of the history beside it, in place of the segments there are."""
        self._first_segment = self.position.segment
        self.position = self.position._replace(history=records_dropped(self.job))

    def release(self, now: float) -> None:
        """Write what is left, and let others have the job, unless they may with what was written last."""
        if self.has_let_go:
            return
        self._releases = True
        self.record(self.job.status, now)
        self.sync()

    def _parts(self, now: float) -> tuple[bytes, bytes | None]:
        """The job without its history, and the history that is in no segment yet."""
        job, position = self.job, self.position
        snapshot, segment = write_snapshot(job, now), write_segment(job, position.history)
        self._journal_size, self._snapshot_size = 0, len(snapshot)
        if segment is not None:
            self._segments.append((position.segment, records_so_far(job)))
            self.position = position._replace(history=records_so_far(job), segment=position.segment + 1)
        while self._segments and self._segments[0][1] <= records_dropped(job):
            self._segments.popleft()
        return snapshot, segment

    def _oldest_segment(self) -> int:
        """The first segment that is still wanted: what was written before a bounded history's own is not."""
        if not isinstance(self.job.history, BoundedHistory):
            return self._first_segment
        return self._segments[0][0] if self._segments else self.position.segment
