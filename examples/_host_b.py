"""A host B for any example: `python -m examples._host_b MODULE` goes on with the job in transfer.json.

MODULE is where the routines are registered.
"""

import importlib
import json
import sys

from routilux import Flow, JobState


def main(module: str) -> None:
    importlib.import_module(module)
    with open("transfer.json") as f:
        transfer_data = json.load(f)

    new_flow = Flow()
    new_flow.deserialize(transfer_data["flow"])
    new_job_state = JobState()
    new_job_state.deserialize(transfer_data["job_state"])

    resumed = new_flow.resume(new_job_state)
    JobState.wait_for_completion(new_flow, resumed, timeout=10.0)
    print(f"Host B: {resumed.status}; shared log: {resumed.shared_log}")


if __name__ == "__main__":
    main(sys.argv[1])
