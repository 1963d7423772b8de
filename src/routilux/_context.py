"""What a running handler sees and does: its outbox, its view of shared data, its own state."""

from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

import msgspec

from routilux._core.job import Job
from routilux._current import current
from routilux._graph import Graph, Route
from routilux._handler import Handler
from routilux._model import SlotKey
from routilux._records import Changes, Data, Emission, Expectation, HistoryRecord, RoutineState, Task
from routilux.errors import DefinitionError, OutsideActivationError, SharedDataConflict
from serilux import clone, clone_fields, identical

_ABSENT: Any = object()


class Host(Protocol):
    """The little that an activation needs of the job that runs it."""

    job: Job
    job_state: Any
    flow: Any
    deciding: "Activation | None"
    graph: Graph

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Guards the job's data."""

    def now(self) -> float:
        """Seconds since the epoch."""

    def flush(self, activation: "Activation") -> None:
        """Commit what the activation has done so far."""


class SharedView(MutableMapping[str, Any]):
    """Committed shared data plus the activation's own writes (DESIGN section 6).

    What is read is a private copy; at the commit a copy that was changed in place counts as written.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._read: dict[str, tuple[int, Any, Any]] = {}
        self._written: Data = {}
        self._removed: set[str] = set()
        self._blind: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self._blind.discard(key)
        if key in self._written:
            return self._written[key]
        value = _ABSENT if key in self._removed else self._committed(key)
        if value is _ABSENT:
            raise KeyError(key)
        return value

    def __setitem__(self, key: str, value: Any) -> None:
        clone_fields({key: value}, "shared_data")
        self._written[key] = value
        self._removed.discard(key)

    def __delitem__(self, key: str) -> None:
        self[key]
        self._written.pop(key, None)
        self._removed.add(key)

    def __iter__(self) -> Iterator[str]:
        with self._host.lock:
            committed = list(self._host.job.shared_data)
        yield from (key for key in committed if key not in self._removed and key not in self._written)
        yield from list(self._written)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr(dict(self))

    def _committed(self, key: str) -> Any:
        if key not in self._read:
            with self._host.lock:
                job = self._host.job
                value = job.shared_data.get(key, _ABSENT)
                version = job.shared_versions.get(key, 0)
            copy = value if value is _ABSENT else clone(value, f"shared_data.{key}")
            self._read[key] = (version, value, copy)
        return self._read[key][2]

    def collect(self, changes: Changes) -> None:
        """Add to `changes` what was done through this view; SharedDataConflict where another was faster."""
        written = self._all_written()
        for key in (*written, *self._removed):
            if not (key in self._written and key in self._blind):
                self._check_unchanged(key)
        changes.written.update(clone_fields(written, "shared_data"))
        changes.removed.extend(sorted(self._removed))

    def _all_written(self) -> Data:
        changed = {
            key: copy
            for key, (_, original, copy) in self._read.items()
            if key not in self._written and key not in self._removed and _changed(original, copy)
        }
        return self._written | changed

    def start_over(self, updated: Iterable[str]) -> None:
        """Go on from what a flush has just committed; what the handler holds stays its copy of it.

        A key that was written without being read before may be written so again. `updated` are keys whose values the
        handler does not know.
        """
        job = self._host.job
        for key, value in self._all_written().items():
            if key not in self._read:
                self._blind.add(key)
            self._read[key] = (job.shared_versions[key], job.shared_data[key], value)
        for key in (*self._removed, *updated):
            self._read.pop(key, None)
        self._written, self._removed = {}, set()

    def _check_unchanged(self, key: str) -> None:
        if key in self._read and self._host.job.shared_versions.get(key, 0) != self._read[key][0]:
            raise SharedDataConflict(
                f"shared_data[{key!r}] was read and then changed here, and another activation changed it "
                f"in between; retry, or use update_shared_data({key!r}, function)"
            )


def _changed(original: Any, copy: Any) -> bool:
    return original is not copy and not identical(original, copy)


class StateView:
    """A private copy of the state that a routine keeps in this job."""

    def __init__(self, host: Host, routine_id: str) -> None:
        self._host = host
        self._routine_id = routine_id
        with host.lock:
            committed = host.job.routines.get(routine_id, RoutineState())
            self._version, self._original = committed.version, committed.state
        self.state = clone_fields(self._original, f"routine_states.{routine_id}.state")

    def collect(self, changes: Changes) -> None:
        """Add the new state to `changes` if there is one; SharedDataConflict where another was faster."""
        if identical(self._original, self.state):
            return
        reserved = {"status", "error"} & self.state.keys()
        if reserved:
            raise DefinitionError(
                f"the state of routine {self._routine_id!r} has {sorted(reserved)[0]!r}, a name that "
                f"get_routine_state uses itself; choose another"
            )
        if self._host.job.routines.get(self._routine_id, RoutineState()).version != self._version:
            raise SharedDataConflict(
                f"the state of routine {self._routine_id!r} was changed by another activation in between; "
                f"retry, or let one activation at a time change it"
            )
        changes.state = clone_fields(self.state, f"routine_states.{self._routine_id}.state")

    def start_over(self) -> None:
        """Go on from what a flush has just committed."""
        if not identical(self._original, self.state):
            committed = self._host.job.routines[self._routine_id]
            self._version, self._original = committed.version, committed.state


class Dealings:
    """What an activation does to its job besides emitting."""

    def __init__(self, host: Host, routine_id: str) -> None:
        self._host = host
        self._routine_id = routine_id
        self._shared: SharedView | None = None
        self._state: StateView | None = None
        self._updates: list[tuple[str, Any]] = []
        self._logged: list[Any] = []
        self._expected: list[Expectation] = []

    def shared_view(self) -> SharedView:
        """The activation's view of the job's shared data."""
        if self._shared is None:
            self._shared = SharedView(self._host)
        return self._shared

    def own_state(self) -> Data:
        """The routine's state in this job, to be changed in place."""
        if self._state is None:
            self._state = StateView(self._host, self._routine_id)
        return self._state.state

    def update_shared(self, key: str, value: Any) -> None:
        """Set a shared key at the commit, to a value or to a function of its old value."""
        kept = clone_fields({key: None if callable(value) else value}, "shared_data")
        self._updates.append((key, value if callable(value) else kept[key]))

    def log(self, entry: Any) -> None:
        """Append to the shared log at the commit."""
        self._logged.append(clone(entry, "shared_log"))

    def expect(self, slot: str, patience: float | None) -> None:
        """Leave a task without data, to be delivered to from outside."""
        self._expected.append(Expectation(slot, patience))

    def changes(self) -> Changes:
        """All of it as data. Call it under the host's lock, right before the commit."""
        changes = Changes(logged=self._logged, expected=self._expected)
        if self._shared is not None:
            self._shared.collect(changes)
        if self._state is not None:
            self._state.collect(changes)
        for key, value in self._updates:
            self._apply_update(changes, key, value)
        return changes

    def start_over(self) -> None:
        """Forget what a flush has just committed; views that the handler holds go on from there."""
        if self._shared is not None:
            self._shared.start_over([key for key, _ in self._updates])
        if self._state is not None:
            self._state.start_over()
        self._updates, self._logged, self._expected = [], [], []

    def _apply_update(self, changes: Changes, key: str, value: Any) -> None:
        if callable(value):
            value = value(clone(self._value_so_far(changes, key), f"shared_data.{key}"))
        changes.written.update(clone_fields({key: value}, "shared_data"))
        changes.removed = [removed for removed in changes.removed if removed != key]

    def _value_so_far(self, changes: Changes, key: str) -> Any:
        if key in changes.written:
            return changes.written[key]
        return None if key in changes.removed else self._host.job.shared_data.get(key)


