"""A node of a flow."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Never, Self

from routilux._choices import chosen
from routilux._configured import Configured, report_shared_change, unnamed_values
from routilux._context import Activation, ExecutionContext, required_activation, running_activation
from routilux._current import get_current
from routilux._durations import checked_delay, checked_timeout
from routilux._flow_document import RoutineDocument, parts_by_name
from routilux._model import ErrorStrategy, MergeKind, SideEffects
from routilux._records import LIST_OF_APPEND, Data, Emission, HistoryRecord, read_data
from routilux._shapes import read_as_document, read_fields
from routilux._texts import checked_name
from routilux.connection import checked_priority
from routilux.error_handler import ErrorHandler
from routilux.errors import DefinitionError, listed
from routilux.event import Event
from routilux.slot import Merge, Predicate, Slot, SlotDocument
from serilux import (
    Serializable,
    clone_fields,
    decode_fields,
    encode,
    encode_fields,
    is_fixed,
    name_in,
    read_part,
    reference_to,
    register_serializable,
    registered_name,
    resolve_reference,
)
from serilux.errors import CallableReferenceError, DocumentError, ForeignMethodError


@register_serializable
class Routine(Configured):
    """A node: named slots take data in and call its methods, named events give data out.

    Subclasses define slots and events in an `__init__` without parameters, and are configured with `set_config`
    (page: Constructor Requirements). One routine serves all jobs of its flow: what belongs to a job goes into the
    execution context's `state` or into `job_state.shared_data`, never into an attribute.

    >>> from routilux import Flow, Routine
    >>> class Splitter(Routine):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.define_slot("trigger", handler=self.split)
    ...         self.define_slot("word", handler=self.count)
    ...         self.define_event("word", ["word"])
    ...
    ...     def split(self, text):
    ...         for word in text.split():
    ...             self.emit("word", word=word)
    ...
    ...     def count(self, word):
    ...         state = self.get_execution_context().state
    ...         state[word] = state.get(word, 0) + 1
    >>> flow = Flow("words")
    >>> name = flow.add_routine(Splitter(), "splitter")
    >>> flow.connect("splitter", "word", "splitter", "word")
    <Connection splitter.word -> splitter.word>
    >>> job = flow.execute("splitter", {"text": "to be or not to be"})
    >>> job.wait(timeout=10), job.get_routine_state("splitter")["be"]
    (True, 2)
    """

    _has_arguments: bool
    _error_handler: ErrorHandler | None
    _effects: SideEffects
    _slots: dict[str, Slot]
    _unmatched_slots: dict[str, str]
    _events: dict[str, Event]

    def __new__(cls, *arguments: object, **named: object) -> Self:
        """What it is made with is in no document, and so is refused by `Flow.serialize`."""
        made = super().__new__(cls, *arguments, **named)
        made._have(_has_arguments=bool(arguments or named), _slots={}, _unmatched_slots={}, _events={})
        made._have(_error_handler=None, _effects=SideEffects.REPEATABLE)
        return made

    def __init__(self) -> None:
        super().__init__()
        if not hasattr(self, "_slots"):
            name = type(self).__name__
            raise DefinitionError(f"{name}.__new__ has to call super().__new__(cls): it is no routine without that")

    def __setattr__(self, name: str, value: Any) -> None:
        if running_activation() is not None and self.__dict__.get("_routine_id") is not None:
            report_shared_change(self, f"attribute {name!r}")
        super().__setattr__(name, value)

    def __repr__(self) -> str:
        return f"<{self._reference_label()}>"

    def _reference_label(self) -> str:
        return f"{type(self).__name__}[{self._routine_id or 'not in a flow'}]"

    @property
    def slots(self) -> Mapping[str, Slot]:
        """The slots by name."""
        return dict(self._slots)

    @property
    def unmatched_slots(self) -> Mapping[str, str]:
        """The slots that only the `document` it was read from has, or only its `class`; `Flow.check` notes them."""
        return dict(self._unmatched_slots)

    @property
    def events(self) -> Mapping[str, Event]:
        """The events by name."""
        return dict(self._events)

    def define_slot(
        self,
        name: str,
        handler: Callable[..., Any] | None = None,
        merge_strategy: str | Merge = "override",
        when: Predicate | None = None,
        *,
        timeout: float | None = None,
    ) -> Slot:
        """Add an input; `Slot` says what the parameters mean. A name can be given once.

        DefinitionError for what can be no handler, predicate or strategy. Whether another process could find the
        handler is asked when the flow is serialized (page: Handler Method Validation).
        """
        _check_name(name, "slot", self._slots)
        self._slots[name] = slot = Slot(name, handler, merge_strategy, when, timeout)
        self._on_change()
        return slot

    def define_event(self, name: str, output_params: Iterable[str] = ()) -> Event:
        """Add an output with the parameters it usually has; `emit` may give others. A name can be given once."""
        _check_name(name, "event", self._events)
        self._events[name] = event = Event(name, output_params)
        self._on_change()
        return event

    def get_slot(self, name: str) -> Slot:
        """The slot of that name; DefinitionError lists the names there are."""
        if not isinstance(name, str) or name not in self._slots:
            raise _unknown("slot", name, self, self._slots)
        return self._slots[name]

    def get_event(self, name: str) -> Event:
        """The event of that name; DefinitionError lists the names there are."""
        if not isinstance(name, str) or name not in self._events:
            raise _unknown("event", name, self, self._events)
        return self._events[name]

    def emit(self, event_name: str, /, *unnamed: Never, **data: Any) -> None:
        """Send data, from within a handler, to every slot that the event is connected to.

        The data is copied at once, and sent when the handler returns: whole or not at all (law 1). DefinitionError for
        an event that is not defined or data without names, UnsupportedValueError for data that no document can carry
        (law 9), OutsideActivationError outside of a handler.
        """
        if unnamed:
            raise unnamed_values(f"emit({event_name!r}, ", unnamed)
        activation: Activation = get_current() or required_activation("emit")
        handler = activation.handler
        if self is handler.routine and event_name in handler.unmapped and is_fixed(data):
            read_clock = activation.host.now  # called as if it were a method, it would be looked for in the class first
            record = HistoryRecord(handler.routine_id, event_name, data, read_clock())
            if not activation.closed:  # after all calls: threads take turns at those
                activation.outbox.append(record)
                return
        activation.emit(self, event_name, data)

    def emit_with(
        self,
        event_name: str,
        data: Data,
        *,
        priority: int | None = None,
        metadata: Data | None = None,
        delay: float | None = None,
    ) -> None:
        """Like `emit`, with a priority (instead of the connections' own) and metadata for the tasks it makes.

        With a `delay` these wait for so many seconds, from when the handler returns or flushes; time in which no
        process runs the job counts.
        """
        if type(data) is not dict:
            raise DefinitionError(f"the data of event {event_name!r} is a dict of parameters, not {data!r}")
        emission = Emission(
            None if priority is None else checked_priority(priority),
            None if metadata is None else clone_fields(metadata, "metadata"),
            checked_delay(delay, f"the delay of event {event_name!r}"),
        )
        required_activation("emit").emit_routed(self, event_name, data, emission)

    def flush(self) -> None:
        """Commit what this handler has done so far; later attempts of the task see it in `flushes` (law 1).

        For a stored job it is on disk like any commit: within the store's window. OutsideActivationError outside of a
        handler.
        """
        activation = required_activation("flush")
        activation.host.flush(activation)

    def expect(self, slot: str, timeout: float | None = None) -> None:
        """Leave a task that waits until `flow.deliver` brings its data, or fails after `timeout` seconds.

        The job is not completed while it waits. After the timeout it is a `DeliveryTimeout`, on which the routine's
        error handler decides; time in which no process runs the job counts.
        """
        if self.get_slot(slot).handler is None:
            raise DefinitionError(f"slot {slot!r} of {self!r} has no handler to deliver to")
        patience = checked_timeout(timeout, f"the timeout for slot {slot!r}")
        required_activation("expect").expect(self, slot, patience)

    def get_execution_context(self) -> ExecutionContext:
        """What the running handler may know of its activation; OutsideActivationError outside of one."""
        return ExecutionContext(running_activation() or required_activation("get an execution context"))

    def set_error_handler(self, error_handler: ErrorHandler | None) -> None:
        """Say what failures of this routine mean; None leaves it to the flow."""
        if not isinstance(error_handler, ErrorHandler | None):
            raise DefinitionError(f"an error handler is an ErrorHandler or None, not {error_handler!r}")
        self._error_handler = error_handler
        self._on_change()

    def get_error_handler(self) -> ErrorHandler | None:
        """The policy of this routine, or None where the flow's counts."""
        return self._error_handler

    def set_as_optional(self, strategy: ErrorStrategy | str = ErrorStrategy.CONTINUE) -> None:
        """Let the job go on when this routine fails."""
        self.set_error_handler(ErrorHandler(strategy))

    def set_as_critical(self, max_retries: int = 3, retry_delay: float = 1.0, retry_backoff: float = 2.0) -> None:
        """Retry this routine, then fail the job; `ErrorHandler` says what the delays (seconds) mean."""
        self.set_error_handler(
            ErrorHandler(ErrorStrategy.RETRY, max_retries, retry_delay, retry_backoff, is_critical=True)
        )

    def set_effects(self, effects: SideEffects | str) -> None:
        """Say what its handlers do to the world outside, for the case that their process dies in the middle.

        `repeatable` is the default; with `at_most_once` a stored job pauses then, and `Flow.resolve` decides.
        """
        self._effects = chosen(SideEffects, effects, "effects")
        self._on_change()

    @property
    def effects(self) -> SideEffects:
        """What its handlers do to the world outside; `set_effects` says what that means."""
        return self._effects

    def _conditions(self) -> Iterable[tuple[str, Callable[..., Any]]]:
        """The functions that decide on an event, beside those of the slots: part of the fingerprint (law 7)."""
        return ()

    def _parts(self, path: str) -> Iterator[tuple[str, Serializable]]:
        """What the routine consists of, with its path: what a reader will have to build."""
        if self._error_handler is not None:
            yield f"{path}._error_handler", self._error_handler
        for name, slot in self._slots.items():
            yield f"{path}._slots.{name}", slot
        for name, event in self._events.items():
            yield f"{path}._events.{name}", event

    def serialize(self) -> dict[str, Any]:
        """The routine as a document; what it cannot hold is refused with its path."""
        document: dict[str, Any] = {
            "_type": registered_name(type(self)),
            "_config": encode(self._config, "_config"),
            "_error_handler": None if self._error_handler is None else self._error_handler.serialize(),
            "_slots": {name: self._write_slot(slot) for name, slot in self._slots.items()},
            "_events": {name: event.serialize() for name, event in self._events.items()},
            **self._write_needs(),
        }
        if self._effects is not SideEffects.REPEATABLE:
            document["_effects"] = self._effects.value
        document |= encode_fields(self, document["_type"])
        self._secrecy.check_document(document, self._reference_label())
        return document

    def _write_slot(self, slot: Slot) -> dict[str, Any]:
        return {
            "handler": self._reference(slot.handler, f"{slot.name}.handler"),
            "merge_strategy": slot.merge_strategy
            if isinstance(slot.merge_strategy, str)
            else self._reference(slot.merge_strategy, f"{slot.name}.merge_strategy"),
            "when": self._reference(slot.when, f"{slot.name}.when"),
            "timeout": slot.timeout,
            "_data": encode(slot._data, f"_slots.{slot.name}._data"),
        }

    def _reference(self, function: Callable[..., Any] | None, place: str) -> str | None:
        try:
            return None if function is None else reference_to(function, self)
        except ForeignMethodError:  # whose words are those of the page
            raise
        except CallableReferenceError as error:
            error.under(f"{registered_name(type(self))}._slots.{place}")
            raise

    def deserialize(self, data: dict[str, Any]) -> None:
        """Read a document of this very class; one that is refused leaves the routine as it was (law 8)."""
        name = self._check_class(data)
        fields = read_fields(data, RoutineDocument, name, further=data)
        settings = self._read_settings(fields, name)
        error_handler = _read_error_handler(fields.get("_error_handler"), f"{name}._error_handler")
        slots = self._read_slots(fields.get("_slots", {}), f"{name}._slots")
        events = _read_events(fields.get("_events", {}), f"{name}._events")
        effects = _read_effects(fields.get("_effects", self._effects), f"{name}._effects")
        values = decode_fields(self, {key: data[key] for key in data if key not in fields}, name)
        self._check_fields(values, {*self._events, *events})
        self.set_fields(values)
        self._take_settings(settings)
        self._error_handler = error_handler
        self._effects = effects
        self._unmatched_slots = _unmatched(slots, self._slots)
        self._slots = {**slots, **{name: slot for name, slot in self._slots.items() if name not in slots}}
        self._events = {
            **events,
            **{name: event for name, event in self._events.items() if name not in events},
        }
        self._on_change()

    def _check_fields(self, values: Data, events: Collection[str]) -> None:
        """Refuse what was read for the fields and does not fit together, with the names of all events."""

    def _check_class(self, data: Any) -> str:
        name = registered_name(type(self))
        if type(data) is not dict:
            raise DocumentError(f"a routine's document is an object, not {type(data).__name__}", path=name)
        if data.get("_type") != name_in(data, type(self)):
            raise DocumentError(
                f"this is the document of a {data.get('_type')!r}, not of a {name!r}; "
                f"build one of its class: {data.get('_type')}().deserialize(data)",
                path=f"{name}._type",
            )
        return name

    def _read_slots(self, documents: Any, path: str) -> dict[str, Slot]:
        parts = parts_by_name(documents, "slot", path)
        return {name: self._read_slot(name, slot, f"{path}.{name}") for name, slot in parts.items()}

    def _read_slot(self, name: str, document: Any, path: str) -> Slot:
        fields = read_fields(document, SlotDocument, path)
        strategy = fields.get("merge_strategy", MergeKind.OVERRIDE.value)
        if strategy not in (MergeKind.OVERRIDE.value, MergeKind.APPEND.value):
            strategy = resolve_reference(strategy, self, f"{path}.merge_strategy")
        handler = self._resolved(fields.get("handler"), f"{path}.handler")
        when = self._resolved(fields.get("when"), f"{path}.when")
        with read_as_document(path):
            slot = Slot(name, handler, strategy, when, fields.get("timeout"))
        slot._data = read_data(fields.get("_data", {}), f"{path}._data", LIST_OF_APPEND)
        return slot

    def _resolved(self, reference: Any, path: str) -> Any:
        return None if reference is None else resolve_reference(reference, self, path)


def _unmatched(read: Mapping[str, Slot], defined: Mapping[str, Slot]) -> dict[str, str]:
    only_read = {name: "document" for name in read if name not in defined}
    return only_read | {name: "class" for name in defined if name not in read}


def _check_name(name: str, kind: str, taken: Mapping[str, Any]) -> None:
    if checked_name(name, f"the name of a {kind}") in taken:
        raise DefinitionError(f"the {kind} {name!r} is there already; a name is given once")


def _unknown(kind: str, name: str, routine: Routine, known: Collection[str]) -> DefinitionError:
    return DefinitionError(f"unknown {kind} {name!r} of {routine!r}; it has: {listed(known)}", name=name, known=known)


def _read_error_handler(document: Any, path: str) -> ErrorHandler | None:
    if document is None:
        return None
    error_handler = ErrorHandler()
    read_part(error_handler, document, path)
    return error_handler


def _read_events(documents: Any, path: str) -> dict[str, Event]:
    events: dict[str, Event] = {}
    for name, document in parts_by_name(documents, "event", path).items():
        events[name] = Event(name)
        read_part(events[name], document, f"{path}.{name}")
    return events


def _read_effects(effects: Any, path: str) -> SideEffects:
    with read_as_document(path):
        return chosen(SideEffects, effects, "effects")
