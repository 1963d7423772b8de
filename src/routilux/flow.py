"""A flow: its definition, and what is done with its jobs."""

from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Any

from routilux._context import running_activation
from routilux._core.facts import Delivered, JobResumed, JobRetried, JobStarted, PauseRequested
from routilux._core.history import BoundedHistory
from routilux._core.job import Job
from routilux._definition import Definition
from routilux._durations import checked_timeout
from routilux._engine.coroutines import await_future
from routilux._engine.engine import Engine, EngineFactory, threaded_engine
from routilux._engine.live_job import LiveJob
from routilux._engine.watchers import Condition
from routilux._graph import Graph
from routilux._inspection import inspect_job
from routilux._model import RESUMABLE, ExecutionStrategy, JobStatus, SlotKey
from routilux._records import Data, Task
from routilux._recovery import mirror_retries, recovered_task, slots_to_recover
from routilux._verdict import Verdict
from routilux.error_handler import ErrorHandler
from routilux.errors import BlockingCallError, DefinitionError, FlowShutDownError, JobStateError, ResumeError
from routilux.job_state import JobState, checked_patience
from serilux import (
    clone_fields,
    register_serializable,
)

ENTRY_SLOT = "trigger"
HOLD = 0.02


@register_serializable
class Flow(Definition):
    """Routines wired event to slot, and the jobs that run through them.

    `execution_strategy` is `sequential` (one activation of a job at a time, in queue order) or `concurrent` (as many as
    there are workers, async handlers uncounted). `max_workers` threads serve all jobs of the flow in turn. A job
    that has run for more than `execution_timeout` seconds, pauses not counted, fails. Async handlers run on an event
    loop of the flow's own, not on the caller's.
    """

    def __init__(
        self,
        flow_id: str | None = None,
        execution_strategy: ExecutionStrategy | str = ExecutionStrategy.SEQUENTIAL,
        max_workers: int = 4,
        execution_timeout: float | None = None,
        *,
        engine_factory: EngineFactory = threaded_engine,
    ) -> None:
        super().__init__(flow_id, execution_strategy, max_workers, execution_timeout)
        self._engine_factory = engine_factory
        self._engine: Engine | None = None

    def __repr__(self) -> str:
        return f"<Flow {self.flow_id!r}: {len(self._routines)} routines, {len(self._connections)} connections>"

    def deserialize(self, data: dict[str, Any]) -> None:
        """Read a document; one that is refused leaves this flow as it was (law 8)."""
        if self._engine is not None and self._engine.jobs:
            raise JobStateError(f"flow {self.flow_id!r} runs jobs; read the document into a new Flow()")
        super().deserialize(data)

    def execute(
        self,
        entry_routine_id: str,
        entry_params: Data | None = None,
        *,
        timeout: float | None = None,
        history_limit: int | None = None,
    ) -> JobState:
        """Start a job at the `trigger` slot of a routine, and return when that first activation has ended.

        What it emitted goes on in the background. A sync handler runs on the caller's thread. `timeout` replaces the
        flow's `execution_timeout` for this job; `history_limit` keeps only the newest records of its history.
        """
        self._refuse_blocking("execute")
        job_state, task = self._start(entry_routine_id, entry_params, timeout, history_limit)
        live = job_state._live
        if live.may_run_here(task):
            live.run_here()
        else:
            live.block_on(self._attempted(live, task))
        return job_state

    async def execute_async(
        self,
        entry_routine_id: str,
        entry_params: Data | None = None,
        *,
        timeout: float | None = None,
        history_limit: int | None = None,
    ) -> JobState:
        """`execute` for coroutines; a sync handler runs on one of the flow's workers."""
        self._refuse_blocking("execute")
        job_state, task = self._start(entry_routine_id, entry_params, timeout, history_limit)
        await await_future(self._attempted(job_state._live, task))
        return job_state

    def _start(
        self,
        entry_routine_id: str,
        entry_params: Data | None,
        timeout: float | None,
        history_limit: int | None,
    ) -> tuple[JobState, Task]:
        engine = self._running_engine()
        graph, handlers = self._compile()
        key = self._entry(graph, entry_routine_id)
        params = {} if entry_params is None else entry_params
        if type(params) is not dict:
            raise DefinitionError(f"entry_params is a dict of parameters, not {params!r}")
        job = Job(engine.new_id(), self.flow_id, engine.clock.now())
        job.timeout = checked_timeout(timeout, "timeout") or self.execution_timeout
        if history_limit is not None:
            job.history = BoundedHistory((), _checked_limit(history_limit))
        task = Task(0, key, clone_fields(params, "entry_params"))
        job_state = JobState._of(job)
        job_state._live.attach(engine, self, graph, handlers)
        job_state._live.apply(JobStarted(task))
        return job_state, task

    def _entry(self, graph: Graph, routine_id: str) -> SlotKey:
        self._routine(routine_id)
        key = SlotKey(routine_id, ENTRY_SLOT)
        if key not in graph.slots or not graph.slots[key].has_handler:
            raise DefinitionError(
                f"routine {routine_id!r} cannot be an entry: it needs a slot {ENTRY_SLOT!r} with a handler"
            )
        return key

    def _attempted(self, live: LiveJob, task: Task) -> "Future[None]":
        with live.lock:
            future = live.watchers.when_attempted(task.number)
            if live.job.status is not JobStatus.RUNNING:
                live.watchers.attempted(task.number)
            live.submit()
        return future

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
        more and still pauses when its handlers have finished; `serialize` need not wait for them (law 4).
        """
        patience = checked_patience(timeout)
        future = self._request_pause(job_state, reason, checkpoint)
        if future is not None:
            job_state._live.block_on(future, patience)
            self._check_paused(job_state)

    async def pause_async(self, job_state: JobState, reason: str = "", checkpoint: Data | None = None) -> None:
        """`pause` for coroutines."""
        future = self._request_pause(job_state, reason, checkpoint)
        if future is not None:
            await await_future(future)
            self._check_paused(job_state)

    def _request_pause(self, job_state: JobState, reason: str, checkpoint: Data | None) -> "Future[None] | None":
        live = self._live_job(job_state)
        self._refuse_deciding("pause")
        inside = self._inside(job_state, "pause")
        note = clone_fields({} if checkpoint is None else checkpoint, "checkpoint")
        if type(reason) is not str:
            raise DefinitionError(f"a reason is a text, not {reason!r}")
        with live.lock:
            if job_state.status not in (JobStatus.RUNNING, JobStatus.PAUSED, JobStatus.COMPLETED):
                raise JobStateError(f"job {job_state.job_id!r} is {job_state.status}: it cannot be paused")
            live.apply(PauseRequested(reason, note))
            return None if inside else live.watchers.when(_is_not_running, live.job)

    @staticmethod
    def _check_paused(job_state: JobState) -> None:
        if job_state.status in (JobStatus.FAILED, JobStatus.CANCELLED):
            raise JobStateError(f"job {job_state.job_id!r} became {job_state.status} before it could pause")

    def cancel(self, job_state: JobState, reason: str = "") -> None:
        """Settle a job as cancelled, at once. What handlers still running do is discarded; async ones are cancelled."""
        live = self._live_job(job_state)
        self._refuse_deciding("cancel")
        if type(reason) is not str:
            raise DefinitionError(f"a reason is a text, not {reason!r}")
        with live.lock:
            if job_state.status not in RESUMABLE:
                raise JobStateError(f"job {job_state.job_id!r} is {job_state.status}: it cannot be cancelled")
            live.cancel(reason)

    def check(self, job_state: JobState) -> Verdict:
        """List all of a job that does not fit this flow, without running anything; `notes` do not refuse (law 7)."""
        live = _checked_job(job_state)._live
        graph, handlers = self._compile()
        with live.lock:
            return inspect_job(live.job, graph, handlers, self._routines, self._error_handler)

    def resume(self, job_state: JobState) -> JobState:
        """Let a job go on, from wherever its document comes (page: Automatic Task Recovery).

        Its pending tasks are taken up first; then each slot of the flow that holds data, and has no pending task,
        becomes one. The same object comes back, and its status is `running`. ResumeError, a ValueError, lists what
        does not fit; nothing is changed then.
        """
        live = _checked_job(job_state)._live
        engine = self._running_engine()
        graph, handlers = self._compile()
        with live.lock:
            self._check_resumable(job_state)
            live.attach(engine, self, graph, handlers)
            with self._lock:
                slots = slots_to_recover(live.job, self._routines, self._error_handler)
                recovered = [recovered_task(graph.slots[key], slot, self._policy(key)) for key, slot in slots.items()]
            for task in live.job.pending():
                mirror_retries(task, self._policy(task.target))
            live.apply(JobResumed(graph.fingerprint, recovered, live.now() + HOLD))
            live.submit()
        return job_state

    def retry(self, job_state: JobState) -> JobState:
        """Let a failed job go on: one more attempt for each failed task, then all that it left unstarted.

        The attempts have numbers of their own; one that fails is decided on as after the last retry. The time that
        the job may take begins anew. JobStateError for
        a job that has not failed, ResumeError with a list for one that does not fit this flow.
        """
        live = _checked_job(job_state)._live
        engine = self._running_engine()
        graph, handlers = self._compile()
        with live.lock:
            if job_state.status is not JobStatus.FAILED:
                raise JobStateError(f"job {job_state.job_id!r} is {job_state.status}: only a failed job is retried")
            self._check_fit(job_state)
            live.attach(engine, self, graph, handlers)
            live.apply(JobRetried(graph.fingerprint, live.now() + HOLD))
            live.submit()
        return job_state

    def _policy(self, key: SlotKey) -> ErrorHandler | None:
        return self._routines[key.routine_id].get_error_handler() or self._error_handler

    def _check_resumable(self, job_state: JobState) -> None:
        if job_state._live.attached:
            raise ResumeError(f"job {job_state.job_id!r} is running here already; pause it first")
        if job_state.status not in RESUMABLE:
            verb = "; retry it" if job_state.status is JobStatus.FAILED else ""
            raise ResumeError(f"job {job_state.job_id!r} is {job_state.status}: there is nothing to resume{verb}")
        self._check_fit(job_state)

    def _check_fit(self, job_state: JobState) -> None:
        if job_state.flow_id != self.flow_id:
            raise ResumeError(
                f"job {job_state.job_id!r} is a run of flow {job_state.flow_id!r}; this is flow {self.flow_id!r}"
            )
        problems = self.check(job_state)
        if problems:
            raise ResumeError(
                f"job {job_state.job_id!r} does not fit flow {self.flow_id!r}; nothing was changed:", problems
            )

    def deliver(self, job_state: JobState, routine_id: str, slot: str, data: Data) -> None:
        """Give a task that waits on a slot (`Routine.expect`) its data, whether the job runs or is paused.

        The oldest such task gets it. DefinitionError if there is no such slot, BindingError if its handler cannot take
        the data, JobStateError if nothing waits there.
        """
        live = self._live_job(job_state)
        self._routine(routine_id).get_slot(slot)
        _, handlers = self._compile()
        if type(data) is not dict:
            raise DefinitionError(f"what is delivered is a dict of parameters, not {data!r}")
        own = clone_fields(data, "data")
        key = SlotKey(routine_id, slot)
        if key in handlers and handlers[key].plain:
            handlers[key].binding.bind(own)
        with live.lock:
            waiting = [task for task in live.job.expecting.values() if task.target == key]
            if not waiting or live.job.settled:
                raise JobStateError(f"job {job_state.job_id!r} ({job_state.status}) waits for nothing on {key}")
            live.apply(Delivered(waiting[0], own))
            live.submit()

    def _live_job(self, job_state: JobState) -> LiveJob:
        if _checked_job(job_state).flow_id != self.flow_id:
            raise JobStateError(
                f"job {job_state.job_id!r} is a run of flow {job_state.flow_id!r}, not of {self.flow_id!r}"
            )
        return job_state._live

    def _inside(self, job_state: JobState, verb: str) -> bool:
        activation = running_activation()
        if activation is not None and activation.host is job_state._live:
            return True
        self._refuse_blocking(verb)
        return False

    @staticmethod
    def _refuse_deciding(verb: str) -> None:
        activation = running_activation()
        if activation is not None and activation.host.deciding is activation:
            raise BlockingCallError(
                f"a predicate, merge function, update or policy cannot {verb} a job: it is asked in the middle of a "
                f"commit; let the handler do it"
            )

    def _refuse_blocking(self, verb: str) -> None:
        activation = running_activation()
        if activation is not None and activation.host.flow is self:
            raise BlockingCallError(
                f"a handler of flow {self.flow_id!r} cannot {verb} a job of that flow: it would wait for the workers "
                f"that run it; emit an event, or use another flow"
            )

    # The engine.

    def _running_engine(self) -> Engine:
        with self._lock:
            if self._engine is None:
                self._engine = self._engine_factory(self.flow_id, self.max_workers)
        if self._engine.closed:
            raise FlowShutDownError(f"flow {self.flow_id!r} has been shut down; build or deserialize another")
        return self._engine

    def shutdown(self, wait: bool = True, timeout: float | None = None) -> None:
        """Run nothing more, and lose nothing: what has not settled starts no handler and pauses.

        With `wait`, running jobs are first given until they settle, or have nothing to do until somebody delivers
        to them, or `timeout` seconds are over. Handlers that run on after that, or without `wait`, are not waited for:
        their jobs pause when they return, and `serialize` counts their tasks as pending until then.
        """
        self._refuse_blocking("shut down")
        patience = checked_patience(timeout)
        engine = self._engine
        if engine is None or not engine.stop_admitting():
            return
        deadline = None if patience is None else engine.clock.now() + patience
        jobs = [job.job_state for job in list(engine.jobs) if isinstance(job, LiveJob)]
        if wait:
            self._wait_for_all(jobs, _is_settled_or_stuck, deadline)
        for job_state in jobs:
            self._pause_if_running(job_state)
        if wait:
            self._wait_for_all(jobs, _is_not_running, deadline)
        engine.close()

    @staticmethod
    def _wait_for_all(jobs: list[JobState], condition: Condition, deadline: float | None) -> None:
        for job_state in jobs:
            live = job_state._live
            future = live.wait_until(condition)
            with suppress(TimeoutError):
                live.block_on(future, None if deadline is None else max(deadline - live.now(), 0.0))

    def _pause_if_running(self, job_state: JobState) -> None:
        with job_state._live.lock:
            if job_state.status is JobStatus.RUNNING:
                self._request_pause(job_state, "shutdown", None)

    def __enter__(self) -> "Flow":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown(wait=error is None)


def _checked_job(job_state: JobState) -> JobState:
    if not isinstance(job_state, JobState):
        raise DefinitionError(f"a JobState is expected, not a {type(job_state).__name__}")
    return job_state


def _checked_limit(limit: int) -> int:
    if type(limit) is not int or limit < 0:
        raise DefinitionError(f"history_limit is a whole number from 0, or None, not {limit!r}")
    return limit


def _is_not_running(job: Job) -> bool:
    return job.status is not JobStatus.RUNNING


def _is_settled_or_stuck(job: Job) -> bool:
    if job.status is not JobStatus.RUNNING:
        return True
    return job.stuck
