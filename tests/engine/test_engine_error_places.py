"""What an error tells a person: what was raised, and where in the user's code, without this library's own frames."""

import asyncio
from typing import Any

import pytest

from routilux import ErrorInfo, Routine
from routilux._places import users_place
from routilux.testing import StepRunner
from tests.engine.engine_parts import flow_of, routine


def raising(*_: Any, **__: Any) -> None:
    raise ValueError("no such order")


def error_of(**options: Any) -> ErrorInfo:
    error = flow_of(StepRunner(), a=routine(lambda self: raising(), **options)).execute("a").error
    assert error is not None
    return error


def test_the_place_is_the_innermost_frame_of_the_users_own() -> None:
    trace = "\n".join(
        f'  File "{file}", line {line}, in {function}'
        for file, line, function in [
            ("/opt/venv/lib/python3.11/site-packages/routilux/_engine/attempt.py", 33, "run_handler"),
            ("/home/me/shop.py", 12, "bill"),
            ("/home/me/prices.py", 3, "price"),
            ("/usr/lib/python3.11/json/decoder.py", 355, "raw_decode"),
        ]
    )
    assert str(users_place(trace)) == "/home/me/prices.py:3, in price"
    assert users_place("") is None


def test_an_error_says_where_in_the_users_code_it_was_raised() -> None:
    place = error_of().place
    line = raising.__code__.co_firstlineno + 1
    assert place is not None and (place.file, place.line, place.function) == (__file__, line, "raising")


def test_an_error_is_printed_for_people() -> None:
    line = raising.__code__.co_firstlineno + 1
    assert str(error_of()) == f"ValueError: no such order, at {__file__}:{line}, in raising"


def test_an_error_without_a_message_or_a_place_is_printed_without() -> None:
    assert str(ErrorInfo("KeyError", "", "a", "j:1", "")) == "KeyError"
    assert str(ErrorInfo("KeyError", "'x'", "a", "j:1", "")) == "KeyError: 'x'"


def first_frame(error: ErrorInfo) -> str:
    head, frame = error.traceback.splitlines()[:2]
    assert head == "Traceback (most recent call last):"
    return frame


def test_a_recorded_traceback_begins_with_the_users_code() -> None:
    assert __file__ in first_frame(error_of()) and "in <lambda>" in first_frame(error_of())


@pytest.mark.parametrize("option", ["merge_strategy", "when"])
def test_so_does_that_of_a_function_of_a_slot(option: str) -> None:
    assert f'File "{__file__}"' in first_frame(error_of(**{option: raising}))


def test_so_does_that_of_an_async_handler() -> None:
    async def work(self: Routine) -> None:
        await asyncio.sleep(0)
        raising()

    error = flow_of(StepRunner(), a=routine(work)).execute("a").error
    assert error is not None and first_frame(error).endswith("in work")


def test_so_does_that_of_an_error_that_cannot_be_formatted() -> None:
    class Unformattable(Exception):
        @property
        def __cause__(self) -> BaseException | None:  # type: ignore[override]
            raise RuntimeError

    def work(self: Routine) -> None:
        raise Unformattable

    error = flow_of(StepRunner(), a=routine(work)).execute("a").error
    assert error is not None and "(it cannot be formatted)" in error.traceback
    assert "attempt.py" not in error.traceback


def test_an_error_of_the_library_alone_keeps_its_frames() -> None:
    flow = flow_of(StepRunner(), a=routine(lambda self, number, amount: None))
    error = flow.execute("a").error
    assert error is not None and error.place is None
    assert "in bind" in error.traceback
