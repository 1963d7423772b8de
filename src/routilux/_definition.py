"""What a flow consists of: the builder, and the document of a definition."""

import threading
from collections.abc import Iterator, Mapping, Set
from typing import Any
from uuid import uuid4

from routilux._binding import binding_of
from routilux._changed_document import changed_fields
from routilux._choices import chosen
from routilux._compile import bind_handlers, compile_graph
from routilux._durations import checked_timeout
from routilux._flow_document import FlowDocument
from routilux._forks import renew_after_fork
from routilux._graph import Graph
from routilux._handler import Handlers
from routilux._migrations import CURRENT_FORMAT, upgrade
from routilux._model import EventKey, ExecutionStrategy, MergeKind, SlotKey
from routilux._numbers import checked_count
from routilux._plan import NO_PLAN, Plan, checked_plan
from routilux._resources import Resources
from routilux._routine_document import check_constructor, read_routine, write_routine
from routilux._secrecy import Secrecy
from routilux._shapes import read_as_document, read_fields
from routilux._texts import checked_id, checked_name
from routilux.connection import Connection
from routilux.error_handler import ErrorHandler
from routilux.errors import DefinitionError, listed
from routilux.routine import Routine
from serilux import (
    Serializable,
    check_document,
    check_serializable,
    collected,
    decode_fields,
    encode_fields,
    lookup_class,
    name_in,
    raise_together,
    read_part,
    registered_name,
    renamed_classes,
    rooted,
)
from serilux.errors import SeriluxError


