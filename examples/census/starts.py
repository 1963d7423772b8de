"""Which tasks were started: a line for each start, in a file that keeps it whatever becomes of the process."""

from pathlib import Path
from typing import NamedTuple


class Start(NamedTuple):
    """One call of a handler."""

    task_id: str
    routine_id: str


def note_start(path: str, start: Start) -> None:
    """Add a line; the operating system has it when this returns."""
    with open(path, "ab", buffering=0) as file:
        file.write(f"{' '.join(start)}\n".encode())


def read_starts(path: Path) -> list[Start]:
    """All there have been, in their order."""
    return [Start(*line.split()) for line in path.read_text().splitlines()]


def starts_of(path: Path, routine_id: str) -> int:
    """How often a routine was started, also while others add lines."""
    return path.read_bytes().count(f" {routine_id}\n".encode())
