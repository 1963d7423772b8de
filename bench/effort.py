"""How thoroughly figures are measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """How many pairs of floor and figure are measured, and by what their sizes are divided.

    `processes` says in how many processes the shortest times are, which depend on where things lie in memory.
    """

    pairs: int
    processes: int
    divisor: int

    def sized(self, count: int) -> int:
        """The size of a workload, scaled down where there is no time."""
        return max(count // self.divisor, 1)


FULL = Effort(pairs=7, processes=5, divisor=1)
QUICK = Effort(pairs=3, processes=2, divisor=10)
