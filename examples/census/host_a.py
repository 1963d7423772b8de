"""Host A starts the census and pauses it about half way: `python -m examples.census.host_a TRANSFER PARAMS`."""

import json
import sys
from pathlib import Path

from examples.census.flow import census_flow
from examples.census.progress import Tally, watch


def main(transfer: Path, params: dict[str, object]) -> None:
    """Run the job half way, and write down all that another host needs."""
    with census_flow() as flow:
        job_state = flow.execute("list", params)
        watch(job_state, "host A", stop=half_way)
        flow.pause(job_state, reason="moving to host B")
    document = {"flow": flow.serialize(), "job_state": job_state.serialize()}
    transfer.write_text(json.dumps(document, allow_nan=False), encoding="utf-8")
    tally = Tally(job_state)
    print(
        f"host A: paused at {tally.done} of {tally.files} files, {tally.errors} errors, "
        f"{len(job_state.pending_tasks)} tasks pending; "
        f"{transfer.stat().st_size / 1e6:.1f} MB in {transfer}"
    )


def half_way(tally: Tally) -> bool:
    """Whether half of the files are done."""
    return tally.done * 2 >= tally.files


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
