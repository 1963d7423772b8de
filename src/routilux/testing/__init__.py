"""For tests of flows: a clock that moves when told to, jobs that go step by step, and what a store has to do."""

from routilux.testing.conformance import BackendConformance
from routilux.testing.step_runner import Attempt, StepRunner, StuckError
from routilux.testing.virtual_clock import VirtualClock

__all__ = ["Attempt", "BackendConformance", "StepRunner", "StuckError", "VirtualClock"]
