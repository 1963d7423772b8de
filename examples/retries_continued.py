"""Two attempts fail on host A; host B goes on with the third, and the counts go on with it."""

import json
import threading

from examples._two_hosts import run_host, temporary_folder
from routilux import ErrorHandler, Flow, Routine
from serilux import register_serializable

failed_twice = threading.Event()


@register_serializable
class Unreliable(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", handler=self.call)
        self.set_error_handler(ErrorHandler("retry", max_retries=4, retry_delay=0.01))

    def call(self):
        context = self.get_execution_context()
        print(f"  attempt {context.attempt}", flush=True)
        if context.attempt == 2:
            context.flow.pause(context.job_state, reason="the second attempt fails")
            failed_twice.set()
        if context.attempt < 5:
            raise ConnectionError("no answer")
        context.job_state.append_to_shared_log(f"answered at attempt {context.attempt}")


def main() -> None:
    # The routine's policy allows 4 retries
    flow = Flow(flow_id="retries")
    flow.add_routine(Unreliable(), "unreliable")

    print("Host A:")
    job_state = flow.execute("unreliable")
    failed_twice.wait()
    flow.pause(job_state, reason="Saving checkpoint")  # returns when the second attempt has ended

    flow_data = flow.serialize()
    job_state_data = job_state.serialize()
    with open("transfer.json", "w") as f:
        json.dump({"flow": flow_data, "job_state": job_state_data}, f)
    print(f"Host A: {job_state.status}; retry_count: {job_state.pending_tasks[0]['retry_count']}")

    run_host("examples._host_b", "examples.retries_continued")


if __name__ == "__main__":
    with temporary_folder():
        main()
