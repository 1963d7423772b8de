"""The callables behind the names of a graph."""

import inspect
from collections.abc import Callable
from typing import Any

import msgspec

from routilux._binding import Binding
from routilux._graph import RoutineNode, SlotNode
from routilux._model import SlotKey
from routilux.error_handler import ErrorHandler
from routilux.routine import Routine
from routilux.slot import Merge, Predicate


class Handler(msgspec.Struct, frozen=True):
    """A slot of a running flow: what is called for a task, with what policy around it."""

    node: SlotNode
    routine_node: RoutineNode
    routine: Routine
    call: Callable[..., Any]
    binding: Binding
    is_async: bool
    merge_function: Merge | None
    predicate: Predicate | None
    timeout: float | None
    flow_error_handler: ErrorHandler | None

    @property
    def error_handler(self) -> ErrorHandler | None:
        """The policy that counts: the routine's before the flow's."""
        return self.routine.get_error_handler() or self.flow_error_handler


Handlers = dict[SlotKey, Handler]


def is_async(call: Callable[..., Any]) -> bool:
    """Whether calling it makes a coroutine."""
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(getattr(call, "__call__", None))  # noqa: B004
