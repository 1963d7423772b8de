"""A store as one process uses it: one writer for all jobs that run here, and the owner that they belong to."""

import os
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from time import monotonic, time
from typing import TypeVar
from weakref import WeakValueDictionary

from routilux._backends.backend import MOVED, Backend, Batch, Compaction, JobRecord, StoredJob
from routilux._current import get_current
from routilux._engine.apart import do_apart, holds_up_what_needs, wait_for_what_needs
from routilux._engine.claims import Claims
from routilux._engine.fault_points import FaultPoint, Reached, pass_by
from routilux._engine.hands import Hands
from routilux._engine.job_log import JobLog
from routilux._engine.keeper import Keeper
from routilux._engine.namesakes import Beginnings, is_same_moment
from routilux._engine.owner import (
    is_gone,
    is_of_this_machine,
    is_said_to_be_gone,
    note_that_it_left,
    shown,
    this_process,
)
from routilux._engine.patience import within
from routilux._engine.refusals import another, closed_first, exists, lost_to
from routilux._engine.silences import Silences
from routilux._engine.threads import is_mine, start_thread
from routilux._engine.trying_again import tried_again
from routilux._haste import at_most, without_haste
from routilux._logging import logger
from routilux._midst import in_the_middle, is_in_the_middle
from routilux._model import JobStatus
from routilux.errors import (
    JobStateError,
    OwnershipLost,
    RoutiluxError,
    StoreError,
    StoreUnavailableError,
    UnknownJobError,
)

T = TypeVar("T")


