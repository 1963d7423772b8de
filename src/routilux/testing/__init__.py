"""For tests of flows: a clock that moves when told to, jobs that go step by step, checks that they survive."""

from routilux.testing.conformance import BackendConformance
from routilux.testing.failed_checks import (
    CheckFailed,
    NeverAwaited,
    NoOtherHost,
    NotRepeatable,
    OutcomeChanged,
    UnexpectedEnd,
)
from routilux.testing.outcomes import outcome
from routilux.testing.step_runner import Attempt, StepRunner, StuckError
from routilux.testing.survival import kill_at_every_commit, replay, resume_twice, roundtrip_every_step, swap_host
from routilux.testing.virtual_clock import VirtualClock

__all__ = [
    "Attempt",
    "BackendConformance",
    "CheckFailed",
    "NeverAwaited",
    "NoOtherHost",
    "NotRepeatable",
    "OutcomeChanged",
    "StepRunner",
    "StuckError",
    "UnexpectedEnd",
    "VirtualClock",
    "kill_at_every_commit",
    "outcome",
    "replay",
    "resume_twice",
    "roundtrip_every_step",
    "swap_host",
]
