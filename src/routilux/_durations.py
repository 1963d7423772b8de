"""Timeouts: what may be one, wherever it is given or read."""

from typing import Any

from routilux._model import LONGEST
from routilux.errors import DefinitionError
from serilux.errors import DocumentError


def checked_timeout(timeout: float | None, what: str) -> float | None:
    """A timeout in seconds, or DefinitionError."""
    if timeout is None:
        return None
    if type(timeout) not in (int, float) or not 0 < timeout <= LONGEST:
        raise DefinitionError(f"{what} is a number of seconds above 0 and up to {LONGEST:g}, or None, not {timeout!r}")
    return float(timeout)


def read_timeout(timeout: Any, path: str) -> float | None:
    """A timeout from a document, or DocumentError."""
    try:
        return checked_timeout(timeout, "a timeout")
    except DefinitionError as error:
        raise DocumentError(str(error), path=path) from error
