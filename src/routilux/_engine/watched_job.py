"""A job, and those who wait for something to become true of it."""

from abc import abstractmethod

from routilux._core.facts import HoldLifted
from routilux._engine.awaited import Awaited, TimeIsUp
from routilux._engine.engine import Engine
from routilux._engine.keeping import Custodian
from routilux._engine.kept_job import KeptJob
from routilux._engine.watchers import NOBODY, Condition, Watchers
from routilux._model import JobStatus
from routilux._records import Task
from routilux.errors import NoThreadError, RoutiluxError


class WatchedJob(KeptJob):
    """A job for which others wait, wherever it runs, or whether it does.

    Whatever it can no more come to by this handle, they are told: it is lost, others have it while it does not run
    here, or its store has been closed.
    """

    engine: Engine | None = None
    _watchers: Watchers

    def when_attempted(self, task: Task) -> Awaited:
        """What comes true when an attempt of the task has ended, as it may have by now, or the job runs no more."""
        with self.lock:
            future = self._own_watchers().when_attempted(task.number)
            if self.lost is not None:
                self._watchers.fail(self.lost)
            elif self.job.status is not JobStatus.RUNNING or not (self.attached and self._is_ahead(task)):
                self._watchers.attempted(task.number)
            self.submit()
            return future

    def is_attempted_now(self, task: Task) -> bool:
        """Whether an attempt of the task is in flight."""
        with self.lock:
            return self.job.active.get(task.number) is task

    def _is_ahead(self, task: Task) -> bool:
        return any(other is task for other in (*self.job.active.values(), *self.job.ready))

    def wait_until(self, condition: Condition, patience: float | None = None) -> Awaited:
        """What comes true when the condition holds. A job kept from settling may settle now.

        TimeIsUp where somebody changes the job, or waits for its store, for more than `patience` seconds. Whoever
        has not all the time that there is does not write the job himself either: it settles a moment later.
        """
        if patience is not None:
            return self._watch(condition, patience)
        return self.uninterrupted(lambda: self._watch(condition, patience))

    def _watch(self, condition: Condition, patience: float | None) -> Awaited:
        is_lifted = False
        try:
            with self.taken(patience) as is_mine:
                if not is_mine:
                    raise TimeIsUp
                if self.job.hold_until is not None and (patience is None or self.log is None):
                    is_lifted = True
                    self._commit(HoldLifted(), self.now())
                return self._when(condition)
        finally:
            if is_lifted:
                self.tell_news()

    def _when(self, condition: Condition) -> Awaited:
        """What comes true when the condition holds; where the store is being closed, whoever comes later finds out."""
        awaited = self._own_watchers().when(condition, self.job, self.lost)
        custody = self.custody
        if custody is not None and not awaited.is_done and (failure := self._why_in_vain(custody)) is not None:
            awaited.come_true(failure)
            self._watchers.forget(awaited)
        return awaited

    def _why_in_vain(self, custody: Custodian) -> RoutiluxError | None:
        """Have those who wait told when it is in vain; why it is so already, or nobody could tell them."""
        try:
            custody.know(self)
        except NoThreadError as error:
            return error
        return self._failure()

    @property
    def is_waited_for(self) -> bool:
        """Whether somebody waits for something to become true of the job."""
        return self._watchers.are_waiting

    def learn(self, patience: float) -> None:
        """Find out what others have made of a job that does not run here, and tell those who wait if they do in vain.

        The job is left as it is: by this handle it may be resumed. What the store says is out of date where the job has
        been claimed here since, under another epoch.
        """
        custody, epoch = self.custody, self.job.epoch
        if custody is None or self.attached or (error := custody.overtaken(self.job)) is None:
            return
        with self.taken(patience) as is_mine:
            if is_mine and not self.attached and self.job.epoch == epoch:
                self._watchers.check(self.job)  # by this handle somebody may have found out
                self._watchers.fail(error)

    def _failure(self) -> RoutiluxError | None:
        """Why the job comes to nothing more by this handle, where its log has failed, or its store has been closed."""
        log = self.log
        if log is not None and not log.has_let_go:
            return log.failure
        return None if self.custody is None else self.custody.closed(self.job)

    def close_log(self, error: RoutiluxError) -> None:
        """Begin nothing more, and have nothing more written: at once, whoever has the job."""
        log = self.log
        if log is not None and not log.has_let_go and log.failure is None:
            log.failure = error
            if self.engine is not None:
                with self.taken(0.0) as is_mine:  # else whoever has it loses it, or shutdown does
                    is_idle = is_mine and not self.job.active
                    self.engine.note_closed_first(self, error, is_idle=is_idle)
                    if is_idle:
                        self._keep_no_longer()

    @abstractmethod
    def _keep_no_longer(self) -> None:
        """Have no timer keep the job."""

    def tell_who_waits(self) -> None:
        """Tell those who wait for the job that its store has been closed: without its lock, so all at once."""
        if (error := self._failure()) is not None:
            self._watchers.tell(error, self.job)

    def _own_watchers(self) -> Watchers:
        """Those who wait for this job, from the first one on."""
        if self._watchers is NOBODY:
            self._watchers = Watchers()
        return self._watchers

    def forget(self, awaited: Awaited) -> None:
        """Let go of somebody who waits no longer; at the latest when what was waited for comes true."""
        awaited.given_up = True
        with self.taken(0.0) as is_mine:
            if is_mine:
                self._watchers.forget(awaited)

    def block_on(self, awaited: Awaited, timeout: float | None = None) -> None:
        """Block the caller until the future is done, and operators are told; TimeIsUp after `timeout` seconds."""
        if self.engine is None:
            awaited.wait(timeout)
        else:
            self.engine.wait_for(awaited, timeout)
        self.tell_news()

    @abstractmethod
    def submit(self) -> None:
        """Have the job served, if there is something to start."""
