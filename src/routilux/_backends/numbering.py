"""Which records may be appended, and which a snapshot stands for: rules that all stores share."""

from collections.abc import Sequence
from enum import Enum, auto

import msgspec

from routilux._backends.backend import MOVED, Batch, Compaction, JobRecord, NewJob
from routilux.errors import StoreError, UnknownJobError

_MOST_ROWS = 500


def replaced_by(batch: Batch) -> int | None:
    """Up to which epoch a tombstone makes way for the job that is created by a batch; None where it is to stay."""
    return None if batch.new is None else batch.new.replaces


def fit_one_statement(batches: Sequence[Batch]) -> bool:
    """Whether this is one batch, or records of stored jobs, each of another one, not too many, and nothing beside."""
    if any(batch.answers or replaced_by(batch) is not None for batch in batches):
        return False
    if len(batches) == 1:
        return True
    jobs = {batch.job_id for batch in batches if batch.new is None}
    return 0 < len(jobs) == len(batches) <= _MOST_ROWS


class Standing(msgspec.Struct, frozen=True):
    """What decides about writing to a stored job; `last` is the number of its last record."""

    epoch: int
    status: str
    owner: str | None
    created_at: float
    last: int

    def lets(self, writing: Batch | Compaction) -> bool:
        """Whether this is the job that is written to, and who writes was given its epoch (law 6)."""
        return (self.created_at, self.epoch) == (writing.created_at, writing.epoch) and self.status != MOVED


def is_untaken(now: JobRecord, then: JobRecord) -> bool:
    """Whether it is the same job, and nobody has taken it over since it was listed."""
    return (now.created_at, now.epoch) == (then.created_at, then.epoch)


def is_as_listed(now: JobRecord, then: JobRecord) -> bool:
    """Whether nobody has taken a job over, settled it or moved it out since it was listed."""
    return is_untaken(now, then) and (now.status, now.owner) == (then.status, then.owner)


class Verdict(Enum):
    """What a store does with a record."""

    APPENDED = auto()
    STORED_ALREADY = auto()
    REFUSED = auto()


def judge(batch: Batch, standing: Standing | None, *, repeated: bool) -> Verdict:
    """Judge a record by how its job stands (None where there is none); `repeated` if that very record is stored.

    StoreError where its number is not the next one: the job could not be read any more.
    """
    if standing is None:
        return Verdict.REFUSED if batch.new is None else Verdict.APPENDED
    if not standing.lets(batch):
        return Verdict.REFUSED
    if batch.new is not None:
        return Verdict.STORED_ALREADY if repeated and _is_creator(batch, batch.new, standing) else Verdict.REFUSED
    if repeated:
        return Verdict.STORED_ALREADY
    _check_next(batch, standing.last)
    return Verdict.APPENDED


def _is_creator(batch: Batch, new: NewJob, standing: Standing) -> bool:
    left = None if batch.releases else new.owner
    return new.owner is not None and left == standing.owner


def _check_next(batch: Batch, last: int) -> None:
    if batch.number != last + 1:
        raise StoreError(
            f"record {batch.number} of job {batch.job_id!r} cannot be stored: its last one is {last}, "
            f"so that the next one has to be {last + 1}; nothing was written; "
            f"perhaps an older copy of the store was put in its place"
        )


def check_covered(compaction: Compaction, last: int) -> None:
    """StoreError where a snapshot would stand for records that are not stored."""
    if compaction.number > last:
        raise StoreError(
            f"a snapshot of job {compaction.job_id!r} cannot stand for record {compaction.number}: "
            f"the last one that is stored is {last}; write the records first"
        )


def first_kept(compaction: Compaction, first: int, next_number: int) -> int:
    """The number of the oldest segment that stays, of those from `first` to before `next_number`."""
    return min(max(compaction.first_segment, first), next_number)


def unknown_job(job_id: str) -> UnknownJobError:
    """The error for a job that is not stored, or was moved out."""
    return UnknownJobError(f"no job {job_id!r} is stored here; it never was, or it was deleted, pruned or moved out")


def moved_out(job_id: str, epoch: int) -> UnknownJobError:
    """The error for a job of which there is but a tombstone."""
    return UnknownJobError(f"job {job_id!r} is not stored here any more: it was moved out (epoch {epoch})")


def closed_store(name: str) -> StoreError:
    """The error for whatever is asked of a store that has been closed."""
    return StoreError(f"store {name}: it has been closed; open it again")


def unknown_definition(definition_id: str) -> UnknownJobError:
    """The error for a flow's document that is not stored."""
    return UnknownJobError(f"no definition {definition_id!r} is stored here; it is kept as long as a job needs it")
