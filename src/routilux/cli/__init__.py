"""The command `routilux`: jobs run, looked at and moved from a shell. Its page is docs/reference/cli/index.md."""

import sys
from collections.abc import Callable
from importlib.util import find_spec

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
    """All commands; what they need is an extra, which the library itself does without."""
    for name in ("typer", "rich"):  # the second is not loaded before there is something to draw
        if find_spec(name) is None:
            sys.exit(f"routilux: the command line needs Typer and Rich; pip install 'routilux[cli]' (no {name} here)")
    from routilux.cli.app import app  # noqa: PLC0415 - without these it cannot be

    return app
