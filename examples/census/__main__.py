"""The whole show: a census that moves, one that is killed, an uninterrupted one, and whether all came to the same."""

import argparse
import json
import sys
import sysconfig
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from rich.console import Console

from examples.census.hosts import Recovered, crash, finish, move, start
from examples.census.report import differences, print_census, print_crash
from routilux import JobState


class Outcome(NamedTuple):
    """The same census three times."""

    moved: JobState
    recovered: Recovered
    uninterrupted: JobState


def main() -> int:
    """Run the demo; the exit code is 0 if the check passed."""
    began = time.perf_counter()
    console = Console(markup=False, highlight=False, soft_wrap=True)
    params = read_params()
    console.print(f"A census of the Python sources in {params['root']}")
    with TemporaryDirectory() as folder:
        outcome = run_all(console, Path(folder), params)
    print_census(console, outcome.moved.shared_data["census"])
    print_crash(console, *outcome.recovered, outcome.uninterrupted)
    return conclude(console, outcome, time.perf_counter() - began)


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


def run_all(console: Console, folder: Path, params: dict[str, object]) -> Outcome:
    """One after the other; the run that is not interrupted uses the second core meanwhile."""
    uninterrupted = folder / "uninterrupted.json"
    reference = start("uninterrupted", uninterrupted, json.dumps(params))
    try:
        console.print("\n1. Host A pauses half way; host B goes on with what is in transfer.json")
        moved = move(folder, params)
        console.print("\n2. Host A is killed half way; host B goes on with what is in the store, an SQLite file")
        recovered = crash(console, folder, params)
        with console.status("waiting for the uninterrupted run"):
            finish("the uninterrupted run", reference)
    finally:
        reference.kill()
        reference.wait()
    return Outcome(moved, recovered, JobState.load(uninterrupted))


def conclude(console: Console, outcome: Outcome, seconds: float) -> int:
    """Say in the last line whether the check passed; the exit code comes back."""
    jobs = {"that has moved": outcome.moved, "that was killed": outcome.recovered.job_state}
    found = {what: differences(job_state, outcome.uninterrupted) for what, job_state in jobs.items()}
    for what, differing in found.items():
        for difference in differing:
            console.print(f"the census {what}: {difference}")
    failed = [what for what, differing in found.items() if differing]
    if failed:
        console.print(f"check FAILED: the census {' and the one '.join(failed)} is not that of the uninterrupted run")
        return 1
    records = len(outcome.uninterrupted.execution_history)
    console.print(
        f"check passed: result and history ({records:,} records) of the census that has moved, and of the one that was "
        f"killed, equal those of the uninterrupted run; {seconds:.0f} s in all"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
