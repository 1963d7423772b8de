"""The command `routilux`: jobs run, looked at and moved from a shell. Its page is docs/reference/cli/index.md."""

import sys
from collections.abc import Callable

from routilux.cli.ctrl_c import INTERRUPTED, ctrl_c_ends_at_once, ctrl_c_interrupts
from routilux.cli.streams import make_streams_ready


def main() -> None:
    """Run the command with the arguments of this process, and exit."""
    ctrl_c_ends_at_once()
    make_streams_ready()
    command = _loaded()
    try:
        with ctrl_c_interrupts():
            command(prog_name="routilux")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _loaded() -> Callable[..., object]:
    try:  # an extra, which the library itself does without
        from routilux.cli.app import app  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        sys.exit(f"routilux: the command line needs Typer and Rich; pip install 'routilux[cli]' ({error})")
    return app
