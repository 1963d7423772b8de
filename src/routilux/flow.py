"""The definition of a workflow, and what is done with its jobs."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Any
from uuid import uuid4

from routilux._binding import binding_of
from routilux._compile import bind_handlers, compile_graph, unbindable
from routilux._context import running_activation
from routilux._core.facts import Delivered, JobResumed, JobStarted, PauseRequested
from routilux._core.history import BoundedHistory
from routilux._core.job import Job
from routilux._engine.coroutines import await_future
from routilux._engine.engine import Engine, EngineFactory, threaded_engine
from routilux._engine.live_job import LiveJob
from routilux._engine.watchers import Condition
from routilux._graph import Graph, misfits
from routilux._handler import Handlers
from routilux._migrations import CURRENT_FORMAT, upgrade
from routilux._model import RESUMABLE, EventKey, ExecutionStrategy, JobStatus, RoutineStatus, SlotKey
from routilux._records import Data, Task
from routilux.connection import Connection
from routilux.error_handler import ErrorHandler
from routilux.errors import BlockingCallError, DefinitionError, FlowShutDownError, JobStateError, ResumeError
from routilux.job_state import JobState, checked_patience
from routilux.routine import Routine
from routilux.slot import Slot, checked_timeout, read_timeout
from serilux import (
    Serializable,
    check_constructible,
    check_document,
    check_serializable,
    clone_fields,
    lookup_class,
    read_object,
    register_serializable,
    registered_name,
)
from serilux.errors import ConstructorError, DocumentError, SeriluxError

ENTRY_SLOT = "trigger"
HOLD = 0.02
_OVER = frozenset({RoutineStatus.COMPLETED, RoutineStatus.FAILED, RoutineStatus.CANCELLED, RoutineStatus.SKIPPED})
_FIELDS = (
    "_type",
    "format",
    "flow_id",
    "execution_strategy",
    "max_workers",
    "execution_timeout",
    "error_handler",
    "routines",
    "connections",
)


@register_serializable
class Flow(Serializable):
    """Routines wired event to slot, and the jobs that run through them.

    `execution_strategy` is `sequential` (one activation of a job at a time, in queue order) or `concurrent` (as many as
    there are workers, async handlers uncounted). `max_workers` threads serve all jobs of the flow in turn. A job
    that has run for more than `execution_timeout` seconds, pauses not counted, fails.
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
        super().__init__()
        self.flow_id = _checked_id(flow_id)
        self.execution_strategy = _checked_strategy(execution_strategy)
        self.max_workers = _checked_workers(max_workers)
        self.execution_timeout = checked_timeout(execution_timeout, "execution_timeout")
        self._engine_factory = engine_factory
        self._engine: Engine | None = None
        self._routines: dict[str, Routine] = {}
        self._connections: list[Connection] = []
        self._error_handler: ErrorHandler | None = None
        self._compiled: tuple[Graph, Handlers] | None = None

    def __repr__(self) -> str:
        return f"<Flow {self.flow_id!r}: {len(self._routines)} routines, {len(self._connections)} connections>"

    # Definition.

    @property
    def routines(self) -> Mapping[str, Routine]:
        """The routines by id, in the order in which they were added."""
        return dict(self._routines)

    @property
    def connections(self) -> list[Connection]:
        """The connections, in the order in which they were made."""
        return list(self._connections)

    def add_routine(self, routine: Routine, routine_id: str | None = None) -> str:
        """Make a routine part of the flow; its id comes back (from the name of its class, unless given)."""
        if not isinstance(routine, Routine):
            raise DefinitionError(f"a flow consists of Routine objects, not of {routine!r}")
        if routine._flow_id is not None:
            raise DefinitionError(f"{routine!r} is part of flow {routine._flow_id!r} already; add another object")
        name = self._free_id(type(routine).__name__) if routine_id is None else routine_id
        if type(name) is not str or not name:
            raise DefinitionError(f"a routine's id is a name, not {name!r}")
        if name in self._routines:
            raise DefinitionError(f"flow {self.flow_id!r} has a routine {name!r} already")
        self._adopt(routine, name)
        self._routines[name] = routine
        self._definition_changed()
        return name

    def _free_id(self, name: str) -> str:
        if name not in self._routines:
            return name
        number = 2
        while f"{name}_{number}" in self._routines:
            number += 1
        return f"{name}_{number}"

    def _adopt(self, routine: Routine, routine_id: str) -> None:
        routine._on_change = self._definition_changed
        routine._flow_id, routine._routine_id = self.flow_id, routine_id

    def connect(
        self,
        source_routine_id: str,
        source_event: str,
        target_routine_id: str,
        target_slot: str,
        param_mapping: dict[str, str] | None = None,
        priority: int = 0,
    ) -> Connection:
        """Lead an event to a slot; what can be known not to fit is refused here (`Connection` says the rest)."""
        event = self._routine(source_routine_id).get_event(source_event)
        slot = self._routine(target_routine_id).get_slot(target_slot)
        connection = Connection(
            EventKey(source_routine_id, source_event),
            SlotKey(target_routine_id, target_slot),
            param_mapping,
            priority,
        )
        _check_fit(connection, event.output_params, slot)
        self._connections.append(connection)
        self._definition_changed()
        return connection

    def _routine(self, routine_id: str) -> Routine:
        if not isinstance(routine_id, str) or routine_id not in self._routines:
            raise DefinitionError(
                f"flow {self.flow_id!r} has no routine {routine_id!r}; it has: "
                f"{', '.join(map(repr, self._routines)) or 'none'}"
            )
        return self._routines[routine_id]

    def set_error_handler(self, error_handler: ErrorHandler | None) -> None:
        """Set the policy for routines that have none of their own; None means stop."""
        if not isinstance(error_handler, ErrorHandler | None):
            raise DefinitionError(f"an error handler is an ErrorHandler or None, not {error_handler!r}")
        self._error_handler = error_handler
        self._definition_changed()

    def get_error_handler(self) -> ErrorHandler | None:
        """The policy for routines that have none of their own."""
        return self._error_handler

    def _definition_changed(self) -> None:
        self._compiled = None

    def _compile(self) -> tuple[Graph, Handlers]:
        if self._compiled is None:
            concurrent = self.execution_strategy is ExecutionStrategy.CONCURRENT
            graph = compile_graph(self.flow_id, concurrent, self._routines, self._connections)
            self._compiled = (graph, bind_handlers(graph, self._routines, self._error_handler))
        return self._compiled

    # Jobs.

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
        if type(reason) is not str:
            raise DefinitionError(f"a reason is a text, not {reason!r}")
        with live.lock:
            if job_state.status not in RESUMABLE:
                raise JobStateError(f"job {job_state.job_id!r} is {job_state.status}: it cannot be cancelled")
            live.cancel(reason)

    def check(self, job_state: JobState) -> list[str]:
        """List all of a job that does not fit this flow, without running anything (law 7)."""
        live = _checked_job(job_state)._live
        graph, handlers = self._compile()
        with live.lock:
            job = live.job
            problems = list(misfits(graph, job.pending(), job.slot_data))
            return problems or list(unbindable(handlers, job))

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
            slots = self._slots_to_recover(live.job)
            live.attach(engine, self, graph, handlers)
            recovered = [self._recovered_task(graph, key, slot) for key, slot in slots.items()]
            for slot in slots.values():
                slot._data = {}
            self._mirror_retries(live.job)
            live.apply(JobResumed(graph.fingerprint, recovered, live.now() + HOLD))
            live.submit()
        return job_state

    def _check_resumable(self, job_state: JobState) -> None:
        if job_state.flow_id != self.flow_id:
            raise ResumeError(
                f"job {job_state.job_id!r} is a run of flow {job_state.flow_id!r}; this is flow {self.flow_id!r}"
            )
        if job_state._live.attached:
            raise ResumeError(f"job {job_state.job_id!r} is running here already; pause it first")
        if job_state.status not in RESUMABLE:
            raise ResumeError(f"job {job_state.job_id!r} is {job_state.status}: there is nothing to resume")
        problems = self.check(job_state)
        if problems:
            raise ResumeError(
                f"job {job_state.job_id!r} does not fit flow {self.flow_id!r}; nothing was changed:", problems
            )

    def _slots_to_recover(self, job: Job) -> dict[SlotKey, Slot]:
        pending = {task.target for task in job.pending()}
        return {
            SlotKey(routine_id, slot.name): slot
            for routine_id, routine in self._routines.items()
            for slot in routine.slots.values()
            if slot._data and slot.handler is not None and SlotKey(routine_id, slot.name) not in pending
            if job.routine_status(routine_id) not in _OVER and self._has_retries_left(routine)
        }

    def _has_retries_left(self, routine: Routine) -> bool:
        policy = routine.get_error_handler() or self._error_handler
        return policy is None or policy.has_retries_left()

    def _recovered_task(self, graph: Graph, key: SlotKey, slot: Slot) -> Task:
        policy = self._routines[key.routine_id].get_error_handler() or self._error_handler
        sources = graph.slots[key].sources
        source, priority = sources[0] if len(sources) == 1 else (None, 0)
        retry_count = 0 if policy is None else policy.retry_count
        return Task(0, key, slot._data, source, priority, retry_count=retry_count)

    def _mirror_retries(self, job: Job) -> None:
        for task in job.pending():
            policy = self._routines[task.target.routine_id].get_error_handler() or self._error_handler
            if policy is not None and task.retry_count:
                policy.retry_count = task.retry_count

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

    def _refuse_blocking(self, verb: str) -> None:
        activation = running_activation()
        if activation is not None and activation.host.flow is self:
            raise BlockingCallError(
                f"a handler of flow {self.flow_id!r} cannot {verb} a job of that flow: it would wait for the workers "
                f"that run it; emit an event, or use another flow"
            )

    # The engine.

    def _running_engine(self) -> Engine:
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
        if engine is None or engine.closed:
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

    # The document.

    def serialize(self) -> dict[str, Any]:
        """The definition as a document; it holds no state of any job (page: Flow and JobState Separation).

        TypeError names a routine whose class cannot be built without arguments, ValueError a handler that no other
        process could find.
        """
        self._check_constructors()
        return {
            "_type": "Flow",
            "format": CURRENT_FORMAT,
            "flow_id": self.flow_id,
            "execution_strategy": self.execution_strategy.value,
            "max_workers": self.max_workers,
            "execution_timeout": self.execution_timeout,
            "error_handler": None if self._error_handler is None else self._error_handler.serialize(),
            "routines": {
                routine_id: _write_routine(routine_id, routine) for routine_id, routine in self._routines.items()
            },
            "connections": [connection.serialize() for connection in self._connections],
        }

    def _check_constructors(self) -> None:
        """Refuse what a reader could not build (page: What Gets Validated); nested objects are checked as written."""
        for routine_id, routine in self._routines.items():
            _check_constructor(routine_id, routine)
        for path, part in self._parts():
            check_serializable(part, path)

    def _parts(self) -> Iterator[tuple[str, Serializable]]:
        if self._error_handler is not None:
            yield "error_handler", self._error_handler
        for routine_id, routine in self._routines.items():
            yield from routine._parts(f"routines.{routine_id}")
        for index, connection in enumerate(self._connections):
            yield f"connections[{index}]", connection

    def deserialize(self, data: dict[str, Any]) -> None:
        """Read a document; one that is refused leaves this flow as it was (law 8)."""
        if self._engine is not None and self._engine.jobs:
            raise JobStateError(f"flow {self.flow_id!r} runs jobs; read the document into a new Flow()")
        check_document(data, "")
        fields = read_object(upgrade(data, "Flow"), "", required=_FIELDS[:3], optional=_FIELDS[3:])
        read = _read_flow(fields)
        for name in ("flow_id", "execution_strategy", "max_workers", "execution_timeout"):
            setattr(self, name, getattr(read, name))
        for routine_id, routine in read._routines.items():
            self._adopt(routine, routine_id)
        self._error_handler, self._routines = read._error_handler, read._routines
        self._connections = read._connections
        self._definition_changed()


