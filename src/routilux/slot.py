"""A routine's named input."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

from msgspec import field

from routilux._current import current, updating
from routilux._durations import checked_timeout
from routilux._fixed import Fixed
from routilux._model import MergeKind
from routilux._records import Data, values_seen
from routilux._shapes import MAYBE, DataDocument, Maybe, Reference, Shape, Timeout, a, said
from routilux._texts import checked_text
from routilux.errors import DefinitionError, OutsideActivationError
from serilux import clone_fields, copy_fields, register_serializable
from serilux.errors import DocumentError, UnsupportedValueError

Merge = Callable[[Data, Data], Data]
Predicate = Callable[[Data], bool]


class SlotDocument(Shape):
    """A slot of a routine; what was put into it outside of any job is its `_data`."""

    handler: Reference | Maybe = MAYBE
    merge_strategy: Annotated[Any, said(anyOf=[{"enum": ["override", "append"]}, a("reference")])] | Maybe = MAYBE
    when: Reference | Maybe = MAYBE
    timeout: Timeout | Maybe | None = MAYBE
    data: DataDocument | Maybe = field(name="_data", default=MAYBE)


@register_serializable
class Slot(Fixed):
    """Where a routine takes data in.

    `merge_strategy` says what becomes of data that arrives after other data: `override` (the newest replaces the
    old), `append` (each parameter becomes the list of all its values so far) or a pure function of two dicts, the old
    (empty at first) and the new. The handler is activated when `when`, a predicate over the merged data, holds; it
    must not change what it is given. What the handler returns is not used (the page's own handlers return things): what
    others are to have, it emits. An activation that takes longer than `timeout` seconds has failed.

    Data is given to the handler by the names of its parameters, `**kwargs` takes the rest. A single parameter takes the
    whole dict where that has no such name, even if it was only misspelled; a second parameter or `**kwargs` rules that
    out.

    A slot that waits until three results have come:

    >>> from routilux import Flow, Routine
    >>> class Sum(Routine):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.define_slot("trigger", handler=self.fan_out)
    ...         self.define_slot("part", self.join, merge_strategy="append", when=self.has_all)
    ...         self.define_event("part", ["number"])
    ...
    ...     def fan_out(self):
    ...         for number in (1, 2, 3):
    ...             self.emit("part", number=number)
    ...
    ...     def has_all(self, merged):
    ...         return len(merged["number"]) == 3
    ...
    ...     def join(self, number):
    ...         self.get_execution_context().job_state.update_shared_data("sum", sum(number))
    >>> flow = Flow("sum")
    >>> name = flow.add_routine(Sum(), "sum")
    >>> connection = flow.connect("sum", "part", "sum", "part")
    >>> job = flow.execute("sum")
    >>> job.wait(timeout=10), job.shared_data["sum"]
    (True, 6)
    """

    _fixed = frozenset({"name", "handler", "merge_strategy", "merge_kind", "when", "timeout"})

    def __init__(
        self,
        name: str = "",
        handler: Callable[..., Any] | None = None,
        merge_strategy: str | Merge = "override",
        when: Predicate | None = None,
        timeout: float | None = None,
    ) -> None:
        super().__init__()
        if handler is not None and not callable(handler):
            raise DefinitionError(f"the handler of slot {name!r} is called, so it cannot be {handler!r}")
        if inspect.isgeneratorfunction(handler) or inspect.isasyncgenfunction(handler):
            raise DefinitionError(
                f"the handler of slot {name!r} is a generator, and its body would not run: emit, do not yield"
            )
        for function in (merge_strategy, when):
            if inspect.iscoroutinefunction(function):
                raise DefinitionError(
                    f"slot {name!r} merges and tests its data in one go, so that {function.__name__!r} cannot be async"
                )
        if when is not None and not callable(when):
            raise DefinitionError(f"the `when` of slot {name!r} is a predicate, not {when!r}")
        self.name = checked_text(name, "the name of a slot")
        self.handler = handler
        self.merge_strategy = merge_strategy
        self.when = when
        self.timeout = checked_timeout(timeout, f"the timeout of slot {name!r}")
        self._data: Data = {}
        self.merge_kind = _merge_kind(name, merge_strategy)

    def __repr__(self) -> str:
        return f"<Slot {self.name!r}>"

    def serialize(self) -> dict[str, Any]:
        """Refuse with UnsupportedValueError: a slot is written with its routine, whose methods it calls."""
        raise UnsupportedValueError(f"slot {self.name!r} is part of its routine; serialize that, or pass its name")

    def deserialize(self, data: dict[str, Any]) -> None:
        """Refuse with DocumentError: a slot is read with its routine, whose methods it calls."""
        raise DocumentError("a slot is part of its routine; read the document of that")

    def receive(self, data: Data) -> None:
        """Put data in outside of any job: the next `resume` makes it a task (page: Automatic Task Recovery).

        It is in the flow's document until then. OutsideActivationError inside a handler: slots are shared by all jobs.
        """
        activation = current.get()
        if updating.get() or (activation is not None and not activation.has_ended):
            raise OutsideActivationError(
                f"slot {self.name!r} cannot receive inside a handler: slots are shared by all jobs; emit instead"
            )
        if type(data) is not dict:
            raise DefinitionError(f"slot {self.name!r} receives a dict of parameters, not {data!r}")
        self._data = self._merged(clone_fields(data, f"_slots.{self.name}._data"))

    @property
    def holds_data(self) -> bool:
        """Whether data waits to be made a task."""
        return bool(self._data)

    def take_data(self) -> Data:
        """Take out the data that waits."""
        data, self._data = self._data, {}
        return data

    def put_back(self, data: Data) -> None:
        """Have data wait again that was taken out; what has come since is newer."""
        newer, self._data = self._data, data
        if newer:
            self._data = self._merged(newer)

    def _merged(self, new: Data) -> Data:
        if callable(self.merge_strategy):
            made = self.merge_strategy(copy_fields(self._data), new)
            return merge_result(self.merge_strategy, made, f"_slots.{self.name}._data")
        if self.merge_kind is MergeKind.OVERRIDE:
            return new
        merged = dict(self._data)
        for name, value in new.items():
            merged[name] = [*values_seen(merged.get(name, [])), value]
        return merged


def merge_result(function: Merge, made: object, path: str) -> Data:
    """What a merge function has made, as data of a slot; DefinitionError where it is no dict."""
    if type(made) is not dict:
        name = getattr(function, "__qualname__", repr(function))
        raise DefinitionError(
            f"the merge function {name} returned {'None' if made is None else type(made).__name__}; it returns a dict, "
            f"which is what the slot holds from then on"
        )
    return clone_fields(made, path)


def _merge_kind(name: str, strategy: str | Merge) -> MergeKind:
    if callable(strategy):
        return MergeKind.FUNCTION
    try:
        kind = MergeKind(strategy)
    except ValueError:
        kind = MergeKind.FUNCTION
    if kind is MergeKind.FUNCTION:
        raise DefinitionError(
            f"unknown merge_strategy {strategy!r} of slot {name!r}; there are 'override', 'append' and functions"
        )
    return kind
