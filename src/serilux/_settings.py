"""How large values and documents may be."""

from dataclasses import dataclass
from typing import Final

SPARE: Final = 4
"""How many levels deeper than `Limits.max_depth` a value may lie.

They belong to what is put around values that were accepted already: the list of a slot that appends, the fields of an
object.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large a value or document may be (design law 8).

    `max_depth` counts nested containers and objects, `max_nodes` all their items together,
    `max_digits` the characters of one big integer (hexadecimal) or Decimal. `clone_fields` holds the data of a message
    to `max_depth`, where it enters. `encode`, `decode`, `clone`, `copy_fields` and `identical` all take four levels
    more, so that what was accepted can be put into a container, and saved, read, copied and compared in it.
    """

    max_depth: int = 100
    max_nodes: int = 20_000_000
    max_digits: int = 10_000

    def __post_init__(self) -> None:
        for name in ("max_depth", "max_nodes", "max_digits"):
            if type(getattr(self, name)) is not int or getattr(self, name) < 1:
                raise ValueError(f"Limits.{name} must be a positive int; it is {getattr(self, name)!r}")


class _Settings:
    """The limits in force, for all threads."""

    __slots__ = ("depth", "limits", "max_nodes")

    def __init__(self) -> None:
        self.apply(Limits())

    def apply(self, limits: Limits) -> None:
        self.limits = limits
        self.depth = limits.max_depth + SPARE
        """How many containers and objects may be in each other, wherever values are written, read, copied, compared."""
        self.max_nodes = limits.max_nodes


SETTINGS: Final = _Settings()


def get_limits() -> Limits:
    """Return the limits in force."""
    return SETTINGS.limits


def set_limits(limits: Limits) -> None:
    """Put other limits in force, for the whole process. Raises TypeError for anything but `Limits`."""
    if not isinstance(limits, Limits):
        raise TypeError(f"set_limits takes a Limits, such as Limits(max_depth=50), not {limits!r}")
    SETTINGS.apply(limits)
