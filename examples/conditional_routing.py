"""A router sends each order to the first route whose condition holds."""

from routilux import ConditionalRouter, Flow, Routine
from serilux import register_serializable


@register_serializable
class Orders(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", handler=self.send)
        self.define_event("order", ["amount", "country"])

    def send(self, orders):
        for amount, country in orders:
            self.emit("order", amount=amount, country=country)


@register_serializable
class OrderRouter(ConditionalRouter):
    def __init__(self):
        super().__init__()
        self.add_route("large", self.is_large)  # a method of its own
        self.add_route("domestic", {"country": "NL"})  # equal values
        self.set_default_route("abroad")

    def is_large(self, order):
        return order["amount"] >= 1000


@register_serializable
class Desk(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("input", handler=self.take)

    def take(self, amount, country):
        context = self.get_execution_context()
        context.job_state.append_to_shared_log(f"{context.routine_id}: {amount} from {country}")


def main() -> None:
    with Flow(flow_id="orders") as flow:
        flow.add_routine(Orders(), "orders")
        flow.add_routine(OrderRouter(), "router")
        flow.connect("orders", "order", "router", "input")
        for route in ("large", "domestic", "abroad"):
            flow.connect("router", route, flow.add_routine(Desk(), f"{route}_desk"), "input")
        job_state = flow.execute("orders", {"orders": [[20, "NL"], [5000, "NL"], [30, "PE"]]})
        job_state.wait(10)
    print(*job_state.shared_log, sep="\n")


if __name__ == "__main__":
    main()
