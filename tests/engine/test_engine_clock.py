"""The machine's clock, on readings that the tests set."""

import threading
from collections.abc import Callable

import pytest

from routilux._engine.clock import SystemClock
from routilux.testing import VirtualClock

PATIENCE = 60.0
DAY = 86_400.0


class Machine:
    """What the wall and the monotonic clock of a machine show."""

    def __init__(self) -> None:
        self.wall, self.monotonic = 1_000_000.0, 500.0
        self.clock = SystemClock(lambda: self.wall, lambda: self.monotonic)

    def go_on(self, seconds: float, *, wall_set_by: float = 0.0) -> None:
        self.wall += seconds + wall_set_by
        self.monotonic += seconds
        self.clock.follow_wall()


@pytest.mark.parametrize(("wall_set_by", "shown"), [(0.0, 10.0), (-DAY, 10.0), (DAY, DAY + 10.0)])
def test_time_follows_a_wall_that_is_set_forward_and_goes_on_where_it_is_set_back(
    wall_set_by: float, shown: float
) -> None:
    machine = Machine()
    start = machine.clock.now()
    machine.go_on(10.0, wall_set_by=wall_set_by)
    assert machine.clock.now() - start == shown


def test_time_goes_on_while_the_wall_is_behind() -> None:
    machine = Machine()
    start = machine.clock.now()
    machine.go_on(10.0, wall_set_by=-DAY)
    machine.go_on(10.0)
    assert machine.clock.now() - start == 20.0


def called(clock: SystemClock, when: float) -> threading.Event:
    event = threading.Event()
    clock.call_at(when, event.set)
    return event


@pytest.mark.parametrize("wall_set_by", [-DAY, DAY])
def test_a_timer_goes_off_when_its_time_has_passed_whatever_the_wall_was_set_to(wall_set_by: float) -> None:
    machine = Machine()
    due = machine.clock.now() + 10.0
    event = called(machine.clock, due)
    machine.go_on(10.0, wall_set_by=wall_set_by)
    called(machine.clock, 0.0)  # the first of all, it wakes the thread that waits for 10 seconds of the real clock
    assert event.wait(PATIENCE)


def blocked(release: threading.Event) -> Callable[[], None]:
    def wait() -> None:
        assert release.wait(PATIENCE)

    return wait


def test_a_timer_that_is_held_up_holds_up_no_other() -> None:
    clock, release = Machine().clock, threading.Event()
    try:
        clock.call_at(clock.now(), blocked(release))
        assert called(clock, clock.now()).wait(PATIENCE)
    finally:
        release.set()


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_a_virtual_clock_moves_to_times_that_are_to_come(seconds: float) -> None:
    clock = VirtualClock(5.0)
    with pytest.raises(ValueError, match="moved on by seconds, 0 or more, not by"):
        clock.advance(seconds)
    assert clock.now() == 5.0
