"""Law 1: what a handler has flushed is committed once; how often it has is told to later attempts, on any host."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from routilux import ErrorHandler, Flow, Routine
from routilux.testing import StepRunner
from serilux import register_serializable
from tests.laws.effort import examples


@register_serializable
class Publisher(Routine):
    """Publishes its items one by one, and fails after some of them."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", handler=self.publish)
        self.define_event("item", ["index"])
        self.set_error_handler(ErrorHandler("retry", max_retries=99, retry_delay=1.0))

    def publish(self, items: int, fails_after: list[int]) -> None:
        context = self.get_execution_context()
        assert context is not None
        for index in range(context.flushes, items):
            self.emit("item", index=index)
            context.job_state.append_to_shared_log(index)
            context.state["published"] = index + 1
            self.flush()
            if context.attempt <= len(fails_after) and index == fails_after[context.attempt - 1]:
                self.emit("item", index=-1)
                raise ConnectionError("lost")


@register_serializable
class Reader(Routine):
    """Keeps what comes."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("input", handler=self.read)

    def read(self, index: int) -> None:
        context = self.get_execution_context()
        assert context is not None
        context.state["read"] = [*context.state.get("read", []), index]


@examples(100)
@given(st.integers(0, 6), st.lists(st.integers(0, 5), max_size=4), st.lists(st.booleans(), min_size=1, max_size=8))
def test_each_item_is_published_once_however_often_it_fails_and_moves(
    items: int, fails_after: list[int], cuts: list[bool]
) -> None:
    runner = StepRunner()
    flow = Flow("flush", engine_factory=runner.engine)
    flow.add_routine(Publisher(), "publisher")
    flow.add_routine(Reader(), "reader")
    flow.connect("publisher", "item", "reader", "input")
    job_state = runner.start(flow, "publisher", {"items": items, "fails_after": fails_after})
    turn = 0
    while job_state.status == "running":
        if cuts[turn % len(cuts)] and turn < 40:
            flow, job_state = runner.reload(flow, job_state)
        turn += 1
        if not runner.step():
            runner.clock.advance_to_next_timer()
    state: dict[str, Any] = job_state.get_routine_state("reader") or {"read": []}
    assert job_state.status == "completed"
    assert state["read"] == list(range(items))
    assert job_state.shared_log == list(range(items))
