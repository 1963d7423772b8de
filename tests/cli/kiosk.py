"""A user's module whose handler needs what its host gives it."""

import os

from routilux import Flow, ResourceFactory, Routine
from serilux import register_serializable


@register_serializable
class Kiosk(Routine):
    def __init__(self) -> None:
        super().__init__()
        self.require("till")
        self.define_slot("trigger", handler=self.sell)

    def sell(self) -> None:
        till = self.get_resource("till")
        if till == "burning":
            os._exit(9)
        if till == "closed":
            raise RuntimeError("the till is closed")
        self.get_execution_context().job_state.update_shared_data("till", till)


def make_flow() -> Flow:
    made = Flow("kiosk")
    made.add_routine(Kiosk(), "kiosk")
    return made


def equipped_flow() -> Flow:
    made = make_flow()
    made.resources["till"] = "of the flow"
    return made


def routilux_resources() -> dict[str, object]:
    if os.environ.get("TILL") == "odd":
        return []  # type: ignore[return-value]
    return {"till": ResourceFactory(lambda: os.environ["TILL"])} if "TILL" in os.environ else {}
