"""Timeouts and delays: what may be one, wherever it is given."""

from routilux._model import LONGEST
from routilux._numbers import shown_number
from routilux.errors import DefinitionError


def checked_timeout(timeout: float | None, what: str) -> float | None:
    """A timeout in seconds, or DefinitionError."""
    if timeout is None:
        return None
    if type(timeout) not in (int, float) or not 0 < timeout <= LONGEST:
        raise DefinitionError(
            f"{what} is a number of seconds above 0 and up to {LONGEST:g}, or None, not {shown_number(timeout)}"
        )
    return float(timeout)


def checked_delay(delay: float | None, what: str) -> float | None:
    """A delay in seconds, None for one of nothing, or DefinitionError."""
    if delay is None:
        return None
    if type(delay) not in (int, float) or not 0 <= delay <= LONGEST:
        raise DefinitionError(
            f"{what} is a number of seconds from 0 to {LONGEST:g}, or None, not {shown_number(delay)}"
        )
    return float(delay) or None
