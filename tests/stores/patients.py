"""A flow whose jobs wait for an answer."""

from routilux import Flow, Routine
from serilux import register_serializable


@register_serializable(name="StoresPatient")
class Patient(Routine):
    """Waits for an answer."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.ask)
        self.define_slot("answer", self.hear)

    def ask(self) -> None:
        self.expect("answer")

    def hear(self, text: str) -> None:
        self.get_execution_context().job_state.append_to_shared_log(text)


@register_serializable(name="StoresHopeless")
class Hopeless(Routine):
    """Fails."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.fail)

    def fail(self) -> None:
        raise ConnectionError


def patient() -> Flow:
    flow = Flow("patient")
    flow.add_routine(Patient(), "patient")
    return flow