def _read_flow(fields: dict[str, Any]) -> Flow:
    try:
        flow = Flow(
            fields["flow_id"],
            fields.get("execution_strategy", ExecutionStrategy.SEQUENTIAL),
            fields.get("max_workers", 4),
            read_timeout(fields.get("execution_timeout"), "execution_timeout"),
        )
    except DefinitionError as error:
        raise DocumentError(str(error), path="$") from error
    if fields.get("error_handler") is not None:
        flow._error_handler = ErrorHandler()
        flow._error_handler.deserialize(fields["error_handler"], "error_handler")
    for routine_id, document in _checked(fields.get("routines", {}), dict, "routines").items():
        flow._routines[routine_id] = _read_routine(document, f"routines.{routine_id}")
    for index, document in enumerate(_checked(fields.get("connections", []), list, "connections")):
        _read_connection(flow, document, f"connections[{index}]")
    return flow


def _checked(document: Any, shape: type[Any], path: str) -> Any:
    if type(document) is not shape:
        raise DocumentError(f"a {shape.__name__} is expected, not {type(document).__name__}", path=path)
    return document


def _read_routine(document: Any, path: str) -> Routine:
    name = _checked(_checked(document, dict, path).get("_type"), str, f"{path}._type")
    cls = lookup_class(name, f"{path}._type")
    if not issubclass(cls, Routine):
        raise DocumentError(f"{name!r} is no Routine class", path=f"{path}._type")
    routine = cls()
    try:
        routine.deserialize(document, path)
    except SeriluxError as error:
        if not error.path.startswith(path):
            error.under(f"{path}.")
        raise
    return routine


