"""Law 9: what a handler is given, after any number of cuts, equals what was emitted, in value and type."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from routilux import Flow, Routine
from routilux.testing import StepRunner
from serilux import clone, identical, register_serializable
from tests.laws.effort import examples
from tests.serilux.strategies import values

SEEN: list[Any] = []


@register_serializable
class Source(Routine):
    """Emits what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", handler=self.send)
        self.define_event("out", ["value"])

    def send(self, value: Any) -> None:
        self.emit("out", value=value)


@register_serializable
class Sink(Routine):
    """Keeps what it is given, in every place a job has."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("input", handler=self.take)

    def take(self, value: Any) -> None:
        context = self.get_execution_context()
        SEEN.append(clone(value))
        context.state["kept"] = value
        context.job_state.shared_data["kept"] = value
        context.job_state.append_to_shared_log(value)


@examples(100)
@given(values, st.booleans())
def test_a_value_is_the_same_wherever_a_job_keeps_it(value: Any, paused: bool) -> None:
    SEEN.clear()
    runner = StepRunner()
    flow = Flow("values", engine_factory=runner.engine)
    flow.add_routine(Source(), "source")
    flow.add_routine(Sink(), "sink")
    flow.connect("source", "out", "sink", "input")
    job_state = runner.start(flow, "source", {"value": value})
    while job_state.status == "running":
        if paused:
            flow.pause(job_state)
        flow, job_state = runner.reload(flow, job_state)
        if not runner.step():
            runner.clock.advance_to_next_timer()
    kept = [
        *SEEN,
        job_state.get_routine_state("sink")["kept"],
        job_state.shared_data["kept"],
        *job_state.shared_log,
        *[record.data["value"] for record in job_state.execution_history if record.event_name == "out"],
    ]
    assert len(kept) == 5
    assert all(identical(each, value) for each in kept)
