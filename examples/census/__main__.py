"""The whole show: host A, host B, an uninterrupted run beside them, and whether all came to the same."""

import argparse
import json
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from examples.census.report import differences, print_census
from routilux import JobState

TRANSFER = Path("transfer.json")


def main() -> int:
    """Run the demo; the exit code is 0 if the check passed."""
    began = time.perf_counter()
    console = Console(markup=False, highlight=False)
    params = read_params()
    console.print(f"A census of the Python sources in {params['root']}", soft_wrap=True)
    with TemporaryDirectory() as folder:
        moved, uninterrupted = run_all(console, Path(folder), json.dumps(params))
    print_census(console, moved.shared_data["census"])
    return conclude(console, moved, uninterrupted, time.perf_counter() - began)


def read_params() -> dict[str, object]:
    """What the job is given, from the command line."""
    parser = argparse.ArgumentParser(prog="python -m examples.census", description=__doc__)
    stdlib = sysconfig.get_paths()["stdlib"]
    parser.add_argument("--root", type=Path, default=stdlib, help="the folder to search; else this Python's library")
    parser.add_argument("--limit", type=int, help="take only so many files")
    options = parser.parse_args()
    if not options.root.is_dir():
        parser.error(f"--root is a folder, not {options.root}")
    if options.limit is not None and options.limit < 0:
        parser.error(f"--limit is a number of files, not {options.limit}")
    return {"root": str(options.root.resolve()), "limit": options.limit}


def run_all(console: Console, folder: Path, params: str) -> tuple[JobState, JobState]:
    """Each host is a process. The one that is not interrupted uses the second core meanwhile."""
    moved, uninterrupted = folder / "moved.json", folder / "uninterrupted.json"
    reference = start("uninterrupted", uninterrupted, params)
    try:
        finish("host A", start("host_a", TRANSFER, params))
        finish("host B", start("host_b", TRANSFER, moved))
        with console.status("waiting for the uninterrupted run"):
            finish("the uninterrupted run", reference)
    finally:
        reference.kill()
        reference.wait()
    return JobState.load(moved), JobState.load(uninterrupted)


def start(module: str, *arguments: object) -> subprocess.Popen[bytes]:
    """Start a module of this package as a process of its own."""
    return subprocess.Popen([sys.executable, "-m", f"examples.census.{module}", *map(str, arguments)])


def finish(name: str, process: subprocess.Popen[bytes]) -> None:
    """Wait for a process; if it failed, so does the demo. It has said itself why."""
    if process.wait() != 0:
        sys.exit(f"{name} ended with exit code {process.returncode}")


def conclude(console: Console, moved: JobState, uninterrupted: JobState, seconds: float) -> int:
    """Say in the last line whether the check passed; the exit code comes back."""
    found = differences(moved, uninterrupted)
    for difference in found:
        console.print(difference)
    if found:
        console.print("check FAILED: the census that has moved is not that of the uninterrupted run")
        return 1
    records = len(moved.execution_history)
    console.print(
        f"check passed: result and history ({records:,} records) of the census that has moved equal "
        f"those of the uninterrupted run; {seconds:.0f} s in all",
        soft_wrap=True,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
