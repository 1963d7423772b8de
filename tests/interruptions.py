"""Ctrl-C as a test wants it: around a call, or behind each one that is made on the way of another."""

import sys
from collections.abc import Callable, Iterator
from itertools import count
from types import FrameType
from typing import Any

from routilux import flow
from routilux._engine import starting

WATCHED = {flow.__file__, starting.__file__}


def interrupted(
    method: Callable[..., Any], *, before: bool, kind: type[BaseException] = KeyboardInterrupt
) -> Callable[..., Any]:
    """A function in front of which, or behind, a signal comes once."""
    left = [kind]

    def call(*args: Any, **named: Any) -> Any:
        given = None if before and left else method(*args, **named)
        if left:
            raise left.pop()
        return given

    return call


def interrupted_after_each_call(call: Callable[[int], object]) -> Iterator[int]:
    """Make a call again and again, given how often that is; give the number of each that was interrupted.

    The first is interrupted behind the first function of how jobs are started that returns, the second behind the next,
    until one comes to its end.
    """
    for number in count(1):
        try:
            _interrupted(number, lambda number=number: call(number))  # type: ignore[misc]
        except KeyboardInterrupt:
            yield number
        else:
            return


def _interrupted(number: int, call: Callable[[], object]) -> None:
    left = number

    def profile(frame: FrameType, event: str, _: Any) -> None:
        nonlocal left
        if event == "return" and frame.f_code.co_filename in WATCHED:
            left -= 1
            if not left:
                sys.setprofile(None)
                raise KeyboardInterrupt

    sys.setprofile(profile)
    try:
        call()
    finally:
        sys.setprofile(None)
