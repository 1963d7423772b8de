"""A job that this process holds: its data, the lock around it, and what is asked of it from outside."""

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable
from weakref import ref

from routilux._context import emissions
from routilux._core.facts import (
    Delivered,
    Effect,
    Effects,
    Fact,
    JobResumed,
    JobRetried,
    JobStarted,
    PauseRequested,
    SharedDataSet,
    TaskResolved,
)
from routilux._core.job import PauseRequest
from routilux._core.transition import transition
from routilux._engine.alarms import SILENT, Alarms
from routilux._engine.awaited import Awaited
from routilux._engine.keeping import Keeping
from routilux._engine.kept_job import Fitting
from routilux._engine.locked_job import NewJob
from routilux._engine.news import JobLost, PauseHeard, news_of_ending
from routilux._engine.requests import DONE, Answer, CancelAsked, PauseAsked, Request, is_for, read_request
from routilux._engine.setting import NO_SECRETS, Handles, Recovering, Setting
from routilux._engine.watched_job import WatchedJob
from routilux._engine.watchers import NOBODY, is_not_running
from routilux._engine.workers import OthersWait
from routilux._graph import Graph, check_delivery
from routilux._handler import Handlers
from routilux._model import RESUMABLE, JobStatus, SlotKey
from routilux._records import Addressee, Changes, Data, Task, task_id
from routilux._secrecy import Secrecy
from routilux.errors import JobStateError, ResumeError, RoutiluxError, StoreError

HOLD = 0.02
NO_HANDLERS: Handlers = {}
NO_GRAPH = Graph("", False, {}, {}, "")
_PAUSABLE = (JobStatus.RUNNING, JobStatus.PAUSED, JobStatus.COMPLETED)


def _no_handle() -> object:
    return None


