"""A job that runs in this process: its coroutines, and what becomes of it as time goes on."""

from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from routilux._context import Activation
from routilux._core.facts import JobCancelled, JobTimedOut, TimersFired
from routilux._core.settling import abandon_active
from routilux._engine.attempt import Failure, await_handler
from routilux._engine.awaited import Awaited, TimeIsUp, left_until
from routilux._engine.coroutines import Cancellable, breathe
from routilux._engine.running_job import RunningJob
from routilux._engine.workers import Workers
from routilux._haste import GRACE, in_time
from routilux._model import RESUMABLE, JobStatus
from routilux._records import Task
from routilux.errors import ActivationTimeout, DeliveryTimeout, JobTimeout, NoThreadError, RoutiluxError

EMPTY: dict[int, Any] = {}
"""For all jobs that have nothing to put there."""


class LiveJob(RunningJob):
    """Runs one job, on threads and on an event loop, and gives its attempts up when their time is over."""

    _coroutines: dict[int, Cancellable] = EMPTY
    _stuck: dict[int, Workers] = EMPTY

    def wait_paused(self, request: Callable[[], Awaited], patience: float | None) -> None:
        """Ask the job to pause, and return when it has; TimeoutError after `patience` seconds."""
        deadline = None if patience is None else self.now() + patience
        try:
            self.block_on(self.uninterrupted(request, patience=patience), left_until(deadline, self.now()))
        except TimeIsUp:
            raise TimeoutError(
                f"job {self.job.job_id!r} has not paused within {patience} s: a handler of it still runs, or its store "
                f"is away; it pauses when that is over"
            ) from None

    def cancel(self, reason: str) -> None:
        """Settle the job as cancelled, and give up its attempts; JobStateError where it has settled already."""
        self.secrecy.check(reason, "reason")
        with self.telling(), self.lock, self._writable():
            self._check_status(RESUMABLE, "it cannot be cancelled")
            active = list(self.job.active.values())
            try:
                self.apply(JobCancelled(reason))  # first: what is cancelled must not be taken for a failure
            finally:  # where a signal has come in the middle, too
                self._give_up([task for task in active if self.job.active.get(task.number) is not task])

    def find_out(self, patience: float) -> None:
        """Find out whether the job is in other hands: what it writes is refused then, and it is lost."""
        with self.telling(), self.taken(patience) as is_mine:
            if is_mine and self.attached and self.log is not None:
                self.log.record(self.job.status, self.now())
                with suppress(RoutiluxError):
                    self.sync_held()

    # Coroutines.

    def _start_coroutine(self, activation: Activation) -> None:
        self._whole(self._start, activation, self._run_coroutines(activation))

    def _start(self, activation: Activation, coroutine: Coroutine[Any, Any, None], now: float) -> None:
        assert self.engine is not None
        task = activation.task
        if self.job.active.get(task.number) is not task:
            coroutine.close()
            return
        if self._coroutines is EMPTY:
            self._coroutines = {}
        try:
            self._coroutines[task.number] = self.engine.coroutines.start(coroutine)
        except NoThreadError as error:  # its policy decides whether it is tried again
            coroutine.close()
            self._settle(activation, error, now)
            self.submit()

    async def _run_coroutines(self, activation: Activation | None) -> None:
        """Await a handler, and go on with the next one as long as that is async too.

        A coroutine whose attempt was given up is about to be cancelled: it takes nothing more. One that a handler has
        cancelled itself ends where it holds no activation.
        """
        try:
            while activation is not None:
                failure = await await_handler(activation)
                running, attachments = self._whole(self._settle_coroutine, activation, failure)
                if failure is not None:
                    self.tell_news()
                if running is None:
                    break
                await breathe()
                activation = self._whole(self._next_coroutine, running, attachments)
        finally:
            self.submit()
            self.tell_news()

    def _settle_coroutine(self, activation: Activation, failure: Failure, now: float) -> tuple[Cancellable | None, int]:
        """Settle an attempt, and say what has run it, and where; None where it was given up, and takes nothing more."""
        number = activation.task.number
        is_mine = self.job.active.get(number) is activation.task
        running = self._coroutines.get(number) if is_mine else None
        self._settle(activation, failure, now)
        return running, self._attachments

    def _next_coroutine(self, running: Cancellable, attachments: int, now: float) -> Activation | None:
        if self._attachments != attachments:  # it has been paused, and resumed: it may run elsewhere by now
            return None
        activation = self._next_activation(now, only_async=True)
        if activation is not None:
            self._coroutines[activation.task.number] = running
            if self.graph.concurrent:
                self.submit()
        return activation

    # Time.

    def _expire(self, activation: Activation) -> None:
        """Fail an attempt that takes too long, and give it up."""
        with self.telling():
            if self._whole(self._has_expired, activation):
                self.submit()

    def _has_expired(self, activation: Activation, now: float) -> bool:
        task = activation.task
        if self.job.active.get(task.number) is not task:
            return False
        failure = ActivationTimeout(
            f"the handler of {task.target} took longer than the {activation.handler.timeout} s that its slot allows"
        )
        self._give_up([task])
        self._settle(activation, failure, now)
        return True

    def _give_up(self, tasks: list[Task]) -> None:
        for task in tasks:
            running = self._coroutines.pop(task.number, None)
            if running is not None:
                running.cancel()
            elif self.engine is not None and self._has_worker(task) and id(task) not in self._stuck:
                if self._stuck is EMPTY:
                    self._stuck = {}
                self._stuck[id(task)] = self.engine.workers
                self.engine.workers.replace_stuck()
            self._release(task)

    def _has_worker(self, task: Task) -> bool:
        """Whether it is a worker on which the handler runs, and not the thread of who executes the job."""
        return task is not self._task_here and not self.handlers[task.target].is_async

    def _give_up_all(self) -> None:
        self._give_up(list(self.job.active.values()))
        abandon_active(self.job)

    def _welcome_back(self, activation: Activation) -> None:
        """End an attempt that was given up; by now the job may run on other workers than those it is missed by."""
        activation.closed = True
        workers = self._stuck.pop(id(activation.task), None)
        if workers is not None:
            workers.retire()

    def _release(self, task: Task) -> None:
        self._coroutines.pop(task.number, None)
        self._alarms.release(task.number)

    def _wake(self) -> None:
        heard_at = self._hear_in_time()
        with self.telling(), self.lock:
            if self.job.status is not JobStatus.RUNNING or not self.attached or self._is_over():
                return
            self._alarms.sleep()
            now = self.now()
            for task in self.job.overdue_expectations(heard_at):  # what is overdue since then has a turn of its own
                if self.attached and self.job.closing is None:
                    self._miss_delivery(task)
            if not self.attached:  # what came of that ended the job, or could not be kept
                return
            if self._out_of_time(now):
                self._time_out()
            self._commit(TimersFired(), now)
            self._set_timer()
        self.submit()

    def _hear_in_time(self) -> float:
        """Have done what was asked through the store before a deadline that is over now, which is what comes back."""
        with self.lock:
            now = self.now()
            deadlines = [task.deadline for task in self.job.overdue_expectations(now) if task.deadline is not None]
        if deadlines and self.attached and self.custody is not None:
            with suppress(RoutiluxError), in_time(GRACE):
                self.custody.hear(now - max(deadlines))
        return now

    def _miss_delivery(self, task: Task) -> None:
        activation = Activation(self, task, self.handlers[task.target], {}, None, [])
        failure = DeliveryTimeout(f"nobody delivered to {task.target} within {task.patience} s")
        self._fail(activation, failure, self.now())

    def _out_of_time(self, now: float) -> bool:
        job = self.job
        if job.timeout is None or job.running_since is None:
            return False
        return now >= job.running_since + job.timeout - job.elapsed

    def _time_out(self) -> None:
        self._give_up(list(self.job.active.values()))
        failure = JobTimeout(f"job {self.job.job_id!r} ran longer than its {self.job.timeout} s")
        self.apply(JobTimedOut(self._described(failure, None, None)))
