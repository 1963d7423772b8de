"""Errors as their users see them: one clear line, or one JSON document, and an exit code."""

import json
import sys
from typing import Any

import typer

from routilux.errors import ResumeError

FAILED = 1


def tell(error: Exception, *, as_json: bool) -> int:
    """Write an error to stderr; its exit code comes back: 2 for a command that was not understood, else 1."""
    if as_json:
        print(json.dumps({"error": _document(error)}), file=sys.stderr)
    else:
        print(f"routilux: {_message(error)}", file=sys.stderr)
    return error.exit_code if isinstance(error, typer.TyperException) else FAILED


def _document(error: Exception) -> dict[str, Any]:
    document: dict[str, Any] = {"type": type(error).__name__, "message": _message(error)}
    return document | {"problems": list(error.problems)} if isinstance(error, ResumeError) else document


def _message(error: Exception) -> str:
    if isinstance(error, typer.TyperException):
        return error.format_message()
    return str(error) or type(error).__name__
