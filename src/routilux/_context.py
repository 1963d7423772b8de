"""What a running handler is given and does: its activation, with its outbox, and what it may know of that."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol, cast

import msgspec

from routilux._current import current
from routilux._dealings import Dealings, Guarded, LookedAt
from routilux._graph import Graph, Route, Source
from routilux._handler import Handler
from routilux._model import SlotKey
from routilux._records import Data, Emission, HistoryRecord, Task, changed_often, task_id
from routilux.errors import BlockingCallError, DefinitionError, OutsideActivationError, RoutiluxError, listed
from serilux import clone_fields, copy_fields

if TYPE_CHECKING:  # for those who write handlers: nothing here needs them
    from routilux.flow import Flow
    from routilux.job_state import JobState


class Host(Guarded, Protocol):
    """The little that an activation needs of the job that runs it."""

    flow: object
    deciding: "Activation | None"
    graph: Graph

    @property
    def job_state(self) -> object:
        """The handle that users have of the job."""

    def now(self) -> float:
        """Seconds since the epoch."""

    def flush(self, activation: "Activation") -> None:
        """Commit what the activation has done so far."""


@changed_often
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

    def emit(self, routine: object, event: str, data: Data) -> HistoryRecord:
        """Put one emission into the outbox; it becomes part of the job when the handler returns."""
        handler = self.handler
        routes = handler.routes.get(event)
        if routes is None or routine is not handler.routine:
            raise self._refusal(routine, event)
        for route in routes:
            if route.mapping is not None:
                _check_mapping(route, event, data)
        record = HistoryRecord(handler.routine_id, event, clone_fields(data, event), self.host.now())
        if self.closed:  # after all calls: threads take turns at those
            raise self._refusal(routine, event)
        self.outbox.append(record)
        return record

    def emit_routed(self, routine: object, event: str, data: Data, emission: Emission) -> None:
        """Put in an emission that says how it is to be routed; other threads of the handler may emit meanwhile."""
        with self.host.lock:
            record = self.emit(routine, event, data)
            routing = self.routing = self.routing or {}
            outbox = self.outbox
            index = next(index for index in reversed(range(len(outbox))) if outbox[index] is record)
            routing[index] = emission

    def _refusal(self, routine: object, event: str) -> RoutiluxError:
        self.check_open("emit")
        routine_id = self.task.target.routine_id
        if routine is not self.handler.routine:
            return OutsideActivationError(
                f"{routine!r} cannot emit {event!r} in a handler of routine {routine_id!r}: "
                f"a handler emits through its own routine (self.emit)"
            )
        return unknown_event(event, self.handler)

    def check_open(self, verb: str) -> None:
        """Refuse what comes after the handler has returned, or its attempt was given up; and what decides, to act."""
        if self.is_deciding:
            raise deciding_refused(verb)
        if self.closed:
            raise OutsideActivationError(
                f"cannot {verb}: task {self.task.number} of routine {self.task.target.routine_id!r} has ended"
            )

    def expect(self, routine: object, slot: str, patience: float | None) -> None:
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

    @property
    def is_deciding(self) -> bool:
        """Whether it stands for one about which users' code decides, under the job's lock."""
        return self.host.deciding is self

    @property
    def has_ended(self) -> bool:
        """Whether its handler has returned, or was given up: what that still does is no part of the job."""
        return self.closed and not self.is_deciding

    @property
    def dealings(self) -> Dealings:
        """What it does to its job besides emitting."""
        if self.deals is None:
            self.deals = Dealings(self.host, self.task.target.routine_id)
        return self.deals

    def emptied(self) -> tuple[HistoryRecord | None, list[HistoryRecord], dict[int, Emission] | None]:
        """What it has done so far, for a flush; what another of its threads emits from now on is for the next one."""
        done = self.started, self.outbox, self.routing
        self.started, self.outbox, self.routing = None, [], None
        return done

    def start_over(self) -> None:
        """Look anew at shared data and state, when a flush is committed."""
        if self.deals is not None:
            self.deals.start_over()


def unknown_event(event: object, source: Source) -> DefinitionError:
    """The error for an event that a routine has not."""
    return DefinitionError(
        f"unknown event {event!r} of routine {source.routine_id!r}; it has: {listed(source.routes)}",
        name=event,
        known=source.routes,
    )


def emissions(source: Source, emitted: Iterable[tuple[str, Data]], now: float) -> list[HistoryRecord]:
    """What somebody says that a handler has emitted, checked as `emit` does."""
    records = []
    for index, each in enumerate(emitted):
        if not (isinstance(each, tuple | list) and len(each) == 2 and type(each[1]) is dict):
            raise DefinitionError(f"emitted[{index}] is an event's name and a dict of its data, not {each!r}")
        event, data = each
        if (routes := source.routes.get(event)) is None:
            raise unknown_event(event, source)
        for route in routes:
            _check_mapping(route, event, data)
        records.append(HistoryRecord(source.routine_id, event, clone_fields(data, f"emitted[{index}].{event}"), now))
    return records


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
    def flow(self) -> "Flow":
        """The flow that runs the job."""
        return cast("Flow", self._activation.host.flow)

    @property
    def job_state(self) -> "JobState":
        """The job."""
        return cast("JobState", self._activation.host.job_state)

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
        return task_id(self._activation.host.job.job_id, self._activation.task.number)

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
        return copy_fields(self._activation.task.metadata or {}, "metadata")

    @property
    def state(self) -> Data:
        """The routine's own dict in this job; changes are committed with the activation."""
        own = self._activation.dealings.own_state()
        return LookedAt(copy_fields(own)) if self._activation.is_deciding else own


def running_activation() -> Activation | None:
    """The activation around the caller, if any; one that has ended is none."""
    activation: Activation | None = current.get()
    return None if activation is None or activation.has_ended else activation


def has_left(host: object) -> bool:
    """Whether the activation around the caller is one of this job that has ended: it is no more part of the job."""
    activation: Activation | None = current.get()
    return activation is not None and activation.host is host and activation.has_ended


def own_activation(host: object, verb: str = "") -> Activation | None:
    """The activation of this job around the caller; with a verb OutsideActivationError where it has ended."""
    activation: Activation | None = current.get()
    if activation is None or activation.host is not host:
        return None
    if activation.has_ended and verb:
        activation.check_open(verb)
    return None if activation.has_ended else activation


def deciding_refused(verb: str) -> BlockingCallError:
    """The error for what acts in the middle of a commit, under a job's lock."""
    return BlockingCallError(
        f"a predicate, merge function, update or policy cannot {verb}: it is asked in the middle of a commit, and may "
        f"only look; let the handler do it"
    )


def required_activation(verb: str) -> Activation:
    """The activation around the caller; OutsideActivationError where there is none or it has ended."""
    activation: Activation | None = current.get()
    if activation is None:
        raise OutsideActivationError(
            f"cannot {verb} outside of a handler: what comes from outside is given to a flow (execute, deliver); in a "
            f"thread that a handler has started, give each call a copy of the handler's context: "
            f"pool.submit(contextvars.copy_context().run, function)"
        )
    if activation.closed:
        activation.check_open(verb)
    return activation
