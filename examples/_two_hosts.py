"""Host B as a process of its own."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Work in a folder that is gone afterwards."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield Path(folder)
        finally:
            os.chdir(before)


def start_host(module: str, *arguments: str, listen: bool = False) -> subprocess.Popen[str]:
    """Start a host: `python -m MODULE ARGUMENTS` in the current folder; what it prints can be listened to."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", module, *arguments]
    stdout = subprocess.PIPE if listen else None
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}, text=True, stdout=stdout)


def run_host(module: str, *arguments: str) -> None:
    """Run a host to its end; a failure of it is ours."""
    sys.stdout.flush()
    if start_host(module, *arguments).wait(60) != 0:
        raise SystemExit(f"{module} failed")
