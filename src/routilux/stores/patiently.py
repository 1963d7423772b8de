"""Calls of a store that are made again until it is available, and come to their end whatever signals come."""

from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar

from routilux._engine.patience import within
from routilux._logging import logger
from routilux.errors import StoreUnavailableError

T = TypeVar("T")
FIRST_DELAY = 0.01
LAST_DELAY = 1.0


def patiently(call: Callable[[], T], patience: float) -> T:
    """What a call gives; a StoreUnavailableError only where it has been that for `patience` seconds."""
    return within(None, lambda: _tried(call, monotonic() + patience))


def _tried(call: Callable[[], T], end: float) -> T:
    delay = FIRST_DELAY
    while True:
        try:
            return call()
        except StoreUnavailableError as error:
            if monotonic() + delay > end:
                raise
            logger.warning("the store is not available, trying again: %s", error, extra={"action": "move"})
        sleep(delay)
        delay = min(2 * delay, LAST_DELAY)
