"""The command as its users run it: in this process, or in one of its own."""

import json
import os
import signal
import subprocess
import sys
import threading
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from routilux.cli import main
from routilux.cli.app import app
from tests.patience import until

ROOT = Path(__file__).parents[2]
LIFE = 120
"""Seconds after which a command ends in any case, also when the process of its test was killed."""
ENTRY = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["routilux"]


def routilux(*arguments: str, **options: Any) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, list(arguments), prog_name="routilux", **options)


def documents(*arguments: str) -> Any:
    """What a command prints with --json, if it succeeds."""
    result = routilux(*arguments, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


def script(folder: Path) -> Path:
    """What an installer makes of the entry point, in a folder of its own: not where the user's module is."""
    module, function = ENTRY.split(":")
    (folder / "bin").mkdir(exist_ok=True)
    path = folder / "bin" / "routilux"
    path.write_text(f"import signal\nsignal.alarm({LIFE})\nfrom {module} import {function}\n{function}()\n")
    return path


def start(folder: Path, *arguments: str, redirected: str = "", **settings: Any) -> "subprocess.Popen[str]":
    """Start a command in a folder, warnings being errors; further settings are environment variables.

    `redirected` is what a shell does with its streams.
    """
    shell = ["bash", "-c", f'exec "$@" {redirected}', "bash"] if redirected else []
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(ROOT / "src")]))
    streams = {name: settings.pop(name, subprocess.PIPE) for name in ("stdin", "stdout", "stderr")}
    process = subprocess.Popen(
        [*shell, sys.executable, "-W", "error", str(script(folder)), *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "", **settings},
        encoding="utf-8",
        **streams,
    )
    watchdog = threading.Timer(60, process.kill)  # so that nobody waits for ever for a line
    watchdog.daemon = True
    watchdog.start()
    _started.append(process)
    return process


_started: "list[subprocess.Popen[str]]" = []


def end_all() -> None:
    """End all commands that a test has started, whatever has become of the test."""
    while _started:
        process = _started.pop()
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None and not stream.closed:
                with suppress(BrokenPipeError):
                    stream.close()


def finish(process: "subprocess.Popen[str]", text: str | None = None) -> tuple[int, str, str]:
    """Wait for a command: its exit code, what is left of its output, and its errors."""
    output, errors = process.communicate(text, timeout=60)
    return process.returncode, output, errors


def in_process(folder: Path, *arguments: str, **settings: Any) -> tuple[int, str, str]:
    """Run a command in a process of its own, to its end."""
    return finish(start(folder, *arguments, **settings))


def read_until(process: "subprocess.Popen[str]", wanted: str, *, errors: bool = False) -> str:
    """The first line of a process's output, or of its errors, that has this in it."""
    stream = process.stderr if errors else process.stdout
    assert stream is not None
    line = next((line for line in stream if wanted in line), None)
    assert line is not None, f"{wanted!r} was not printed; the exit code is {process.wait(60)}"
    return line.rstrip("\n")


def let_go_on(gate: Path, process: "subprocess.Popen[str]") -> None:
    """Have the handler of a process that waits at a gate go on; one that has ended meanwhile has none."""
    if (held := held_open(gate, process)) is not None:
        os.close(held)


def held_open(gate: Path, process: "subprocess.Popen[str]") -> int | None:
    """The other end of a gate, as soon as a process waits there, which goes on when that is closed; None if it ends.

    Who opens a pipe as usual waits for ever for a reader that is no more.
    """
    opened = list[int]()

    def is_over() -> bool:
        with suppress(OSError):  # nobody reads
            opened.append(os.open(gate, os.O_WRONLY | os.O_NONBLOCK))
        return bool(opened) or process.poll() is not None

    until(is_over)
    return opened[0] if opened else None


def entered(*arguments: str) -> int:
    """Run a command in this process as its entry point does, with the streams that there are; its exit code."""
    former, sys.argv = sys.argv, ["routilux", *arguments]
    handler = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        sys.argv = former
        signal.signal(signal.SIGINT, handler)
    assert isinstance(ended.value.code, int)
    return ended.value.code
