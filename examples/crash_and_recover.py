"""A process is killed in the middle of its work; another one recovers the job from the store and goes on."""

import os
import signal
import sys

from examples._two_hosts import start_host, temporary_folder
from routilux import Flow, Routine, recover
from routilux.stores import open_store
from serilux import register_serializable

STORE = "sqlite:///jobs.db"


@register_serializable
class Stairs(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", handler=self.climb)
        self.define_event("next", ["step"])

    def climb(self, step):
        context = self.get_execution_context()
        print(f"  step {step}, task {context.task_id.partition(':')[2]}", flush=True)
        if step == 3 and context.job_state.epoch == 0:
            os.kill(os.getpid(), signal.SIGKILL)  # a power cut, while its first owner runs the job
        context.job_state.append_to_shared_log(step)
        if step < 5:
            self.emit("next", step=step + 1)


def host_a() -> None:
    flow = Flow(flow_id="stairs")
    flow.add_routine(Stairs(), "stairs")
    flow.connect("stairs", "next", "stairs", "trigger")
    with open_store(STORE) as store:
        flow.execute("stairs", {"step": 1}, store=store, durability="strict").wait()


def host_b() -> None:
    with open_store(STORE) as store:
        (job_state,) = recover(store)
        job_state.wait(10)
        print(f"Host B: {job_state.status}; committed: {job_state.shared_log}")


def main() -> None:
    print("Host A:", flush=True)
    exit_code = start_host("examples.crash_and_recover", "host_a").wait(60)
    with open_store(STORE) as store:
        (summary,) = store.jobs()
        job_state = store.load(summary.job_id)[1]
        print(f"Host A: killed by signal {-exit_code}; committed: {job_state.shared_log}; job: {summary.status}")
    print("Host B:", flush=True)
    start_host("examples.crash_and_recover", "host_b").wait(60)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        with temporary_folder():
            main()
    else:
        {"host_a": host_a, "host_b": host_b}[sys.argv[1]]()
