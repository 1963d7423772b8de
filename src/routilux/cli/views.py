"""How the progress of jobs is shown: as a picture on a terminal, as lines in a pipe, or not at all."""

import sys
import threading
from collections.abc import Sequence
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from routilux._texts import printable
from routilux.cli.outlet import Outlet
from routilux.cli.printing import print_to_stderr
from routilux.cli.progress import Progress
from routilux.cli.user_output import STDERR, STDOUT, Captured

COLUMNS = ("routine", "status", "activations", "events", "errors", "retries")


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


class LiveView:
    """A picture that is redrawn; what users' code prints goes above it."""

    pause: float | None = 0.25

    def __init__(self) -> None:
        self._outlet = Outlet()
        self._console = Console(file=self._outlet.text, force_terminal=True)
        self._live = Live(console=self._console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
        self._live.start()
        self._captured = Captured([STDOUT, STDERR], self._pass_on)

    @property
    def problem(self) -> OSError | None:
        """Why the terminal takes no more."""
        return self._outlet.problem

    def _pass_on(self, line: str) -> None:
        self._console.print(Text.from_ansi(line), soft_wrap=True)

    def close(self) -> None:
        """Leave the picture as it is; what is printed from now on goes below it."""
        self._captured.close()
        self._live.stop()
        self._outlet.text.close()

    def show(self, jobs: Sequence[Progress]) -> None:
        """Redraw the picture."""
        self._live.update(Group(*map(picture, jobs)), refresh=True)

    def say(self, line: str) -> None:
        """Print a line above the picture."""
        self._console.print(Text(printable(line)), soft_wrap=True)


def picture(job: Progress) -> Table:
    """A job as a table of its routines; names are texts to rich, which would find markup and emojis in a str."""
    title = f"{job.flow_id}  {job.job_id}  {job.seconds:.0f} s"
    table = Table(
        title=Text(printable(title), "table.title"),
        caption=Text(printable(str(job)), "table.caption"),
        title_justify="left",
        caption_justify="left",
    )
    for number, name in enumerate(COLUMNS):
        table.add_column(name, justify="left" if number < 2 else "right")
    for routine_id, (status, count) in job.routines.items():
        numbers = (count.activations, count.events, count.errors, count.retries)
        table.add_row(Text(printable(routine_id)), str(status or ""), *map(str, numbers))
    return table


def view_for(*, as_json: bool) -> View:
    """The view that suits where stdout goes."""
    if as_json:
        return NoView()
    return LiveView() if sys.stdout.isatty() else LineView()
