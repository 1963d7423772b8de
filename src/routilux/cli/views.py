"""How the progress of jobs is shown: as a picture on a terminal, as lines in a pipe, or not at all."""

import sys
import threading
from collections.abc import Sequence
from typing import Protocol

from routilux._texts import printable
from routilux.cli.outlet import Outlet
from routilux.cli.printing import print_to_stderr
from routilux.cli.progress import Progress
from routilux.cli.user_output import STDOUT, Captured


class View(Protocol):
    """Shows jobs until it is closed; `pause` is how many seconds there are between two looks, None for no looks."""

    pause: float | None

    @property
    def problem(self) -> OSError | None:
        """Why nothing can be shown any more; None where it can."""

    def show(self, jobs: Sequence[Progress]) -> None:
        """Show how far jobs have come."""

    def say(self, line: str) -> None:
        """Show a line of text."""

    def close(self) -> None:
        """Show nothing more."""


class NoView:
    """Shows no progress: a document is printed at the end. Remarks go to stderr."""

    pause: float | None = None
    problem: OSError | None = None

    def show(self, jobs: Sequence[Progress]) -> None:
        """Show nothing."""

    def say(self, line: str) -> None:
        """Print a line to stderr."""
        print_to_stderr(f"{printable(line)}\n")

    def close(self) -> None:
        """Show nothing more."""


class LineView:
    """Prints a line for each job that has come farther, and between these what users' code prints."""

    pause: float | None = 1.0

    def __init__(self) -> None:
        self._last: dict[str, Progress] = {}
        self._lock = threading.Lock()
        self._outlet = Outlet()
        self._captured = Captured([STDOUT], self._pass_on)

    @property
    def problem(self) -> OSError | None:
        """Why stdout takes no more lines."""
        return self._outlet.problem

    def show(self, jobs: Sequence[Progress]) -> None:
        """Print what is new."""
        for job in jobs:
            if self._last.get(job.job_id) != job.what_changes():
                self._last[job.job_id] = job.what_changes()
                self._pass_on(printable(f"{job.job_id} {job}"))

    def say(self, line: str) -> None:
        """Print a line, whole; to stderr where stdout takes none."""
        if self.problem is None:
            self._pass_on(printable(line))
        else:
            print_to_stderr(f"{printable(line)}\n")

    def _pass_on(self, line: str) -> None:
        with self._lock:
            self._outlet.text.write(f"{line}\n")
            self._outlet.text.flush()

    def close(self) -> None:
        """Print nothing more."""
        self._captured.close()
        self._outlet.text.close()


def view_for(*, as_json: bool) -> View:
    """The view that suits where stdout goes."""
    if as_json:
        return NoView()
    if not sys.stdout.isatty():
        return LineView()
    from routilux.cli.picture import LiveView  # noqa: PLC0415 - see that module's docstring

    return LiveView()