class HeldJob(WatchedJob):
    """A job's data behind its lock. What is not attached to an engine runs nowhere.

    Every fact goes through `_commit`; what follows from it happens there too. `_attachments` counts
    how often it has begun to run here, or gone on: so a caller sees that another has resumed it since.
    """

    queued: object = None
    flow: object = None
    handlers = NO_HANDLERS
    _alarms = SILENT
    _attachments = 0

    def __init__(self, new_job: NewJob, handles: Handles) -> None:
        super().__init__(new_job)
        self._handles = handles
        self._handle: Callable[[], object] = _no_handle
        # Its own: each activation looks at them, and CPython remembers where only if the class has no such objects.
        self.log, self.secrecy, self.graph, self._watchers = None, NO_SECRETS, NO_GRAPH, NOBODY

    def _begin_anew(self) -> None:
        super()._begin_anew()
        self.queued = None  # that is with the parent's workers

    @property
    def job_state(self) -> object:
        """The handle that users have of the job. It is not kept from here: what nobody holds and does not run, goes."""
        handle = self._handle()
        return self.known_as(self._handles._around(self)) if handle is None else handle

    def known_as(self, handle: object) -> object:
        """Have this handle from now on, as long as somebody else has it."""
        self._handle = ref(handle)
        return handle

    def keep_secrets(self, secrecy: Secrecy) -> None:
        """Let no secret of a flow into the job, whose lock is held. One that runs has those of the flow that runs it.

        That may be another flow of the same id.
        """
        if not self.attached:
            self.secrecy = secrecy

    def start(self, setting: Setting, task: Task, keeping: Keeping | None = None, *, named: bool = False) -> None:
        """Begin with a task; one whose id was chosen by its caller (`named`) is on disk then, or a JobExistsError."""
        setting.secrecy.check(task.data, "entry_params")
        with self.lock:
            self._attach(setting)
            self._commit(JobStarted(task), self.now())
            if keeping is not None:
                self._keep_new(keeping, named=named)

    def pause(self, reason: str, checkpoint: Data) -> Awaited:
        """Have the job pause; what is returned comes true when it runs no more. JobStateError where it cannot pause."""
        self.secrecy.check((reason, checkpoint), "reason and checkpoint")
        with self.telling(), self.lock:
            with self._writable():
                self._check_status(_PAUSABLE, "it cannot be paused")
                self.apply(PauseRequested(reason, checkpoint))
            return self._when(is_not_running)

    def pause_if_running(self, reason: str) -> None:
        """Have the job pause unless it does not run anyway, or is to pause by now: whose pause that is, it stays."""
        with self.telling(), self.lock:
            if self.job.status is JobStatus.RUNNING and not isinstance(self.job.closing, PauseRequest):
                self.pause(reason, {})

    def resume(
        self,
        setting: Setting,
        fitting: Fitting,
        recovery: Recovering,
        keeping: Keeping | None = None,
    ) -> None:
        """Let the job go on, with the tasks that its flow recovers; ResumeError where nothing is to be resumed.

        `fitting` refuses a job that does not fit, before anything is changed.
        """
        with recovery, self._claimed(keeping, self._check_resumable, fitting):
            self._attach(setting)
            self.apply(JobResumed(self.graph.fingerprint, recovery.tasks(self.job, self.graph), self.now() + HOLD))
            self._go_on(keeping)

    def retry(self, setting: Setting, fitting: Fitting, keeping: Keeping | None = None) -> None:
        """Let the failed job go on; JobStateError where it has not failed."""
        with self._claimed(keeping, self._check_failed, fitting):
            self._attach(setting)
            self.apply(JobRetried(self.graph.fingerprint, self.now() + HOLD))
            self._go_on(keeping)

    def _go_on(self, keeping: Keeping | None) -> None:
        if keeping is not None:
            self._keep(keeping)
            self.sync_held()
            assert self.engine is not None
            self.engine.welcome_back(self)
        self.submit()

    def deliver(self, to: Addressee, data: Data, begin: Callable[[], str | None] = lambda: "") -> None:
        """Give data to the task that is meant; JobStateError where it does not wait there.

        `begin` is asked once the job is this process's. That it is done is written with it, under the key that it gives
        if somebody wants to know; with None nothing is to be done any more.
        """
        self.secrecy.check(data, "data")
        with self.telling(), self.lock, self._writable():
            if (answer_key := begin()) is None:
                return
            task = self.job.awaited(to)
            if task is None or self.job.settled:
                raise self._refusal(f"({self.job.status}) {self.job.unawaited(to)}")
            with self._answering(answer_key):
                self.apply(Delivered(task, data))
            self.submit()

    def resolve(self, task_id: str, graph: Graph, *, again: bool, emitted: Iterable[tuple[str, Data]] = ()) -> None:
        """Say what became of an ambiguous task; JobStateError where there is no such task.

        What it has `emitted` goes where the stored definition says; by `graph` where the job is in no store.
        """
        with self.telling(), self.lock, self._writable():
            if self.custody is None:
                self.graph = graph
            task = self._ambiguous(task_id)
            outbox = emissions(self.graph.routines[task.target.routine_id], emitted, self.now())
            self.secrecy.check([record.content for record in outbox], "emitted")
            self.apply(TaskResolved(task, again, outbox))

    def _ambiguous(self, name: str) -> Task:
        for task in self.job.ready:
            if task.ambiguous and name == task_id(self.job.job_id, task.number):
                return task
        raise self._refusal(f"({self.job.status}) has no ambiguous task {name!r}")

    def obey(self, request: bytes, patience: float) -> Answer | None:
        """Do what somebody elsewhere asks for, by way of the store, if the job still runs here.

        It is not claimed for that: others may have it by now, or this process under another epoch, which was not asked.
        None where somebody has it for more than `patience` seconds, as a predicate that does not return.
        """
        asked = read_request(request)
        with self.telling(), self.taken(patience) as is_mine:
            return self._obeyed(asked) if is_mine else None

    def _obeyed(self, asked: Request) -> Answer:
        if not self.attached or not is_for(asked, self.job.created_at, self.job.epoch):
            return Answer()
        with self._written_on_failure():
            self._do(asked)
        return DONE

    def _do(self, asked: Request) -> None:
        if isinstance(asked, PauseAsked):
            self.pause(asked.reason, {})
            self.note(PauseHeard(asked.reason))
        elif isinstance(asked, CancelAsked):
            self.cancel(asked.reason)
        else:
            self._check_delivery(asked.target, asked.data)
            self.deliver(asked.to, asked.data, lambda: asked.key)

    def _check_delivery(self, key: SlotKey, data: Data) -> None:
        """Refuse data that the handler cannot take; whoever delivers it may not have known."""
        if (handler := self.handlers.get(key)) is not None:
            check_delivery(handler.node, handler.binding, data)

    @abstractmethod
    def cancel(self, reason: str) -> None:
        """Settle the job as cancelled, and give up its attempts; JobStateError where it has settled already."""

    def share(self, changes: Callable[[Data], Changes]) -> None:
        """Change the job's shared data, by what a function makes of them."""
        with self.telling(), self.lock, self._writable():
            made = changes(self.job.shared_data)
            self.secrecy.check((made.written, made.logged), "shared data")
            self.apply(SharedDataSet(made))

    def have_listed(self) -> JobStatus:
        """Have a job that nobody runs listed as what it is, as its process may have died between two writes."""
        with self.telling(), self.lock:
            with self._writable():
                pass
            return self.job.status

    def abandon(self) -> None:
        """Let go of the job where it stands, as if its process had died."""
        with self.lock:
            self._detach()
            self._alarms.fall_silent()

    def _detach(self) -> None:
        self.attached = False
        if self.engine is not None:
            self.engine.jobs.discard(self)
        if self.custody is not None:
            self.custody.let_go(self.job.job_id, self)

    def _tell_lost(self, error: RoutiluxError) -> None:
        self.abandon()
        self._watchers.fail(error)
        if self.engine is None or self.engine.is_to_be_told(self):
            self.note(JobLost(error))

    def _is_over(self) -> bool:
        """Whether the log has failed, as that of a closed store has: others may have the job, which is lost then."""
        if self.log is not None and self.log.failure is not None:
            self.lose(self.log.failure)
        return self.lost is not None

    def _check_failed(self) -> None:
        self._check_status((JobStatus.FAILED,), "only a failed job is retried")

    def _check_status(self, statuses: Collection[JobStatus], refusal: str) -> None:
        if self.job.status not in statuses:
            raise self._refusal(f"is {self.job.status}: {refusal}")

    def _refusal(self, problem: str) -> JobStateError:
        job = self.job
        return JobStateError(f"job {job.job_id!r} {problem}", job_id=job.job_id, status=job.status)

    def _check_resumable(self) -> None:
        job = self.job
        if self.attached and not self._is_over():
            problem = "is running here already; pause it first"
        elif job.status not in RESUMABLE:
            verb = "; retry it" if job.status is JobStatus.FAILED else ""
            problem = f"is {job.status}: there is nothing to resume{verb}"
        else:
            return
        raise ResumeError(f"job {job.job_id!r} {problem}", job_id=job.job_id, status=job.status)

    def _attach(self, setting: Setting) -> None:
        self.engine = setting.engine  # before it has the job: a signal may come at any moment
        self.engine.admit(self)
        self.flow, self.secrecy = setting.flow, setting.secrecy
        self.graph, self.handlers = setting.graph, setting.handlers
        self._alarms = SILENT
        self.now = self.engine.clock.now
        self._attachments += 1
        self.attached = True

    def submit(self) -> None:
        """Have the job served, if there is something to start, by the workers that it has by now."""
        engine, submitted_to = self.engine, None
        while engine is not submitted_to and engine is not None and self.job.ready and self.attached:
            engine.workers.submit(self)
            engine, submitted_to = self.engine, engine

    @abstractmethod
    def serve(self, others_wait: OthersWait) -> None:
        """Run activations until there are none to start, or others have waited long enough."""

    @abstractmethod
    def _wake(self) -> None:
        """Do what is due by now."""

    def apply(self, fact: Fact) -> None:
        """Apply a fact that comes from outside of any activation, and do what follows from it."""
        with self.lock:
            self._commit(fact, self.now())

    def _commit(self, fact: Fact, now: float) -> None:
        """Apply a fact, and do what follows from it: the way in which facts change the job's data.

        Only an attempt that succeeds, in a job that nobody keeps, is applied without its fact being made (`succeed`).
        """
        runs = self.attached and not self._is_claimed  # else it is a copy, which goes with the failure
        try:
            effects = transition(self.graph, self.job, fact, now)
            if self.log is not None:
                self.log.record(fact, now)
            if effects:
                self._react(effects)
        except BaseException as error:
            if runs:
                self.distrust(error)
            raise

    def distrust(self, error: BaseException) -> None:
        """Let go of the job, in the middle of whose change something came: what is stored of it is whole.

        That is a signal, as a rule, whose handler may raise anything. What there is of the job here is in no document.
        """
        self.is_torn = True
        problem = f"{type(error).__name__} came while job {self.job.job_id!r} was being changed"
        if self.custody is None:
            self.lose(RoutiluxError(f"{problem}, and nothing of it runs any more; start another"))
        else:
            self.lose(StoreError(f"{problem}, which this process has let go of; take it up as it is stored"))
            self.custody.forget()

    def _react(self, effects: Effects) -> None:
        for effect in effects:
            if effect is Effect.TIMER_CHANGED:
                self._set_timer()
            elif effect is Effect.STATUS_CHANGED:
                self._status_changed()
            else:
                self._watchers.check(self.job)

    def _status_changed(self) -> None:
        if self.log is not None and not self._is_written(self.log):
            return
        if self.job.status is JobStatus.RUNNING:
            self._watchers.check(self.job)
        else:
            for news in news_of_ending(self.job):
                self.note(news)
            self.come_to_rest()

    def come_to_rest(self) -> None:
        """Run here no more, and tell those who wait."""
        self._detach()
        self._watchers.check(self.job)
        self._watchers.stopped()

    def _set_timer(self) -> None:
        when = self.job.next_wake() if self.attached else None
        alarms = self._alarms if when is None else self._own_alarms()
        alarms.wake_at(when, self._wake)

    def _keep_no_longer(self) -> None:
        self._alarms.keep_no_longer(self._wake)

    def _own_alarms(self) -> Alarms:
        """The job's alarms, which it gets with the first moment that it waits for."""
        if self._alarms is SILENT and self.engine is not None:
            self._alarms = Alarms(self.engine.clock)
        return self._alarms
