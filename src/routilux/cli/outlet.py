"""Stdout as it is when something begins to be shown there, whatever is captured afterwards."""

import os
import sys
from io import BufferedWriter, FileIO, TextIOWrapper
from select import select
from typing import Any

from routilux.cli.streams import ESCAPED
from routilux.cli.user_output import STDOUT


class Outlet:
    """Takes text, also if stdout does not: then the rest is dropped, and `problem` says why."""

    def __init__(self) -> None:
        self._raw = _Patient(os.dup(STDOUT), "w")
        self.text = TextIOWrapper(BufferedWriter(self._raw), encoding=sys.stdout.encoding, errors=ESCAPED)

    @property
    def problem(self) -> OSError | None:
        """Why something could not be written, the first time that it was so."""
        return self._raw.problem


class _Patient(FileIO):
    """Never raises, and waits for a reader also where the pipe to it is non-blocking."""

    problem: OSError | None = None

    def write(self, content: Any, /) -> int:
        try:
            while (written := super().write(content)) is None:
                select([], [self], [])
        except OSError as error:
            self.problem = self.problem or error
            return memoryview(content).nbytes
        return written
