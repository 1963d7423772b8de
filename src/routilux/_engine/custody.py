"""A stored job in the hands of this process: how far it is known here, and the right to write it."""

from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple, Protocol

from routilux._backends.backend import Definition, StoredJob
from routilux._core.graph_document import read_definition
from routilux._core.history import BoundedHistory
from routilux._core.job import Job
from routilux._core.snapshot import records_dropped
from routilux._engine.job_log import JobLog, Position
from routilux._engine.ledger import Ledger
from routilux._engine.rebuilding import rebuild
from routilux._graph import Graph
from routilux.errors import JobStateError

WATCHED = 4096
"""Attempts: more than can be made within a window, so that one that kills its process again and again is found."""
UNKNOWN = Position(-1)
OnFailure = Callable[[JobLog], None]


class LedgerHolder(Protocol):
    """A store, as flows see it."""

    @property
    def ledger(self) -> Ledger:
        """What this process writes to the store with."""


class Claimed(NamedTuple):
    """A job that this process owns from now on, and the graph it ran with; `died` says whether its last owner did."""

    job: Job
    graph: Graph | None = None
    died: bool = False


class Custody:
    """What becomes of a job is kept in a ledger. All calls are made under the job's lock."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._log: JobLog | None = None
        self._position: Position | None = None
        self._graph: Graph | None = None
        self._suspicious = False

    def claim(self, job: Job, *, take_over: bool) -> Claimed:
        """Own the job as it is stored now, which is another object if more is stored than was known here.

        A job that the store does not know is taken as it is. JobStateError for one that is not to be taken over.
        """
        known = self._known()
        if known is None:
            self._refuse_copy(job)
            return Claimed(job)
        stored, died = self.ledger.claim(job.job_id, take_over=take_over)
        if (stored.record.epoch - 1, stored.number) == (known.epoch, known.number):
            job.epoch, self._log = stored.record.epoch, None
            self._position = known._replace(epoch=job.epoch)
        else:
            job, _ = self.read(stored)
        self._suspicious = died
        return Claimed(job, self._graph, died)

    def _refuse_copy(self, job: Job) -> None:
        if self.ledger.backend.record(job.job_id) is not None:
            raise JobStateError(
                f"job {job.job_id!r} is in the store already, and this document is a copy of it; "
                f"use store.load({job.job_id!r})"
            )

    def read(self, stored: StoredJob) -> tuple[Job, Graph]:
        """The job that is stored, and its graph; DamagedRecordError or SeriluxError where it cannot be read."""
        graph = read_definition(self.ledger.backend.definition(stored.record.definition))[1]
        job, written = rebuild(stored, graph)
        self._graph, self._log = graph, None
        segment = stored.first_segment + len(stored.segments)
        self._position = Position(stored.record.epoch, stored.number, written, segment)
        return job, graph

    def _known(self) -> Position | None:
        if self._log is None:
            return self._position
        return self._log.position if self._log.failure is None else UNKNOWN

    def keep(self, job: Job, definition: Definition, now: float, on_failure: OnFailure) -> JobLog:
        """Write the job as it is now, and take down from now on what happens to it."""
        known, log = self._known(), self.take_down(job, on_failure)
        if known is None:
            self.ledger.keeper.show()
            log.create(definition, self.ledger.owner, now)
        else:
            log.record(job.status, now)
            log.sync()
            log.compact(now, definition)
        return log

    def take_down(self, job: Job, on_failure: OnFailure) -> JobLog:
        """Take down what happens to the job, from where it is written."""
        position = self._known() or Position(job.epoch)
        if isinstance(job.history, BoundedHistory):
            position = position._replace(history=records_dropped(job))
        self._log = JobLog(self.ledger, job, position, on_failure)
        self.ledger.begin(self._log)
        if self._suspicious:
            self._log.record_attempts_first(WATCHED)
        return self._log


def definition_of(content: bytes) -> Definition:
    """A definition under a name that says what is in it."""
    return Definition("sha256:" + sha256(content).hexdigest(), content)
