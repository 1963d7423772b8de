"""Bad input at every public call: a clear error of the documented class, and nothing changed."""

from collections import namedtuple
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from routilux import (
    BindingError,
    BlockingCallError,
    ConditionalRouter,
    DefinitionError,
    ErrorHandler,
    Flow,
    JobState,
    JobStateError,
    OutsideActivationError,
    ResumeError,
    RoutiluxError,
    Routine,
)
from routilux.stores import open_store
from routilux.testing import StepRunner
from serilux import SeriluxError
from tests.engine.engine_parts import EngineAsker, EngineCollector, EngineSource, flow_of

Pair = namedtuple("Pair", "a b")


class Scene:
    """A flow with a job that runs, one that is paused and one that has failed."""

    def __init__(self) -> None:
        self.runner = StepRunner()
        self.flow = flow_of(
            self.runner,
            links=("source.out>collect",),
            source=EngineSource(),
            collect=EngineCollector(),
            ask=EngineAsker(),
        )
        self.source = self.flow.routines["source"]
        self.asker = self.flow.routines["ask"]
        self.running = self.flow.execute("ask")
        self.paused = self.flow.execute("source")
        self.flow.pause(self.paused)
        self.failed = self.flow.execute("source", {"count": "x"})
        self.cancelled = self.flow.execute("source")
        self.flow.cancel(self.cancelled)
        self.done = self.flow.execute("source", {"count": 0})
        self.foreign = flow_of(self.runner, flow_id="other", source=EngineSource()).execute("source")

    def documents(self) -> list[Any]:
        jobs = (self.running, self.paused, self.failed, self.cancelled, self.done, self.foreign)
        return [self.flow.serialize(), *(job.serialize() for job in jobs)]


def of_wrong_arity(a: int, b: int, /) -> None:
    pass


