"""Data that waits in a slot of the flow becomes a task when host B resumes the job."""

import json

from examples._two_hosts import run_host, temporary_folder
from routilux import Flow, Routine
from serilux import register_serializable


@register_serializable
class Greeter(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", handler=self.start)
        self.define_event("ready")

    def start(self):
        self.emit("ready")


@register_serializable
class Counter(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("input", handler=self.count)

    def count(self, words):
        self.get_execution_context().job_state.append_to_shared_log(f"{len(words)} words")


def main() -> None:
    flow = Flow(flow_id="recovery")
    entry_id = flow.add_routine(Greeter(), "greeter")
    counter = Counter()
    flow.add_routine(counter, "counter")

    # Host A: Save state, and data that came from outside
    job_state = flow.execute(entry_id)
    flow.pause(job_state)
    counter.get_slot("input").receive({"words": ["nobody", "has", "a", "task", "for", "these"]})
    flow_data = flow.serialize()
    job_state_data = job_state.serialize()
    with open("transfer.json", "w") as f:
        json.dump({"flow": flow_data, "job_state": job_state_data}, f)
    print(f"Host A: pending tasks: {job_state.pending_tasks}")
    print("Host A: slot data:", flow_data["routines"]["counter"]["_slots"]["input"]["_data"])

    # Host B: Restore and resume
    run_host("examples._host_b", "examples.automatic_recovery")


if __name__ == "__main__":
    with temporary_folder():
        main()
