"""A store in this process's memory: for tests, and for jobs that need not outlive it."""

import os
import threading
from collections.abc import Sequence
from time import monotonic

from msgspec import Struct
from msgspec.structs import replace

from routilux._backends.backend import MOVED, Batch, Compaction, JobRecord, NewJob, StoredJob
from routilux._backends.numbering import (
    Standing,
    Verdict,
    check_covered,
    closed_store,
    first_kept,
    is_as_listed,
    is_untaken,
    judge,
    moved_out,
    replaced_by,
    unknown_definition,
    unknown_job,
)
from routilux.errors import StoreError


class MemoryBackend:
    """A whole store with the meaning of the others (`Backend`), but for what takes a disk."""

    def __init__(self) -> None:
        self._lock = _OpenLock()
        self._definitions: dict[str, bytes] = {}
        self._jobs: dict[str, _Job] = {}
        self._requests: dict[tuple[str, bytes], None] = {}
        self._answers: dict[tuple[str, str], bytes] = {}
        self._beats: dict[str, float] = {}

    def definition(self, definition_id: str) -> bytes:
        """A flow's document."""
        with self._lock:
            if definition_id not in self._definitions:
                raise unknown_definition(definition_id)
            return self._definitions[definition_id]

    def write(self, batches: Sequence[Batch]) -> frozenset[str]:
        """Append records."""
        with self._lock:
            changed: dict[str, _Job] = {}
            definitions: dict[str, bytes] = {}
            answers: dict[tuple[str, str], bytes] = {}
            refused: set[str] = set()
            for batch in batches:
                job = _without_tombstone(batch, changed.get(batch.job_id) or self._jobs.get(batch.job_id))
                if batch.job_id in refused or (after := _after(batch, job)) is None:
                    refused.add(batch.job_id)
                    continue
                if after is not job:
                    answers = {(batch.job_id, key): content for key, content in batch.answers} | answers
                changed[batch.job_id] = after
                if job is None and batch.new is not None:
                    definitions.setdefault(batch.new.definition.definition_id, batch.new.definition.document)
            self._jobs.update(changed)
            self._definitions = definitions | self._definitions
            self._answers = answers | self._answers
            return frozenset(refused)

    def compact(self, compaction: Compaction) -> bool:
        """Replace records by a snapshot."""
        with self._lock:
            job = self._jobs.get(compaction.job_id)
            if job is None or not job.standing.lets(compaction):
                return False
            check_covered(compaction, job.number)
            if compaction.number > job.covered:
                self._jobs[compaction.job_id] = job.compacted(compaction)
                if (definition := compaction.definition) is not None:
                    self._definitions.setdefault(definition.definition_id, definition.document)
            return True

    def read(self, job_id: str) -> StoredJob:
        """All of a job."""
        with self._lock:
            return self._job(job_id).read()

    def acquire(self, record: JobRecord, owner: str) -> StoredJob | None:
        """Raise a job's epoch and make `owner` its owner."""
        with self._lock:
            job = self._job(record.job_id)
            if not is_untaken(job.record, record):
                return None
            job = replace(job, record=replace(job.record, epoch=record.epoch + 1, owner=owner))
            self._drop_requests(record.job_id)
            self._jobs[record.job_id] = job
            return job.read()

    def record(self, job_id: str) -> JobRecord | None:
        """A job as it is listed."""
        with self._lock:
            job = self._jobs.get(job_id)
            return None if job is None else job.record

    def records(
        self, *, status: str | None = None, flow_id: str | None = None, owner: str | None = None
    ) -> list[JobRecord]:
        """The jobs that fit, oldest first."""
        wanted = {"status": status, "flow_id": flow_id, "owner": owner}
        wanted = {name: value for name, value in wanted.items() if value is not None}
        with self._lock:
            records = [job.record for job in self._jobs.values()]
        fitting = [each for each in records if all(getattr(each, name) == wanted[name] for name in wanted)]
        return sorted(fitting, key=lambda record: (record.created_at, record.job_id))

    def move_out(self, record: JobRecord, *, at: float) -> StoredJob | None:
        """Leave nothing of a job but a tombstone."""
        with self._lock:
            job = self._job(record.job_id)
            if job.record != record:
                return None
            tombstone = replace(job.record, epoch=record.epoch + 1, owner=None, status=MOVED, updated_at=at)
            self._drop_requests(record.job_id)
            self._jobs[record.job_id] = _Job(tombstone, job.number, job.number, b"", [])
            return job.read()

    def delete(self, record: JobRecord) -> bool:
        """Remove a job, or its tombstone, that is as it was listed."""
        with self._lock:
            job = self._jobs.get(record.job_id)
            if job is None or not is_as_listed(job.record, record):
                return False
            self._forget(record.job_id)
            return True

    def prune(self, *, before: float, statuses: Sequence[str]) -> int:
        """Remove old jobs, and definitions that no job needs."""
        with self._lock:
            records = [job.record for job in self._jobs.values()]
            old = [each.job_id for each in records if each.status in statuses and each.updated_at < before]
            for job_id in old:
                self._forget(job_id)
            needed = {job.record.definition for job in self._jobs.values()}
            self._definitions = {key: value for key, value in self._definitions.items() if key in needed}
            return len(old)

    def beat(self, owner: str) -> None:
        """Say that an owner is alive."""
        with self._lock:
            self._beats[owner] = monotonic()

    def silences(self) -> dict[str, float]:
        """For each owner the seconds since its last beat."""
        with self._lock:
            now = monotonic()
            return {owner: now - beat for owner, beat in self._beats.items()}

    def leave(self, owner: str) -> None:
        """Forget an owner that goes."""
        with self._lock:
            self._beats.pop(owner, None)
            for job_id, job in self._jobs.items():
                if job.record.owner == owner:
                    self._jobs[job_id] = replace(job, record=replace(job.record, owner=None))

    def ask(self, job_id: str, key: str, request: bytes) -> None:
        """Leave a request for whoever owns the job."""
        with self._lock:
            self._job(job_id)
            if (job_id, key) not in self._answers:
                self._requests.setdefault((job_id, request))

    def asked(self, owner: str) -> list[tuple[str, bytes]]:
        """The requests for the jobs of an owner."""
        with self._lock:
            return [request for request in self._requests if self._jobs[request[0]].record.owner == owner]

    def dismiss(self, requests: Sequence[tuple[str, bytes]]) -> None:
        """Remove requests that an owner has done with."""
        with self._lock:
            for request in requests:
                self._requests.pop(request, None)

    def answer(self, job_id: str, key: str, content: bytes) -> None:
        """Leave an answer for whoever asked."""
        with self._lock:
            if job_id in self._jobs and self._jobs[job_id].record.status != MOVED:
                self._answers.setdefault((job_id, key), content)

    def answered(self, job_id: str, key: str) -> bytes | None:
        """The answer that was left under a key."""
        with self._lock:
            return self._answers.get((job_id, key))

    def acknowledge(self, job_id: str, key: str) -> None:
        """Remove an answer that was received."""
        with self._lock:
            self._answers.pop((job_id, key), None)

    def close(self) -> None:
        """Let nobody in any more."""
        self._lock.close()

    def _job(self, job_id: str) -> "_Job":
        job = self._jobs.get(job_id)
        if job is None:
            raise unknown_job(job_id)
        if job.record.status == MOVED:
            raise moved_out(job_id, job.record.epoch)
        return job

    def _forget(self, job_id: str) -> None:
        del self._jobs[job_id]
        self._drop_requests(job_id)
        self._answers = {place: content for place, content in self._answers.items() if place[0] != job_id}

    def _drop_requests(self, job_id: str) -> None:
        self._requests = {request: None for request in self._requests if request[0] != job_id}


