"""A value as deep as may be is refused where it enters, or saved and read wherever it goes from there (law 9)."""

import json
from itertools import cycle, islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routilux import ConditionalRouter, Flow, JobState, Routine
from routilux.testing import StepRunner
from serilux import LimitError, clone_fields, get_limits, register_serializable
from tests.laws.effort import examples
from tests.serilux.samples import Point

WRAPS = [lambda inner: [inner], lambda inner: (inner,), lambda inner: {1: inner}, Point]


def keep_new(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return {"last": new["value"]} if old else new


@register_serializable
class DepthSender(Routine):
    """Puts one value wherever a handler can put one."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.send)
        self.define_event("out")
        self.kept: Any = None
        self.add_serializable_fields(["kept"])

    def send(self, value: Any) -> None:
        context = self.get_execution_context()
        assert context is not None
        context.state["value"] = value
        context.job_state.shared_data["set"] = value
        context.job_state.update_shared_data("updated", value)
        context.job_state.append_to_shared_log({"value": value})
        self.emit("out", value=value)
        self.emit_with("out", {"value": value}, metadata={"value": value})


@register_serializable
class DepthReceiver(Routine):
    def __init__(self) -> None:
        super().__init__()
        self.define_slot("override", self.receive)
        self.define_slot("append", self.receive, merge_strategy="append")
        self.define_slot("merge", self.receive, merge_strategy=keep_new)
        self.define_slot("waiting", self.receive, merge_strategy="append")

    def receive(self, **data: Any) -> None:
        pass


@register_serializable
class DepthRouter(ConditionalRouter):
    pass


def as_deep_as_may_be(kinds: list[int]) -> Any:
    value: Any = 1
    for kind in islice(cycle(kinds), get_limits().max_depth - 1):
        value = WRAPS[kind](value)
    clone_fields({"value": value})
    with pytest.raises(LimitError):
        clone_fields({"value": [value]})
    return value


def through_json(document: Any) -> Any:
    return json.loads(json.dumps(document, allow_nan=False))


def deep_flow(runner: StepRunner, value: Any) -> Flow:
    flow = Flow("deep", engine_factory=runner.engine)
    sender, receiver, router = DepthSender(), DepthReceiver(), DepthRouter()
    sender.set_config(value=value)
    sender.kept = value
    router.add_route("matched", {"value": value})
    flow.add_routine(sender, "sender")
    flow.add_routine(receiver, "receiver")
    flow.add_routine(router, "router")
    for slot in ("override", "append", "merge"):
        flow.connect("sender", "out", "receiver", slot)
    receiver.get_slot("waiting").receive({"value": value})
    receiver.get_slot("waiting").receive({"value": value})
    return flow


@examples(15)
@given(st.lists(st.integers(0, len(WRAPS) - 1), min_size=1, max_size=4), st.integers(0, 7))
def test_the_deepest_value_is_saved_and_read_wherever_it_went(kinds: list[int], steps: int) -> None:
    value = as_deep_as_may_be(kinds)
    runner = StepRunner()
    flow = deep_flow(runner, value)
    job_state = runner.start(flow, "sender", {"value": value})
    for _ in range(steps):
        runner.step()
    if job_state.status == "running":
        flow.pause(job_state, checkpoint={"value": value})
    written = through_json(job_state.serialize())
    read = JobState()
    read.deserialize(written)
    assert read.serialize() == written
    flow_document = through_json(flow.serialize())
    read_flow = Flow()
    read_flow.deserialize(flow_document)
    assert read_flow.serialize() == flow_document


def too_deep() -> Any:
    value: Any = 1
    for _ in range(get_limits().max_depth):
        value = [value]
    return value


ENTRIES = {
    "config": lambda routine, value: routine.set_config(value=value),
    "slot": lambda routine, value: routine.get_slot("trigger").receive({"value": value}),
    "condition": lambda routine, value: DepthRouter().add_route("out", {"value": value}),
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_one_level_more_is_refused_where_it_enters(entry: str) -> None:
    with pytest.raises(LimitError, match="deeper than 100 levels"):
        ENTRIES[entry](DepthSender(), too_deep())