BAD_DEFINITIONS: dict[str, Callable[[Scene], Any]] = {
    "flow id": lambda s: Flow(""),
    "flow id type": lambda s: Flow(5),
    "strategy": lambda s: Flow(execution_strategy="parallel"),
    "strategy type": lambda s: Flow(execution_strategy=3),
    "workers": lambda s: Flow(max_workers=0),
    "workers type": lambda s: Flow(max_workers=2.0),
    "workers bool": lambda s: Flow(max_workers=True),
    "execution timeout": lambda s: Flow(execution_timeout=0),
    "execution timeout nan": lambda s: Flow(execution_timeout=float("nan")),
    "execution timeout type": lambda s: Flow(execution_timeout="1"),
    "no routine": lambda s: s.flow.add_routine(object()),
    "routine class": lambda s: s.flow.add_routine(Routine),
    "routine id taken": lambda s: s.flow.add_routine(Routine(), "source"),
    "routine id empty": lambda s: s.flow.add_routine(Routine(), ""),
    "routine id type": lambda s: s.flow.add_routine(Routine(), 7),
    "routine id unhashable": lambda s: s.flow.add_routine(Routine(), ["x"]),
    "routine added twice": lambda s: s.flow.add_routine(s.source, "again"),
    "connect unknown source": lambda s: s.flow.connect("nobody", "out", "collect", "trigger"),
    "connect unknown event": lambda s: s.flow.connect("source", "outt", "collect", "trigger"),
    "connect unknown target": lambda s: s.flow.connect("source", "out", "nobody", "trigger"),
    "connect unknown slot": lambda s: s.flow.connect("source", "out", "collect", "input"),
    "connect id type": lambda s: s.flow.connect(None, "out", "collect", "trigger"),
    "connect id unhashable": lambda s: s.flow.connect(["source"], "out", "collect", "trigger"),
    "connect event unhashable": lambda s: s.flow.connect("source", ["out"], "collect", "trigger"),
    "connect slot unhashable": lambda s: s.flow.connect("source", "out", "collect", ["trigger"]),
    "connect cannot bind": lambda s: s.flow.connect("source", "out", "pair", "trigger"),
    "connect mapping to nowhere": lambda s: s.flow.connect("source", "out", "pair", "trigger", {"value": "txt"}),
    "connect mapping not a dict": lambda s: s.flow.connect("source", "out", "collect", "trigger", ["value"]),
    "connect mapping of numbers": lambda s: s.flow.connect("source", "out", "collect", "trigger", {"value": 1}),
    "connect mapping to one name": lambda s: s.flow.connect(
        "source", "out", "ask", "answer", {"a": "text", "b": "text"}
    ),
    "connect priority": lambda s: s.flow.connect("source", "out", "collect", "trigger", priority="high"),
    "connect priority bool": lambda s: s.flow.connect("source", "out", "collect", "trigger", priority=True),
    "connect priority size": lambda s: s.flow.connect("source", "out", "collect", "trigger", priority=2**40),
    "config without names": lambda s: s.source.set_config({"ratio": 2}),
    "flow error handler": lambda s: s.flow.set_error_handler("stop"),
    "routine error handler": lambda s: s.source.set_error_handler("stop"),
    "optional strategy": lambda s: s.source.set_as_optional("ignore"),
    "critical retries": lambda s: s.source.set_as_critical(max_retries=-1),
    "slot name": lambda s: s.source.define_slot(""),
    "slot name type": lambda s: s.source.define_slot(5),
    "slot twice": lambda s: s.source.define_slot("trigger"),
    "slot handler": lambda s: s.source.define_slot("more", "start"),
    "slot merge": lambda s: s.source.define_slot("more", merge_strategy="replace"),
    "slot merge type": lambda s: s.source.define_slot("more", merge_strategy=None),
    "slot when": lambda s: s.source.define_slot("more", when=True),
    "slot timeout": lambda s: s.source.define_slot("more", timeout=-1),
    "slot timeout type": lambda s: s.source.define_slot("more", timeout="soon"),
    "event name": lambda s: s.source.define_event(""),
    "event twice": lambda s: s.source.define_event("out"),
    "event params text": lambda s: s.source.define_event("more", "value"),
    "event params numbers": lambda s: s.source.define_event("more", [1]),
    "event params none iterable": lambda s: s.source.define_event("more", 5),
    "unknown slot": lambda s: s.source.get_slot("inptu"),
    "unknown event": lambda s: s.source.get_event("outptu"),
    "unhashable slot": lambda s: s.source.get_slot([]),
    "expect unknown slot": lambda s: s.asker.expect("answr"),
    "error strategy": lambda s: ErrorHandler("ignore"),
    "max retries": lambda s: ErrorHandler("retry", max_retries=1.5),
    "retry delay": lambda s: ErrorHandler("retry", retry_delay=-1),
    "retry backoff": lambda s: ErrorHandler("retry", retry_backoff=float("inf")),
    "retryable": lambda s: ErrorHandler("retry", retryable_exceptions=[int]),
    "retryable one": lambda s: ErrorHandler("retry", retryable_exceptions=ValueError),
    "critical": lambda s: ErrorHandler(is_critical=1),
    "route condition": lambda s: ConditionalRouter().add_route("a", "value > 1"),
    "execute unknown": lambda s: s.flow.execute("nobody"),
    "execute id type": lambda s: s.flow.execute(None),
    "execute params": lambda s: s.flow.execute("source", [1]),
    "execute timeout": lambda s: s.flow.execute("source", timeout=0),
    "execute history limit": lambda s: s.flow.execute("source", history_limit=-1),
    "execute history limit type": lambda s: s.flow.execute("source", history_limit=1.0),
    "pause no job": lambda s: s.flow.pause("job-1"),
    "pause reason": lambda s: s.flow.pause(s.running, reason=5),
    "cancel no job": lambda s: s.flow.cancel(None),
    "cancel reason": lambda s: s.flow.cancel(s.running, reason=None),
    "resume no job": lambda s: s.flow.resume("job-1"),
    "check no job": lambda s: s.flow.check("job-1"),
    "deliver no job": lambda s: s.flow.deliver("job-1", "ask", "answer", {}),
    "deliver unknown routine": lambda s: s.flow.deliver(s.running, "asker", "answer", {}),
    "deliver unknown slot": lambda s: s.flow.deliver(s.running, "ask", "question", {}),
    "deliver to what is no id": lambda s: s.flow.deliver(s.running, "ask", "answer", {"text": ""}, task_id=1),
    "deliver data": lambda s: s.flow.deliver(s.running, "ask", "answer", "yes"),
    "wait for no job": lambda s: JobState.wait_for_completion(s.flow, "job-1"),
    "wait for no flow": lambda s: JobState.wait_for_completion("flow", s.paused),
    "wait timeout": lambda s: s.paused.wait("soon"),
    "wait timeout nan": lambda s: s.paused.wait(float("nan")),
    "shutdown timeout": lambda s: s.flow.shutdown(timeout="soon"),
    "receive": lambda s: s.source.get_slot("trigger").receive([1]),
}
NUMBERS: dict[str, Callable[[Scene, Any], Any]] = {
    "workers": lambda s, n: Flow(max_workers=n),
    "workers, later": lambda s, n: setattr(s.flow, "max_workers", n),
    "execution timeout": lambda s, n: Flow(execution_timeout=n),
    "execution timeout, later": lambda s, n: setattr(s.flow, "execution_timeout", n),
    "priority": lambda s, n: s.flow.connect("source", "out", "collect", "trigger", priority=n),
    "slot timeout": lambda s, n: s.source.define_slot("more", timeout=n),
    "expect timeout": lambda s, n: s.asker.expect("answer", timeout=n),
    "timeout": lambda s, n: s.flow.execute("source", timeout=n),
    "history limit": lambda s, n: s.flow.execute("source", history_limit=n),
    "max retries": lambda s, n: ErrorHandler("retry", max_retries=n),
    "retry delay": lambda s, n: ErrorHandler("retry", retry_delay=n),
    "retry backoff": lambda s, n: ErrorHandler("retry", retry_backoff=n),
    "critical retries": lambda s, n: s.source.set_as_critical(max_retries=n),
    "critical delay": lambda s, n: s.source.set_as_critical(retry_delay=n),
    "retries set later": lambda s, n: with_attribute(ErrorHandler("retry"), "max_retries", n).serialize(),
    "delay set later": lambda s, n: with_attribute(ErrorHandler("retry"), "retry_delay", n).serialize(),
    "backoff set later": lambda s, n: with_attribute(ErrorHandler("retry"), "retry_backoff", n).serialize(),
    "window": lambda s, n: open_store("memory:", window=n),
    "patience": lambda s, n: open_store("memory:", patience=n),
    "lost attempts": lambda s, n: open_store("memory:", max_lost_attempts=n),
}
NO_NUMBERS = [float("nan"), float("-inf"), -1, -(10**5000), 10**5000, True, "1"]
BAD_DEFINITIONS |= {
    f"{name} {index}": partial(call, n=n)
    for name, call in NUMBERS.items()
    for index, n in enumerate(NO_NUMBERS)
    if not (name == "priority" and n == -1)
}
COUNTED = ("workers", "workers, later", "history limit", "max retries", "critical retries", "lost attempts")
BAD_DEFINITIONS |= {
    f"{name} {kind}": partial(NUMBERS[name], n=n)
    for name in (*COUNTED, "retries set later", "priority")
    for kind, n in (("2**70", 2**70), ("inf", float("inf")), ("1.0", 1.0))
}


