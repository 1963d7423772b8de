"""A join: the collector is activated once, when all parts have come."""

from routilux import Flow, Routine
from serilux import register_serializable


@register_serializable
class Splitter(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", handler=self.split)
        self.define_event("part", ["word"])

    def split(self, text):
        for word in text.split():
            self.emit("part", word=word)


@register_serializable
class Measure(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("input", handler=self.measure)
        self.define_event("length", ["length"])

    def measure(self, word):
        self.emit("length", length=len(word))


@register_serializable
class Collector(Routine):
    def __init__(self):
        super().__init__()
        self.set_config(expected=4)
        self.define_slot("input", handler=self.collect, merge_strategy="append", when=self.all_are_here)

    def all_are_here(self, data):
        return len(data["length"]) == self.get_config("expected")

    def collect(self, length):
        self.get_execution_context().job_state.shared_data["lengths"] = sorted(length)


def main() -> None:
    with Flow(flow_id="fan_in", execution_strategy="concurrent") as flow:
        flow.add_routine(Splitter(), "splitter")
        flow.add_routine(Measure(), "measure")
        flow.add_routine(Collector(), "collector")
        flow.connect("splitter", "part", "measure", "input")
        flow.connect("measure", "length", "collector", "input")
        job_state = flow.execute("splitter", {"text": "one job two documents"})
        job_state.wait(10)
    starts = [r for r in job_state.execution_history if (r.routine_id, r.event_name) == ("collector", "start")]
    print(f"{job_state.shared_data}, collected {len(starts)} time")


if __name__ == "__main__":
    main()
