"""Save a job twice on its way: with a pause, and directly while a handler runs; host B finishes either."""

import json
import threading

from examples._two_hosts import run_host, temporary_folder
from routilux import Flow, JobState, Routine
from serilux import register_serializable

busy = threading.Event()
gate = threading.Event()
gate.set()


@register_serializable
class Source(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", handler=self.send)
        self.define_event("output", ["number"])

    def send(self):
        for number in range(5):
            self.emit("output", number=number)


@register_serializable
class Worker(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("input", handler=self.work)

    def work(self, number):
        busy.set()
        gate.wait()
        self.get_execution_context().job_state.append_to_shared_log(number)


def build() -> Flow:
    flow = Flow(flow_id="five_numbers")
    source_id = flow.add_routine(Source(), "source")
    worker_id = flow.add_routine(Worker(), "worker")
    flow.connect(source_id, "output", worker_id, "input")
    return flow


def save(flow: Flow, job_state: JobState) -> None:
    flow_data = flow.serialize()
    job_state_data = job_state.serialize()
    save_data = {"flow": flow_data, "job_state": job_state_data}
    with open("transfer.json", "w") as f:
        json.dump(save_data, f)


def with_pause() -> None:
    flow = build()
    job_state = flow.execute("source")
    flow.pause(job_state, reason="Saving checkpoint")
    save(flow, job_state)
    print(f"Host A, paused: {job_state.status}; pause points: {[p['reason'] for p in job_state.pause_points]}")


def direct() -> None:
    flow = build()
    gate.clear()
    job_state = flow.execute("source")
    busy.wait()  # the first of five numbers is being worked on
    save(flow, job_state)
    print(f"Host A, direct: {job_state.status}")
    gate.set()
    job_state.wait()
    print(f"Host A, gone on: {job_state.status}; shared log: {job_state.shared_log}")


def main() -> None:
    with_pause()
    run_host("examples._host_b", "examples.pause_versus_direct")
    busy.clear()
    direct()
    run_host("examples._host_b", "examples.pause_versus_direct")


if __name__ == "__main__":
    with temporary_folder():
        main()