def with_attribute(owner: Any, name: str, value: Any) -> Any:
    setattr(owner, name, value)
    return owner


def test_counts_may_be_as_large_as_documents_hold_them() -> None:
    scene, most = Scene(), 2**53
    job_state = scene.flow.execute("source", history_limit=most)
    JobState().deserialize(job_state.serialize())
    scene.flow.set_error_handler(ErrorHandler("retry", max_retries=most, retry_delay=1e300))
    scene.flow.max_workers = most
    Flow().deserialize(scene.flow.serialize())


def test_a_store_may_wait_for_ever() -> None:
    open_store("memory:", window=float("inf"), patience=float("inf")).close()


@pytest.mark.parametrize("name", BAD_DEFINITIONS)
def test_bad_input_is_a_definition_error_that_changes_nothing(name: str) -> None:
    scene = Scene()
    before = scene.documents()
    with pytest.raises(DefinitionError) as caught:
        BAD_DEFINITIONS[name](scene)
    assert isinstance(caught.value, ValueError) and isinstance(caught.value, RoutiluxError)
    assert len(str(caught.value)) > 20
    assert scene.documents() == before


BAD_VALUES: dict[str, Callable[[Scene], Any]] = {
    "shared key": lambda s: s.paused.update_shared_data(5, 1),
    "receive names": lambda s: s.source.get_slot("trigger").receive({1: 2}),
    "deliver names": lambda s: s.flow.deliver(s.running, "ask", "answer", {1: "yes"}),
    "pause checkpoint": lambda s: s.flow.pause(s.running, checkpoint=[1]),
    "execute param names": lambda s: s.flow.execute("source", {1: 2}),
    "execute": lambda s: s.flow.execute("source", {"count": object()}),
    "execute namedtuple": lambda s: s.flow.execute("source", {"count": Pair(1, 2)}),
    "checkpoint": lambda s: s.flow.pause(s.running, checkpoint={"at": object()}),
    "config": lambda s: s.source.set_config(ratio=object()),
    "deliver": lambda s: s.flow.deliver(s.running, "ask", "answer", {"text": object()}),
    "shared data": lambda s: s.running.update_shared_data("key", object()),
    "shared log": lambda s: s.running.append_to_shared_log({"a": {object()}}),
    "receive": lambda s: s.source.get_slot("trigger").receive({"count": object()}),
    "dict route": lambda s: ConditionalRouter().add_route("a", {"a": object()}),
}


