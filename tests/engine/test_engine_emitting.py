"""Emissions: where they may be made, that they are atomic, how they are routed."""

import contextvars
import threading
from collections.abc import Callable
from typing import Any

import pytest

from routilux import Flow, JobState, OutsideActivationError, Routine
from routilux.testing import StepRunner
from tests.engine.engine_parts import emitted, events_of, flow_of, pipeline, retrying, routine


def failed_with(job_state: JobState) -> str:
    assert job_state.status == "failed"
    assert job_state.error is not None
    return job_state.error.type.removeprefix("routilux.errors.").removeprefix("serilux.errors.")


def test_an_emission_is_delivered_when_its_handler_has_returned() -> None:
    lengths: list[int] = []

    def send(self: Routine) -> None:
        context = self.get_execution_context()
        assert context is not None
        self.emit("out", value=1)
        lengths.append(len(context.job_state.execution_history))

    def take(self: Routine, value: int) -> None:
        context = self.get_execution_context()
        assert context is not None
        lengths.append(len(context.job_state.execution_history))

    flow = flow_of(StepRunner(), links=("a.out>b",), a=routine(send, "out"), b=routine(take))
    flow.execute("a").wait()
    assert lengths == [0, 2]


def test_an_event_goes_to_every_connection_in_the_order_in_which_they_were_made() -> None:
    order: list[str] = []

    def send(self: Routine) -> None:
        self.emit("out", value=1)

    def take(self: Routine, value: int) -> None:
        order.append(str(self.routine_id))

    parts = {name: routine(take) for name in "bcd"}
    flow = flow_of(StepRunner(), links=("a.out>c", "a.out>b", "a.out>d", "a.out>b"), a=routine(send, "out"), **parts)
    flow.execute("a").wait()
    assert order == ["c", "b", "d", "b"]


def test_an_event_that_leads_nowhere_is_recorded() -> None:
    def send(self: Routine) -> None:
        self.emit("out", value=1)

    job_state = flow_of(StepRunner(), a=routine(send, "out")).execute("a")
    assert events_of(job_state) == [("a", "start"), ("a", "out")]


def test_parameters_beyond_the_declared_ones_are_allowed() -> None:
    part = Routine()
    part.define_event("out", ["value"])
    part.define_slot("trigger", lambda: part.emit("out", value=1, more=2))
    job_state = flow_of(StepRunner(), a=part).execute("a")
    assert emitted(job_state, "out") == [{"value": 1, "more": 2}]


def test_data_named_like_the_parameters_of_emit_is_data() -> None:
    def send(self: Routine) -> None:
        self.emit("out", event_name=1, data=2, priority=3, metadata=4)

    job_state = flow_of(StepRunner(), a=routine(send, "out")).execute("a")
    assert emitted(job_state, "out") == [{"event_name": 1, "data": 2, "priority": 3, "metadata": 4}]


BAD_EMISSIONS: dict[str, tuple[Callable[[Routine], Any], str]] = {
    "unknown event": (lambda r: r.emit("outt", value=1), "DefinitionError"),
    "event type": (lambda r: r.emit(5, value=1), "DefinitionError"),
    "value": (lambda r: r.emit("out", value=object()), "UnsupportedValueError"),
    "lone surrogate": (lambda r: r.emit("out", value="\ud800"), "UnsupportedValueError"),
    "no names": (lambda r: r.emit("out", 5), "DefinitionError"),
    "a dict": (lambda r: r.emit("out", {"value": 1}), "DefinitionError"),
    "data": (lambda r: r.emit_with("out", [1]), "DefinitionError"),
    "names": (lambda r: r.emit_with("out", {1: 2}), "UnsupportedValueError"),
    "priority": (lambda r: r.emit_with("out", {}, priority=1.5), "DefinitionError"),
    "metadata": (lambda r: r.emit_with("out", {}, metadata={"a": object()}), "UnsupportedValueError"),
    "delay": (lambda r: r.emit_with("out", {}, delay="1s"), "DefinitionError"),
    "delay into the past": (lambda r: r.emit_with("out", {}, delay=-1), "DefinitionError"),
    "delay of truth": (lambda r: r.emit_with("out", {}, delay=False), "DefinitionError"),
    "metadata type": (lambda r: r.emit_with("out", {}, metadata=5), "UnsupportedValueError"),
    "unknown with": (lambda r: r.emit_with("outt", {}), "DefinitionError"),
}


