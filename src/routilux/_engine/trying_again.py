"""Calls of a store that are made again until it is available."""

from collections.abc import Callable
from time import monotonic
from typing import TypeVar

from routilux._logging import logger
from routilux.errors import StoreUnavailableError

T = TypeVar("T")
FIRST_DELAY = 0.01
LAST_DELAY = 1.0


def tried_again(call: Callable[[], T], patience: float, *, is_over: Callable[[float], object], action: str) -> T:
    """What a call gives; a StoreUnavailableError only where it has been that for `patience` seconds.

    `is_over` waits for so many seconds, and says whether it is to be tried no more. `action` is for operators.
    """
    end, delay = monotonic() + patience, FIRST_DELAY
    while True:
        try:
            return call()
        except StoreUnavailableError as error:
            left = end - monotonic()
            if left <= 0.0 or is_over(min(delay, left)):
                raise
            logger.warning("the store is not available, trying again: %s", error, extra={"action": action})
            delay = min(2 * delay, LAST_DELAY)
