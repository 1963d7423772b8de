"""What commands print: whatever is in names, reasons and messages, it can neither forge a line nor steer a terminal.

What is not printable is shown escaped. Documents are JSON, which escapes by itself.
"""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
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


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def complain(line: str, *more: str) -> None:
    """Print to stderr that something is wrong; where a message has several lines, the further ones are indented."""
    lines = (f"routilux: {line}", *(f"  {each}" for each in more))
    print("\n".join(map(printable, lines)), file=sys.stderr, flush=True)


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
    with suppress(UnsupportedOperation):  # raised by what only stands in for stdout
        try:
            sys.stdout.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)
