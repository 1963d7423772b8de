"""A flow whose jobs wait for two answers on one slot: what was delivered twice has come to both."""

from routilux import Flow
from serilux import register_serializable
from tests.stores.patients import Patient


@register_serializable(name="AnsweringTwice")
class Twice(Patient):
    """Waits for two answers."""

    def ask(self) -> None:
        super().ask()
        super().ask()


def twice() -> Flow:
    flow = Flow("twice")
    flow.add_routine(Twice(), "twice")
    return flow
