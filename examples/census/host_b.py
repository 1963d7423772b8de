"""Host B finishes what host A began: `python -m examples.census.host_b TRANSFER RESULT`.

It knows the classes of the routines, by importing them; what is wired to what, and how far the job is, it reads.
"""

import json
import sys
from pathlib import Path

import examples.census.routines  # noqa: F401 - registers the classes that the document names
from examples.census.progress import Tally, never, watch
from routilux import Flow, JobState


def main(transfer: Path, result: Path) -> None:
    """Read flow and job, run the job to its end, and save it."""
    document = json.loads(transfer.read_text(encoding="utf-8"))
    flow, job_state = Flow(), JobState()
    flow.deserialize(document["flow"])
    job_state.deserialize(document["job_state"])
    already = Tally(job_state).done
    with flow:
        flow.resume(job_state)
        tally = watch(job_state, "host B", stop=never)
    job_state.save(result)
    print(f"host B: went on from file {already + 1}, {job_state.status} {tally.files} files, {tally.errors} errors")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
