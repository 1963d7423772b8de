"""Measuring a figure and its floor in turn, so that a busy moment of the machine hits both."""

import gc
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from statistics import median
from time import perf_counter
from typing import Any, TypeVar

Measure = Callable[[], float]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pairs:
    """Measurements of a floor and of a figure, the n-th of one taken right before the n-th of the other."""

    floors: tuple[float, ...]
    figures: tuple[float, ...]

    @property
    def floor(self) -> float:
        """The median of the floors."""
        return median(self.floors)

    @property
    def figure(self) -> float:
        """The median of the figures."""
        return median(self.figures)

    @property
    def ratio(self) -> float:
        """The median of the ratios, figure to floor."""
        return median(figure / floor for floor, figure in zip(self.floors, self.figures, strict=True))


def in_pairs(floor: Measure, figure: Measure, count: int) -> Pairs:
    """Measure floor, figure, floor, figure, ...; each is run once beforehand, to warm up."""
    floor(), figure()
    taken = [(_measured(floor), _measured(figure)) for _ in range(count)]
    return Pairs(tuple(pair[0] for pair in taken), tuple(pair[1] for pair in taken))


def _measured(measure: Measure) -> float:
    gc.collect()
    return measure()


def in_processes(measure: Callable[[T], Pairs], argument: T, count: int) -> list[Pairs]:
    """Measure the same in so many new processes, one after the other.

    Where things happen to lie in memory, and on which cores threads run, is decided anew in each of them.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as executor:
        return list(executor.map(measure, [argument] * count))


def all_of(several: list[Pairs]) -> Pairs:
    """All pairs together."""
    floors = [floor for pairs in several for floor in pairs.floors]
    return Pairs(tuple(floors), tuple(figure for pairs in several for figure in pairs.figures))


def seconds(action: Callable[[], Any]) -> float:
    """How long an action takes; what it returns is freed after the clock has stopped."""
    begin = perf_counter()
    result = action()
    end = perf_counter()
    del result
    return end - begin


@contextmanager
def without_garbage_collector() -> Iterator[None]:
    """Keep the garbage collector from running in between."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
