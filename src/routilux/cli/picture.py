"""The progress of jobs as a picture on a terminal; all that needs Rich, which is slow to import."""

from collections.abc import Sequence

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from routilux._texts import printable
from routilux.cli.outlet import Outlet
from routilux.cli.progress import Progress
from routilux.cli.user_output import STDERR, STDOUT, Captured

COLUMNS = ("routine", "status", "activations", "events", "errors", "retries")


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