class Activation(msgspec.Struct):
    """One call of a handler for one task: what it is given, and what it has done that is not yet committed."""

    host: Host
    task: Task
    handler: Handler
    given: Data
    started: HistoryRecord | None
    outbox: list[HistoryRecord]
    routing: dict[int, Emission] | None = None
    deals: Dealings | None = None
    closed: bool = False

    def emit(self, routine: Any, event: str, data: Data) -> None:
        """Put one emission into the outbox; it becomes part of the job when the handler returns."""
        handler = self.handler
        if self.closed or routine is not handler.routine or event not in handler.routes:
            self._refuse_emission(routine, event)
        for route in handler.routes[event]:
            if route.mapping is not None:
                _check_mapping(route, event, data)
        self.outbox.append(HistoryRecord(handler.routine_id, event, clone_fields(data, event), self.host.now()))

    def _refuse_emission(self, routine: Any, event: str) -> None:
        self.check_open("emit")
        routine_id = self.task.target.routine_id
        if routine is not self.handler.routine:
            raise OutsideActivationError(
                f"{routine!r} cannot emit {event!r} in a handler of routine {routine_id!r}: "
                f"a handler emits through its own routine (self.emit)"
            )
        raise DefinitionError(
            f"unknown event {event!r} of routine {routine_id!r}; "
            f"it has: {', '.join(map(repr, self.handler.routes)) or 'none'}"
        )

    def check_open(self, verb: str) -> None:
        """Refuse what comes after the handler has returned or its attempt was given up."""
        if self.closed:
            raise OutsideActivationError(
                f"cannot {verb}: task {self.task.number} of routine {self.task.target.routine_id!r} has ended"
            )

    def expect(self, routine: Any, slot: str, patience: float | None) -> None:
        """Leave a task without data for a slot of the handler's own routine."""
        self.check_open("expect")
        target = SlotKey(self.task.target.routine_id, slot)
        if routine is not self.handler.routine:
            raise OutsideActivationError(
                f"{routine!r} cannot expect {slot!r} in a handler of routine {target.routine_id!r}: "
                f"a handler expects for its own routine (self.expect)"
            )
        if target not in self.host.graph.slots:
            raise DefinitionError(f"slot {slot!r} of {routine!r} was defined after this job had begun")
        self.dealings.expect(slot, patience)

    def route_last(self, emission: Emission) -> None:
        """Say how the last emission is to be routed."""
        if self.routing is None:
            self.routing = {}
        self.routing[len(self.outbox) - 1] = emission

    @property
    def dealings(self) -> Dealings:
        """What it does to its job besides emitting."""
        if self.deals is None:
            self.deals = Dealings(self.host, self.task.target.routine_id)
        return self.deals

    def start_over(self) -> None:
        """Forget what has just been committed by a flush."""
        self.started, self.outbox, self.routing = None, [], None
        if self.deals is not None:
            self.deals.start_over()


