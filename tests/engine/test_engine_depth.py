"""A value as deep as may be is refused where it enters, or saved and read wherever it goes from there (law 9)."""

import json
from collections.abc import Iterator
from itertools import count, cycle, islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routilux import ConditionalRouter, Flow, JobState, Routine
from routilux.testing import StepRunner
from serilux import LimitError, Limits, clone_fields, get_limits, register_serializable, set_limits
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
        context.job_state.shared_data.get("set")
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


BOTTOM = "at the bottom"
Path = tuple[Any, ...]


def lists_around(levels: int) -> Any:
    value: Any = BOTTOM
    for _ in range(levels):
        value = [value]
    return value


def job_document(steps: int) -> dict[str, Any]:
    """A job after some steps, with the mark wherever there is a value."""
    runner = StepRunner()
    flow = deep_flow(runner, BOTTOM)
    job_state = runner.start(flow, "sender", {"value": BOTTOM})
    for _ in range(steps):
        runner.step()
    flow.pause(job_state, checkpoint={"value": BOTTOM})
    document: dict[str, Any] = through_json(job_state.serialize())
    document["routine_states"].setdefault("sender", {"status": "pending"}).setdefault("state", {"value": BOTTOM})
    document["shared_data"].setdefault("set", BOTTOM)
    return document


def places_of_values(node: Any, path: Path = ()) -> Iterator[Path]:
    if node == BOTTOM:
        yield path
    items = node.items() if type(node) is dict else enumerate(node) if type(node) is list else ()
    for step, item in items:
        yield from places_of_values(item, (*path, step))


def changed_at(path: Path, document: Any, value: Any) -> Any:
    changed = through_json(document)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return changed


def read_with_the_deepest_value(document: Any, path: Path) -> JobState:
    """The job, its document altered so that a value is as deep as is read at all."""
    read = JobState()
    for levels in count():
        try:
            read.deserialize(changed_at(path, document, lists_around(levels)))
        except LimitError:
            return read
    raise AssertionError("there is a limit")


def look_at_all(job_state: JobState) -> None:
    job_state.serialize()
    for record in job_state.execution_history:
        assert record.data is not record.data
    for routine_id in ("sender", "receiver"):
        job_state.get_routine_state(routine_id)
    for name in ("shared_data", "shared_log", "pause_points", "pending_tasks"):
        getattr(job_state, name)


@pytest.mark.parametrize("steps", [0, 1, 3, 6])
def test_whatever_is_read_can_be_looked_at_gone_on_with_and_saved_again(steps: int) -> None:
    set_limits(Limits(max_depth=6))
    document = job_document(steps)
    places = list(places_of_values(document))
    assert len(places) > 3
    for path in places:
        job_state = read_with_the_deepest_value(document, path)
        look_at_all(job_state)
        runner = StepRunner()
        flow = deep_flow(runner, BOTTOM)
        flow.resume(job_state)
        for _ in range(20):
            runner.step()
            look_at_all(job_state)
        assert job_state.pending_tasks == [], path
        assert job_state.error is None, path


def test_what_waits_in_a_slot_of_a_flow_is_read_with_room_for_the_list_of_a_slot_that_appends() -> None:
    set_limits(Limits(max_depth=6))
    document = through_json(deep_flow(StepRunner(), BOTTOM).serialize())
    path = ("routines", "receiver", "_slots", "override", "_data")
    Flow().deserialize(changed_at(path, document, {"value": lists_around(8)}))
    with pytest.raises(LimitError, match="deeper than 9 levels"):
        Flow().deserialize(changed_at(path, document, {"value": lists_around(9)}))
