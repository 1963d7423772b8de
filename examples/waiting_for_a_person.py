"""A job that waits for an answer, which reaches it on whatever host it is by then."""

from routilux import Flow, JobState, Routine
from serilux import register_serializable


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


def main() -> None:
    flow = Flow(flow_id="approval")
    flow.add_routine(Approval(), "approval")
    job_state = flow.execute("approval", {"question": "Ship it?"})
    print(f"{job_state.status}; finished: {job_state.wait(timeout=0)}")

    flow.pause(job_state, reason="people take their time")
    document = job_state.serialize()

    new_job_state = JobState()
    new_job_state.deserialize(document)
    flow.deliver(new_job_state, "approval", "answer", {"approved": True, "by": "Ada"})  # a paused job takes it, too
    flow.resume(new_job_state).wait(10)
    print(f"{new_job_state.status}: {new_job_state.shared_log}")


if __name__ == "__main__":
    main()
