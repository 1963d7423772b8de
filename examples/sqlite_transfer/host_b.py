"""Host B: load a job by its execution id, and finish it."""

import sys

import examples.cross_host.routines  # noqa: F401 - registers the classes that the document names
from examples.sqlite_transfer.database import load_execution_from_db
from routilux import Flow, JobState


def main(execution_id: str) -> None:
    flow_data, job_state_data = load_execution_from_db(execution_id)

    new_flow = Flow()
    new_flow.deserialize(flow_data)
    new_job_state = JobState()
    new_job_state.deserialize(job_state_data)

    resumed = new_flow.resume(new_job_state)
    JobState.wait_for_completion(new_flow, resumed, timeout=10.0)
    print(f"Host B: {resumed.status}, {len(resumed.execution_history)} records")


if __name__ == "__main__":
    main(sys.argv[1])
