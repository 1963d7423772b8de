"""How far a census has come: a bar on a terminal, nothing anywhere else."""

from collections import Counter
from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from routilux import JobState

REFRESH = 0.05


class Tally:
    """Counts what has happened in a job, by its history."""

    def __init__(self, job_state: JobState) -> None:
        self._job_state = job_state
        self._records = 0
        self._counts: Counter[tuple[str, str]] = Counter()
        self.update()

    def update(self) -> None:
        """Count the records that are new."""
        new = self._job_state.execution_history[self._records :]
        self._records += len(new)
        self._counts.update((record.routine_id, record.event_name) for record in new)

    @property
    def files(self) -> int:
        """How many files there are."""
        return self._counts["list", "source"]

    @property
    def errors(self) -> int:
        """How many of them could not be parsed."""
        return self._counts["parse", "error_continued"]

    @property
    def done(self) -> int:
        """How many have been parsed, or could not be."""
        return self._counts["parse", "parsed"] + self.errors


class Rate(ProgressColumn):
    """Files per second."""

    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:.0f} files/s")


def watch(job_state: JobState, host: str, stop: Callable[[Tally], bool]) -> Tally:
    """Show how far the job is until it has settled or `stop` says so. A job that failed is a JobFailedError."""
    tally = Tally(job_state)
    with progress_bar() as progress:
        bar = progress.add_task(host, total=tally.files, completed=tally.done, errors=tally.errors)
        settled = False
        while not settled and not stop(tally):
            settled = job_state.wait(REFRESH, raise_on_failure=True)
            tally.update()
            progress.update(bar, completed=tally.done, errors=tally.errors)
    return tally


def never(tally: Tally) -> bool:
    """Stop watching only when the job has settled."""
    return False


def progress_bar() -> Progress:
    """Files done, rate, time left, errors."""
    console = Console()
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[errors]} errors"),
        console=console,
        disable=not console.is_terminal,
    )