def _read_connection(flow: Flow, document: Any, path: str) -> None:
    connection = Connection()
    connection.deserialize(document, path)
    try:
        flow.connect(*connection.source, *connection.target, connection.param_mapping, connection.priority)
    except DefinitionError as error:
        raise DocumentError(str(error), path=path) from error


def _check_constructor(routine_id: str, routine: Routine) -> None:
    try:
        check_constructible(type(routine))
    except ConstructorError as error:
        error.reason = f"Routine {routine_id!r} ({type(routine).__name__}) cannot be serialized:\n{error.reason}"
        raise


def _write_routine(routine_id: str, routine: Routine) -> dict[str, Any]:
    try:
        return routine.serialize()
    except SeriluxError as error:
        if error.path:
            error.without_root(registered_name(type(routine)))
            error.under(f"routines.{routine_id}")
        raise


def _check_fit(connection: Connection, params: list[str], slot: Slot) -> None:
    """Refuse what no emission could ever bring into the slot's handler."""
    if slot.handler is None:
        return
    binding = binding_of(slot.handler, f"{connection.target}")
    mapping = connection.param_mapping or {}
    names = [*mapping.values(), *(name for name in params if name not in mapping)]
    strangers = binding.refusals(names) or binding.strangers(mapping.values())
    if strangers:
        raise DefinitionError(
            f"{connection.source} cannot go to {connection.target}: its handler has no parameter "
            f"{', '.join(map(repr, strangers))}; it takes: {', '.join(map(repr, sorted(binding.names))) or 'nothing'}. "
            f"Use param_mapping, or give it **kwargs"
        )


