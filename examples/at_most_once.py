"""A process dies in the middle of a payment: whether it was made, only a look at the bank can tell."""

import os
import signal
import sys
from pathlib import Path

from examples._two_hosts import start_host, temporary_folder
from routilux import Flow, Routine, recover
from routilux.stores import open_store
from serilux import register_serializable

STORE, BANK = "sqlite:///jobs.db", Path("bank.txt")


@register_serializable
class Payment(Routine):
    def __init__(self):
        super().__init__()
        self.set_effects("at_most_once")
        self.define_slot("trigger", handler=self.pay)

    def pay(self, amount, dies):
        context = self.get_execution_context()
        self.die(dies == "before paying")
        with BANK.open("a") as bank:
            bank.write(f"{context.task_id}\n")
        self.die(dies == "after paying")

    def die(self, now):
        if now and self.get_execution_context().job_state.epoch == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def payer(dies: str) -> None:
    flow = Flow(flow_id="payments")
    flow.add_routine(Payment(), "payment")
    with open_store(STORE) as store:
        flow.execute("payment", {"amount": 20, "dies": dies}, store=store)


def main() -> None:
    BANK.touch()
    for dies in ("before paying", "after paying"):
        start_host("examples.at_most_once", dies).wait(60)
        with open_store(STORE) as store:
            (paused,) = recover(store)
            print(f"It died {dies}. The job is {paused.status}: {paused.pause_points[-1]['reason']}")
            flow, job_state = store.load(paused.job_id)
            for task in job_state.pending_tasks:
                outcome = "done" if task["task_id"] in BANK.read_text() else "again"
                print(f"  {task['routine_id']}.{task['slot']} is resolved: {outcome}")
                flow.resolve(job_state, task["task_id"], outcome)
            flow.resume(job_state).wait(10)
            print(f"  {job_state.status}; payments so far: {len(BANK.read_text().splitlines())}")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        with temporary_folder():
            main()
    else:
        payer(sys.argv[1])
