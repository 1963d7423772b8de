"""A flow: its definition, and what is done with its jobs."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

from routilux._beginning import Beginning
from routilux._definition import Definition
from routilux._engine.awaited import Awaited, checked_patience
from routilux._engine.coroutines import call_in_thread, until_true
from routilux._engine.engine import Engine, EngineFactory, threaded_engine
from routilux._engine.job_lock import taken
from routilux._engine.keeping import Keeping, KeepsJobs
from routilux._engine.kept_job import Fitting
from routilux._engine.live_job import LiveJob
from routilux._engine.setting import Setting
from routilux._engine.shutting_down import shut_down
from routilux._engine.starting import Start
from routilux._graph import check_delivery
from routilux._inspection import check_given, fitting_in, inspect
from routilux._keeping import kept_again, kept_in
from routilux._model import Durability, ExecutionStrategy, SlotKey
from routilux._plan import Plan, checked_plan
from routilux._records import Addressee, Data
from routilux._recovery import Recovery
from routilux._reentry import is_handler_of, refuse_blocking, refuse_deciding
from routilux._texts import checked_text
from routilux._verdict import Verdict
from routilux.errors import DefinitionError, FlowShutDownError, JobStateError
from routilux.job_state import JobState, checked_job
from serilux import clone_fields, register_serializable

T = TypeVar("T")


@register_serializable
class Flow(Definition):
    """Routines wired event to slot, and the jobs that run through them.

    `execution_strategy` is `sequential` (one activation of a job at a time, in queue order) or `concurrent` (as many as
    there are workers, async handlers uncounted). `max_workers` threads serve all jobs of the flow in turn. A job
    that has run for more than `execution_timeout` seconds, pauses not counted, fails. Async handlers run on an event
    loop of the flow's own, not on the caller's. `resources` are what this host gives to the handlers
    (`Routine.require`); they are part of no document. `engine_factory` is what jobs run on: threads, unless a test
    gives that of a `routilux.testing.StepRunner`. Leaving `with flow:` is `shutdown()`.

    >>> from routilux import Flow, Routine
    >>> class Greeter(Routine):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.define_slot("trigger", handler=self.greet)
    ...
    ...     def greet(self, name):
    ...         self.get_execution_context().job_state.append_to_shared_log(f"hello {name}")
    >>> flow = Flow("greetings")
    >>> flow.add_routine(Greeter(), "greeter")
    'greeter'
    >>> job = flow.execute("greeter", {"name": "Ada"})
    >>> job.wait(timeout=10), job.shared_log
    (True, ['hello Ada'])
    """

    def __init__(
        self,
        flow_id: str | None = None,
        execution_strategy: ExecutionStrategy | str = ExecutionStrategy.SEQUENTIAL,
        max_workers: int = 4,
        execution_timeout: float | None = None,
        *,
        resources: Mapping[str, object] | None = None,
        engine_factory: EngineFactory = threaded_engine,
    ) -> None:
        super().__init__(flow_id, execution_strategy, max_workers, execution_timeout, resources)
        self._engine_factory = engine_factory
        self._engine: Engine | None = None

    def __repr__(self) -> str:
        return f"<Flow {self.flow_id!r}: {len(self._routines)} routines, {len(self._connections)} connections>"

    def deserialize(self, data: dict[str, Any], *, plan: Plan | None = None) -> None:
        """Read a document; one that is refused leaves this flow as it was (law 8).

        With a `plan` it is read as of a flow whose routines, slots and classes are called as that says, and whose
        configurations are what its functions make of them.
        """
        if self._engine is not None and self._engine.jobs:
            raise JobStateError(f"flow {self.flow_id!r} runs jobs; read the document into a new Flow()")
        super().deserialize(data, plan=plan)

    def execute(
        self,
        entry_routine_id: str,
        entry_params: Data | None = None,
        *,
        timeout: float | None = None,
        history_limit: int | None = None,
        store: KeepsJobs | None = None,
        durability: Durability | str = Durability.GROUP,
        job_id: str | None = None,
    ) -> JobState:
        """Start a job at the `trigger` slot of a routine, and return when that first activation has ended.

        What it emitted goes on in the background. A sync handler runs on the caller's thread; what it raises is the
        job's, not the caller's. `timeout` (seconds) replaces the flow's `execution_timeout` for this job;
        `history_limit` keeps only the newest records of its history. DefinitionError where the routine is no entry,
        BlockingCallError inside a handler of this flow, FlowShutDownError after `shutdown`.

        With a `store` the job is durable: when this returns, all so far is on disk, and what comes after is so within
        the store's window (`durability="group"`), or before the job's next activation starts (`"strict"`).

        Whoever may have to ask again, after a crash, chooses the `job_id`. Then the job is in the store before anything
        of it runs; where that has one of this id already, nothing happens but a JobExistsError. Without a store nobody
        remembers ids.
        """
        refuse_blocking(self, "execute")
        beginning = Beginning(entry_routine_id, entry_params, timeout, history_limit, job_id)
        job_state, start = self._start_of(beginning, store, durability)
        start.run_here()
        return job_state

    async def execute_async(
        self,
        entry_routine_id: str,
        entry_params: Data | None = None,
        *,
        timeout: float | None = None,
        history_limit: int | None = None,
        store: KeepsJobs | None = None,
        durability: Durability | str = Durability.GROUP,
        job_id: str | None = None,
    ) -> JobState:
        """`execute` for coroutines; a sync handler runs on one of the flow's workers."""
        refuse_blocking(self, "execute")
        beginning = Beginning(entry_routine_id, entry_params, timeout, history_limit, job_id)

        def begin() -> tuple[JobState, Awaited]:
            job_state, start = self._start_of(beginning, store, durability)
            return job_state, start.attempted()

        job_state, attempted = begin() if store is None else await call_in_thread(begin)
        await until_true(attempted)
        if store is not None:
            await call_in_thread(job_state._live.sync)
        return job_state

    def start(
        self,
        entry_routine_id: str,
        entry_params: Data | None = None,
        *,
        timeout: float | None = None,
        history_limit: int | None = None,
        store: KeepsJobs | None = None,
        durability: Durability | str = Durability.GROUP,
        job_id: str | None = None,
    ) -> JobState:
        """`execute`, without waiting for the first activation, which runs on one of the flow's workers.

        With a `store` the job is there when this returns. A handler may call it, also for its own flow.
        """
        refuse_deciding("start")
        beginning = Beginning(entry_routine_id, entry_params, timeout, history_limit, job_id)
        job_state, start = self._start_of(beginning, store, durability)
        start.alone()
        return job_state

    def _start_of(
        self, beginning: Beginning, store: KeepsJobs | None, durability: Durability | str
    ) -> tuple[JobState, Start]:
        """A job that has not begun, and how it begins."""
        keeping, setting = kept_in(store, self, durability), self._setting()
        if self._needy:
            check_given(self.flow_id, self._needy)
        engine = setting.engine
        self._routine(beginning.entry_routine_id)
        task = beginning.task(setting.graph)
        new_job = partial(
            beginning.job, setting.graph.flow_id, engine.new_id, engine.clock.now(), self._execution_timeout
        )
        job_state = JobState._of(new_job)
        return job_state, Start(job_state._live, setting, task, keeping, bool(beginning.job_id))

    def pause(
        self,
        job_state: JobState,
        reason: str = "",
        checkpoint: Data | None = None,
        *,
        timeout: float | None = None,
    ) -> None:
        """Pause a job: activations in flight finish, what is queued or waits becomes `pending_tasks`.

        Returns when that is so; from inside a handler of the job at once, and it pauses when that has committed. A
        failed or cancelled job is a JobStateError. After `timeout` seconds it is a TimeoutError: the job starts nothing
        more and still pauses when its handlers have finished; `serialize` need not wait for them (law 4). While a store
        is away, it pauses when that is there again.
        """
        patience, live = checked_patience(timeout), self._live_job(job_state)
        request = self._pause_request(live, reason, checkpoint)
        if is_handler_of(live):
            request()
            return
        live.wait_paused(request, patience)
        job_state._check_paused()

    async def pause_async(self, job_state: JobState, reason: str = "", checkpoint: Data | None = None) -> None:
        """`pause` for coroutines."""
        live = self._live_job(job_state)
        request = self._pause_request(live, reason, checkpoint)
        if is_handler_of(live):
            request()
            return
        with live.telling(), taken(live.lock, 0.0) as is_mine:
            is_had_at_once = is_mine and live.custody is None  # else a predicate may be asked, or a store
            paused = request() if is_had_at_once else None
        await until_true(await call_in_thread(request) if paused is None else paused)
        job_state._check_paused()

    def _pause_request(self, live: LiveJob, reason: str, checkpoint: Data | None) -> Callable[[], Awaited]:
        """What has the job pause; it may wait for its store."""
        refuse_deciding("pause")
        if not is_handler_of(live):
            refuse_blocking(self, "pause")
        note = clone_fields({} if checkpoint is None else checkpoint, "checkpoint")
        return self._keeping_secrets(live, partial(live.pause, checked_text(reason, "a reason"), note))

    def cancel(self, job_state: JobState, reason: str = "") -> None:
        """Settle a job as cancelled, at once. What handlers still running do is discarded; async ones are cancelled.

        JobStateError for a job that has completed or failed.
        """
        live = self._live_job(job_state)
        refuse_deciding("cancel")
        live.uninterrupted(self._keeping_secrets(live, partial(live.cancel, checked_text(reason, "a reason"))))

    def check(self, job_state: JobState, *, plan: Plan | None = None) -> Verdict:
        """List all of a job that does not fit this flow, without running anything; `notes` do not refuse (law 7).

        With a `plan`, what would not fit then. Nothing is applied by that.
        """
        live, checked = checked_job(job_state)._live, self._checked_plan(plan)
        with live.lock:
            return inspect(self, live.job, checked, live.last_graph(live.job), live.now()).verdict

    def resume(
        self,
        job_state: JobState,
        *,
        plan: Plan | None = None,
        store: KeepsJobs | None = None,
        durability: Durability | str | None = None,
        take_over: bool = True,
    ) -> JobState:
        """Let a job go on, from wherever its document comes (page: Automatic Task Recovery).

        Its pending tasks are taken up first; then each slot of the flow that holds data, and has no pending task,
        becomes one. The same object comes back, and its status is `running`. ResumeError, a ValueError, lists what
        does not fit; nothing is changed then. Where the flow has changed since, a `plan` says what has become of names
        in the job, and what is to be dropped.

        With a `store` the job is kept there from now on, with its `durability` unless another is given. One that comes
        from a store is kept there anyway; if another process runs it, that one loses it (law 6), unless `take_over` is
        False: then it is a JobStateError.
        """
        refuse_deciding("resume")
        live, checked = checked_job(job_state)._live, self._checked_plan(plan)
        keeping = kept_again(live, store, self, durability, take_over=take_over, plan=checked)
        setting = self._setting()
        fitting, recovery = self._fitting(live, setting, checked), self._recovery(live, keeping)
        live.uninterrupted(lambda: live.resume(setting, fitting, recovery, keeping), keeping=keeping)
        return job_state

    def _checked_plan(self, plan: Plan | None) -> Plan:
        """A plan that may be recorded in a job: SecretError where it has a secret of this flow in it."""
        checked = checked_plan(plan)
        self._secrecy.check_document(checked.document(), "plan")
        return checked

    def _fitting(self, live: LiveJob, setting: Setting, plan: Plan) -> Fitting:
        return fitting_in(self, plan, live.last_graph, setting.engine.clock.now)

    def _recovery(self, live: LiveJob, keeping: Keeping | None) -> Recovery:
        custody = None if keeping is None else keeping.custody
        return Recovery(self._routines, self._error_handler, self._lock, custody, lambda job: live.job is job)

    def retry(self, job_state: JobState, *, plan: Plan | None = None) -> JobState:
        """Let a failed job go on: one more attempt for each failed task, then all that it left unstarted.

        The attempts have numbers of their own; one that fails is decided on as after the last retry. The time that
        the job may take begins anew. JobStateError for a job that has not failed, ResumeError with a list for one that
        does not fit this flow; `plan` as in `resume`.
        """
        refuse_deciding("retry")
        live, checked = checked_job(job_state)._live, self._checked_plan(plan)
        keeping, setting = kept_again(live, None, self, plan=checked), self._setting()
        fitting = self._fitting(live, setting, checked)
        live.uninterrupted(lambda: live.retry(setting, fitting, keeping), keeping=keeping)
        return job_state

    def deliver(
        self, job_state: JobState, routine_id: str, slot: str, data: Data, *, task_id: str | None = None
    ) -> None:
        """Give a task that waits on a slot (`Routine.expect`) its data, whether the job runs or is paused.

        The one of that id, as `explain()` names it, or else the oldest gets it. DefinitionError if there is no such
        slot, BindingError if its handler cannot take the data, JobStateError if it does not wait there.
        """
        refuse_deciding("deliver to")
        live, to = self._live_job(job_state), Addressee.of(routine_id, slot, task_id)
        live.uninterrupted(
            self._keeping_secrets(live, partial(live.deliver, to, self._checked_delivery(to.slot, data)))
        )

    def _checked_delivery(self, target: SlotKey, data: Data) -> Data:
        """A copy of what is delivered, refused where its handler cannot take it: a typo must not cost a job."""
        self._routine(target.routine_id).get_slot(target.slot)
        _, handlers = self._compile()
        if type(data) is not dict:
            raise DefinitionError(f"what is delivered is a dict of parameters, not {data!r}")
        own = clone_fields(data, "data")
        if (handler := handlers.get(target)) is not None:
            check_delivery(handler.node, handler.binding, own)
        return own

    def resolve(
        self, job_state: JobState, task_id: str, outcome: str, *, emitted: Iterable[tuple[str, Data]] = ()
    ) -> None:
        """Say what became of a task with `at_most_once` effects whose process died in the middle of it.

        `done`: it had its effects, and counts as completed; `emitted` are the events, with their data, that its handler
        would have emitted, as `[("paid", {"amount": 20})]`. `again`: it is tried again when the job is resumed.
        JobStateError where the job has no such ambiguous task, DefinitionError for what cannot be emitted there.
        """
        refuse_deciding("resolve a task of")
        if outcome not in ("done", "again"):
            raise DefinitionError(f"a task is 'done', or is tried 'again', not {outcome!r}")
        events = list(emitted)
        if events and outcome == "again":
            raise DefinitionError("a task that is tried 'again' emits by itself; `emitted` is for one that is 'done'")
        graph, _ = self._compile()
        live = self._live_job(job_state)
        request = partial(live.resolve, task_id, graph, again=outcome == "again", emitted=events)
        live.uninterrupted(self._keeping_secrets(live, request))

    def _live_job(self, job_state: JobState) -> LiveJob:
        if checked_job(job_state).flow_id != self.flow_id:
            raise JobStateError(
                f"job {job_state.job_id!r} is a run of flow {job_state.flow_id!r}, not of {self.flow_id!r}"
            )
        return job_state._live

    def _keeping_secrets(self, live: LiveJob, request: Callable[[], T]) -> Callable[[], T]:
        """A request, made under the job's lock, which lets no secret of this flow into the job."""

        def ask() -> T:
            with live.telling(), live.lock:
                live.keep_secrets(self._secrecy)
                return request()

        return ask

    # The engine.

    def _setting(self) -> Setting:
        engine = self._running_engine()
        graph, handlers = self._compile()
        return Setting(engine, self, graph, handlers, self._secrecy)

    def _running_engine(self) -> Engine:
        if self._engine is None:
            with self._lock:
                if self._engine is None:
                    self._engine = self._engine_factory(self.flow_id, self.max_workers)
        if self._engine.closed:
            raise FlowShutDownError(f"flow {self.flow_id!r} has been shut down; build or deserialize another")
        return self._engine

    def shutdown(self, wait: bool = True, timeout: float | None = None) -> None:
        """Run nothing more, and lose nothing: what has not settled starts no handler and pauses (for "shutdown").

        With `wait`, running jobs are first given until they settle, or have nothing to do until somebody delivers
        to them, or `timeout` seconds are over. Handlers that run on after that, or without `wait`, are not waited for:
        their jobs pause when they return, and `serialize` counts their tasks as pending until then; so may do others
        whose store is slow, or away. Who calls it meanwhile does the same, in his own time; after that there is nothing
        to do. When the interpreter ends (`__del__`, a generator that was not finished) nothing is done, as if the
        process had died.

        In the middle of what others need to get on (in a handler of what this library logs, or in a signal's or a
        finalizer that comes as its thread has a job, a store or a clock of this flow's) this returns at once: another
        thread does all of it, and the process does not end before. A store of its jobs that is closed meanwhile waits
        for that. NoThreadError where there is no thread.

        BlockingCallError inside a handler of this flow.
        """
        refuse_blocking(self, "shut down")
        patience = checked_patience(timeout)
        if self._engine is not None:
            shut_down(self._engine, wait=wait, patience=patience)

    def __enter__(self) -> "Flow":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown(wait=error is None)
