"""What runs a job in this process: its tasks are taken, their handlers called, what they did is committed."""

from collections.abc import Callable
from typing import Any

from routilux._context import Activation
from routilux._core.facts import (
    JobCancelled,
    JobTimedOut,
    TaskAbsorbed,
    TaskFailed,
    TaskFlushed,
    TaskSucceeded,
    TimersFired,
)
from routilux._core.job import Job
from routilux._core.journal import TaskMerged
from routilux._core.merging import given, merge, override, put_merged, shown
from routilux._core.transition import succeed, take
from routilux._current import get_current, set_current
from routilux._engine.attempt import (
    Failure,
    await_handler,
    call_guarded,
    decided,
    describe,
    holds_for,
    merged_by,
    run_handler,
)
from routilux._engine.coroutines import Cancellable, breathe
from routilux._engine.discretion import secret_in_outcome
from routilux._engine.held_job import HeldJob
from routilux._engine.job_log import JobLog
from routilux._engine.solitude import Solitude
from routilux._engine.workers import OthersWait, Workers
from routilux._model import RESUMABLE, ErrorStrategy, JobStatus
from routilux._records import Changes, Data, Decision, ErrorInfo, HistoryRecord, Task
from routilux.errors import ActivationTimeout, DeliveryTimeout, JobTimeout, RoutiluxError
from routilux.slot import Merge

SLICE = 0.005


