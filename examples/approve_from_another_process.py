"""A job that runs in one process waits for an answer, which another one puts in by way of their store."""

import sys

from examples._two_hosts import start_host, temporary_folder
from routilux import Flow, Routine
from routilux.stores import open_store
from serilux import register_serializable

STORE = "sqlite:///jobs.db"


@register_serializable
class Approval(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", handler=self.ask)
        self.define_slot("answer", handler=self.decide)

    def ask(self, question):
        self.get_execution_context().state["question"] = question
        self.expect("answer", timeout=7 * 24 * 3600)

    def decide(self, approved, by):
        context = self.get_execution_context()
        verdict = "yes" if approved else "no"
        context.job_state.append_to_shared_log(f"{context.state['question']} {verdict}, says {by}")


def worker() -> None:
    flow = Flow(flow_id="approval")
    flow.add_routine(Approval(), "approval")
    with open_store(STORE) as store:
        job_state = flow.execute("approval", {"question": "Ship it?"}, store=store)
        print(job_state.job_id, flush=True)
        job_state.wait(60)
        print(f"Worker: {job_state.status}: {job_state.shared_log}")


def main() -> None:
    process = start_host("examples.approve_from_another_process", "worker", listen=True)
    assert process.stdout is not None
    job_id = process.stdout.readline().strip()
    with open_store(STORE) as store:
        (waits,) = store.load(job_id)[1].explain().waiting_for_delivery
        print(f"Office: the job is {store.jobs()[0].status} and waits on {waits.routine_id}.{waits.slot}")
        store.deliver(job_id, "approval", "answer", {"approved": True, "by": "Ada"}, timeout=30)
    print(process.communicate(timeout=60)[0], end="")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        with temporary_folder():
            main()
    else:
        worker()
