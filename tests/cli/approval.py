"""A user's module whose handler waits for a person."""

from routilux import Flow, Routine
from serilux import register_serializable


@register_serializable
class Approval(Routine):
    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", handler=self.ask)
        self.define_slot("answer", handler=self.decide)

    def ask(self, amount: int) -> None:
        print(f"is {amount} all right?", flush=True)
        self.expect("answer")

    def decide(self, approved: bool, by: str = "nobody") -> None:
        job_state = self.get_execution_context().job_state
        job_state.update_shared_data("approved", approved)
        job_state.update_shared_data("by", by)


flow = Flow("approval")
flow.add_routine(Approval(), "approval")
