"""Law 10: the work per activation does not grow. Counted in calls of Python functions, not in seconds."""

import sys
from typing import Any

import pytest

from routilux import Flow, JobState, Routine
from routilux.testing import StepRunner


class Chain(Routine):
    """Sends itself one task less."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", handler=self.go)
        self.define_slot("input", handler=self.go)
        self.define_event("out", ["left"])

    def go(self, left: int) -> None:
        if left:
            self.emit("out", left=left - 1)


class Fan(Routine):
    """Sends many at once into a slot that waits for all of them."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", handler=self.spread)
        self.define_slot("input", handler=self.join, merge_strategy="append", when=self.complete)
        self.define_event("out", ["index", "of"])

    def spread(self, left: int) -> None:
        for index in range(left):
            self.emit("out", index=index, of=left)

    def complete(self, merged: dict[str, Any]) -> bool:
        return len(merged["index"]) == merged["of"][0]

    def join(self, index: list[int], of: list[int]) -> None:
        pass


def calls_per_activation(routine: Routine, activations: int) -> float:
    runner = StepRunner()
    flow = Flow("cost", engine_factory=runner.engine)
    flow.add_routine(routine, "it")
    flow.connect("it", "out", "it", "input")
    job_state = runner.start(flow, "it", {"left": activations})
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        runner.run()
    finally:
        sys.setprofile(None)
    assert JobState.wait_for_completion(flow, job_state)
    return calls / activations


@pytest.mark.parametrize("routine", [Chain, Fan])
def test_an_activation_costs_as_many_calls_in_a_long_job_as_in_a_short_one(routine: type[Routine]) -> None:
    short, long = calls_per_activation(routine(), 500), calls_per_activation(routine(), 5000)
    assert long == pytest.approx(short, rel=0.02)
