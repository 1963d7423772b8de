"""Errors as their users see them: one clear line, or one JSON document, and an exit code."""

import json
from typing import Any

import typer

from routilux.cli.invocation import Invocation
from routilux.cli.printing import complain, print_to_stderr
from routilux.cli.wording import for_the_command_line
from routilux.errors import ResumeError

FAILED = 1


def tell(error: Exception, given: Invocation, *, as_json: bool) -> int:
    """Write an error to stderr; its exit code comes back: 2 for a command that was not understood, else 1."""
    if as_json:
        print_to_stderr(f"{json.dumps({'error': _document(error, given)})}\n")
    else:
        complain(*_message(error, given).split("\n"))
    return error.exit_code if isinstance(error, typer.TyperException) else FAILED


def _document(error: Exception, given: Invocation) -> dict[str, Any]:
    document: dict[str, Any] = {"type": type(error).__name__, "message": _message(error, given)}
    if isinstance(error, ResumeError):
        document["problems"] = [for_the_command_line(str(problem), given) for problem in error.problems]
    return document


def _message(error: Exception, given: Invocation) -> str:
    if isinstance(error, typer.TyperException):
        message = " ".join(error.format_message().split())
        return f"{message} `routilux --help` lists all" if message.startswith("No such command") else message
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return for_the_command_line(str(error), given) or type(error).__name__
