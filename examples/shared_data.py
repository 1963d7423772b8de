"""Data of a job that all of its routines share; it is part of the JobState and commits with each activation."""

from routilux import Flow, JobState, Routine
from serilux import register_serializable


@register_serializable
class Sales(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", handler=self.open)
        self.define_event("sale", ["amount"])

    def open(self, amounts):
        self.get_execution_context().job_state.shared_data["currency"] = "EUR"
        for amount in amounts:
            self.emit("sale", amount=amount)


@register_serializable
class Till(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("input", handler=self.ring)

    def ring(self, amount):
        job_state = self.get_execution_context().job_state
        # A function of the old value is applied at the commit: it never conflicts with other tills.
        job_state.update_shared_data("total", lambda total: (total or 0) + amount)
        job_state.append_to_shared_log({"sold": amount})


def main() -> None:
    with Flow(flow_id="shop", execution_strategy="concurrent") as flow:
        flow.connect(flow.add_routine(Sales(), "sales"), "sale", flow.add_routine(Till(), "till"), "input")
        job_state = flow.execute("sales", {"amounts": [5, 7, 30]})
        job_state.wait(10)

    copy = JobState()
    copy.deserialize(job_state.serialize())
    print(dict(copy.shared_data))
    print(sorted(entry["sold"] for entry in copy.shared_log))


if __name__ == "__main__":
    main()
