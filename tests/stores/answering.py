"""A flow whose jobs wait for two answers on one slot: what was delivered twice has come to both."""

from routilux import Flow, Routine
from serilux import register_serializable


@register_serializable(name="AnsweringTwice")
class Twice(Routine):
    """Waits for two answers."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.ask)
        self.define_slot("answer", self.hear)

    def ask(self) -> None:
        self.expect("answer")
        self.expect("answer")

    def hear(self, text: str) -> None:
        self.get_execution_context().job_state.append_to_shared_log(text)


def twice() -> Flow:
    flow = Flow("twice")
    flow.add_routine(Twice(), "twice")
    return flow