class _OpenLock:
    """Lets one thread at a time in, until it is closed; StoreError after that."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closed = False
        self._pid = os.getpid()

    def __enter__(self) -> None:
        if self._pid != os.getpid():
            raise StoreError("store memory: it is in the memory of the process that forked this one; open another here")
        if self._closed:
            raise closed_store("memory:")
        self._lock.acquire()

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self._lock.release()

    def close(self) -> None:
        self._closed = True


def _without_tombstone(batch: Batch, job: "_Job | None") -> "_Job | None":
    """A job, unless it is a tombstone that makes way for the one that the batch creates."""
    up_to = replaced_by(batch)
    if job is None or up_to is None or job.record.status != MOVED or job.record.epoch > up_to:
        return job
    return None


class _Job(Struct, frozen=True):
    """A job as of one moment; `journal` is shared with earlier moments, so that its first `number - covered` count."""

    record: JobRecord
    number: int
    covered: int
    snapshot: bytes
    journal: list[bytes]
    segments: tuple[bytes, ...] = ()
    first_segment: int = 1

    @property
    def standing(self) -> Standing:
        """What decides about writing to it."""
        record = self.record
        return Standing(record.epoch, record.status, record.owner, record.created_at, self.number)

    @property
    def records(self) -> list[bytes]:
        """The journal since the snapshot."""
        return self.journal[: self.number - self.covered]

    def has(self, batch: Batch) -> bool:
        """Whether that very record is part of it; of those behind the snapshot, only the numbers are known."""
        place = batch.number - self.covered - 1
        return batch.number <= self.number and (place < 0 or self.journal[place] == batch.content)

    def appended(self, batch: Batch) -> "_Job":
        """The job with one more record."""
        del self.journal[self.number - self.covered :]
        self.journal.append(batch.content)
        status = self.record.status if batch.status is None else batch.status
        owner = None if batch.releases else self.record.owner
        record = replace(self.record, status=status, owner=owner, updated_at=batch.at)
        return replace(self, record=record, number=batch.number)

    def compacted(self, compaction: Compaction) -> "_Job":
        """The job with another snapshot."""
        segments = self.segments if compaction.segment is None else (*self.segments, compaction.segment)
        first = first_kept(compaction, self.first_segment, self.first_segment + len(segments))
        definition = self.record.definition if compaction.definition is None else compaction.definition.definition_id
        return replace(
            self,
            record=replace(self.record, definition=definition),
            covered=compaction.number,
            snapshot=compaction.snapshot,
            journal=self.records[compaction.number - self.covered :],
            segments=segments[first - self.first_segment :],
            first_segment=first,
        )

    def read(self) -> StoredJob:
        """The job as it is given out."""
        segments = list(self.segments)
        return StoredJob(self.record, self.number, self.snapshot, segments, self.first_segment, self.records)


def _after(batch: Batch, job: _Job | None) -> _Job | None:
    """The job after a write; None where it is refused."""
    standing, repeated = (None, False) if job is None else (job.standing, job.has(batch))
    verdict = judge(batch, standing, repeated=repeated)
    if verdict is Verdict.REFUSED:
        return None
    if verdict is Verdict.STORED_ALREADY:
        return job
    if job is None:
        assert batch.new is not None
        job = _created(batch, batch.new)
    return job.appended(batch)


def _created(batch: Batch, new: NewJob) -> _Job:
    record = JobRecord(
        job_id=batch.job_id,
        flow_id=new.flow_id,
        definition=new.definition.definition_id,
        status="pending",
        epoch=batch.epoch,
        created_at=batch.created_at,
        updated_at=batch.at,
        owner=new.owner,
    )
    segments = () if new.segment is None else (new.segment,)
    return _Job(record, batch.number - 1, batch.number - 1, new.snapshot, [], segments)
