"""What a host gives to handlers: declared by routines, asked for before a job runs, in no document."""

import json
import os
import signal
import threading
from typing import Any

import pytest

from routilux import (
    DefinitionError,
    Flow,
    JobState,
    MissingResourceError,
    ResourceFactory,
    Resources,
    ResumeError,
    Routine,
)
from routilux.testing import StepRunner
from serilux import register_serializable
from serilux.errors import DocumentError, UnsupportedValueError
from tests.engine.engine_parts import EngineSource, emitted, flow_of
from tests.patience import PATIENCE


class Client:
    """Nothing that could be data."""

    def __init__(self, answer: str = "yes") -> None:
        self.answer = answer


@register_serializable
class EngineClerk(Routine):
    """Asks a client."""

    def __init__(self) -> None:
        super().__init__()
        self.require("client")
        self.define_slot("trigger", self.ask)
        self.define_event("answered", ["answer"])

    def ask(self, value: int = 0) -> None:
        self.emit("answered", answer=self.get_resource("client").answer)


def clerks(runner: StepRunner | None = None, **settings: Any) -> Flow:
    return flow_of(runner, links=("source.out>clerk",), source=EngineSource(), clerk=EngineClerk(), **settings)


def answers(job_state: JobState) -> list[str]:
    return [data["answer"] for data in emitted(job_state, "answered")]


def paused(runner: StepRunner) -> dict[str, Any]:
    """A job of three questions, none of which was asked; as documents of JSON text."""
    flow = clerks(runner, resources={"client": Client()})
    job_state = runner.start(flow, "source")
    runner.step()
    flow.pause(job_state)
    documents = {"flow": flow.serialize(), "job": job_state.serialize()}
    return json.loads(json.dumps(documents, allow_nan=False))


def read(documents: dict[str, Any], flow: Flow) -> JobState:
    flow.deserialize(documents["flow"])
    job_state = JobState()
    job_state.deserialize(documents["job"])
    return job_state


# What is given.


@pytest.mark.parametrize("given", ["at once", "later"])
def test_a_handler_is_given_the_very_object_of_its_host(given: str) -> None:
    client, seen = Client(), []
    made = Routine()
    made.require("client")
    made.define_slot("trigger", handler=lambda: seen.append(made.get_resource("client")))
    flow = flow_of(only=made, resources={"client": client} if given == "at once" else {})
    flow.resources["client"] = client
    flow.execute("only").wait(10)
    assert seen == [client]


def test_what_is_for_one_routine_only_comes_before_what_is_for_all() -> None:
    runner = StepRunner()
    parts = {"a": EngineClerk(), "b": EngineClerk()}
    flow = flow_of(runner, **parts, resources={"client": Client("all"), "b.client": Client("b")})
    assert [answers(flow.execute(name)) for name in "ab"] == [["all"], ["b"]]


def test_what_was_not_declared_cannot_be_read() -> None:
    flow = flow_of(only=Routine(), resources={"client": Client()})
    with pytest.raises(DefinitionError, match=r"call self\.require\('client'\) in its constructor.*declared: none"):
        flow.routines["only"].get_resource("client")


def test_none_is_a_resource_like_any_other() -> None:
    flow = flow_of(only=EngineClerk(), resources={"client": None})
    assert flow.routines["only"].get_resource("client") is None


def test_what_is_taken_away_while_a_job_runs_is_a_failure_of_the_handler() -> None:
    runner = StepRunner()
    flow = clerks(runner, resources={"client": Client()})
    job_state = runner.start(flow, "source")
    runner.step()
    del flow.resources["client"]
    runner.run()
    assert job_state.error is not None
    assert job_state.error.type == "routilux.errors.MissingResourceError"


def test_declaring_twice_is_declaring_once() -> None:
    clerk = EngineClerk()
    clerk.require("client", "printer", "client")
    assert clerk.required_resources == ("client", "printer")


@pytest.mark.parametrize("name", ["", 5, None])
def test_what_is_needed_has_a_name(name: Any) -> None:
    with pytest.raises(DefinitionError, match="what is needed is a name"):
        Routine().require(name)
    with pytest.raises(DefinitionError, match="has a name"):
        Flow(resources={name: 1})


@pytest.mark.parametrize("given", [5, ["client"], "client"])
def test_resources_are_a_dict(given: Any) -> None:
    with pytest.raises(DefinitionError, match="a dict by name"):
        Flow(resources=given)


def test_what_is_given_is_shown_by_name_only() -> None:
    assert repr(Resources({"token": "hush", "client": Client()})) == "<Resources token, client>"


# Factories.


def test_a_factory_makes_once_for_all_flows_of_a_process_and_only_when_asked() -> None:
    made: list[Client] = []

    def make() -> Client:
        made.append(Client(f"client {len(made)}"))
        return made[-1]

    factory, runner = ResourceFactory(make), StepRunner()
    flows = [clerks(runner, resources={"client": factory}) for _ in range(2)]
    assert made == []
    assert [answers(flow.execute("clerk")) for flow in flows] == [["client 0"], ["client 0"]]
    assert flows[0].resources["client"] is factory
    assert (
        repr(factory)
        == "<ResourceFactory test_a_factory_makes_once_for_all_flows_of_a_process_and_only_when_asked.<locals>.make>"
    )


def test_a_thread_that_asks_while_it_is_made_is_kept_waiting() -> None:
    may_go_on: list[bool] = []

    def make() -> object:
        lock = factory._made[os.getpid()].lock
        other = threading.Thread(target=lambda: may_go_on.append(lock.acquire(blocking=False)))
        other.start()
        other.join(10)
        return object()

    factory = ResourceFactory(make)
    assert (factory.get() is factory.get(), may_go_on) == (True, [False])