@pytest.mark.parametrize("name", BAD_EMISSIONS)
def test_a_bad_emission_is_an_error_in_the_handler_and_sends_nothing(name: str) -> None:
    call, error = BAD_EMISSIONS[name]
    flow = flow_of(StepRunner(), a=routine(call, "out"))
    job_state = flow.execute("a")
    assert failed_with(job_state) == error
    assert events_of(job_state) == [("a", "start"), ("a", "error")]


@pytest.mark.parametrize("name", BAD_EMISSIONS)
def test_a_handler_that_survives_a_bad_emission_sends_the_others_as_they_are(name: str) -> None:
    def send(self: Routine) -> None:
        self.emit("out", value=1)
        with pytest.raises((ValueError, TypeError)):
            BAD_EMISSIONS[name][0](self)
        self.emit("out", value=2)

    job_state = flow_of(StepRunner(), a=routine(send, "out")).execute("a")
    assert job_state.status == "completed"
    assert emitted(job_state, "out") == [{"value": 1}, {"value": 2}]


def test_of_a_dict_that_is_emitted_it_is_said_how_its_keys_become_names() -> None:
    error = flow_of(StepRunner(), a=routine(BAD_EMISSIONS["a dict"][0], "out")).execute("a").error
    assert error is not None
    assert "emit('out', name=value), not a dict: to give a dict by its keys, put ** before it" in error.message


def test_a_handler_emits_through_its_own_routine_only() -> None:
    other = routine(lambda self: None, "out")
    flow = flow_of(StepRunner(), a=routine(lambda self: other.emit("out"), "out"), b=other)
    job_state = flow.execute("a")
    assert failed_with(job_state) == "OutsideActivationError"
    assert job_state.error is not None and "self.emit" in job_state.error.message


@pytest.mark.parametrize("call", [lambda r: r.expect("trigger"), lambda r: r.expect("other")])
def test_a_handler_expects_for_its_own_routine_only(call: Callable[[Routine], None]) -> None:
    other = routine(lambda self: None)
    other.define_slot("other", lambda: None)
    flow = flow_of(StepRunner(), a=routine(lambda self: call(other)), b=other)
    assert failed_with(flow.execute("a")) == "OutsideActivationError"


def test_what_is_emitted_is_copied_at_once() -> None:
    def send(self: Routine) -> None:
        items = [1]
        self.emit("out", items=items)
        items.append(2)
        self.emit("out", items=items)

    job_state = flow_of(StepRunner(), a=routine(send, "out")).execute("a")
    assert emitted(job_state, "out") == [{"items": [1]}, {"items": [1, 2]}]


