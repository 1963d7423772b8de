"""The activations of a job: tasks are taken, their handlers called, what they did is committed."""

from abc import abstractmethod
from collections.abc import Callable
from contextvars import copy_context
from threading import get_ident
from typing import Any, TypeVar

from msgspec.structs import replace

from routilux._context import Activation
from routilux._core.facts import TaskAbsorbed, TaskFailed, TaskFlushed, TaskMerged, TaskSucceeded
from routilux._core.merging import given, merge, put_merged, shown
from routilux._core.transition import succeed, take
from routilux._current import get_current, set_current
from routilux._engine.attempt import Failure, call_guarded, decided, describe, holds_for, merged_by, run_handler
from routilux._engine.discretion import secret_in_outcome
from routilux._engine.held_job import HeldJob
from routilux._engine.job_lock import ParentsLock
from routilux._engine.keeping import Log
from routilux._engine.news import AttemptFailed
from routilux._engine.solitude import Solitude
from routilux._engine.threads import is_mine
from routilux._engine.workers import OthersWait
from routilux._model import ErrorStrategy
from routilux._records import Changes, Data, Decision, ErrorInfo, HistoryRecord, Task, task_id
from routilux.errors import RoutiluxError
from routilux.slot import Merge

T = TypeVar("T")
SLICE = 0.005
AT_ONCE = float("-inf")
"""When the activations of a job end of which only one is to run."""


def _always() -> bool:
    return True


