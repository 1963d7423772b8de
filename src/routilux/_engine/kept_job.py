"""A job that may be in a store, and the log in which it is kept there."""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import TypeVar

from routilux._core.copying import copied
from routilux._core.facts import AttemptsLost, Fact
from routilux._core.job import Job
from routilux._current import get_current, set_current
from routilux._engine.job_lock import ParentsLock, is_free
from routilux._engine.keeping import TURN, Claimed, Custodian, Keeping, Log, Servant
from routilux._engine.locked_job import LockedJob
from routilux._engine.patience import within
from routilux._engine.requests import DONE, write_answer
from routilux._engine.threads import hears_signals, is_mine
from routilux._graph import Graph
from routilux._haste import GRACE, LEAST, in_time
from routilux._model import JobStatus
from routilux.errors import BlockingCallError, JobExistsError, OwnershipLost, RoutiluxError, StoreUnavailableError

T = TypeVar("T")
Fitting = Callable[[Job], Job]
"""From a job to the one that goes on, another object where a plan changes it; refuses one that does not fit."""


class KeptJob(LockedJob, Servant):
    """A job that may be kept in a store. What is not `attached` to an engine does not run in this process.

    While there is a `log`, what happens to the job is taken down in it; `lost` says why it is in other hands, and
    `is_torn` that it came to that in the middle of a change.
    """

    graph: Graph
    attached = False
    custody: Custodian | None = None
    log: Log | None = None
    lost: RoutiluxError | None = None
    is_torn = False
    _is_claimed = _is_being_lost = False

    def _begin_anew(self) -> None:
        """Leave to the parent what it runs, or one of its threads was at; what it only has, this process has, too."""
        super()._begin_anew()
        if isinstance(self.lock, ParentsLock):  # this process is a fork of a fork
            return
        if self.attached or not is_free(self.lock):
            self.job.status = self.status  # what is on disk
            self.lock = ParentsLock(self.job.job_id, self.job.status)
            self.attached, self.log = False, None
            if (activation := get_current()) is not None and activation.host is self:
                set_current(None)

    @contextmanager
    def _claimed(self, keeping: Keeping | None, check_status: Callable[[], None], fitting: Fitting) -> Iterator[None]:
        """Own the job, if it is kept, while it begins to run; where it does not, others may have it."""
        with self.telling(), self.lock:
            if self.custody is None:
                self._check_kept()
            check_status()
            if keeping is None:
                with self._not_begun_on_failure():
                    self.job = fitting(self.job)
                    yield
                return
            fitting(self.job)
            with (
                self._waited_for_in_vain_on_failure(),
                self._kept_nowhere_on_failure(keeping.custody),
                keeping.custody.in_hand(self.job.job_id),
            ):
                with self._standing_still():
                    claimed = keeping.custody.claim(self.job, take_over=keeping.take_over, plan=keeping.plan)
                if self.is_torn and claimed.job is self.job:  # it never got into the store
                    self._check_kept()
                self.custody, self.log, self.lost, self.job = keeping.custody, None, None, claimed.job
                self.is_torn = False
                with self._let_go_on_failure():
                    self._take_back_attempts(keeping.custody, claimed)
                    check_status()
                    with self._as_it_was_on_failure():
                        self.job = fitting(self.job)
                        yield

    @contextmanager
    def _waited_for_in_vain_on_failure(self) -> Iterator[None]:
        """Where something fails, tell those who wait for the job if its store has been closed meanwhile."""
        try:
            yield
        except BaseException:
            self.tell_who_waits()
            raise

    @contextmanager
    def _kept_nowhere_on_failure(self, custody: Custodian) -> Iterator[None]:
        """Have a job that was in no store be in none, and as it was, if it does not get into this one.

        Where that cannot be known, as no answer came, whoever has it go on next finds out: it may not go on beside.
        """
        if self.custody is not None:
            yield
            return
        former = self.job
        try:
            yield
        except BaseException as error:
            if not custody.is_stored:
                self.job, self.log, self.lost = former, None, None
                if not (isinstance(error, StoreUnavailableError) or custody.is_unanswered):
                    self.custody = None
            raise

    @contextmanager
    def _as_it_was_on_failure(self) -> Iterator[None]:
        """Change a copy of a job that does not run; where something fails, the job is as it was."""
        former, lost, self.job = self.job, self.lost, copied(self.job)
        try:
            yield
        except BaseException:
            self.job, self.lost = former, lost
            raise

    def uninterrupted(
        self, call: Callable[[], T], *, keeping: Keeping | None = None, patience: float | None = None
    ) -> T:
        """What a call gives that may change the job; where that is kept, it comes to its end (`within`).

        TimeIsUp after `patience` seconds (LEAST). A job that is to be claimed is claimed by then, or not at all: for
        that there are GRACE seconds more. BlockingCallError where a signal has come into the middle of a call that has
        the job: the thread that is to do it would wait for that.
        """
        is_kept = self.custody is not None or keeping is not None
        if is_kept and hears_signals() and is_mine(self.lock):
            raise BlockingCallError(
                f"job {self.job.job_id!r} cannot be changed here: a signal has come into the middle of another call "
                f"that has it, which this one would wait for; let the handler of the signal put into a queue what is "
                f"to be done, or shut the flow down"
            )
        if patience is None:
            return within(None, call) if is_kept else call()
        with in_time(patience):
            return within(max(patience, LEAST) + (GRACE if is_kept and not self.attached else 0.0), call)

    def last_graph(self, job: Job) -> Graph | None:
        """The graph that a job last ran with, if it is known here."""
        known = [self.graph, self.custody.graph if self.custody is not None else None]
        return next((graph for graph in known if graph is not None and graph.fingerprint == job.fingerprint), None)

    def _take_back_attempts(self, custody: Custodian, claimed: Claimed) -> None:
        """Note, and have on disk, that what was in flight with the last owner is lost."""
        if claimed.graph is not None and self.job.active:
            with self._as_it_was_on_failure():
                log = custody.take_down(self.job, self._told_failure, held=True)
                self.graph, self.log = claimed.graph, log
                self._commit(AttemptsLost(claimed.died, custody.max_lost_attempts, alone=True), self.now())
                with self._standing_still():
                    log.sync()
                self.log = None
        custody.note_death(self.job)

    @abstractmethod
    def _commit(self, fact: Fact, now: float) -> None:
        """Apply a fact, and do what follows from it."""

    @contextmanager
    def _not_begun_on_failure(self) -> Iterator[None]:
        """Have a job that nobody keeps begin, as a copy; where something fails, it runs nowhere, and is as it was."""
        former, self._is_claimed = self.job, True
        try:
            self.job = copied(self.job)
            yield
        except BaseException:
            self.abandon()
            self.job = former
            raise
        finally:
            self._is_claimed = False

    @contextmanager
    def _let_go_on_failure(self) -> Iterator[None]:
        """Where something fails, let go of the job, and let others have it if it is stored."""
        self._is_claimed = True
        try:
            yield
        except BaseException as error:
            self.abandon()
            if self.custody is not None:
                self._let_others_have_it_after(error, self.custody)
                self.custody.forget()
            raise
        finally:
            self._is_claimed = False

    def _let_others_have_it_after(self, error: BaseException, custody: Custodian) -> None:
        """Let others have the job: as it is, or else as it is stored. Why it failed before is what counts."""
        try:
            with suppress(RoutiluxError):
                return self._let_others_have_it(custody)
            self._let_others_have_it(custody)
        except RoutiluxError as refusal:
            error.add_note(f"nor could others be let have it: {refusal}")

    def _let_others_have_it(self, custody: Custodian) -> None:
        self.log = None
        with self._standing_still():
            custody.release(self.job, self._told_failure, self.now())

    def _keep_new(self, keeping: Keeping, *, named: bool) -> None:
        """Keep a job that has just begun; if it is `named` it is on disk then, or there is a JobExistsError."""
        custody, job_id = keeping.custody, self.job.job_id
        with (
            self._never_begun_on_failure(),
            custody.naming(job_id) if named else nullcontext(),
            custody.in_hand(job_id),
        ):
            self._keep(keeping)
            assert self.log is not None
            if named:
                self.log.sync()

    def _keep(self, keeping: Keeping) -> None:
        """Write the job as it is, and from now on what happens to it."""
        self.custody = keeping.custody
        self.job.durability = keeping.durability or self.job.durability
        self.job.records()  # what of them is unread is put in front, and so before others may look
        with self._standing_still():
            self.log = self.custody.keep(self.job, keeping.definition, self.now(), self._told_failure)
        self.custody.hold(self.job.job_id, self)

    @contextmanager
    def _never_begun_on_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self.log = None
            self.abandon()
            if self.custody is not None and not isinstance(error, JobExistsError):  # it may be there
                self.custody.leave_behind(self.job)
            raise

    @contextmanager
    def _writable(self) -> Iterator[None]:
        """Let the job be changed; one that is kept and does not run here is claimed for as long as that takes.

        When it is over, what has changed is on disk.
        """
        self._check_kept()
        if self.attached:
            yield
            self.sync_held()
        elif self.custody is None or self.custody.is_nowhere(self.job):
            with self._as_it_was_on_failure():
                yield
        else:
            with self._waited_for_in_vain_on_failure(), self.custody.in_hand(self.job.job_id):
                with self._standing_still():
                    claimed = self.custody.claim(self.job, take_over=False)
                if claimed.job is not self.job:
                    self.job, self.graph = claimed.job, claimed.graph or self.graph
                with self._let_go_on_failure():
                    self._take_back_attempts(self.custody, claimed)
                    with self._as_it_was_on_failure():
                        self.log = self.custody.take_down(self.job, self._told_failure)
                        yield
                        self._check_kept()
                        self._let_others_have_it(self.custody)

    def _answering(self, key: str) -> AbstractContextManager[None]:
        """Have whoever asks by that key told that it is done, exactly if what is done now gets on disk."""
        return nullcontext() if self.log is None or not key else self.log.answering(key, write_answer(DONE))

    @contextmanager
    def _written_on_failure(self) -> Iterator[None]:
        """Have on disk what was done before something failed, so that nobody is told of the failure before."""
        log = self.log
        try:
            yield
        except BaseException:
            if log is not None:
                with suppress(RoutiluxError):
                    log.sync()
            raise

    def _check_kept(self) -> None:
        if self.lost is not None:
            raise self.lost.with_traceback(None)

    def check_whole(self) -> None:
        """Raise why the job was let go, if that was in the middle of its change."""
        if self.is_torn:
            self._check_kept()

    def sync(self) -> None:
        """Return when all that has happened is on disk; OwnershipLost or StoreError where it will never be."""
        self._synced(nullcontext())

    def sync_held(self) -> None:
        """`sync`, under the job's lock: meanwhile others may look."""
        self._synced(self._standing_still())

    def _synced(self, meanwhile: AbstractContextManager[None]) -> None:
        log = self.log
        if log is not None:
            try:
                with meanwhile:
                    log.sync()
            except RoutiluxError:
                self._on_failure(log)
                raise
        self._check_kept()

    @property
    def status(self) -> JobStatus:
        """The job's status; one that has settled or paused is still what it was before, until that is on disk."""
        log, status = self.log, self.job.status
        return status if log is None or status is JobStatus.RUNNING else log.told

    def _told_failure(self, log: Log) -> bool:
        """`_on_failure`, as whoever writes the log is to call it: without the lock of any job."""
        has_let_go = self._on_failure(log)
        if has_let_go:
            self.tell_news()
        return has_let_go

    def _on_failure(self, log: Log) -> bool:
        """Let go of the job, unless it has been claimed again since; False where somebody has it for too long."""
        with self.taken(TURN) as is_mine:
            is_broken_off = self._is_being_lost and self.lost is log.failure
            if is_mine and log.failure is not None and (self.log is log or is_broken_off):
                self.lose(log.failure)
            return is_mine

    def lose(self, error: RoutiluxError) -> None:
        """Let go of a job that can be written no more: others have it, or will have."""
        with self.lock:
            if self.lost is None:
                self._is_being_lost = True
                self.job.status, self.job.error = JobStatus.RUNNING, None  # before anybody can see it without its log
                self.lost, self.log = error, None
            if self._is_being_lost:  # perhaps again: a signal may have come in the middle
                self._give_up_all()
                self._tell_lost(self.lost)
                if self.custody is not None and not isinstance(self.lost, OwnershipLost):
                    self.custody.leave_behind(self.job)
                self._is_being_lost = False

    @abstractmethod
    def _give_up_all(self) -> None:
        """Give up the attempts in flight."""

    @abstractmethod
    def abandon(self) -> None:
        """Let go of the job where it stands, as if its process had died."""

    @abstractmethod
    def _tell_lost(self, error: RoutiluxError) -> None:
        """Let go of the engine, and tell those who wait, and operators."""

    def _is_written(self, log: Log) -> bool:
        """Have the new status on disk before anybody is told of it."""
        try:
            log.record(self.job.status, self.now())
            with self._standing_still():
                log.sync()
            log.told = self.job.status
        except RoutiluxError as error:
            if self._is_claimed:
                raise
            self.lose(error)
        return self.lost is None