class Ledger:
    """Writes what happens to the jobs of this process, all of them together (group commit).

    Activations run ahead of the disk by at most `window` seconds, and as long as a write takes. While the store is not
    available, a write is tried again for `patience` seconds; then the jobs that it is for are let go, where the store
    has them. A task whose process died `max_lost_attempts` times fails its job.
    """

    def __init__(self, backend: Backend, window: float, patience: float, max_lost_attempts: int) -> None:
        self.backend = backend
        self.window = window
        self.patience = patience
        self.max_lost_attempts = max_lost_attempts
        self.owner = this_process()
        self.hands = Hands()
        self.keeper = Keeper(backend, self.owner, self.hands, patience)
        self.reached: Reached = pass_by
        self.beginnings = Beginnings()
        self._pid = os.getpid()
        self._logs: WeakValueDictionary[str, JobLog] = WeakValueDictionary()
        self._writing = threading.RLock()  # entered once: it knows who has it
        self._lock = threading.RLock()  # entered itself: a Condition could be left locked by a signal
        self._changed = threading.Condition(self._lock)
        self._silences = Silences(backend)
        self._has_left = self._is_leaving_apart = False
        self._leaving = threading.RLock()  # what closes it may have to do with what is just closing it
        self._claims = Claims(self._lock)
        self._waiting: dict[JobLog, None] = {}
        self._made: dict[JobLog, Batch] = {}
        self._oldest: float | None = None
        self._idle = False
        self._failed: list[JobLog] = []
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    def claim(self, job_id: str, *, created_at: float, take_over: bool) -> tuple[StoredJob, str | None]:
        """Become the owner of a job, and say which one died with it, if one did and that is not noted.

        JobStateError where it has an owner that lives, unless it is to be taken over; UnknownJobError where there is no
        such job, or another one, created at another time. Where no answer came, it is asked once more in any case: it
        may have been done.
        """
        self._check_usable()
        claim = partial(self._claim, job_id, created_at, take_over)
        try:
            return claim()
        except StoreUnavailableError:
            return self._patiently(claim)

    def _claim(self, job_id: str, created_at: float, take_over: bool) -> tuple[StoredJob, str | None]:
        while True:
            record = self.backend.record(job_id)
            if record is None:
                raise UnknownJobError(f"the store has no job {job_id!r}")
            if record.status == MOVED:
                raise UnknownJobError(f"job {job_id!r} was moved out of the store (epoch {record.epoch})")
            if not is_same_moment(record.created_at, created_at):
                raise another(job_id)
            lives = self._lives(record)
            if lives and not take_over:
                raise JobStateError(
                    f"job {job_id!r} is run by {shown(record.owner or '')}; ask that by way of the store "
                    f"(store.deliver, store.pause, store.cancel), or take the job over (flow.resume)"
                )
            self.keeper.show()
            self.reached(FaultPoint.OWNER_READ)
            died = self._died_with(record, lives=lives)
            stored = in_the_middle(self._acquired, record, died)
            if stored is not None:
                self.reached(FaultPoint.JOB_CLAIMED)
                return stored, died

    def _died_with(self, record: JobRecord, *, lives: bool) -> str | None:
        """The owner in whose hands a running job was as it died, unless that is noted."""
        if record.owner == self.owner:
            return self.keeper.left_behind.died_before(record.job_id, record.epoch)
        return None if lives or record.status != JobStatus.RUNNING else record.owner

    def _acquired(self, record: JobRecord, died: str | None) -> StoredJob | None:
        """The job, claimed, unless somebody was faster; where no answer comes, it is given back if it is claimed.

        It is left behind, for whoever closes the store meanwhile, until a death is noted that is to be.
        """
        job_id, epoch, left_behind = record.job_id, record.epoch + 1, self.keeper.left_behind
        with self._claims.making(self._check_usable):
            left_behind.add(job_id, epoch, died)
            try:
                stored = self.backend.acquire(record, self.owner)
            except BaseException:
                self.keeper.leave_behind(job_id, epoch, died)
                raise
        if stored is None or died is None:
            left_behind.forget(job_id, epoch)
        return stored

    def discard(self, log: JobLog) -> None:
        """Write nothing of a log any more, for which the job went on in vain."""
        with self._writing:
            self._made.pop(log, None)
            log.failure = log.failure or StoreError(f"job {log.job.job_id!r} was let go")

    def has_owner(self, record: JobRecord) -> bool:
        """Whether somebody who lives runs a job, or a thread of this process is about to."""
        return self._lives(record) or (record.owner == self.owner and self.hands.are_taking(record.job_id))

    @contextmanager
    def in_hand(self, job_id: str) -> Iterator[None]:
        """Have a job to oneself from before it is claimed, or stored, until the keeper holds it, or it is let go.

        Meanwhile it is this process's and nobody runs it, so that another thread would take it for an orphan. What will
        write it is there before anything of it is; else it is a NoThreadError.
        """
        self._check_usable()
        self._stand_by()
        self.keeper.stand_by()
        with self.hands.taking(job_id):
            yield

    def _lives(self, record: JobRecord) -> bool:
        if record.owner is None or is_said_to_be_gone(record.owner):
            return False
        if record.owner == self.owner and os.getpid() == self._pid:
            return self.keeper.holds(record.job_id, record.epoch)
        return not is_gone(record.owner, None if is_of_this_machine(record.owner) else self._silences.of(record.owner))

    def begin(self, log: JobLog) -> None:
        """Know the log of a job; one that another handle of this process has kept of it until now is at its end."""
        self._check_usable()
        job_id = log.job.job_id
        with self._lock:
            former, self._logs[job_id] = self._logs.get(job_id), log
        if former is None or former.failure is not None or former.has_let_go:
            return
        if former.position[:2] != log.position[:2]:
            how = "taken over" if former.position.created_at == log.position.created_at else "deleted, and begun anew,"
            self._fail({former: OwnershipLost(f"job {job_id!r} was {how} by another handle in this process")})

    @contextmanager
    def naming(self, job_id: str) -> Iterator[None]:
        """Store a new job under the id that its caller has chosen; JobExistsError where that is taken.

        A store lets an owner write a new job again, since its answer may have been lost: that two jobs of one process
        are not one has to be seen to here.
        """
        self._check_usable()
        with self.beginnings.naming(job_id):
            if (record := self.backend.record(job_id)) is not None:
                raise exists(record)
            yield

    def _check_usable(self) -> None:
        if os.getpid() != self._pid:
            raise StoreError("this store was opened by the process that forked this one; open it again after a fork")
        if self._has_left:
            raise StoreError("this store has been closed; open it again")

    def mark(self, log: JobLog) -> None:
        """Remember that a log has something to be written, within the window."""
        with self._lock:
            self._waiting[log] = None
            if self._oldest is None:
                self._oldest = monotonic()
                if self._idle:  # else it wakes in time by itself
                    self._changed.notify()
                    self._idle = False
        self._stand_by()

    def _stand_by(self) -> None:
        """Have a thread that writes; NoThreadError where it cannot be started."""
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = start_thread("routilux-journal", self._run)

    def flush(self) -> None:
        """Write what is waiting, together; what another thread is writing just now has been written then, too."""
        within(None, self._flush)

    def _flush(self) -> None:
        with self._writing, without_haste():
            self._write_made()
            self.reached(FaultPoint.RECORDS_WAIT)
            with self._lock:
                logs, self._waiting, self._oldest = list(self._waiting), {}, None
            for log in logs:
                if log.failure is None and (batch := self._batch_of(log)) is not None:
                    self._made[log] = batch
            self._write_made()

    def _write_made(self) -> None:
        """Write the batches there are, which are kept until that is done: where it ends early, somebody goes on."""
        if self._made:
            self.reached(FaultPoint.RECORDS_MADE)
            self._write(self._made)
            self._made = {}
            self.reached(FaultPoint.RECORDS_WRITTEN)

    def _batch_of(self, log: JobLog) -> Batch | None:
        try:
            return log.next_batch(time())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is of this job, and the others are written
            self._fail({log: StoreError(f"job {log.job.job_id!r} cannot be written: {error}")})
            return None

    def _write(self, written: dict[JobLog, Batch]) -> None:
        """Write batches together; one that is the fault of a failure must not be that of the others."""
        try:
            refused = self._patiently(lambda: self._written(written))
        except StoreError as error:
            if len(written) == 1 or isinstance(error, StoreUnavailableError):
                self._fail(dict.fromkeys(written, error))
            else:
                for log, batch in written.items():
                    self._write({log: batch})
        else:
            for log, batch in written.items():
                log.is_stored = log.is_stored or batch.job_id not in refused
            self._fail({log: self._lost(log, batch) for log, batch in written.items() if batch.job_id in refused})

    def _written(self, batches: dict[JobLog, Batch]) -> Collection[str]:
        """Write batches, and say which jobs are refused that; where no answer comes it may have been done."""
        try:
            return self.backend.write(list(batches.values()))
        except StoreUnavailableError:
            for log in batches:
                log.is_unanswered = True
            raise

    def compact(self, log: JobLog, compaction: Compaction) -> None:
        """Replace a job's journal by a snapshot."""
        within(None, lambda: self._compact(log, compaction))

    def _compact(self, log: JobLog, compaction: Compaction) -> None:
        with self._writing, without_haste():
            self.reached(FaultPoint.SNAPSHOT_MADE)
            try:
                done = self._patiently(lambda: self.backend.compact(compaction))
            except StoreError as error:
                self._fail({log: error})
            else:
                self.reached(FaultPoint.SNAPSHOT_WRITTEN)
                self._fail({} if done else {log: self._lost(log)})

    def _lost(self, log: JobLog, batch: Batch | None = None) -> RoutiluxError:
        job_id = log.job.job_id
        try:
            record = self.backend.record(job_id)
        except StoreError as error:
            return OwnershipLost(f"job {job_id!r} was taken over, or deleted; its store does not say by whom: {error}")
        if record is not None and batch is not None and batch.new is not None:
            return exists(record)
        return lost_to(record, log.job, log.position)

    def _fail(self, failures: Mapping[JobLog, RoutiluxError]) -> None:
        """Say why logs can be written no more. Those who run the jobs are told by a thread that holds no job."""
        has_closed = self._has_left and self._closed.is_set()
        for log, error in failures.items():
            is_late = has_closed and isinstance(error, StoreError)
            log.failure = log.failure or (closed_first(log.job.job_id) if is_late else error)
        if failures:
            with self._lock:
                self._failed.extend(failures)
                self._changed.notify()

    def show(self) -> None:
        """Have the store know this owner before it owns anything there."""
        self._patiently(self.keeper.show)

    def _patiently(self, call: Callable[[], T]) -> T:
        return tried_again(call, at_most(self.patience), is_over=self._closed.wait, action="write")

    def _run(self) -> None:
        woken, untold = False, list[JobLog]()
        while not self._closed.is_set():
            with self._lock:
                failed, self._failed = [*untold, *self._failed], []
                if not (failed or self._is_due() or self._closed.is_set()):
                    woken = self._rest(woken)
            untold = [log for log in failed if not log.on_failure(log)]
            if self._is_due():
                self.flush()

    def _rest(self, woken: bool) -> bool:
        """Sleep until something is due, and say whether somebody has ended that.

        Where it was `woken` there will soon be more to do: it sleeps for a window, so that nobody has to wake it again.
        """
        self._idle = self._oldest is None and not woken
        due = self.window if self._oldest is None else self._oldest + self.window - monotonic()
        return self._changed.wait(None if self._idle else min(max(due, 0.0), threading.TIMEOUT_MAX))

    def _is_due(self) -> bool:
        oldest = self._oldest
        return oldest is not None and monotonic() - oldest >= self.window

    def abandon(self) -> None:
        """Write nothing more, as if the process had died."""
        self._closed.set()
        self.keeper.close()
        with self._lock:
            self._changed.notify_all()

    def join(self) -> None:
        """Return when nobody is told of anything any more, after `abandon`."""
        if self._thread is not None:
            self._thread.join()
        self.keeper.join()

    def close(self) -> None:
        """Write what is waiting, and leave, whatever signals come. A fork has nothing here to leave.

        A flow with jobs here that is being shut down apart from its asker has done so before. Who is called in the
        middle of another call of the store, or of what that flow waits for, by a signal, the garbage collector or what
        is logged, does not wait: it is closed when that is over. A handler waits for no flow, which may wait for it.
        Nor is anything waited for when the interpreter ends, whose threads stand still, with whatever they have.
        """
        if os.getpid() != self._pid or sys.is_finalizing():
            return
        is_in_a_handler = get_current() is not None
        if is_in_the_middle() or self.is_in_use or (not is_in_a_handler and holds_up_what_needs(self)):
            self._leave_apart()
        else:
            within(None, self._leave if is_in_a_handler else self._leave_in_turn)

    def _leave_apart(self) -> None:
        if not self._is_leaving_apart:  # handlers of what is logged may ask often
            self._is_leaving_apart = True
            try:
                do_apart("routilux-closing", self._leave_in_turn)
            except BaseException:
                self._is_leaving_apart = False
                raise

    def _leave_in_turn(self) -> None:
        wait_for_what_needs(self)
        self._leave()

    @property
    def is_in_use(self) -> bool:
        """Whether the calling thread is in the middle of a call that keeps others out: a signal may have come."""
        is_here = is_mine(self._lock) or is_mine(self._writing)
        return is_here or self.keeper.is_in_use or self.hands.is_in_use

    def _leave(self) -> None:
        with self._leaving:
            with self._lock:
                has_left, self._has_left = self._has_left, True
                if has_left:
                    return
                self._claims.wait()
            self.flush()
            self.abandon()
            self.reached(FaultPoint.OWNER_LEAVES)
            try:
                with self._writing:  # nothing more is written before the store is closed
                    self.keeper.close_logs()
                    self._let_others_have_all()
            finally:
                self.keeper.tell_who_waits()

    def _let_others_have_all(self) -> None:
        """Say that this owner leaves. All is on disk; where the store cannot be told so, others find out."""
        try:
            if self.keeper.is_known:  # else there is nothing to be written, or waited for
                self.keeper.left_behind.hand_on_deaths()
                self.backend.leave(self.owner)
        except StoreError as error:
            note_that_it_left(self.owner)
            logger.warning("the store cannot be left: %s", error, extra={"action": "leave"})
        finally:
            self.backend.close()
        if not self.keeper.left_behind.is_empty:  # the store may yet do what it gave no answer to
            note_that_it_left(self.owner)
