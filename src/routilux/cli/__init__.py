"""The command `routilux`: jobs run, looked at and moved from a shell. Its page is docs/reference/cli/index.md."""

import sys


def main() -> None:
    """Run the command with the arguments of this process, and exit."""
    try:  # an extra, which the library itself does without
        from routilux.cli.app import app  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        sys.exit(f"routilux: the command line needs Typer and Rich; pip install 'routilux[cli]' ({error})")
    app(prog_name="routilux")
