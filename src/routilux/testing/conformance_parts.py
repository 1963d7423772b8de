"""What the tests of stores are made of: batches whose contents say their numbers."""

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from routilux._backends.backend import Backend, Batch, Compaction, Definition, JobRecord, NewJob, StoredJob
from routilux.errors import StoreError

FLOW = Definition("fingerprint-1", b'{"flow": 1}')
BEGUN = 100.0


def created(job_id: str = "a", *, at: float = BEGUN, owner: str | None = "me", definition: Definition = FLOW) -> Batch:
    """What stores a job, with its first record."""
    new = NewJob("flow-1", definition, owner, b'{"first": 1}')
    return Batch(job_id, at, 1, 1, b'{"n": 1}', at, status="running", new=new)


def replacing(job_id: str, up_to: int) -> Batch:
    """What stores a job in the place of a tombstone."""
    first = created(job_id, owner="you")
    assert first.new is not None
    return replace(first, new=replace(first.new, replaces=up_to))


def as_seen(job_id: str, *, created_at: float = BEGUN, epoch: int = 1) -> JobRecord:
    """A job as somebody saw it, who is about to take it."""
    return JobRecord(job_id, "flow-1", FLOW.definition_id, "running", epoch, created_at, BEGUN, None)


def appended(
    job_id: str,
    number: int,
    *,
    created_at: float = BEGUN,
    epoch: int = 1,
    at: float = 101.0,
    status: str | None = None,
) -> Batch:
    """One more record, whose content says its number."""
    return Batch(job_id, created_at, epoch, number, b'{"n": %d}' % number, at, status=status)


def compacted(
    job_id: str,
    number: int,
    *,
    created_at: float = BEGUN,
    epoch: int = 1,
    segment: bytes | None = None,
    first_segment: int = 1,
) -> Compaction:
    """A snapshot whose content says its number."""
    return Compaction(job_id, created_at, epoch, number, b'{"snapshot": %d}' % number, segment, first_segment)


@contextmanager
def refused_with(kind: type[StoreError], *words: str) -> Iterator[None]:
    """Expect an error whose message has all these words."""
    try:
        yield
    except kind as error:
        message = str(error)
    else:
        raise AssertionError(f"no {kind.__name__} was raised")
    assert [word for word in words if word not in message] == [], message


def numbers(stored: StoredJob) -> list[bytes]:
    """The contents of a job's journal, less what is the same in all of them."""
    return [content.removeprefix(b'{"n": ').removesuffix(b"}") for content in stored.journal]


def moved_out(backend: Backend, job_id: str, *, at: float = 200.0) -> StoredJob | None:
    """Move a job out as it is listed just now."""
    record = backend.record(job_id)
    assert record is not None
    return backend.move_out(record, at=at)


def deleted(backend: Backend, job_id: str) -> bool:
    """Delete a job as it is listed just now; whether it was there."""
    record = backend.record(job_id)
    return record is not None and backend.delete(record)
