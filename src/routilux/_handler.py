"""The callable behind a slot of a graph, with the policy around it."""

import inspect
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any, Protocol

import msgspec

from routilux._binding import Binding
from routilux._graph import Routes, SlotNode
from routilux._model import SlotKey
from routilux._records import Data
from routilux.error_handler import ErrorHandler
from routilux.slot import Merge, Predicate


class HandlingRoutine(Protocol):
    """The little that a handler needs of its routine."""

    def get_error_handler(self) -> ErrorHandler | None:
        """The policy of this routine, or None where the flow's counts."""


def policy_of(routine: HandlingRoutine, flow_policy: ErrorHandler | None) -> ErrorHandler | None:
    """The policy that counts for a routine: its own before that of its flow."""
    return routine.get_error_handler() or flow_policy


class Handler(msgspec.Struct, frozen=True):
    """A slot of a running flow: what is called for a task, with what policy around it.

    `start` is what history says of each start. `only` is the one parameter of a handler whose `function` may be called
    with its routine and that, which is quicker than `call`; `takes_all` says that any data fits. `plain` says that it
    is not async, and that nothing comes before its call but to replace the slot's data: no merge function, predicate or
    timeout. `routes` tell where each event of the routine leads; `unmapped` are those whose data keeps its names on
    every way. `recorded` asks for each attempt to be on disk before it begins.
    """

    # What each activation needs comes first: it lies together in memory, and a large flow does not fit into the caches.
    routine_id: str
    start: Data
    function: Callable[..., Any]
    only: str | None
    plain: bool
    routine: HandlingRoutine
    routes: Routes
    unmapped: frozenset[str]
    call: Callable[..., Any]
    is_async: bool
    node: SlotNode
    binding: Binding
    takes_all: bool
    merge_function: Merge | None
    predicate: Predicate | None
    timeout: float | None
    recorded: bool
    flow_error_handler: ErrorHandler | None

    @property
    def error_handler(self) -> ErrorHandler | None:
        """The policy that counts."""
        return policy_of(self.routine, self.flow_error_handler)


Handlers = dict[SlotKey, Handler]


def only_parameter(call: Callable[..., Any], routine: object, binding: Binding) -> str | None:
    """The one parameter of the routine's own plain method; None where it has others, or something else is called."""
    if type(call) is not MethodType or call.__self__ is not routine or type(call.__func__) is not FunctionType:
        return None
    code = call.__func__.__code__
    if code.co_flags & _OPEN_ENDED or code.co_kwonlyargcount or code.co_argcount != 2:
        return None
    name = code.co_varnames[1]
    return name if binding.names == {name} else None


_OPEN_ENDED = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS


def is_async(call: Callable[..., Any]) -> bool:
    """Whether calling it makes a coroutine."""
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(getattr(call, "__call__", None))  # noqa: B004