class LiveJob(HeldJob):
    """Runs one job: takes its tasks, has their handlers called, commits what they did."""

    def __init__(self, job: Job, job_state: object) -> None:
        super().__init__(job, job_state)
        self.deciding: Activation | None = None
        self._coroutines: dict[int, Cancellable] = {}
        self._stuck: dict[int, Workers] = {}
        self._solitude = Solitude(self._alarms)

    def cancel(self, reason: str) -> None:
        """Settle the job as cancelled, and give up its attempts; JobStateError where it has settled already."""
        self.secrecy.check(reason, "reason")
        with self.lock, self._writable():
            self._check_status(RESUMABLE, "it cannot be cancelled")
            self._give_up(list(self.job.active.values()))
            self.apply(JobCancelled(reason))

    # Running.

    def serve(self, others_wait: OthersWait) -> bool:
        """Run activations until there are none to start, or others have waited long enough."""
        try:
            return self._run_slice(self.now() + SLICE, others_wait)
        finally:
            set_current(None)

    def _run_slice(self, end: float, others_wait: OthersWait) -> bool:
        activation = self.next_activation()
        while activation is not None:
            if self.graph.concurrent:
                self.submit()
            if activation.handler.is_async:
                self._start_coroutine(activation)
                if self.now() > end and others_wait():
                    return bool(self.job.ready)
                activation = self.next_activation()
                continue
            failure = run_handler(activation)
            self.lock.acquire()
            try:
                now = self._settle(activation, failure)
                if now > end:
                    if others_wait():
                        return bool(self.job.ready)
                    end = now + SLICE
                activation = self._next_activation(now)
            finally:
                self.lock.release()
        return False

    def run_here(self) -> None:
        """Run a ready job's first activation on the caller's thread."""
        activation = self.next_activation()
        if activation is not None:
            around = get_current()
            failure = run_handler(activation)
            set_current(around)
            self.finish(activation, failure)
        self.submit()

    def may_run_here(self, task: Task) -> bool:
        """Whether nothing but the caller's own patience limits how long the handler takes."""
        handler = self.handlers[task.target]
        return not handler.is_async and handler.timeout is None and self.job.timeout is None

    def next_activation(self) -> Activation | None:
        """Take the next task that is to be handled."""
        with self.lock:
            return self._next_activation(self.now())

    def _next_activation(self, now: float, only_async: bool = False) -> Activation | None:
        while self.attached and not (only_async and not self._next_is_async()):
            if self._solitude.task is not None and self._solitude.lasts(self.job, now):
                return None
            task = take(self.graph, self.job, now)
            if task is None:
                return None
            if task.lost_attempts and self.graph.concurrent:
                self._solitude.begin(task, now, self.submit)
            handler = self.handlers[task.target]
            if handler.plain:
                override(self.job, task)
            else:
                merge(self.job, handler.node, task)
            if self.log is not None and self.log.begin(task, now, recorded=handler.recorded) and not self._is_kept():
                return None
            started = HistoryRecord(handler.routine_id, "start", handler.start, now)
            activation = Activation(self, task, handler, task.merged or {}, started, [])
            if handler.plain or self._prepare(activation):
                return activation
        return None

    def _is_kept(self) -> bool:
        """Have all so far on disk; False where it never will be, and the job is in other hands."""
        try:
            with self._standing_still():
                self.sync()
        except RoutiluxError as error:
            self.lose(error)
        return self.lost is None

    def _next_is_async(self) -> bool:
        ready = self.job.ready
        return bool(ready) and self.handlers[ready.peek().target].is_async

    def _prepare(self, activation: Activation) -> bool:
        """Do what comes before calling a handler; False where it is not to be called."""
        task, handler = activation.task, activation.handler
        holds, failure = True, self._merge_by_function(activation)
        if failure is None and handler.predicate is not None:
            data = shown(self.job, handler.node, task)
            holds, failure = self._guarded(activation, holds_for, handler.predicate, data)
        if failure is not None:
            self._settle(activation, failure)
            return False
        if not holds:
            self._commit(TaskAbsorbed(task), self.now())
            self._watchers.attempted(task.number)
            return False
        activation.given = given(self.job, handler.node, task)
        if handler.timeout is not None:
            self._alarms.expire_in(handler.timeout, task.number, lambda: self._expire(activation))
        return True

    def _merge_by_function(self, activation: Activation) -> Failure:
        task, function = activation.task, activation.handler.merge_function
        if function is None or task.merged is not None:
            return None
        old = self.job.slot_data.get(task.target, {})
        merged, failure = self._guarded(activation, self._merged, function, old, task.data)
        if failure is None:
            put_merged(self.job, task, merged)
            if self.log is not None:
                self.log.record(TaskMerged(task, merged), task.since)
        return failure

    def _merged(self, function: Merge, old: Data, new: Data | None) -> Data:
        """What a slot's own function makes of data, which is data of the job too."""
        merged = merged_by(function, old, new or {})
        self.secrecy.check(merged, "slot_data")
        return merged

    def _guarded(self, activation: Activation, function: Callable[..., Any], *args: Any) -> tuple[Any, Failure]:
        """Call users' code that has to be answered under the job's lock: it may look, but neither block nor act."""
        around = get_current()
        set_current(activation)
        self.deciding = activation
        try:
            return call_guarded(function, *args)
        finally:
            self.deciding = None
            set_current(around)

    # Settling.

    def finish(self, activation: Activation, failure: Failure) -> None:
        """Commit what an attempt did, or what its failure means."""
        with self.lock:
            self._settle(activation, failure)

    def _settle(self, activation: Activation, failure: Failure) -> float:
        """Commit what an attempt did, or what its failure means, and say when.

        An attempt that was given up changes nothing.
        """
        task, read_clock = activation.task, self.now
        now = read_clock()
        if self.job.active.get(task.number) is not task:
            self._welcome_back(activation)
            return now
        if failure is None and activation.deals is None and self.log is None and not self.secrecy.known:
            activation.closed = True
            effects = succeed(self.job, activation.handler.source, activation, None, now)
            if effects:
                self._react(effects)
        else:
            self._commit_attempt(activation, failure, now)
        if activation.handler.tracked:
            self._release(task)
        if self._watchers.tasks:
            self._watchers.attempted(task.number)
        return now

    def _commit_attempt(self, activation: Activation, failure: Failure, now: float) -> None:
        changes: Changes | None = None
        if failure is None and activation.deals is not None:
            changes, failure = self._guarded(activation, activation.deals.changes)
        if failure is None and self.secrecy.known:
            failure = secret_in_outcome(self.secrecy, activation, changes)
        if failure is None:
            activation.closed = True
            fact = TaskSucceeded(activation.task, activation.started, activation.outbox, activation.routing, changes)
            self._commit(fact, now)
        else:
            self._fail(activation, failure, now)
        if self.log is not None:
            self._keep_up(self.log, now)

    def _keep_up(self, log: JobLog, now: float) -> None:
        try:
            if log.is_behind(now):
                with self._standing_still():
                    log.keep_up(now)
        except RoutiluxError as error:
            self.lose(error)

    def _fail(self, activation: Activation, failure: BaseException, now: float) -> None:
        task = activation.task
        decision, broken = self._guarded(activation, decided, activation.handler, failure, task.retry_count)
        if broken is not None:
            broken.add_note("while the policy decided on:\n" + describe(failure, None, None).traceback)
            decision, failure = Decision(ErrorStrategy.STOP), broken
        changes: Changes | None = None
        if decision.strategy is ErrorStrategy.CONTINUE and activation.deals is not None:
            changes, lost = self._guarded(activation, activation.dealings.changes)
            if lost is not None:
                failure.add_note(f"what it wrote to shared data and state is not kept: {lost}")
        if self.secrecy.known and (told := secret_in_outcome(self.secrecy, activation, changes)):
            activation.outbox, activation.routing, changes = [], None, None
            failure.add_note(f"what it emitted and wrote is not kept: {told}")
        activation.closed = True
        error = self._described(failure, task.target.routine_id, f"{self.job.job_id}:{task.number}")
        outbox = list(activation.outbox)  # a handler that was given up may still be adding to it
        fact = TaskFailed(task, activation.started, outbox, activation.routing, changes, error, decision)
        self._commit(fact, now)

    def _described(self, failure: BaseException, routine_id: str | None, task_id: str | None) -> ErrorInfo:
        return self.secrecy.redacted(describe(failure, routine_id, task_id))

    def flush(self, activation: Activation) -> None:
        """Commit what a handler that goes on has done so far."""
        with self.lock:
            if self.job.active.get(activation.task.number) is not activation.task:
                activation.closed = True
            activation.check_open("flush")
            changes = None if activation.deals is None else activation.deals.changes()
            if self.secrecy.known and (told := secret_in_outcome(self.secrecy, activation, changes)):
                raise told
            fact = TaskFlushed(activation.task, activation.started, activation.outbox, activation.routing, changes)
            self._commit(fact, self.now())
            activation.start_over()
            if self.graph.concurrent:
                self.submit()

    # Coroutines.

    def _start_coroutine(self, activation: Activation) -> None:
        assert self.engine is not None
        task = activation.task
        with self.lock:
            if self.job.active.get(task.number) is task:
                self._coroutines[task.number] = self.engine.coroutines.start(self._run_coroutines(activation))

    async def _run_coroutines(self, activation: Activation | None) -> None:
        """Await a handler, and go on with the next one as long as that is async too.

        A coroutine whose attempt was given up is about to be cancelled: it takes nothing more. One that a handler has
        cancelled itself ends where it holds no activation.
        """
        try:
            while activation is not None:
                failure = await await_handler(activation)
                with self.lock:
                    number = activation.task.number
                    is_mine = self.job.active.get(number) is activation.task
                    running = self._coroutines.get(number) if is_mine else None
                    self._settle(activation, failure)
                if running is None:
                    break
                await breathe()
                activation = self._next_coroutine(running)
        finally:
            self.submit()

    def _next_coroutine(self, running: Cancellable) -> Activation | None:
        with self.lock:
            activation = self._next_activation(self.now(), only_async=True)
            if activation is not None:
                self._coroutines[activation.task.number] = running
                if self.graph.concurrent:
                    self.submit()
            return activation

    # Time.

    def _expire(self, activation: Activation) -> None:
        """Fail an attempt that takes too long, and give it up."""
        task = activation.task
        with self.lock:
            if self.job.active.get(task.number) is not task:
                return
            failure = ActivationTimeout(
                f"the handler of {task.target} took longer than the {activation.handler.timeout} s that its slot allows"
            )
            self._give_up([task])
            self._settle(activation, failure)
        self.submit()

    def _give_up(self, tasks: list[Task]) -> None:
        for task in tasks:
            running = self._coroutines.pop(task.number, None)
            if running is not None:
                running.cancel()
            elif self.engine is not None and not self.handlers[task.target].is_async:
                self._stuck[id(task)] = self.engine.workers
                self.engine.workers.replace_stuck()
            self._release(task)

    def _give_up_all(self) -> None:
        self._give_up(list(self.job.active.values()))
        self.job.active.clear()

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
        with self.lock:
            if self.job.status is not JobStatus.RUNNING:
                return
            self._alarms.sleep()
            now = self.now()
            for task in self.job.overdue_expectations(now):
                if self.job.closing is None and self.job.status is JobStatus.RUNNING:
                    self._miss_delivery(task)
            if self._out_of_time(now):
                self._time_out()
            self._commit(TimersFired(), now)
            self._set_timer()
        self.submit()

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