def test_a_factory_that_fails_fails_the_handler_and_is_asked_again() -> None:
    tries: list[int] = []

    def make() -> Client:
        tries.append(len(tries))
        if len(tries) == 1:
            raise ConnectionError("not yet")
        return Client()

    flow = clerks(StepRunner(), resources={"client": ResourceFactory(make)})
    first, second = flow.execute("clerk"), flow.execute("clerk")
    assert (first.error.message if first.error else "", answers(second)) == ("not yet", ["yes"])


def test_a_child_process_has_its_own() -> None:
    factory = ResourceFactory(os.getpid)
    reading, writing = os.pipe()
    assert factory.get() == os.getpid()
    child = os.fork()
    if child == 0:
        signal.alarm(int(PATIENCE))
        os.write(writing, str(factory.get()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert int(os.read(reading, 100)) == child
    os.close(reading)
    os.close(writing)


async def make_async() -> Client:
    return Client()


@pytest.mark.parametrize("make", [Client(), None, make_async])
def test_a_factory_takes_a_plain_function(make: Any) -> None:
    with pytest.raises(DefinitionError, match="takes a function without parameters"):
        ResourceFactory(make)


# Asked for before a job runs.


def test_no_job_is_started_where_something_is_missing() -> None:
    runner = StepRunner()
    flow = clerks(runner)
    flow.routines["source"].require("clock", "client")
    with pytest.raises(MissingResourceError) as caught:
        flow.execute("source")
    assert caught.value.missing == ("clock", "client")
    assert str(caught.value).splitlines() == [
        "flow 'flow' runs no job here:",
        "  - routine 'source' needs 'clock': this flow is not given 'clock'; "
        "give it with flow.resources['clock'] = ..., or Flow(resources=...)",
        "  - routine 'source' needs 'client': this flow is not given 'client'; "
        "give it with flow.resources['client'] = ..., or Flow(resources=...)",
        "  - routine 'clerk' needs 'client': this flow is not given 'client'; "
        "give it with flow.resources['client'] = ..., or Flow(resources=...)",
    ]
    assert runner.step() is False


def test_no_job_is_resumed_where_something_is_missing_and_it_can_be_given_then() -> None:
    runner = StepRunner()
    documents = paused(runner)
    flow = Flow(engine_factory=runner.engine)
    job_state = read(documents, flow)
    before = job_state.serialize()
    assert [(finding.place, finding.routine_id) for finding in flow.check(job_state)] == [("routines.clerk", "clerk")]
    with pytest.raises(ResumeError, match="routine 'clerk' needs 'client'") as caught:
        flow.resume(job_state)
    assert (list(caught.value.problems), job_state.serialize()) == (flow.check(job_state), before)
    flow.resources["client"] = Client("at last")
    flow.resume(job_state)
    runner.run()
    assert (job_state.status, answers(job_state)) == ("completed", ["at last"] * 3)


def test_no_failed_job_is_retried_where_something_is_missing() -> None:
    runner = StepRunner()
    flow = clerks(runner, resources={"client": None})
    job_state = flow.execute("clerk")
    del flow.resources["client"]
    with pytest.raises(ResumeError, match="needs 'client'"):
        flow.retry(job_state)
    assert job_state.status == "failed"


def test_reading_a_document_keeps_what_the_flow_is_given() -> None:
    runner = StepRunner()
    flow = Flow(engine_factory=runner.engine, resources={"client": Client("kept")})
    job_state = read(paused(runner), flow)
    flow.resume(job_state)
    runner.run()
    assert answers(job_state) == ["kept"] * 3


def test_a_job_that_is_reloaded_after_each_step_is_given_it_again() -> None:
    runner = StepRunner()
    flow = clerks(runner, resources={"client": Client()})
    job_state = runner.start(flow, "source")
    while runner.step():
        if job_state.status == "running":
            flow, job_state = runner.reload(flow, job_state)
    job_state.wait()
    assert answers(job_state) == ["yes"] * 3


# Documents.


def test_names_only_are_part_of_the_definition_and_none_where_none_are_needed() -> None:
    flow = clerks(resources={"client": Client()})
    routines = flow.serialize()["routines"]
    assert routines["clerk"]["_requires"] == ["client"]
    assert "_requires" not in routines["source"]
    bare = Routine()
    bare.require("client")
    read_back = Routine()
    read_back.deserialize(bare.serialize())
    assert read_back.required_resources == ("client",)


def test_what_is_needed_is_not_part_of_the_fingerprint() -> None:
    flow, other = clerks(), clerks()
    other.routines["source"].require("more")
    assert flow._compile()[0].fingerprint == other._compile()[0].fingerprint


def test_what_only_the_document_says_is_needed_is_asked_for_too() -> None:
    clerk = EngineClerk()
    clerk.deserialize({**EngineClerk().serialize(), "_requires": ["printer"]})
    assert clerk.required_resources == ("client", "printer")


@pytest.mark.parametrize("names", ["client", [5], [""], {"client": 1}, None])
def test_a_document_names_what_is_needed(names: Any) -> None:
    document = clerks().serialize()
    document["routines"]["clerk"]["_requires"] = names
    with pytest.raises(DocumentError, match=r"routines\.clerk\._requires: "):
        Flow().deserialize(document)


def test_a_resource_is_no_data() -> None:
    flow = clerks(StepRunner(), resources={"client": Client()})
    with pytest.raises(UnsupportedValueError, match="a client, a connection or an open file is no data"):
        flow.routines["clerk"].set_config(client=flow.resources["client"])
