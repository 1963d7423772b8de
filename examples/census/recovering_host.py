"""Finishes what a killed host has left in a store: `python -m examples.census.recovering_host STORE RESULT`.

It knows the classes of the routines, by importing them; the flow and all that was committed it reads from the store.
"""

import sys
from pathlib import Path

import examples.census.routines  # noqa: F401 - registers the classes that the stored flow names
from examples.census.progress import Tally, never, watch
from routilux import JobState, recover
from routilux.stores import Store, open_store


def main(store_url: str, result: Path) -> None:
    """Take the job over, run it to its end, and save it."""
    with open_store(store_url) as store:
        job_state = next(iter(recover(store)), None) or settled_job(store)
        already = Tally(job_state).done
        tally = watch(job_state, "host B", stop=never)
    job_state.save(result)
    print(f"host B: recovered at file {already + 1}, {job_state.status} {tally.files} files, {tally.errors} errors")


def settled_job(store: Store) -> JobState:
    """Of a census that is too small to be killed in time, the result is there already."""
    (summary,) = store.jobs()
    return store.load(summary.job_id)[1]


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
