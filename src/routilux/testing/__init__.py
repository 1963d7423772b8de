"""For tests of flows: a clock that moves when told to, and jobs that go step by step, without threads."""

from routilux.testing.step_runner import Attempt, StepRunner, StuckError
from routilux.testing.virtual_clock import VirtualClock

__all__ = ["Attempt", "StepRunner", "StuckError", "VirtualClock"]