class RunningJob(HeldJob):
    """Takes a job's tasks, has their handlers called, commits what they did.

    `_runner` is the thread on which `run_here` runs, `_task_here` the task that it began with.
    """

    deciding: Activation | None = None
    _solitude: Solitude | None = None
    _runner: int | None = None
    _task_here: Task | None = None

    def _begin_anew(self) -> None:
        super()._begin_anew()
        self._runner = self._task_here = None  # that is the parent's

    # Running.

    def serve(self, others_wait: OthersWait) -> None:
        """Run activations until there are none to start, or others have waited long enough; then it is submitted anew.

        Context variables that a handler sets are set for no other job (law 5).
        """
        try:
            is_left = self._run(self.now() + SLICE, others_wait)
        finally:
            if self.noted is not None:
                self.tell_news()
        if is_left:
            self.submit()

    def _run(self, end: float, others_wait: OthersWait) -> bool:
        run = self._run_at_once if self.graph.concurrent else self._run_in_turn
        return copy_context().run(run, end, others_wait)

    def _run_at_once(self, end: float, others_wait: OthersWait) -> bool:
        """Run activations while other workers may do so too; whether some may be left."""
        activation = self.next_activation()
        while activation is not None:
            self.submit()
            if activation.handler.is_async:
                self._start_coroutine(activation)
            elif not self._whole(self._settle, activation, run_handler(activation)):
                return True
            if self.now() > end and others_wait():
                return bool(self.job.ready)
            if self.noted is not None:
                self.tell_news()
            activation = self.next_activation()
        return False

    def _run_in_turn(self, end: float, others_wait: OthersWait) -> bool:  # noqa: PLR0912 - it is the hot path
        """Run one activation after the other; whether some may be left.

        What nearly every one asks for, to be called and committed, is written out: `_settle` and `_begin`, which do
        all else, would do just the same with it. The inner loop goes on as long as one plain activation follows
        another.
        """
        read_clock = self.now
        activation = self.next_activation()
        while activation is not None:
            handler = activation.handler
            if handler.is_async:
                self._start_coroutine(activation)
                return False
            is_plain = handler.plain
            while True:
                failure = run_handler(activation)
                self.lock.acquire()  # `with` would cost more than the lock
                try:
                    job, task, now = self.job, activation.task, read_clock()
                    if (
                        failure is not None
                        or not is_plain
                        or activation.deals is not None
                        or self.log is not None
                        or not self.attached
                        or job.active.get(task.number) is not task
                        or self._watchers.tasks
                        or self.secrecy.known
                    ):
                        if not self._settle(activation, failure, now):
                            return True
                    else:
                        activation.closed = True
                        effects = succeed(job, handler, activation, None, now)
                        if effects:
                            self._react(effects)
                        elif now <= end and self.attached and (ready := job.ready).plain and not ready.ranked:
                            following = ready.plain.popleft()
                            following.since = now
                            job.active[following.number] = following
                            handler = self.handlers[following.target]
                            if handler.plain:
                                started = HistoryRecord(handler.routine_id, "start", handler.start, now)
                                data = following.merged
                                if data is None:
                                    data = following.merged = job.slot_data[following.target] = following.data or {}
                                activation = Activation(self, following, handler, data, started, [])
                                continue
                            activation = self._begin(following, now) or self._next_activation(now)
                            break
                    if now > end:
                        if others_wait():
                            return bool(self.job.ready)
                        end = now + SLICE
                    activation = self._next_activation(now)
                    break
                except BaseException as error:
                    self._distrust_if_running(error)
                    raise
                finally:
                    self.lock.release()
            if failure is not None:
                self.tell_news()
        return False

    def run_here(self, task: Task) -> None:
        """Run the task that a job has just begun with on the caller's thread, to which signals may come."""
        self._runner, self._task_here, attachments = get_ident(), task, self._attachments
        try:
            self._run(AT_ONCE, _always)
        except BaseException as error:
            self._come_to_rest_after(error, attachments)
            raise
        finally:
            self._runner = self._task_here = None
            if self.noted is not None:
                self.tell_news()
        self.submit()

    @property
    def is_in_use(self) -> bool:
        """Whether the calling thread is in the middle of a call that has the job: a signal may have come."""
        return self._runner == get_ident() or is_mine(self.lock)

    def _come_to_rest_after(self, signal: BaseException, attachments: int) -> None:
        """Let go of the job, if it runs: how far it was is not known. In a fork of a handler's it is the parent's."""
        if isinstance(self.lock, ParentsLock):
            return
        if not is_mine(self.lock):  # else it came just as it was taken
            self.lock.acquire()
        try:
            if self._attachments != attachments:  # another thread has resumed it since: it is that one's
                return
            if self.attached or self._is_being_lost:
                self.distrust(signal)
            else:
                self.come_to_rest()
        finally:
            self.lock.release()

    def _distrust_if_running(self, error: BaseException) -> None:
        """Let go of the job before its lock is, whatever has come in the middle of a change: nobody sees half of it."""
        if self.attached:
            self.distrust(error)

    def may_run_here(self, task: Task) -> bool:
        """Whether nothing but the caller's own patience limits how long the handler takes."""
        handler = self.handlers[task.target]
        return not handler.is_async and handler.timeout is None and self.job.timeout is None

    def next_activation(self) -> Activation | None:
        """Take the next task that is to be handled."""
        return self._whole(self._next_activation)

    def _next_activation(self, now: float, only_async: bool = False) -> Activation | None:
        while self.attached and not (only_async and not self._next_is_async()):
            if self.log is not None and self._is_over():
                return None
            if self._solitude is not None and self._is_left_alone(self._solitude, now):
                return None
            task = take(self.graph, self.job, now)
            if task is None:
                return None
            if task.lost_attempts and self.graph.concurrent:
                self._solitude = Solitude(task, now, self._own_alarms(), self.submit)
            activation = self._begin(task, now)
            if activation is not None:
                return activation
        return None

    def _is_left_alone(self, solitude: Solitude, now: float) -> bool:
        """Whether nothing else may begin yet."""
        if solitude.lasts(self.job, now):
            return True
        self._solitude = None
        return False

    def _begin(self, task: Task, now: float) -> Activation | None:
        """Do what comes before calling the handler of a taken task; None where it is not to be called."""
        handler = self.handlers[task.target]
        merge(self.job, handler.node, task)
        if self.log is not None and self.log.begin(task, now, recorded=handler.recorded) and not self._is_kept():
            return None
        started = HistoryRecord(handler.routine_id, "start", handler.start, now)
        activation = Activation(self, task, handler, task.merged or {}, started, [])
        return activation if handler.plain or self._prepare(activation) else None

    def _is_kept(self) -> bool:
        """Have all so far on disk; False where it never will be, and the job is in other hands."""
        try:
            self.sync_held()
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
            self._settle(activation, failure, self.now())
            return False
        if not holds:
            self._commit(TaskAbsorbed(task), self.now())
            self._watchers.attempted(task.number)
            return False
        activation.given = given(self.job, handler.node, task)
        if handler.timeout is not None:
            self._own_alarms().expire_in(handler.timeout, task.number, lambda: self._expire(activation))
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
        """Call users' code that has to be answered under the job's lock: it may look, but neither block nor act.

        What it sees is an activation that is closed; the handler's own may be in the hands of other threads meanwhile.
        """
        around = get_current()
        self.deciding = replace(activation, closed=True)
        set_current(self.deciding)
        try:
            return call_guarded(function, *args)
        finally:
            self.deciding = None
            set_current(around)

    # Settling.

    def finish(self, activation: Activation, failure: Failure) -> None:
        """Commit what an attempt did, or what its failure means."""
        self._whole(self._settle, activation, failure)
        if self.noted is not None:
            self.tell_news()

    def _whole(self, change: Callable[..., T], *about: Any) -> T:
        """What a change of now gives. Whatever comes in the middle lets go of the job, before the lock is."""
        with self.lock:
            try:
                return change(*about, self.now())
            except BaseException as error:
                self._distrust_if_running(error)
                raise

    def _settle(self, activation: Activation, failure: Failure, now: float) -> bool:
        """Commit what an attempt did, or what its failure means.

        False where it was given up, which changes nothing: by now the job may run elsewhere, and in another way.
        """
        if self.job.active.get(activation.task.number) is not activation.task:
            self._welcome_back(activation)
            return False
        self._commit_attempt(activation, failure, now)
        self._attempted(activation)
        return True

    def _attempted(self, activation: Activation) -> None:
        self._release(activation.task)
        self._watchers.attempted(activation.task.number)

    def _commit_attempt(self, activation: Activation, failure: Failure, now: float) -> None:
        changes: Changes | None = None
        if failure is None:
            changes, failure = self._made_by(activation)
        if failure is None and self.secrecy.known:
            failure = secret_in_outcome(self.secrecy, activation, changes)
        if failure is None:
            self._succeed(activation, changes, now)
        else:
            self._fail(activation, failure, now)
        if self.log is not None:
            self._keep_up(self.log, now)

    def _made_by(self, activation: Activation) -> tuple[Changes | None, Failure]:
        """What an activation has changed, of which functions of the user's may decide."""
        return (None, None) if activation.deals is None else self._guarded(activation, activation.deals.changes)

    def _succeed(self, activation: Activation, changes: Changes | None, now: float) -> None:
        activation.closed = True
        if self.log is None:
            effects = succeed(self.job, activation.handler, activation, changes, now)
            if effects:
                self._react(effects)
        else:
            task, started, outbox, routing = activation.task, activation.started, activation.outbox, activation.routing
            self._commit(TaskSucceeded(task, started, outbox, routing, changes), now)

    def _keep_up(self, log: Log, now: float) -> None:
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
        if decision.strategy is ErrorStrategy.CONTINUE:
            changes, lost = self._made_by(activation)
            if lost is not None:
                failure.add_note(f"what it wrote to shared data and state is not kept: {lost}")
        if self.secrecy.known and (told := secret_in_outcome(self.secrecy, activation, changes)):
            activation.outbox, activation.routing, changes = [], None, None
            failure.add_note(f"what it emitted and wrote is not kept: {told}")
        activation.closed = True
        error = self._described(failure, task.target.routine_id, task_id(self.job.job_id, task.number))
        outbox = list(activation.outbox)  # a handler that was given up may still be adding to it
        fact = TaskFailed(task, activation.started, outbox, activation.routing, changes, error, decision)
        if decision.strategy is not ErrorStrategy.STOP or self.job.coming_error is not None:
            self.note(AttemptFailed(task, error, decision))  # of what fails the job it is told when it has
        self._commit(fact, now)

    def _described(self, failure: BaseException, routine_id: str | None, task_id: str | None) -> ErrorInfo:
        return self.secrecy.redacted(describe(failure, routine_id, task_id))

    def flush(self, activation: Activation) -> None:
        """Commit what a handler that goes on has done so far."""
        with self.lock:
            if self.job.active.get(activation.task.number) is not activation.task:
                activation.closed = True
            activation.check_open("flush")
            changes, failure = self._made_by(activation)
            if failure is not None:
                raise failure
            if self.secrecy.known and (told := secret_in_outcome(self.secrecy, activation, changes)):
                raise told
            self._commit(TaskFlushed(activation.task, *activation.emptied(), changes), self.now())
            activation.start_over()
            if self.graph.concurrent:
                self.submit()

    @abstractmethod
    def _start_coroutine(self, activation: Activation) -> None:
        """Have an async handler awaited."""

    @abstractmethod
    def _expire(self, activation: Activation) -> None:
        """Fail an attempt that takes too long, and give it up."""

    @abstractmethod
    def _release(self, task: Task) -> None:
        """Let an attempt that has ended neither expire nor be cancelled."""

    @abstractmethod
    def _welcome_back(self, activation: Activation) -> None:
        """End an attempt that was given up."""