@pytest.mark.parametrize("name", BAD_VALUES)
def test_values_that_documents_cannot_carry_are_refused_where_they_enter(name: str) -> None:
    scene = Scene()
    before = scene.documents()
    with pytest.raises(SeriluxError) as caught:
        BAD_VALUES[name](scene)
    assert isinstance(caught.value, TypeError) and caught.value.path
    assert scene.documents() == before


BAD_STATES: dict[str, Callable[[Scene], Any]] = {
    "pause failed": lambda s: s.flow.pause(s.failed),
    "pause cancelled": lambda s: s.flow.pause(s.cancelled),
    "pause pending": lambda s: s.flow.pause(JobState()),
    "pause foreign": lambda s: s.flow.pause(s.foreign),
    "cancel failed": lambda s: s.flow.cancel(s.failed),
    "cancel done": lambda s: s.flow.cancel(s.done),
    "cancel cancelled": lambda s: s.flow.cancel(s.cancelled),
    "cancel foreign": lambda s: s.flow.cancel(s.foreign),
    "resume running": lambda s: s.flow.resume(s.running),
    "resume failed": lambda s: s.flow.resume(s.failed),
    "resume cancelled": lambda s: s.flow.resume(s.cancelled),
    "resume done": lambda s: s.flow.resume(s.done),
    "resume foreign": lambda s: s.flow.resume(s.foreign),
    "deliver to paused that expects nothing": lambda s: s.flow.deliver(s.paused, "ask", "answer", {"text": ""}),
    "deliver to a task that does not wait": lambda s: s.flow.deliver(
        s.running, "ask", "answer", {"text": ""}, task_id="x"
    ),
    "deliver to done": lambda s: s.flow.deliver(s.done, "ask", "answer", {"text": ""}),
    "deliver foreign": lambda s: s.flow.deliver(s.foreign, "ask", "answer", {"text": ""}),
    "wait foreign": lambda s: JobState.wait_for_completion(s.flow, s.foreign),
    "read into running": lambda s: s.running.deserialize(s.paused.serialize()),
    "read into busy flow": lambda s: s.flow.deserialize(s.flow.serialize()),
}