def _check_mapping(route: Route, event: str, data: Data) -> None:
    if len(route.mapped(data)) != len(data):
        raise DefinitionError(
            f"event {event!r} with parameters {', '.join(map(repr, data))} cannot go to {route.target}: "
            f"the param_mapping of that connection would give two of them the same name"
        )


class ExecutionContext:
    """What a handler may know of its own activation (`Routine.get_execution_context`).

    `task_id` and `attempt` (from 1) are stable over pauses, transfers and crashes: use them as an idempotency key
    (law 2). `state` is a dict of the routine in this job, committed with the activation. `flushes` says how often
    attempts of this task have flushed so far.
    """

    __slots__ = ("_activation",)

    def __init__(self, activation: Activation) -> None:
        self._activation = activation

    @property
    def flow(self) -> Any:
        """The flow that runs the job."""
        return self._activation.host.flow

    @property
    def job_state(self) -> Any:
        """The job."""
        return self._activation.host.job_state

    @property
    def routine_id(self) -> str:
        """The id of the routine in its flow."""
        return self._activation.task.target.routine_id

    @property
    def slot(self) -> str:
        """The name of the slot whose handler runs."""
        return self._activation.task.target.slot

    @property
    def task_id(self) -> str:
        """The task's id, unique among all jobs."""
        return f"{self._activation.host.job.job_id}:{self._activation.task.number}"

    @property
    def attempt(self) -> int:
        """Which attempt of the task this is, from 1."""
        return self._activation.task.retry_count + 1

    @property
    def flushes(self) -> int:
        """How many flushes of this task are committed."""
        return self._activation.task.flushes

    @property
    def priority(self) -> int:
        """The task's priority; higher runs first."""
        return self._activation.task.priority

    @property
    def metadata(self) -> Data:
        """What was sent beside the data (`Routine.emit_with`); a copy."""
        return clone_fields(self._activation.task.metadata or {}, "metadata")

    @property
    def state(self) -> Data:
        """The routine's own dict in this job; changes are committed with the activation."""
        return self._activation.dealings.own_state()


def running_activation() -> Activation | None:
    """The activation around the caller, if any; one that has ended is none."""
    activation: Activation | None = current.get()
    return None if activation is None or activation.closed else activation


def required_activation(verb: str) -> Activation:
    """The activation around the caller; OutsideActivationError where there is none or it has ended."""
    activation: Activation | None = current.get()
    if activation is None:
        raise OutsideActivationError(
            f"cannot {verb} outside of a handler; in a thread of your own, run it in contextvars.copy_context()"
        )
    if activation.closed:
        activation.check_open(verb)
    return activation
