"""A stored job in the hands of this process: how far it is known here, and the right to write it."""

from collections.abc import Collection
from contextlib import AbstractContextManager
from hashlib import sha256

from routilux._backends.backend import Definition, StoredJob
from routilux._core.graph_document import write_definition
from routilux._core.history import BoundedHistory
from routilux._core.job import Job
from routilux._core.snapshot import records_dropped
from routilux._engine.job_log import JobLog, Position
from routilux._engine.keeping import Claimed, FlowDefinition, OnFailure, Servant
from routilux._engine.ledger import Ledger
from routilux._engine.rebuilding import definition_behind, due_for, opaque_job, rebuild
from routilux._engine.refusals import closed_meanwhile, overtaken
from routilux._graph import Graph
from routilux._plan import NO_PLAN, Plan
from routilux.errors import JobStateError, RoutiluxError
from serilux import SeriluxError, renamed_classes

WATCHED = 4096
"""Attempts: more than can be made within a window, so that one that kills its process again and again is found."""


class Custody:
    """What becomes of a job is kept in a ledger. Calls are made under the job's lock, but for `overtaken`.

    `graph` is the one that it ran with when it was read. It `is_unsure` whether a job that is not known to be in the
    store has got there, and `is_unanswered` where it may have, since the store did not answer.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._log: JobLog | None = None
        self._position: Position | None = None
        self._covered = 0
        self.graph: Graph | None = None
        self._suspicious = False
        self._died: str | None = None  # the owner before, until it is noted that it has
        self.is_unsure = self.is_unanswered = self._renamed = False

    @property
    def max_lost_attempts(self) -> int:
        """How often a task's process may die before the task fails its job."""
        return self.ledger.max_lost_attempts

    def naming(self, job_id: str) -> AbstractContextManager[None]:
        """Store a new job under the id that its caller has chosen; JobExistsError where that is taken."""
        return self.ledger.naming(job_id)

    def in_hand(self, job_id: str) -> AbstractContextManager[None]:
        """Have the job to oneself while it is claimed, or first stored: other threads of this process wait."""
        return self.ledger.in_hand(job_id)

    def hold(self, job_id: str, servant: Servant) -> None:
        """Hand on what others ask of the job, which runs here."""
        assert self._log is not None
        self.ledger.keeper.hold(job_id, self._log.position.epoch, servant)

    def hear(self, since: float) -> None:
        """Have all done that was asked until `since` seconds ago; StoreError where the store does not say what."""
        self.ledger.keeper.hear(since)

    def know(self, servant: Servant) -> None:
        """Have those who wait for the job told when the store is closed, or others have it."""
        self.ledger.keeper.know(servant)

    def overtaken(self, job: Job) -> RoutiluxError | None:
        """Why a job that does not run here comes to nothing more by its handle, by what its store says now."""
        return None if self._known() is None else overtaken(self.ledger.backend.record(job.job_id), job)

    def closed(self, job: Job) -> RoutiluxError | None:
        """Why the job, which does not run here, comes to nothing more by its handle, if its store has been closed."""
        return closed_meanwhile(job.job_id) if self.ledger.keeper.is_closed else None

    @property
    def is_in_use(self) -> bool:
        """Whether the calling thread is in the middle of a call that keeps others from the store's jobs."""
        return self.ledger.is_in_use

    def is_kept_in(self, ledger: object) -> bool:
        """Whether that is where it is kept."""
        return self.ledger is ledger

    @property
    def is_stored(self) -> bool:
        """Whether the job, which does not run here, is known to be in the store."""
        return self._position is not None

    def let_go(self, job_id: str, servant: object) -> None:
        """Hand on nothing more."""
        self.ledger.keeper.let_go(job_id, servant)

    def claim(self, job: Job, *, take_over: bool, plan: Plan = NO_PLAN) -> Claimed:
        """Own the job as it is stored now, which is another object if more is stored than was known here.

        A job that the store does not know is taken as it is. JobStateError for one that is not to be taken over;
        UnknownJobError where the store has not this job, but another of its id.
        """
        known = self._known()
        if known is None:
            if not self._is_there(job):
                return Claimed(job)
            self._refuse_copy(job)
        created_at = job.created_at if known is None else known.created_at
        if known is not None and known.epoch < 0:  # it was let go: what there is of it here is written first
            self.ledger.flush()
        stored, died = self.ledger.claim(job.job_id, created_at=created_at, take_over=take_over)
        if known is not None and self._is_known(stored, known):
            job.epoch, self._log = stored.record.epoch, None
            self._position = known._replace(epoch=job.epoch)
            self._covered = covered_by(stored)
        else:
            job = self._read_claimed(stored, plan, died)
        self._died, self._suspicious = died, died is not None
        return Claimed(job, self.graph, died is not None)

    def _is_known(self, stored: StoredJob, known: Position) -> bool:
        """Whether a claimed job is still as it was written here, or read: its last owner may have replaced its journal.

        That changes no number, but the segments, and by a plan even the job.
        """
        if self._log is None and self._covered != covered_by(stored):
            return False
        record = stored.record
        return (record.created_at, record.epoch - 1, stored.number) == known[:3]

    def _read_claimed(self, stored: StoredJob, plan: Plan, died: str | None) -> Job:
        """The job, or it is given back; why it cannot be read is what counts, whatever comes of that."""
        try:
            return self.read(stored, plan)[0]
        except BaseException as error:
            record = stored.record
            try:
                self.ledger.keeper.give_back(record.job_id, record.epoch, died)
            except RoutiluxError as refusal:
                error.add_note(f"nor could job {record.job_id!r} be given back: {refusal}")
            raise

    def _is_there(self, job: Job) -> bool:
        return self.ledger.backend.record(job.job_id) is not None

    def _refuse_copy(self, job: Job) -> None:
        if not self.is_unsure:
            raise JobStateError(
                f"job {job.job_id!r} is in the store already, and this document is a copy of it; "
                f"use store.load({job.job_id!r})"
            )

    def is_nowhere(self, job: Job) -> bool:
        """Whether a job of which that was not known turns out not to be in the store."""
        return self.is_unsure and not self._is_there(job)

    def read(self, stored: StoredJob, plan: Plan = NO_PLAN) -> tuple[Job, Graph]:
        """The job that is stored, and its graph; DamagedRecordError or SeriluxError where it cannot be read.

        Its classes are called as the plan says, if the job is not past that.
        """
        classes = due_for(stored, plan).classes
        graph = definition_behind(self.ledger.backend, stored)[1]
        with renamed_classes(classes):
            job, written = rebuild(stored, graph)
        self.graph, self._log, self._renamed = graph, None, bool(classes)
        segment = stored.first_segment + len(stored.segments)
        self._position = Position(stored.record.created_at, stored.record.epoch, stored.number, written, segment)
        self._covered = covered_by(stored)
        return job, graph

    def has_tasks(self, job: Job, numbers: Collection[int]) -> bool | None:
        """Whether a job, as this process has claimed or made it, is stored with tasks of these numbers.

        None where that is not known: the store does not say, or somebody has the job by now, and may have done them.
        """
        backend = self.ledger.backend
        try:
            if not self._is_there(job):
                return False
            stored = backend.read(job.job_id)
            found = {task.number for task in opaque_job(stored, definition_behind(backend, stored)[1]).pending()}
        except (RoutiluxError, SeriluxError):
            return None
        return found.issuperset(numbers) if stored.record.epoch == job.epoch else None

    def _known(self) -> Position | None:
        log = self._log
        if log is None:
            return self._position
        return log.position if log.failure is None else _read_anew(log.position)

    def keep(self, job: Job, definition: FlowDefinition, now: float, on_failure: OnFailure) -> JobLog:
        """Write the job as it is now, and take down from now on what happens to it.

        Where it was read with other names of classes, even its history is written again, with those.
        """
        stored = definition_of(write_definition(definition.document, definition.graph))
        known = self._known()
        if known is None and not self.is_unsure:
            job.created_at = self.ledger.beginnings.told_apart(job.job_id, job.created_at)
        log = self.take_down(job, on_failure)
        if known is None:
            self.ledger.show()
            log.create(stored, self.ledger.owner, now)
        else:
            log.record(job.status, now)
            log.sync()
            if self._renamed:
                log.write_history_anew()
            log.compact(now, stored)
        self._renamed = False
        return log

    def take_down(self, job: Job, on_failure: OnFailure, *, held: bool = False) -> JobLog:
        """Take down what happens to the job, from where it is written.

        It is let go with the status with which it runs no more, unless it is `held`.
        """
        position = self._known() or Position(job.created_at, job.epoch)
        if isinstance(job.history, BoundedHistory):
            position = position._replace(history=records_dropped(job))
        self._log = JobLog(self.ledger, job, position, on_failure, held=held)
        self.ledger.begin(self._log)
        if self._suspicious:
            self._log.record_attempts_first(WATCHED)
        return self._log

    def release(self, job: Job, on_failure: OnFailure, now: float) -> None:
        """Write what is left, and let others have the job; as it is stored, where that is not what is written here."""
        if self._log is None and self._position is None:  # it never was in the store
            return
        log = self._log or self.take_down(job, on_failure)
        if log.job is job and log.failure is None:
            log.release(now)
            return
        self.ledger.discard(log)
        self.ledger.keeper.give_back(job.job_id, job.epoch, self._died)

    def leave_behind(self, job: Job) -> None:
        """Let others have the job as it is stored, if it is there, as soon as the store lets it."""
        self.ledger.keeper.leave_behind(job.job_id, job.epoch, self._died)

    def note_death(self, job: Job) -> None:
        """Know that it is written, if the last owner died."""
        if self._died is not None:
            self.ledger.keeper.left_behind.forget(job.job_id, job.epoch)
        self._died = None

    def forget(self) -> None:
        """Have the job read again by whoever claims it next: what this process has of it may be another's by then."""
        log, known = self._log, self._known()
        has_begun_badly = log is not None and log.failure is not None and not log.is_stored and log.position.number <= 1
        self.is_unsure = known is None or (self._position is None and has_begun_badly)
        self.is_unanswered = has_begun_badly and log is not None and log.is_unanswered
        self._log, self._position = None, None if known is None or self.is_unsure else _read_anew(known)


def _read_anew(position: Position) -> Position:
    """How far a job is written of which this process knows only that it is stored."""
    return Position(position.created_at, epoch=-1)


def covered_by(stored: StoredJob) -> int:
    """The number of the last record that a job's snapshot stands for."""
    return stored.number - len(stored.journal)


def definition_of(content: bytes) -> Definition:
    """A definition under a name that says what is in it."""
    return Definition("sha256:" + sha256(content).hexdigest(), content)
