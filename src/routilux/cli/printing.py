"""What commands print: whatever is in names, reasons and messages, it can neither forge a line nor steer a terminal.

What is not printable is shown escaped. Documents are JSON, which escapes by itself.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from io import UnsupportedOperation
from typing import Any

import msgspec

from routilux._texts import printable


def print_json(document: Any) -> None:
    """Print one document; records and times in it become JSON."""
    _print(f"{json_text(document)}\n")


def json_text(document: Any) -> str:
    """A document as JSON; records and times in it become JSON."""
    return json.dumps(msgspec.to_builtins(document), indent=2, allow_nan=False)


def print_lines(lines: Iterable[str]) -> None:
    """Print lines, whole, so that whoever reads a pipe sees them at once. A newline within one is escaped."""
    _print("".join(f"{printable(line)}\n" for line in lines))


def print_done(document: Any, *done: str, as_json: bool) -> None:
    """Print what was done, as a document or in lines; where that cannot be, the OSError says it."""
    with said_anyway(*done):
        if as_json:
            print_json(document)
        else:
            print_lines(done)


def _print(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        drop_what_cannot_be_printed()
        raise OSError(error.errno, error.strerror, "stdout") from error


@contextmanager
def said_anyway(*done: str) -> Iterator[None]:
    """Have the error say what was done, if that cannot be printed."""
    try:
        yield
    except OSError as error:
        raise OSError(
            error.errno, "; ".join([error.strerror or str(error), *map(printable, done)]), error.filename
        ) from error


def complain(line: str, *more: str) -> None:
    """Print to stderr that something is wrong; where a message has several lines, the further ones are indented."""
    lines = (f"routilux: {line}", *(f"  {each}" for each in more))
    print_to_stderr("".join(f"{printable(each)}\n" for each in lines))


def print_to_stderr(text: str) -> None:
    """Print to stderr; if that takes nothing, nobody is left who could be told."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        drop_what_cannot_be_printed()


def readable_json(document: Any, indent: int | None = None) -> str:
    """A document as JSON for people: only what is not printable is escaped."""
    separators = (",", ":") if indent is None else None
    text = json.dumps(document, indent=indent, separators=separators, ensure_ascii=False)
    return "".join(each if each.isprintable() or each == "\n" else json.dumps(each)[1:-1] for each in text)


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines, their cells below each other."""
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]


def drop_what_cannot_be_printed() -> None:
    """Let the interpreter not try it once more at its end: that would change the exit code."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(UnsupportedOperation):  # raised by what only stands in for it
            try:
                stream.flush()
            except OSError:
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)
