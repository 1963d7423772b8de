"""What a check of a flow fails with.

CheckFailed (AssertionError)      a check of a flow has failed
├── OutcomeChanged                what became of the job is not what would have without the disturbance
├── NotRepeatable                 what becomes of the job differs even without one
├── UnexpectedEnd                 left alone, the job does not end as it is to
├── NeverAwaited                  nothing waits for what the check was given to deliver
└── NoOtherHost                   no other process can run the flow
"""

from collections.abc import Iterable
from pathlib import Path

from routilux._model import JobStatus
from routilux._records import ErrorInfo

SHOWN = 20


class CheckFailed(AssertionError):
    """A check of a flow has failed; `seed` makes the same schedule again."""

    def __init__(self, message: str, *, seed: int) -> None:
        super().__init__(message)
        self.seed = seed


class OutcomeChanged(CheckFailed):
    """A disturbance has changed what became of a job: `differences` say how, `step` says where.

    `file` lets `replay` run just this again. `warnings` are the RoutineStateWarnings of the check, as text: what a
    handler sets on its routine does not move with the job, and may be what has changed.
    """

    def __init__(
        self,
        message: str,
        *,
        seed: int,
        step: str,
        differences: Iterable[str],
        file: Path,
        warnings: Iterable[str] = (),
    ) -> None:
        super().__init__(message, seed=seed)
        self.step = step
        self.differences = tuple(differences)
        self.file = file
        self.warnings = tuple(warnings)


class NotRepeatable(CheckFailed):
    """Two undisturbed runs differ, so what a disturbance changes cannot be told."""

    def __init__(self, message: str, *, seed: int, differences: Iterable[str]) -> None:
        super().__init__(message, seed=seed)
        self.differences = tuple(differences)


class UnexpectedEnd(CheckFailed):
    """A job that is left alone does not end as it is to, so whether it survives cannot be told.

    `status` is how it ends, `expected` how it is to, `error` why it has failed, if it has.
    """

    def __init__(
        self, message: str, *, seed: int, status: JobStatus, expected: JobStatus, error: ErrorInfo | None
    ) -> None:
        super().__init__(message, seed=seed)
        self.status = status
        self.expected = expected
        self.error = error


class NeverAwaited(CheckFailed):
    """A job that is left alone ends without having waited for all that was to be delivered to it: `deliveries`."""

    def __init__(self, message: str, *, seed: int, deliveries: Iterable[tuple[str, str]]) -> None:
        super().__init__(message, seed=seed)
        self.deliveries = tuple(deliveries)


class NoOtherHost(CheckFailed):
    """No other process can run the flow, so that whether it would do so rightly cannot be told."""


def listed_lines(lines: Iterable[str]) -> str:
    """Differences as a message shows them."""
    found = list(lines)
    more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return "".join(f"\n  {line}" for line in [*found[:SHOWN], *more])
