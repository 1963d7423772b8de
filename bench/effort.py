"""How thoroughly figures are measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """How many pairs of floor and figure are measured, and by what their sizes are divided."""

    pairs: int
    divisor: int

    def sized(self, count: int) -> int:
        """The size of a workload, scaled down where there is no time."""
        return max(count // self.divisor, 1)


FULL = Effort(pairs=7, divisor=1)
QUICK = Effort(pairs=3, divisor=10)
