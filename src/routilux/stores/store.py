"""A store of jobs, as its users see it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import NamedTuple

from routilux._backends.backend import MOVED, Backend, JobRecord
from routilux._backends.opening import open_backend
from routilux._core.graph_document import read_definition
from routilux._engine.custody import Custody
from routilux._engine.ledger import Ledger
from routilux._model import SETTLED, Durability, JobStatus
from routilux.errors import JobStateError, OwnershipLost, RoutiluxError, UnknownJobError
from routilux.flow import Flow
from routilux.job_state import JobState
from serilux.errors import SeriluxError

WINDOW = 0.01
PATIENCE = 30.0


class JobSummary(NamedTuple):
    """A stored job as it is listed; times are aware and in UTC, `owner` is None where nobody runs it."""

    job_id: str
    flow_id: str
    status: str
    epoch: int
    created_at: datetime
    updated_at: datetime
    owner: str | None


class Store:
    """Jobs that outlive the processes that run them. `open_store` opens one."""

    def __init__(self, backend: Backend, *, window: float = WINDOW, patience: float = PATIENCE) -> None:
        self._backend = backend
        self._ledger = Ledger(backend, window, patience)

    @property
    def ledger(self) -> Ledger:
        """What this process writes to the store with."""
        return self._ledger

    def load(self, job_id: str, *, flow: Callable[[], Flow] = Flow) -> tuple[Flow, JobState]:
        """A job and its flow, as they are stored; `flow.resume(job_state)` lets it go on."""
        stored = self._backend.read(job_id)
        document, _ = read_definition(self._backend.definition(stored.record.definition))
        loaded = flow()
        loaded.deserialize(document)
        custody = Custody(self._ledger, Durability.GROUP)
        job_state = JobState._of(custody.read(stored))
        job_state._live.custody = custody
        return loaded, job_state

    def jobs(self, status: JobStatus | str | None = None, flow_id: str | None = None) -> list[JobSummary]:
        """The jobs there are, oldest first."""
        return [_summary(record) for record in self._backend.records(status=status, flow_id=flow_id)]

    def recover(self) -> list[JobState]:
        """Let every job go on whose owner is gone; those that have one are left alone.

        A job that cannot go on keeps no other from it: its error is raised when all have been tried, with those of
        others as its notes.
        """
        recovered, errors = [], []
        for record in self._backend.records(status=JobStatus.RUNNING):
            try:
                if not self._ledger.has_owner(record) and (job_state := self._take_up(record.job_id)) is not None:
                    recovered.append(job_state)
            except (RoutiluxError, SeriluxError) as error:
                errors.append(error)
        if errors:
            raise _noted(errors)
        return recovered

    def _take_up(self, job_id: str) -> JobState | None:
        """Resume a job; None where somebody else was faster."""
        try:
            flow, job_state = self.load(job_id)
            return flow.resume(job_state, take_over=False)
        except (JobStateError, OwnershipLost, UnknownJobError):
            record = self._backend.record(job_id)
            if record is None or record.status != JobStatus.RUNNING or self._ledger.has_owner(record):
                return None
            raise

    def delete(self, job_id: str) -> bool:
        """Remove a job with all that is kept of it; False if there is none. JobStateError where somebody runs it."""
        record = self._backend.record(job_id)
        if record is not None and self._ledger.has_owner(record):
            raise JobStateError(f"job {job_id!r} is being run; cancel it first")
        return self._backend.delete(job_id)

    def prune(self, *, older_than: timedelta | float) -> int:
        """Remove the jobs that settled longer ago than that (seconds, or a timedelta); how many comes back."""
        age = older_than.total_seconds() if isinstance(older_than, timedelta) else older_than
        before = datetime.now(UTC).timestamp() - age
        return self._backend.prune(before=before, statuses=[*sorted(SETTLED), MOVED])

    def close(self) -> None:
        """Write what is waiting, and let go. Jobs that still run here have no owner from then on."""
        self._ledger.close()

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_store(url: str, *, window: float = WINDOW, patience: float = PATIENCE) -> Store:
    """Open a store: `sqlite:///jobs.db`, `postgresql://...` or `memory:`."""
    return Store(open_backend(url), window=window, patience=patience)


def _noted(errors: Sequence[Exception]) -> Exception:
    """The first of these errors, which says what the others are."""
    for other in errors[1:]:
        errors[0].add_note(str(other))
    return errors[0]


def _summary(record: JobRecord) -> JobSummary:
    times = [datetime.fromtimestamp(time, UTC) for time in (record.created_at, record.updated_at)]
    return JobSummary(record.job_id, record.flow_id, record.status, record.epoch, times[0], times[1], record.owner)
