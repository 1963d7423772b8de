"""A flow whose handlers wait until a test lets them go on."""

from threading import Event

from routilux import Flow, Routine
from serilux import register_serializable

GATES = [Event(), Event()]


def close_gates() -> None:
    """Have handlers wait."""
    for gate in GATES:
        gate.clear()


def open_gates() -> None:
    """Let all handlers go on."""
    for gate in GATES:
        gate.set()


@register_serializable(name="CrashesGated")
class Gated(Routine):
    """Goes through one gate after another."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", handler=self.run)
        self.define_slot("gate", handler=self.go_through)
        self.define_event("on", ["number"])

    def run(self) -> None:
        self.emit("on", number=0)

    def go_through(self, number: int) -> None:
        GATES[number].wait(60)
        if number + 1 < len(GATES):
            self.emit("on", number=number + 1)


def gated() -> Flow:
    """The flow."""
    flow = Flow("gated")
    flow.add_routine(Gated(), "gated")
    flow.connect("gated", "on", "gated", "gate")
    return flow
