"""A store that cannot be reached, told to whoever waits for it, as it happens and not at its end."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from routilux._logging import LOGGER

_ANEW = 15.0
"""Seconds without a failure after which the next one is told again; a locked store fails every few seconds."""
_ABOUT_THE_STORE = ("write", "keep", "ask", "move")


class _Teller(logging.Handler):
    """Tells the first of many failures in a row."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._say = say
        self._last = -_ANEW

    def emit(self, record: logging.LogRecord) -> None:
        """Tell what could not be done."""
        if getattr(record, "action", None) not in _ABOUT_THE_STORE:
            return
        now = monotonic()
        if now - self._last > _ANEW:
            self._say(f"waiting for the store: {_cause(record)}")
        self._last = now


def _cause(record: logging.LogRecord) -> str:
    """The error that is behind a message which says what is done about it."""
    return str(record.args[0]) if isinstance(record.args, tuple) and record.args else record.getMessage()


@contextmanager
def store_watched(say: Callable[[str], None]) -> Iterator[None]:
    """Say at once that a store is awaited, until this is left."""
    teller = _Teller(say)
    LOGGER.addHandler(teller)
    try:
        yield
    finally:
        LOGGER.removeHandler(teller)
