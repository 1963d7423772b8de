"""Law 9 for all texts that are no values: names, ids and reasons are refused where they enter, or come back equal."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from routilux import ConditionalRouter, ErrorHandler, Flow, JobState, Plan, Routine
from routilux._backends.memory import MemoryBackend
from routilux._model import EventKey, SlotKey
from routilux.connection import Connection
from routilux.errors import DefinitionError, RoutiluxError
from routilux.event import Event
from routilux.slot import Slot
from routilux.stores import Store
from routilux.testing import StepRunner
from routilux.transfer import Key
from serilux import SeriluxError, register_serializable
from tests.laws.effort import examples

NEVER = float("inf")
SURROGATE = "report-\udcff.txt"
TEXTS = st.text(st.characters(exclude_categories=()), max_size=6) | st.text(
    st.sampled_from("a.:0\x00\n\x1b\x7f\x85\u202e\ud800\udcff\U0001f600"), max_size=4
)


@register_serializable
class TextAsker(Routine):
    """Asks; when it is answered, it gives a text to one of the calls that handlers make."""

    given = ("state", "")

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.ask)
        self.define_slot("answer", self.hear)
        self.define_event("out", ["value"])

    def ask(self, **data: Any) -> None:
        self.expect("answer")

    def hear(self, **data: Any) -> None:
        context = self.get_execution_context()
        assert context is not None
        kind, text = self.given
        _IN_HANDLERS[kind](self, context, text)


_IN_HANDLERS: dict[str, Callable[[TextAsker, Any, str], Any]] = {
    "pause": lambda r, c, text: c.flow.pause(c.job_state, text),
    "cancel": lambda r, c, text: c.flow.cancel(c.job_state, text),
    "emit": lambda r, c, text: r.emit("out", **{text: 1}),
    "metadata": lambda r, c, text: r.emit_with("out", {}, metadata={text: 1}),
    "shared data": lambda r, c, text: c.job_state.shared_data.update({text: text}),
    "shared update": lambda r, c, text: c.job_state.update_shared_data(text, text),
    "state": lambda r, c, text: c.state.update({text: text}),
}


@register_serializable
class TextListener(Routine):
    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.hear)

    def hear(self, **data: Any) -> None:
        pass


class Scene:
    """A flow with a job in memory and one in a store, both of which wait for an answer."""

    def __init__(self) -> None:
        self.backend = MemoryBackend()
        self.store, self.runner = Store(self.backend, window=NEVER), StepRunner()
        self.flow = Flow("texts", engine_factory=self.runner.engine)
        self.asker = TextAsker()
        self.flow.add_routine(self.asker, "asker")
        self.flow.add_routine(TextListener(), "listener")
        self.flow.set_error_handler(ErrorHandler("retry"))
        self.free = self.flow.execute("asker")
        self.kept = self.flow.execute("asker", store=self.store, job_id="kept")

    def __enter__(self) -> "Scene":
        return self

    def __exit__(self, *_: object) -> None:
        self.store.ledger.abandon()

    def seen(self) -> list[Any]:
        """All that there is: in memory, and what another process would read."""
        stored = [self.backend.read(record.job_id) for record in self.backend.records()]
        jobs = (self.free, self.kept)
        return [self.flow.serialize(), [(job.status, job.serialize()) for job in jobs], stored]

    def check_it_comes_back(self) -> None:
        """All that is written is read, and says the same then; what is stored is what is known here."""
        flow, free = Flow(), JobState()
        flow.deserialize(through_json(self.flow.serialize()))
        free.deserialize(through_json(self.free.serialize()))
        assert flow.serialize() == self.flow.serialize()
        assert free.serialize() == self.free.serialize()
        self.kept._live.sync()
        read_flow, read_job = self.store.load("kept")
        assert read_job.serialize()["pause_points"] == self.kept.serialize()["pause_points"]
        assert read_job.shared_data == self.kept.shared_data
        assert read_job.status == self.kept.status
        assert read_flow.routines.keys() <= self.flow.routines.keys()


def through_json(document: Any) -> Any:
    return json.loads(json.dumps(document, allow_nan=False))


def connected(scene: Scene, **settings: Any) -> Connection:
    return scene.flow.connect("asker", "out", "listener", "trigger", **settings)


def routed(scene: Scene, text: str) -> None:
    router = ConditionalRouter()
    router.add_route(text, {"urgent": True})
    router.set_default_route(text)
    scene.flow.add_routine(router, "router")


def set_retryable(scene: Scene, text: str) -> None:
    scene.flow.set_error_handler(ErrorHandler("retry", retryable_exceptions=[text]))


def planned(scene: Scene, **said: Any) -> None:
    plan = Plan(**said)
    assert Plan.read(through_json(plan.document())) == plan
    for job_state in (scene.free, scene.kept):
        scene.flow.check(job_state, plan=plan)


def resumed(scene: Scene, **said: Any) -> None:
    plan = Plan(**said)
    for job_state in (scene.free, scene.kept):
        scene.flow.pause(job_state)
        scene.flow.resume(job_state, plan=plan)


def named(scene: Scene, routine_id: str) -> None:
    flow = Flow("named", engine_factory=scene.runner.engine)
    flow.add_routine(TextAsker(), routine_id)
    flow.execute(routine_id, store=scene.store, job_id="named")


def renamed(scene: Scene, flow_id: str) -> None:
    flow = Flow(flow_id, engine_factory=scene.runner.engine)
    flow.add_routine(TextAsker(), "asker")
    flow.execute("asker", store=scene.store, job_id="renamed")


ENTRIES: dict[str, Callable[[Scene, str], Any]] = {
    "flow id": renamed,
    "flow id, later": lambda s, text: setattr(Flow(), "flow_id", text),
    "routine id": named,
    "routine id in a flow": lambda s, text: s.flow.add_routine(TextListener(), text),
    "slot": lambda s, text: s.asker.define_slot(text, s.asker.hear),
    "slot of its own": lambda s, text: Slot(text),
    "event": lambda s, text: s.asker.define_event(text),
    "event of its own": lambda s, text: Event(text),
    "parameter": lambda s, text: s.asker.define_event("more", [text]),
    "mapping from": lambda s, text: connected(s, param_mapping={text: "value"}),
    "mapping to": lambda s, text: connected(s, param_mapping={"value": text}),
    "connection from": lambda s, text: Connection(EventKey(text, "a"), SlotKey("b", "c")),
    "connection to": lambda s, text: Connection(EventKey("a", "b"), SlotKey("c", text)),
    "resource": lambda s, text: Routine().require(text),
    "secret": lambda s, text: Routine().declare_secret(text),
    "config": lambda s, text: s.asker.set_config(**{text: text}),
    "data of a slot": lambda s, text: s.asker.get_slot("answer").receive({text: text}),
    "route": routed,
    "retryable": set_retryable,
    "plan reason": lambda s, text: resumed(s, reason=text, forget=["asker.answer"]),
    "plan flow": lambda s, text: planned(s, flow_id=text),
    "plan routine": lambda s, text: planned(s, routines={text: "asker"}),
    "plan routine, new": lambda s, text: planned(s, routines={"old": text}),
    "plan slot": lambda s, text: planned(s, slots={("asker", text): "answer"}),
    "plan slot, new": lambda s, text: planned(s, slots={"asker.old": text}),
    "plan slot elsewhere": lambda s, text: planned(s, slots={"asker.old": ("listener", text)}),
    "plan parameter": lambda s, text: planned(s, parameters={"asker.answer": {text: "x"}}),
    "plan parameter, new": lambda s, text: planned(s, parameters={"asker.answer": {"x": text}}),
    "plan class": lambda s, text: planned(s, classes={text: "TextAsker"}),
    "plan class, new": lambda s, text: planned(s, classes={"Old": text}),
    "plan config": lambda s, text: Plan(config={text: dict}).document(),
    "plan drop": lambda s, text: planned(s, drop=[("asker", text)]),
    "plan drop, task": lambda s, text: planned(s, drop=[f"{text}:1"]),
    "plan forget": lambda s, text: planned(s, forget=[(text, "answer")]),
    "entry": lambda s, text: s.flow.execute(text, store=s.store),
    "entry parameter": lambda s, text: s.flow.execute("asker", {text: text}, store=s.store, job_id="more"),
    "job id": lambda s, text: s.flow.execute("asker", store=s.store, job_id=text),
    "pause": lambda s, text: s.flow.pause(s.free, text),
    "pause, stored": lambda s, text: s.flow.pause(s.kept, text),
    "checkpoint": lambda s, text: s.flow.pause(s.kept, "", {text: text}),
    "cancel": lambda s, text: s.flow.cancel(s.free, text),
    "cancel, stored": lambda s, text: s.flow.cancel(s.kept, text),
    "shared key": lambda s, text: s.free.update_shared_data(text, 1),
    "shared key, stored": lambda s, text: s.kept.update_shared_data(text, 1),
    "shared log": lambda s, text: s.kept.append_to_shared_log({text: text}),
    "deliver": lambda s, text: s.flow.deliver(s.kept, "asker", "answer", {"text": text}),
    "deliver parameter": lambda s, text: s.flow.deliver(s.kept, "listener", "trigger", {text: 1}),
    "deliver to routine": lambda s, text: s.flow.deliver(s.kept, text, "answer", {}),
    "deliver to slot": lambda s, text: s.flow.deliver(s.kept, "asker", text, {}),
    "deliver to task": lambda s, text: s.flow.deliver(s.kept, "asker", "answer", {}, task_id=text),
    "resolve": lambda s, text: s.flow.resolve(s.kept, text, "done"),
    "resolve with event": lambda s, text: s.flow.resolve(s.kept, "kept:1", "done", emitted=[(text, {})]),
    "store deliver": lambda s, text: s.store.deliver("kept", "listener", "trigger", {text: 1}),
    "store deliver to routine": lambda s, text: s.store.deliver("kept", text, "answer", {}),
    "store deliver to slot": lambda s, text: s.store.deliver("kept", "asker", text, {}),
    "store deliver to task": lambda s, text: s.store.deliver("kept", "asker", "answer", {}, task_id=text),
    "stored jobs": lambda s, text: s.store.jobs(flow_id=text),
    "stored statuses": lambda s, text: s.store.jobs(status=text),
    "stored job": lambda s, text: s.store.load(text),
    "stored job alone": lambda s, text: s.store.load_job(text),
    "stored job, seen": lambda s, text: s.store.peek(text),
    "stored job, listed": lambda s, text: s.store.summary(text),
    "stored job, paused": lambda s, text: s.store.pause(text),
    "stored job, cancelled": lambda s, text: s.store.cancel(text),
    "stored job, delivered to": lambda s, text: s.store.deliver(text, "asker", "answer", {}),
    "stored job, exported": lambda s, text: s.store.export(text),
    "stored job, deleted": lambda s, text: s.store.delete(text),
    "key": lambda s, text: Key.generate(text),
}


@pytest.mark.parametrize("entry", ENTRIES)
@given(text=TEXTS)
@example(SURROGATE)
@example("\x00")
@examples(6)
def test_a_text_is_refused_with_nothing_changed_or_comes_back(entry: str, text: str) -> None:
    with Scene() as scene:
        before = scene.seen()
        try:
            ENTRIES[entry](scene, text)
        except (RoutiluxError, SeriluxError):
            assert scene.seen() == before
        scene.check_it_comes_back()


ASKED: dict[str, Callable[[Scene, str], Any]] = {
    "store pause": lambda s, text: s.store.pause("kept", text),
    "store cancel": lambda s, text: s.store.cancel("kept", text),
}
"""What another thread does a moment later, where it is not refused."""
DEFINITIONS = [name for name in ENTRIES if not name.startswith(("stored job", "stored statuses", "key", "resolve"))]
OTHERWISE = {"config", "data of a slot", "entry parameter", "checkpoint", "shared key", "shared key, stored"}
OTHERWISE |= {"shared log", "deliver", "deliver parameter", "store deliver", "store deliver to routine"}
OTHERWISE |= {"store deliver to slot"}


@pytest.mark.parametrize("entry", [*ASKED, *(name for name in DEFINITIONS if name not in OTHERWISE)])
def test_a_name_or_reason_with_a_lone_surrogate_is_a_definition_error(entry: str) -> None:
    with Scene() as scene:
        before = scene.seen()
        with pytest.raises(DefinitionError, match=r"\\udcff"):
            (ENTRIES | ASKED)[entry](scene, SURROGATE)
        assert scene.seen() == before


@pytest.mark.parametrize("kind", _IN_HANDLERS)
@given(text=TEXTS)
@example(SURROGATE)
@example("\x00")
@examples(6)
def test_a_text_that_a_handler_gives_comes_back_or_fails_it_with_nothing_done(kind: str, text: str) -> None:
    TextAsker.given = (kind, text)
    for name in ("free", "kept"):
        with Scene() as scene:
            job_state = getattr(scene, name)
            scene.flow.set_error_handler(None)
            scene.flow.deliver(job_state, "asker", "answer", {})
            scene.runner.run()
            if job_state.status == "failed":
                assert (job_state.shared_data, job_state.pause_points) == ({}, [])
            scene.check_it_comes_back()


@pytest.mark.parametrize("verb", ["pause", "cancel"])
def test_who_waits_is_not_told_of_what_was_refused(verb: str) -> None:
    with Scene() as scene:
        for job_state in (scene.free, scene.kept):
            with pytest.raises(DefinitionError, match="has a lone surrogate"):
                getattr(scene.flow, verb)(job_state, SURROGATE)
            assert (job_state.status, job_state.wait(timeout=0)) == ("running", False)
            scene.flow.deliver(job_state, "asker", "answer", {})
            scene.runner.run()
            assert job_state.wait(timeout=0)