def in_a_thread(work: Callable[[], Any]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_a_thread_of_ones_own_is_outside_of_the_handler() -> None:
    refused: list[str] = []

    def send(self: Routine) -> None:
        def work() -> None:
            try:
                self.emit("out", value=1)
            except RuntimeError as error:
                refused.append(str(error))

        in_a_thread(work)

    job_state = flow_of(StepRunner(), a=routine(send, "out")).execute("a")
    assert emitted(job_state, "out") == []
    assert len(refused) == 1 and "contextvars.copy_context()" in refused[0]


def test_a_thread_of_ones_own_emits_in_a_copied_context() -> None:
    def send(self: Routine) -> None:
        context = contextvars.copy_context()
        in_a_thread(lambda: context.run(self.emit, "out", value=1))

    job_state = flow_of(StepRunner(), a=routine(send, "out")).execute("a")
    assert emitted(job_state, "out") == [{"value": 1}]


@pytest.mark.parametrize("call", [lambda r: r.emit("out"), lambda r: r.flush(), lambda r: r.expect("trigger")])
def test_a_copied_context_is_of_no_use_when_the_handler_has_ended(call: Callable[[Routine], None]) -> None:
    contexts: list[contextvars.Context] = []
    part = routine(lambda self: contexts.append(contextvars.copy_context()), "out")
    job_state = flow_of(StepRunner(), a=part).execute("a")
    with pytest.raises(RuntimeError, match="has ended"):
        contexts[0].run(call, part)
    assert events_of(job_state) == [("a", "start")]
    with pytest.raises(OutsideActivationError, match="has ended"):
        contexts[0].run(part.get_execution_context)


def test_the_caller_of_execute_is_outside_again_when_it_returns() -> None:
    part = routine(lambda self: None, "out")
    flow_of(StepRunner(), a=part).execute("a")
    with pytest.raises(RuntimeError, match="outside of a handler"):
        part.emit("out")


def test_a_handler_may_run_another_flow_and_is_itself_again_afterwards() -> None:
    runner = StepRunner()
    inner = flow_of(runner, flow_id="inner", x=routine(lambda self: self.emit("out", value=1), "out"))

    def outer(self: Routine) -> None:
        job_state = inner.execute("x")
        assert job_state.wait(raise_on_failure=True)
        self.emit("out", inner=emitted(job_state, "out"))

    job_state = flow_of(runner, flow_id="outer", a=routine(outer, "out")).execute("a")
    assert emitted(job_state, "out") == [{"inner": [{"value": 1}]}]


def test_a_handler_may_build_a_flow_of_its_own() -> None:
    def outer(self: Routine) -> None:
        inner = Flow("inner")
        inner.add_routine(routine(lambda self: None), "x")
        written = pipeline()
        Flow("read").deserialize(written.serialize())
        self.emit("out")

    job_state = flow_of(StepRunner(), a=routine(outer, "out")).execute("a")
    assert job_state.error is None


# Priorities and metadata.


def numbers(self: Routine) -> None:
    for value in range(3):
        self.emit("plain", value=value)
        self.emit("late", value=10 + value)
        self.emit("urgent", value=20 + value)


def priority_flow(taken: list[int]) -> Flow:
    flow = flow_of(
        StepRunner(),
        a=routine(numbers, "plain", "late", "urgent"),
        b=routine(lambda self, value: taken.append(value)),
    )
    flow.connect("a", "plain", "b", "trigger")
    flow.connect("a", "late", "b", "trigger", priority=-5)
    flow.connect("a", "urgent", "b", "trigger", priority=5)
    return flow


def test_higher_priorities_run_first_and_equal_ones_in_order() -> None:
    taken: list[int] = []
    priority_flow(taken).execute("a").wait()
    assert taken == [20, 21, 22, 0, 1, 2, 10, 11, 12]


def test_an_emission_may_have_a_priority_of_its_own() -> None:
    taken: list[int] = []

    def send(self: Routine) -> None:
        self.emit("out", value=1)
        self.emit_with("out", {"value": 2}, priority=9)
        self.emit_with("out", {"value": 3}, priority=0)
        self.emit_with("out", {"value": 4})

    flow = flow_of(StepRunner(), a=routine(send, "out"), b=routine(lambda self, value: taken.append(value)))
    flow.connect("a", "out", "b", "trigger", priority=3)
    flow.execute("a").wait()
    assert taken == [2, 1, 4, 3]


def test_priorities_and_metadata_survive_a_retry_a_pause_and_a_reload() -> None:
    seen: list[tuple[int, Any, int]] = []

    def send(self: Routine) -> None:
        self.emit_with("out", {"value": 1}, priority=2, metadata={"by": ["me"]})

    def take(self: Routine, value: int) -> None:
        context = self.get_execution_context()
        assert context is not None
        seen.append((context.priority, context.metadata, context.attempt))
        context.metadata["by"].append("changed")
        if context.attempt < 3:
            raise ValueError

    runner = StepRunner()
    target = routine(take)
    target.set_error_handler(retrying())
    flow = flow_of(runner, links=("a.out>b",), a=routine(send, "out"), b=target)
    job_state = flow.execute("a")
    runner.step()
    flow.pause(job_state)
    copy = JobState()
    copy.deserialize(job_state.serialize())
    flow.resume(copy)
    assert copy.wait()
    assert seen == [(2, {"by": ["me"]}, attempt) for attempt in (1, 2, 3)]


def test_an_emission_may_come_later_over_a_pause_and_a_reload() -> None:
    arrived: list[tuple[int, float]] = []
    runner = StepRunner()
    begin = runner.clock.now()

    def send(self: Routine) -> None:
        self.emit_with("out", {"value": 1}, delay=60)
        self.emit_with("out", {"value": 2}, delay=20.5)
        self.emit_with("out", {"value": 3}, delay=0)

    target = routine(lambda self, value: arrived.append((value, runner.clock.now() - begin)))
    flow = flow_of(runner, links=("a.out>b",), a=routine(send, "out"), b=target)
    job_state = flow.execute("a")
    flow.pause(job_state)
    runner.clock.advance(30)
    copy = JobState()
    copy.deserialize(job_state.serialize())
    waiting = copy.explain().waiting_for_time
    assert [(note.until.timestamp() - begin, note.source) for note in waiting] == [(20.5, "a.out"), (60.0, "a.out")]
    flow.resume(copy)
    assert copy.wait()
    assert arrived == [(3, 30.0), (2, 30.0), (1, 60.0)]


def test_what_comes_later_is_retried_as_anything_else() -> None:
    tried: list[tuple[int, float]] = []
    runner = StepRunner()
    begin = runner.clock.now()

    def take(self: Routine, value: int) -> None:
        tried.append((value, runner.clock.now() - begin))
        if len(tried) < 3:
            raise ValueError

    target = routine(take)
    target.set_error_handler(retrying(3, 1.0, 2.0))
    sender = routine(lambda self: self.emit_with("out", {"value": 1}, delay=5), "out")
    assert flow_of(runner, links=("a.out>b",), a=sender, b=target).execute("a").wait()
    assert tried == [(1, 5.0), (1, 6.0), (1, 8.0)]


def test_the_entry_has_no_metadata() -> None:
    seen: list[Any] = []
    part = routine(lambda self: seen.append(self.get_execution_context().metadata))
    flow_of(StepRunner(), a=part).execute("a")
    assert seen == [{}]


# The execution context.


def test_the_execution_context_names_flow_job_routine_slot_task_and_attempt() -> None:
    seen: list[Any] = []

    def look(self: Routine) -> None:
        context = self.get_execution_context()
        assert context is not None
        seen.extend([context.flow, context.job_state, context.routine_id, context.slot, context.task_id])
        seen.extend([context.attempt, context.flushes, context.priority, context.state])

    flow = flow_of(StepRunner(), a=routine(look))
    job_state = flow.execute("a")
    assert seen == [flow, job_state, "a", "trigger", f"{job_state.job_id}:1", 1, 0, 0, {}]


def test_a_task_keeps_its_id_over_retries() -> None:
    seen: list[tuple[str, int]] = []

    def look(self: Routine) -> None:
        context = self.get_execution_context()
        assert context is not None
        seen.append((context.task_id, context.attempt))
        raise ValueError

    part = routine(look)
    part.set_error_handler(retrying(2))
    job_state = flow_of(StepRunner(), a=part).execute("a")
    job_state.wait()
    assert seen == [(f"{job_state.job_id}:1", attempt) for attempt in (1, 2, 3)]


# Flushing.


def flushing(self: Routine) -> None:
    context = self.get_execution_context()
    assert context is not None
    for value in range(context.flushes, 3):
        self.emit("out", value=value)
        context.job_state.append_to_shared_log(value)
        self.flush()
        if value == 1 and context.attempt == 1:
            self.emit("out", value="never")
            raise ValueError(value)


def test_flushes_are_given_to_a_retry_to_skip_by() -> None:
    part = routine(flushing, "out")
    part.set_error_handler(retrying())
    job_state = flow_of(StepRunner(), a=part).execute("a")
    job_state.wait()
    assert job_state.status == "completed"
    assert emitted(job_state, "out") == [{"value": 0}, {"value": 1}, {"value": 2}]
    assert job_state.shared_log == [0, 1, 2]
    assert [event for _, event in events_of(job_state)] == ["start", "out", "out", "error", "start", "out"]


@pytest.mark.parametrize("strategy", ["stop", "skip", "continue"])
def test_what_was_flushed_before_a_failure_stays(strategy: str) -> None:
    taken: list[Any] = []

    def send(self: Routine) -> None:
        self.emit("out", value=1)
        self.flush()
        self.emit("out", value=2)
        raise ValueError

    part = routine(send, "out")
    part.set_as_optional(strategy)
    flow = flow_of(StepRunner(), links=("a.out>b",), a=part, b=routine(lambda self, value: taken.append(value)))
    job_state = flow.execute("a")
    job_state.wait()
    assert taken == {"stop": [], "skip": [1], "continue": [1, 2]}[strategy]
    document = job_state.serialize()
    assert len(document["pending_tasks"]) == (1 if strategy == "stop" else 0)
    assert len(document["failed_tasks"]) == (1 if strategy == "stop" else 0)


def test_a_flush_commits_data_state_and_emissions_together() -> None:
    runner = StepRunner()
    cuts: list[Any] = []

    def send(self: Routine) -> None:
        context = self.get_execution_context()
        assert context is not None
        job_state = context.job_state
        job_state.shared_data["key"] = 1
        context.state["n"] = 1
        self.emit("out", value=1)
        cuts.append(job_state.serialize())
        self.flush()
        cuts.append(job_state.serialize())

    flow_of(runner, a=routine(send, "out")).execute("a")
    before, after = cuts
    assert (before["shared_data"], before["execution_history"]) == ({}, [])
    assert after["shared_data"] == {"key": 1}
    assert [record["event_name"] for record in after["execution_history"]] == ["start", "out"]
    assert after["routine_states"]["a"]["state"] == {"n": 1}
    assert after["pending_tasks"][0]["flushes"] == 1


def test_a_handler_goes_on_with_its_state_and_shared_data_after_a_flush() -> None:
    def send(self: Routine) -> None:
        context = self.get_execution_context()
        assert context is not None
        shared, state = context.job_state.shared_data, context.state
        state["n"], shared["n"] = 1, 1
        shared["list"] = kept = [1]
        read = shared["old"]
        read.append(1)
        self.flush()
        state["n"], shared["n"] = 2, 2
        kept.append(2)
        read.append(2)
        assert (shared["n"], shared["list"], shared["old"]) == (2, [1, 2], [0, 1, 2])

    runner = StepRunner()
    flow = flow_of(runner, a=routine(send, "out"))
    job_state = runner.start(flow, "a")
    job_state.update_shared_data("old", [0])
    job_state.wait(raise_on_failure=True)
    assert job_state.shared_data == {"old": [0, 1, 2], "n": 2, "list": [1, 2]}
    assert job_state.get_routine_state("a") == {"status": "completed", "error": None, "n": 2}


def test_flushed_emissions_run_while_a_concurrent_handler_goes_on() -> None:
    runner = StepRunner()

    def send(self: Routine) -> None:
        self.emit("out", value=1)
        self.flush()
        attempt = runner.begin(job_state)
        assert attempt is not None and attempt.routine_id == "b"
        outer = contextvars.copy_context()
        contextvars.Context().run(lambda: attempt.run().commit())
        outer.run(self.emit, "out", value=2)

    taken: list[int] = []
    flow = flow_of(
        runner,
        links=("a.out>b",),
        execution_strategy="concurrent",
        a=routine(send, "out"),
        b=routine(lambda self, value: taken.append(value)),
    )
    job_state = runner.start(flow, "a")
    job_state.wait(raise_on_failure=True)
    assert taken == [1, 2]


def test_an_attempt_that_was_given_up_cannot_flush() -> None:
    def send(self: Routine) -> None:
        context = self.get_execution_context()
        assert context is not None
        self.emit("out", value=1)
        context.flow.cancel(context.job_state)
        with pytest.raises(RuntimeError, match="cannot flush"):
            self.flush()

    job_state = flow_of(StepRunner(), a=routine(send, "out")).execute("a")
    assert (job_state.status, events_of(job_state)) == ("cancelled", [])
