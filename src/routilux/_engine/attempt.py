"""The only caller of users' code. Whatever it raises comes back as a value."""

import inspect
import traceback
from collections.abc import Callable
from typing import Any

from routilux._context import Activation
from routilux._current import set_current
from routilux._handler import Handler
from routilux._model import ErrorStrategy
from routilux._places import without_our_way_in
from routilux._records import Data, Decision, ErrorInfo
from routilux.error_handler import checked_decision, qualified_name
from routilux.slot import Merge, Predicate, merge_result
from serilux import copy_fields

Failure = BaseException | None
_UNCHANGEABLE: frozenset[type[Any]] = frozenset({type(None), bool, int, float, str})


def run_handler(activation: Activation) -> Failure:
    """Call a handler with its own copy of the data; the activation stays current until another one is, or none."""
    handler, given = activation.handler, activation.given
    set_current(activation)
    try:
        only = handler.only
        if only in given and len(given) == 1:
            function, value = handler.function, given[only]
            result = function(handler.routine, value if type(value) in _UNCHANGEABLE else copy_fields(given)[only])
        else:
            result = handler.call(**_arguments(given, handler))
        if result is not None and inspect.isawaitable(result):
            _refuse_awaitable(result, handler)
    except BaseException as error:  # noqa: BLE001 - whatever users' code raises is a failed attempt
        return error
    return None


async def await_handler(activation: Activation) -> Failure:
    """Await an async handler with its own copy of the data."""
    handler = activation.handler
    set_current(activation)
    try:
        await handler.call(**_arguments(activation.given, handler))
    except BaseException as error:  # noqa: BLE001 - whatever users' code raises is a failed attempt
        return error
    return None


def _arguments(given: Data, handler: Handler) -> Data:
    """A copy of the data for the handler, by the names of its parameters.

    Data of unchangeable values that needs no binding needs no copy: calling with `**` makes a dict of its own.
    """
    fits = handler.takes_all or given.keys() == handler.binding.names
    if fits and _UNCHANGEABLE.issuperset(map(type, given.values())):
        return given
    return handler.binding.bind(copy_fields(given))


def call_guarded(function: Callable[..., Any], *args: Any) -> tuple[Any, Failure]:
    """Call a merge function, a predicate or an update of shared data."""
    try:
        return function(*args), None
    except BaseException as error:  # noqa: BLE001 - whatever users' code raises is a failed attempt
        return None, error


def decided(handler: Handler, failure: BaseException, retry_count: int) -> Decision:
    """What the policy around a handler, which may be a class of the user's, makes of a failure."""
    policy = handler.error_handler
    if policy is None:
        return Decision(ErrorStrategy.STOP)
    decision = checked_decision(policy.decide(failure, retry_count + 1))
    if decision.strategy is ErrorStrategy.RETRY:
        policy.retry_count = retry_count + 1
    return decision


def holds_for(predicate: Predicate, data: Data) -> bool:
    """Whether a slot's predicate holds."""
    return bool(predicate(data))


def merged_by(function: Merge, old: Data, new: Data) -> Data:
    """What a slot's own merge function makes of copies of the data."""
    return merge_result(function, function(copy_fields(old), copy_fields(new)), "slot_data")


def _refuse_awaitable(result: Any, handler: Handler) -> None:
    close = getattr(result, "close", None)
    if close is not None:
        close()
    raise TypeError(f"{handler.binding.label} returned an awaitable that nobody awaits; declare it with `async def`")


def describe(error: BaseException, routine_id: str | None, task_id: str | None) -> ErrorInfo:
    """A failure as data, with its traceback from the user's code on; it may be too broken even to be shown."""
    name = type(error).__name__ if type(error).__module__ == "builtins" else qualified_name(type(error))
    message, unprintable = call_guarded(str, error)
    trace, unformattable = call_guarded(_formatted, error)
    if unformattable is not None:
        trace = "".join(traceback.format_tb(without_our_way_in(error.__traceback__)))
        trace += f"{name} (it cannot be formatted)\n"
    return ErrorInfo(
        name, "" if unprintable is not None else _printable(message), routine_id, task_id, _printable(trace)
    )


def _formatted(error: BaseException) -> str:
    return "".join(traceback.format_exception(type(error), error, without_our_way_in(error.__traceback__)))


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