def _checked_job(job_state: JobState) -> JobState:
    if not isinstance(job_state, JobState):
        raise DefinitionError(f"a JobState is expected, not a {type(job_state).__name__}")
    return job_state


def _checked_id(flow_id: str | None) -> str:
    if flow_id is None:
        return f"flow-{uuid4().hex}"
    if type(flow_id) is not str or not flow_id:
        raise DefinitionError(f"a flow_id is a name, not {flow_id!r}")
    return flow_id


def _checked_strategy(strategy: ExecutionStrategy | str) -> ExecutionStrategy:
    try:
        return ExecutionStrategy(strategy)
    except ValueError as error:
        raise DefinitionError(
            f"unknown execution strategy {strategy!r}; there are: 'sequential', 'concurrent'"
        ) from error


def _checked_workers(max_workers: int) -> int:
    if type(max_workers) is not int or max_workers < 1:
        raise DefinitionError(f"max_workers is a whole number from 1, not {max_workers!r}")
    return max_workers


def _checked_limit(limit: int) -> int:
    if type(limit) is not int or limit < 0:
        raise DefinitionError(f"history_limit is a whole number from 0, or None, not {limit!r}")
    return limit


def _is_not_running(job: Job) -> bool:
    return job.status is not JobStatus.RUNNING


def _is_settled_or_stuck(job: Job) -> bool:
    if job.status is not JobStatus.RUNNING:
        return True
    return bool(job.expecting) and not (job.ready or job.active or job.delayed)
