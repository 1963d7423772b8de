"""The hosts, each a process of its own: how the census gets from one to the next."""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from examples.census.progress import REFRESH
from examples.census.sources import list_sources
from examples.census.starts import Start, read_starts, starts_of
from routilux import JobState
from routilux.stores import Store, open_store

TRANSFER = Path("transfer.json")


class Recovered(NamedTuple):
    """The job that a crash has been through, and the starts of its handlers: those on host A, and those on host B."""

    job_state: JobState
    on_a: list[Start]
    on_b: list[Start]


def move(folder: Path, params: dict[str, object]) -> JobState:
    """Host A pauses half way; host B goes on with what it reads from a file."""
    result = folder / "moved.json"
    finish("host A", start("host_a", TRANSFER, json.dumps(params)))
    finish("host B", start("host_b", TRANSFER, result))
    return JobState.load(result)


def crash(console: Console, folder: Path, params: dict[str, object]) -> Recovered:
    """Host A is killed half way; host B goes on with what it finds in the store."""
    store_url, starts, result = f"sqlite:///{folder / 'jobs.db'}", folder / "starts", folder / "recovered.json"
    starts.touch()
    with open_store(store_url) as store:
        process = start("killed_host", store_url, starts, json.dumps(params))
        try:
            kill_half_way(console, process, store, starts, files_of(params))
        finally:
            process.kill()
            process.wait()
    on_a = read_starts(starts)
    finish("host B", start("recovering_host", store_url, result))
    return Recovered(JobState.load(result), on_a, read_starts(starts)[len(on_a) :])


def kill_half_way(console: Console, process: subprocess.Popen[bytes], store: Store, starts: Path, files: int) -> None:
    """Watch from outside, by the store and by the starts, then `kill -9`."""
    while process.poll() is None and not (store.jobs() and starts_of(starts, "parse") * 2 >= files):
        wait_a_moment(process)
    process.kill()
    console.show_cursor()
    console.print(
        f"host A: ended by kill -9 (exit code {process.wait()}) in the middle of file {starts_of(starts, 'parse')} of "
        f"{files}; in the store its job is {store.jobs()[0].status}"
    )


def wait_a_moment(process: subprocess.Popen[bytes]) -> None:
    """Return when the process has ended, or soon."""
    try:
        process.wait(REFRESH)
    except subprocess.TimeoutExpired:
        return


def files_of(params: dict[str, object]) -> int:
    """How many files the census will find."""
    limit = params["limit"]
    return len(list_sources(Path(str(params["root"])), limit if isinstance(limit, int) else None))


def start(module: str, *arguments: object) -> subprocess.Popen[bytes]:
    """Start a module of this package as a process of its own."""
    return subprocess.Popen([sys.executable, "-m", f"examples.census.{module}", *map(str, arguments)])


def finish(name: str, process: subprocess.Popen[bytes]) -> None:
    """Wait for a process; if it failed, so does the demo. It has said itself why."""
    if process.wait() != 0:
        sys.exit(f"{name} ended with exit code {process.returncode}")
