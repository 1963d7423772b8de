"""All commands together, and what becomes of their errors."""

import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from routilux.cli.checking import check
from routilux.cli.describing import schema
from routilux.cli.failures import tell
from routilux.cli.invocation import Invocation, options_of
from routilux.cli.keeping_keys import keys
from routilux.cli.looking import explain, jobs, show
from routilux.cli.moving import export, import_, inspect
from routilux.cli.printing import drop_what_cannot_be_printed, print_lines
from routilux.cli.removing import delete, prune
from routilux.cli.running import recover, resume, retry, run
from routilux.cli.steering import cancel, deliver, pause
from routilux.errors import RoutiluxError
from serilux.errors import SeriluxError


class Commands(TyperGroup):
    """Commands that return their exit code, and whose errors are one clear line."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run one command, and exit with its code."""
        given = sys.argv[1:] if args is None else list(args)
        try:
            code = super().main(given, prog_name, complete_var, False, windows_expand_args, **extra)
        except (typer.TyperException, RoutiluxError, SeriluxError, OSError) as error:
            code = tell(error, Invocation.of(given), as_json="--json" in options_of(given))
            drop_what_cannot_be_printed()
        sys.exit(code)


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Run jobs that outlive their process, look at them, and move them.",
)


def _say_version(asked: bool) -> None:
    if asked:
        print_lines([f"routilux {version('routilux')}"])
        raise typer.Exit


@app.callback()
def routilux(
    is_asked: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say which routilux this is.")
    ] = False,
) -> None:
    """Run jobs that outlive their process, look at them, and move them."""


COMMANDS = (
    run, jobs, show, explain, resume, recover, pause, cancel, deliver, retry, export, import_, check, inspect, delete,
    prune, keys, schema,
)  # fmt: skip
for command in COMMANDS:
    app.command(command.__name__.rstrip("_"))(command)
