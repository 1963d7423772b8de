"""What commands print when they are done."""

import json
import os
import stat
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from io import UnsupportedOperation
from typing import Any

import msgspec


def print_json(document: Any) -> None:
    """Print one document; records and times in it become JSON."""
    print_lines([json_text(document)])


def json_text(document: Any) -> str:
    """A document as JSON; records and times in it become JSON."""
    return json.dumps(msgspec.to_builtins(document), indent=2, allow_nan=False)


def print_lines(lines: Iterable[str]) -> None:
    """Print lines, whole, so that whoever reads a pipe sees them at once."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines, their cells below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def drop_what_cannot_be_printed() -> None:
    """Let the interpreter not try it once more at its end: that would change the exit code."""
    with suppress(UnsupportedOperation):  # raised by what only stands in for stdout
        try:
            sys.stdout.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)


def sync_stdout() -> None:
    """Return when what was printed is on disk, if that is where stdout goes."""
    with suppress(UnsupportedOperation):  # raised by what only stands in for stdout
        descriptor = sys.stdout.fileno()
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.fsync(descriptor)
