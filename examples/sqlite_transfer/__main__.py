"""A job goes to another process through a row of a database."""

from examples._two_hosts import run_host, temporary_folder
from examples.cross_host.routines import DataProcessor, DataSource
from examples.sqlite_transfer.database import load_execution_from_db, save_execution_to_db
from routilux import Flow


def main() -> None:
    flow = Flow(flow_id="database_flow")
    source_id = flow.add_routine(DataSource(), "source")
    processor_id = flow.add_routine(DataProcessor(), "processor")
    flow.connect(source_id, "output", processor_id, "input")

    job_state = flow.execute(source_id)
    flow.pause(job_state, reason="Transfer to Host B")

    save_execution_to_db(flow.serialize(), job_state.serialize(), "execution-1")
    print("Host A: saved", load_execution_from_db("no such execution"))
    run_host("examples.sqlite_transfer.host_b", "execution-1")


if __name__ == "__main__":
    with temporary_folder():
        main()
