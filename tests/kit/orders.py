"""A flow as users have it: orders are checked, billed with retries, wait for an approval, and are joined again."""

from typing import Any

from routilux import ErrorHandler, Flow, Routine
from serilux import register_serializable


def longest(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """What a slot makes of what has come: the sum of the amounts so far."""
    return {"number": new["number"], "amount": old.get("amount", 0) + new["amount"]}


@register_serializable
class KitOrders(Routine):
    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", handler=self.read)
        self.define_event("order", ["number", "amount"])

    def read(self, amounts: list[int]) -> None:
        for number, amount in enumerate(amounts):
            if amount > 100:
                self.emit_with("order", {"number": number, "amount": amount}, metadata={"large": True})
            else:
                self.emit("order", number=number, amount=amount)


@register_serializable
class KitBilling(Routine):
    """The bank is busy, longer for larger amounts."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("order", handler=self.bill)
        self.define_event("billed", ["number", "amount"])
        self.set_error_handler(ErrorHandler("retry", max_retries=2, retry_delay=10.0, retry_backoff=3.0))

    def bill(self, number: int, amount: int) -> None:
        context = self.get_execution_context()
        assert context is not None
        if context.attempt <= amount // 60:
            raise ConnectionError(f"the bank is busy: {number}")
        context.state["billed"] = [*context.state.get("billed", []), number]
        context.job_state.update_shared_data("total", lambda total: (total or 0) + amount)
        context.job_state.append_to_shared_log({"number": number, "large": context.metadata.get("large", False)})
        self.emit("billed", number=number, amount=amount)


@register_serializable
class KitApproval(Routine):
    """Somebody has to approve each order; the last one is never looked at, and goes by without."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("billed", handler=self.ask)
        self.define_slot("answer", handler=self.answered)
        self.define_event("approved", ["number", "by"])
        self.set_error_handler(ErrorHandler("skip"))

    def ask(self, number: int, amount: int) -> None:
        self.emit("approved", number=number, by="nobody yet")
        self.expect("answer", timeout=3600.0)

    def answered(self, number: int, by: str) -> None:
        self.emit("approved", number=number, by=by)


@register_serializable
class KitLedger(Routine):
    """Joins the orders, and sums them up."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("entry", handler=self.joined, merge_strategy="append", when=has_three)
        self.define_slot("sum", handler=self.summed, merge_strategy=longest)
        self.define_slot("note", handler=self.noted)
        self.define_event("closed", ["numbers"])

    def noted(self, **data: Any) -> None:
        """Only the history tells of it."""

    def joined(self, number: list[int], **rest: Any) -> None:
        self.emit("closed", numbers=number)

    def summed(self, number: int, amount: int) -> None:
        context = self.get_execution_context()
        assert context is not None
        context.job_state.shared_data["largest"] = amount
        if number == 1 and context.attempt == 1:
            raise ValueError("tried again")


def has_three(data: dict[str, Any]) -> bool:
    """All orders have come."""
    return len(data["number"]) == 3


def orders(strategy: str = "sequential") -> Flow:
    """The flow."""
    flow = Flow("orders", strategy)
    flow.add_routine(KitOrders(), "orders")
    flow.add_routine(KitBilling(), "billing")
    flow.add_routine(KitApproval(), "approval")
    flow.add_routine(KitLedger(), "ledger")
    flow.set_error_handler(ErrorHandler("retry", max_retries=1, retry_delay=5.0))
    flow.connect("orders", "order", "billing", "order")
    flow.connect("billing", "billed", "approval", "billed", priority=-1)
    flow.connect("billing", "billed", "ledger", "sum", priority=1)
    flow.connect("billing", "billed", "ledger", "note")
    flow.connect("billing", "billed", "ledger", "entry", {"amount": "paid"})
    return flow


PARAMS = {"amounts": [20, 130, 40]}
DELIVERIES = (
    ("approval", "answer", {"number": 0, "by": "ann"}),
    ("approval", "answer", {"number": 2, "by": "bob"}),
)