@pytest.mark.parametrize("name", BAD_STATES)
def test_what_the_status_of_a_job_does_not_allow_is_refused_and_changes_nothing(name: str) -> None:
    scene = Scene()
    before = scene.documents()
    with pytest.raises(JobStateError):
        BAD_STATES[name](scene)
    assert scene.documents() == before


@pytest.mark.parametrize("which", ["failed", "cancelled", "done"])
def test_resume_of_a_settled_job_names_its_status(which: str) -> None:
    scene = Scene()
    job_state: JobState = getattr(scene, which)
    with pytest.raises(ResumeError, match=f"is {job_state.status}"):
        scene.flow.resume(job_state)


def test_an_unknown_name_comes_with_those_there_are() -> None:
    with pytest.raises(DefinitionError, match=r"unknown slot 'inptu' of .*'trigger', 'answer'"):
        Scene().asker.get_slot("inptu")


def test_a_flow_whose_entry_has_no_trigger_says_so() -> None:
    flow = Flow("flow")
    flow.add_routine(Routine(), "empty")
    with pytest.raises(DefinitionError, match="'trigger'"):
        flow.execute("empty")


def test_a_trigger_without_a_handler_is_no_entry() -> None:
    flow = Flow("flow")
    without = Routine()
    without.define_slot("trigger")
    flow.add_routine(without, "empty")
    with pytest.raises(DefinitionError, match="handler"):
        flow.execute("empty")


def test_a_handler_that_no_data_by_name_fits_is_refused_by_connect() -> None:
    scene = Scene()
    target = Routine()
    target.define_slot("input", of_wrong_arity)
    scene.flow.add_routine(target, "target")
    with pytest.raises(BindingError, match="by position only"):
        scene.flow.connect("source", "out", "target", "input")
    assert len(scene.flow.connections) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda r: r.emit("out", value=1),
        lambda r: r.emit_with("out", {"value": 1}),
        lambda r: r.flush(),
        lambda r: r.expect("answer"),
    ],
)
def test_what_needs_a_handler_says_so_outside_of_one(call: Callable[[Routine], None]) -> None:
    scene = Scene()
    with pytest.raises(OutsideActivationError, match="outside of a handler"):
        call(scene.asker)


def test_there_is_no_execution_context_outside_of_a_handler() -> None:
    with pytest.raises(OutsideActivationError, match="cannot get an execution context outside of a handler"):
        Scene().source.get_execution_context()


def test_blocking_call_error_is_a_runtime_error() -> None:
    assert issubclass(BlockingCallError, RuntimeError)


PARTS = {
    "a slot's strategy": (lambda flow: flow.routines["collect"].get_slot("trigger"), "merge_strategy", "append"),
    "a slot's handler": (lambda flow: flow.routines["collect"].get_slot("trigger"), "handler", None),
    "an event's parameters": (lambda flow: flow.routines["source"].get_event("out"), "output_params", []),
    "a connection's mapping": (lambda flow: flow.connections[0], "param_mapping", {"value": "other"}),
    "a connection's priority": (lambda flow: flow.connections[0], "priority", 7),
}


@pytest.mark.parametrize(("find", "name", "value"), PARTS.values(), ids=PARTS)
def test_parts_that_flows_are_compiled_of_cannot_be_changed(find: Callable[[Flow], Any], name: str, value: Any) -> None:
    flow = Scene().flow
    part, document = find(flow), flow.serialize()
    with pytest.raises(DefinitionError, match=f"{name!r} of <.* cannot be changed.*define another"):
        setattr(part, name, value)
    assert flow.serialize() == document
