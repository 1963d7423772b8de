"""Numbers that users give: what may be a count or a measure, wherever it is given."""

from math import inf
from sys import float_info

from routilux.errors import DefinitionError

LARGEST_COUNT = 2**53
"""Up to here every reader of JSON has whole numbers as they are."""
_WRITTEN = 256
"""Bits of an int that a message shows; Python refuses to write one of thousands of digits."""


def checked_count(count: object, what: str, least: int = 0, most: int = LARGEST_COUNT) -> int:
    """A whole number that documents and stores can hold, or DefinitionError; `what` it is begins the message."""
    if type(count) is not int or not least <= count <= most:
        raise DefinitionError(f"{what} is a whole number from {least} to {most}, not {shown_number(count)}")
    return count


def checked_measure(number: object, what: str) -> float:
    """A finite number from 0, or DefinitionError."""
    if not (type(number) is float or type(number) is int) or not 0 <= number <= float_info.max:
        raise DefinitionError(f"{what} is a finite number from 0, not {shown_number(number)}")
    return float(number)


def checked_span(seconds: object, what: str) -> float:
    """A time in seconds from 0, where infinity is for ever, or DefinitionError."""
    return inf if seconds == inf else checked_measure(seconds, what)


def shown_number(given: object) -> str:
    """What was given instead of a number, or as one, for a message."""
    if type(given) is int and given.bit_length() > _WRITTEN:
        return f"an int of {given.bit_length()} bits"
    return repr(given)
