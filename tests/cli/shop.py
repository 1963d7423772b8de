"""A user's module, as the processes of these tests import it from their folder."""

import os
from dataclasses import dataclass

from routilux import ErrorHandler, Flow, Routine
from serilux import register_serializable


@register_serializable
@dataclass
class Money:
    amount: int = 0


@register_serializable
class Orders(Routine):
    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", handler=self.read)
        self.define_event("order", ["number", "amount"])

    def read(self, amounts: list[int]) -> None:
        for number, amount in enumerate(amounts):
            self.emit("order", number=number, amount=Money(amount))


@register_serializable
class Billing(Routine):
    def __init__(self) -> None:
        super().__init__()
        self.define_slot("order", handler=self.bill)
        self.set_error_handler(ErrorHandler("retry", max_retries=1, retry_delay=0.001))

    def bill(self, number: int, amount: Money) -> None:
        context = self.get_execution_context()
        print(f"billing {number}", flush=True)
        if number == 1 and "GATE" in os.environ:
            with open(os.environ["GATE"]) as gate:
                gate.read()  # blocks until the test opens the other end
        if amount.amount < 0 and "FORGIVING" not in os.environ:
            raise ValueError(f"a bill of {amount.amount}")
        context.job_state.update_shared_data("billed", lambda total: (total or 0) + amount.amount)
        context.job_state.update_shared_data("last", amount)


def make_flow() -> Flow:
    made = Flow("shop")
    made.add_routine(Orders(), "orders")
    made.add_routine(Billing(), "billing")
    made.connect("orders", "order", "billing", "order")
    return made


flow = make_flow()
seven = 7


def broken() -> Flow:
    raise RuntimeError("no flow today")
