"""A flow and a job as JSON files, saved and loaded."""

import json

from examples._two_hosts import temporary_folder
from routilux import Flow, JobState, Routine
from serilux import register_serializable


@register_serializable
class Greeter(Routine):
    def __init__(self):
        super().__init__()
        self.set_config(greeting="Hello")
        self.define_slot("trigger", handler=self.greet)

    def greet(self, name):
        text = f"{self.get_config('greeting')}, {name}!"
        self.get_execution_context().job_state.append_to_shared_log(text)


def main() -> None:
    flow = Flow(flow_id="greetings")
    flow.add_routine(Greeter(), "greeter")
    flow.execute("greeter", {"name": "world"}).save("job.json")

    data = flow.serialize()
    with open("flow.json", "w") as f:
        json.dump(data, f, indent=2)

    with open("flow.json") as f:
        data = json.load(f)

    flow = Flow()
    flow.deserialize(data)
    print(f"{flow}: {flow.routines['greeter'].get_config()}")

    job_state = JobState.load("job.json")
    print(f"{job_state.status}: {job_state.shared_log}")


if __name__ == "__main__":
    with temporary_folder():
        main()
