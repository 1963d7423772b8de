"""The callable behind a slot of a graph, with the policy around it."""

import inspect
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from routilux._binding import Binding
from routilux._graph import Route, SlotNode
from routilux._model import SlotKey
from routilux._records import Data
from routilux.error_handler import ErrorHandler
from routilux.slot import Merge, Predicate


class HandlingRoutine(Protocol):
    """The little that a handler needs of its routine."""

    def get_error_handler(self) -> ErrorHandler | None:
        """The policy of this routine, or None where the flow's counts."""


class Handler(msgspec.Struct, frozen=True):
    """A slot of a running flow: what is called for a task, with what policy around it.

    `names` are those of the binding: data under just these needs no binding. `routes` tell where each event of the
    routine leads. `recorded` asks for each attempt to be on disk before it begins. `plain` says that nothing but
    merging comes before the call. `start` is what history says of each start.
    """

    node: SlotNode
    routine_id: str
    start: Data
    routine: HandlingRoutine
    routes: dict[str, tuple[Route, ...]]
    call: Callable[..., Any]
    binding: Binding
    names: frozenset[str]
    is_async: bool
    merge_function: Merge | None
    predicate: Predicate | None
    timeout: float | None
    recorded: bool
    plain: bool
    flow_error_handler: ErrorHandler | None

    @property
    def error_handler(self) -> ErrorHandler | None:
        """The policy that counts: the routine's before the flow's."""
        return self.routine.get_error_handler() or self.flow_error_handler


Handlers = dict[SlotKey, Handler]


def is_async(call: Callable[..., Any]) -> bool:
    """Whether calling it makes a coroutine."""
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(getattr(call, "__call__", None))  # noqa: B004