class Definition(Serializable):
    """Routines wired event to slot, with the settings of their jobs. `Flow` says what the settings mean."""

    _may_be_data = False

    def __init__(
        self,
        flow_id: str | None = None,
        execution_strategy: ExecutionStrategy | str = ExecutionStrategy.SEQUENTIAL,
        max_workers: int = 4,
        execution_timeout: float | None = None,
        resources: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__()
        self._begin_anew()
        renew_after_fork(self)
        self.flow_id = f"flow-{uuid4().hex}" if flow_id is None else flow_id
        self.execution_strategy = execution_strategy
        self.max_workers = max_workers
        self.execution_timeout = execution_timeout
        self._resources = Resources(resources)
        self._secrecy = Secrecy()
        self._routines: dict[str, Routine] = {}
        self._connections: list[Connection] = []
        self._error_handler: ErrorHandler | None = None
        self._compiled: tuple[Graph, Handlers] | None = None
        self._needy: dict[str, Routine] = {}
        self._read_by = NO_PLAN
        self._is_readable = False

    @property
    def flow_id(self) -> str:
        """The name by which jobs know their flow; a random one, unless given."""
        return self._flow_id

    @flow_id.setter
    def flow_id(self, flow_id: str) -> None:
        self._flow_id = checked_id(flow_id, "a flow_id")
        self._definition_changed()

    @property
    def execution_strategy(self) -> ExecutionStrategy:
        """Whether a job runs one activation at a time; it may be set to the strategy's name."""
        return self._execution_strategy

    @execution_strategy.setter
    def execution_strategy(self, strategy: ExecutionStrategy | str) -> None:
        self._execution_strategy = chosen(ExecutionStrategy, strategy, "execution strategy")
        self._definition_changed()

    @property
    def max_workers(self) -> int:
        """How many threads serve the flow's jobs; what is set after the first of them was executed has no effect."""
        return self._max_workers

    @max_workers.setter
    def max_workers(self, max_workers: int) -> None:
        self._max_workers = checked_count(max_workers, "max_workers", least=1)

    @property
    def execution_timeout(self) -> float | None:
        """How many seconds a job may run, pauses not counted; None where there is no limit. JobTimeout fails it."""
        return self._execution_timeout

    @execution_timeout.setter
    def execution_timeout(self, timeout: float | None) -> None:
        self._execution_timeout = checked_timeout(timeout, "execution_timeout")

    @property
    def resources(self) -> Resources:
        """What this host gives to the handlers, by name: in no document, and kept when one is read."""
        return self._resources

    @property
    def routines(self) -> Mapping[str, Routine]:
        """The routines by id, in the order in which they were added."""
        return dict(self._routines)

    @property
    def connections(self) -> list[Connection]:
        """The connections, in the order in which they were made."""
        return list(self._connections)

    def add_routine(self, routine: Routine, routine_id: str | None = None) -> str:
        """Make a routine part of the flow; its id comes back (from the name of its class, unless given).

        DefinitionError where the id is taken, or the routine is part of a flow already.
        """
        if not isinstance(routine, Routine):
            raise DefinitionError(f"a flow consists of Routine objects, not of {routine!r}: add_routine(routine, id)")
        if routine._flow_id is not None:
            raise DefinitionError(f"{routine!r} is part of flow {routine._flow_id!r} already; add another object")
        given = self._free_id(type(routine).__name__) if routine_id is None else routine_id
        name = checked_name(given, "a routine's id")
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
        routine._join(self.flow_id, routine_id, self._resources, self._secrecy)

    def connect(
        self,
        source_routine_id: str,
        source_event: str,
        target_routine_id: str,
        target_slot: str,
        param_mapping: dict[str, str] | None = None,
        priority: int = 0,
    ) -> Connection:
        """Lead an event to a slot; `Connection` says what `param_mapping` and `priority` mean.

        DefinitionError where there is no such routine, event or slot, where the slot has no handler, and for what can
        be known never to fit: a parameter that the slot's handler has not. The rest is a BindingError when data is
        delivered.
        """
        event = self._routine(source_routine_id).get_event(source_event)
        slot = self._routine(target_routine_id).get_slot(target_slot)
        if slot.handler is None:
            raise DefinitionError(
                f"slot {target_slot!r} of routine {target_routine_id!r} has no handler to take what would come there; "
                f"give it one: define_slot({target_slot!r}, handler=self...)"
            )
        connection = Connection(
            EventKey(source_routine_id, source_event),
            SlotKey(target_routine_id, target_slot),
            param_mapping,
            priority,
        )
        if slot.merge_kind is not MergeKind.FUNCTION:
            connection.check_fits(event.output_params, binding_of(slot.handler, f"{connection.target}"))
        self._connections.append(connection)
        self._definition_changed()
        return connection

    def _routine(self, routine_id: str) -> Routine:
        if isinstance(routine_id, Routine):
            raise DefinitionError(f"a routine is named by its id, as add_routine gives it, not by {routine_id!r}")
        if not isinstance(routine_id, str) or routine_id not in self._routines:
            raise DefinitionError(
                f"flow {self.flow_id!r} has no routine {routine_id!r}; it has: {listed(self._routines)}",
                name=routine_id,
                known=self._routines,
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

    def _give_secrets(self, other: "Definition") -> None:
        """Set in another one, as its host would, the secrets that are set here."""
        for routine_id, routine in other._routines.items():
            if routine_id in self._routines:
                secrets = self._routines[routine_id]._secrets.items()
                routine._keep({name: value for name, value in secrets if value is not None})

    def _begin_anew(self) -> None:
        self._lock = threading.RLock()

    def _definition_changed(self) -> None:
        with self._lock:
            self._compiled, self._is_readable = None, False

    def _compile(self) -> tuple[Graph, Handlers]:
        compiled = self._compiled
        return self._compiled_anew() if compiled is None else compiled

    def _compiled_anew(self) -> tuple[Graph, Handlers]:
        with self._lock:
            if self._compiled is None:
                concurrent = self.execution_strategy is ExecutionStrategy.CONCURRENT
                graph = compile_graph(self.flow_id, concurrent, self._routines, self._connections)
                self._needy = {name: routine for name, routine in self._routines.items() if routine._needs_anything}
                self._compiled = (graph, bind_handlers(graph, self._routines, self._error_handler))
            return self._compiled

    def serialize(self) -> dict[str, Any]:
        """The definition as a document; it holds no state of any job (page: Flow and JobState Separation).

        TypeError names a routine whose class cannot be built without arguments, or that was made with some, ValueError
        a handler that no other process could find.
        """
        self._check_constructors()
        name = registered_name(type(self))
        document = {
            "_type": name,
            "format": CURRENT_FORMAT,
            "flow_id": self.flow_id,
            "execution_strategy": self.execution_strategy.value,
            "max_workers": self.max_workers,
            "execution_timeout": self.execution_timeout,
            "error_handler": None if self._error_handler is None else self._error_handler.serialize(),
            "routines": {
                routine_id: write_routine(routine_id, routine) for routine_id, routine in self._routines.items()
            },
            "connections": [connection.serialize() for connection in self._connections],
        }
        document |= encode_fields(self, name)
        self._secrecy.check_document(document, "flow")
        return document

    def _check_constructors(self) -> None:
        """Refuse what a reader could not build (page: What Gets Validated); nested objects are checked as written."""
        for routine_id, routine in self._routines.items():
            check_constructor(routine_id, routine)
        for path, part in self._parts():
            check_serializable(part, path)

    def _parts(self) -> Iterator[tuple[str, Serializable]]:
        if self._error_handler is not None:
            yield "error_handler", self._error_handler
        for routine_id, routine in self._routines.items():
            yield from routine._parts(f"routines.{routine_id}")
        for index, connection in enumerate(self._connections):
            yield f"connections[{index}]", connection

    def deserialize(self, data: dict[str, Any], *, plan: Plan | None = None) -> None:
        """Read a document; one that is refused leaves this flow as it was (law 8).

        With a `plan` it is read as of a flow whose routines, slots and classes are called as that says, and whose
        configurations are what its functions make of them.
        """
        checked = checked_plan(plan)
        with rooted(), renamed_classes(checked.classes):
            self._deserialize(data, checked)

    def _deserialize(self, data: Any, plan: Plan) -> None:
        check_document(data, "")
        name = registered_name(type(self))
        document = upgrade(data, "Flow", name_in(data, type(self)))
        fields = read_fields(document, FlowDocument, "", further=self._serializable_fields)
        read = _read_definition(changed_fields(fields, plan))
        self.set_fields(decode_fields(self, {key: document[key] for key in document if key not in fields}, name))
        for name in ("flow_id", "execution_strategy", "max_workers", "execution_timeout"):
            setattr(self, name, getattr(read, name))
        for routine_id, routine in read._routines.items():
            self._adopt(routine, routine_id)
        self._error_handler, self._routines = read._error_handler, read._routines
        self._connections, self._read_by = read._connections, plan
        self._definition_changed()
        self._is_readable = True

    def _check_readable(self, document: dict[str, Any]) -> None:
        """Refuse to keep jobs with a document that could not be read again: DefinitionError says why."""
        with self._lock:
            if self._is_readable:
                return
            try:
                if document["_type"] != "Flow":
                    lookup_class(document["_type"], "_type")
                with rooted():
                    _read_definition(read_fields(document, FlowDocument, "", further=self._serializable_fields))
            except SeriluxError as error:
                raise DefinitionError(
                    f"flow {self.flow_id!r} cannot be kept in a store: after a crash it could not be read again, since "
                    f"{error}"
                ) from error
            self._is_readable = True


def _read_definition(fields: dict[str, Any]) -> Definition:
    with read_as_document("$"):
        definition = Definition(
            fields["flow_id"],
            fields.get("execution_strategy", ExecutionStrategy.SEQUENTIAL),
            fields.get("max_workers", 4),
            fields.get("execution_timeout"),
        )
    if fields.get("error_handler") is not None:
        definition._error_handler = ErrorHandler()
        read_part(definition._error_handler, fields["error_handler"], "error_handler")
    _read_parts(definition, fields.get("routines", {}), fields.get("connections", []))
    return definition


def _read_parts(definition: Definition, routines: dict[str, Any], connections: list[Any]) -> None:
    """Read all routines and connections, and raise all that is wrong with them together."""
    problems: list[SeriluxError] = []
    for routine_id, document in routines.items():
        with collected(problems):
            definition._routines[routine_id] = read_routine(routine_id, document)
    refused = routines.keys() - definition._routines.keys()
    for index, document in enumerate(connections):
        with collected(problems):
            _read_connection(definition, document, f"connections[{index}]", refused)
    raise_together(problems)


def _read_connection(definition: Definition, document: Any, path: str, refused: Set[str]) -> None:
    """Read a connection; whether it fits a routine that was refused itself cannot be said."""
    connection = Connection()
    read_part(connection, document, path)
    if not refused.isdisjoint((connection.source.routine_id, connection.target.routine_id)):
        return
    with read_as_document(path):
        definition.connect(*connection.source, *connection.target, connection.param_mapping, connection.priority)
