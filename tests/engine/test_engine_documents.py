"""The document of a flow is read or refused: each problem with its path, and all of them at once (law 8)."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from routilux import ConditionalRouter, Connection, ErrorHandler, Event, Flow, Routine
from serilux import (
    CallableReferenceError,
    CombinedError,
    DocumentError,
    SeriluxError,
    UnknownClassError,
    UnsupportedValueError,
    register_serializable,
)


def takes(data: dict[str, Any]) -> bool:
    return bool(data)


async def takes_later(data: dict[str, Any]) -> bool:
    return bool(data)


@register_serializable
class DocumentWorker(Routine):
    def __init__(self) -> None:
        super().__init__()
        self.define_slot("input", self.work)
        self.define_event("out")

    def work(self, **data: Any) -> None:
        pass

    def produce(self, **data: Any) -> Iterator[int]:
        yield 1


broken = False


@register_serializable
class DocumentFragile(Routine):
    def __init__(self) -> None:
        super().__init__()
        if broken:
            raise OSError("no licence")


@register_serializable
class DocumentPlainRouter(ConditionalRouter):
    pass


def document() -> dict[str, Any]:
    flow = Flow("documents")
    router = DocumentPlainRouter()
    router.add_route("wanted", takes)
    router.set_default_route("rest")
    for routine_id, routine in {"a": DocumentWorker(), "b": DocumentWorker(), "r": router}.items():
        flow.add_routine(routine, routine_id)
    flow.connect("a", "out", "b", "input")
    flow.connect("b", "out", "r", "input")
    written: dict[str, Any] = json.loads(json.dumps(flow.serialize()))
    return written


def refusal(damaged: dict[str, Any]) -> SeriluxError:
    flow = Flow("before")
    with pytest.raises(SeriluxError) as caught:
        flow.deserialize(damaged)
    assert (flow.flow_id, dict(flow.routines)) == ("before", {})
    return caught.value


def put(*path: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def damage(whole: Any) -> None:
        *way, last = path
        for step in way:
            whole = whole[step]
        whole[last] = value

    return damage


A = ("routines", "a")
R = ("routines", "r")
REFERENCE = f"{__name__}:takes_later"
DAMAGES: dict[str, tuple[Callable[[dict[str, Any]], None], str, str]] = {
    "no flow id": (put("flow_id", value=None), "flow_id", "Expected `str`, got `null`"),
    "an empty routine id": (put("routines", "", value={"_type": "DocumentWorker"}), "routines", "id is a name"),
    "an empty slot name": (put(*A, "_slots", "", value={}), "routines.a._slots", "each slot needs a name"),
    "an empty event name": (put(*A, "_events", "", value={}), "routines.a._events", "each event needs a name"),
    "slots as a list": (put(*A, "_slots", value=[]), "routines.a._slots", "an object by name"),
    "an event without a name to go to": (
        put("connections", 0, "target_slot", value=""),
        "connections[0].target_slot",
        "Expected `str` of length >= 1",
    ),
    "no merge strategy": (
        put(*A, "_slots", "input", "merge_strategy", value=None),
        "routines.a._slots.input.merge_strategy",
        "a reference is a text",
    ),
    "a generator as a handler": (
        put(*A, "_slots", "input", "handler", value="self.produce"),
        "routines.a._slots.input",
        "is a generator",
    ),
    "an unknown handler": (
        put(*A, "_slots", "input", "handler", value="self.bogus"),
        "routines.a._slots.input.handler",
        "defines no method 'bogus'",
    ),
    "an odd event": (put(*A, "_events", "out", value=5), "routines.a._events.out", "expected an object"),
    "odd parameters": (
        put(*A, "_events", "out", "output_params", value=[5]),
        "routines.a._events.out.output_params[0]",
        "Expected `str`, got `int`",
    ),
    "an odd policy of a routine": (
        put(*A, "_error_handler", value={"_type": "ErrorHandler", "strategy": "hope"}),
        "routines.a._error_handler",
        "unknown error strategy",
    ),
    "an odd policy of the flow": (put("error_handler", value={"_type": "X"}), "error_handler._type", "not an Error"),
    "odd configuration": (put(*A, "_config", value={"a": {"$x": 1}}), "routines.a._config.a", "unknown tag"),
    "configuration that is no object": (put(*A, "_config", value=[1]), "routines.a._config", "named values"),
    "no class": (put(*A, "_type", value=None), "routines.a._type", "a str is expected"),
    "a class that is no routine": (put(*A, "_type", value="Connection"), "routines.a._type", "no Routine class"),
    "an unknown field": (put(*R, "bogus", value=1), "routines.r", "bogus is unknown"),
    "routes that are no list": (put(*R, "routes", value={}), "routines.r.routes", "routes are a list"),
    "a route that is no list": (put(*R, "routes", 0, value="wanted"), "routines.r.routes[0]", "a route is a list"),
    "a route without a condition": (put(*R, "routes", 0, value=["wanted"]), "routines.r.routes[0]", "a route is"),
    "a route to nowhere": (
        put(*R, "routes", 0, 0, value="bogus"),
        "routines.r.routes[0]",
        "no event 'bogus'; it has: 'rest', 'wanted'",
    ),
    "a route to an odd event": (put(*R, "routes", 0, 0, value=[1]), "routines.r.routes[0]", "no event [1]"),
    "a condition that is none": (put(*R, "routes", 0, 1, value=5), "routines.r.routes[0]", "a function or a dict"),
    "an async condition": (
        put(*R, "routes", 0, 1, value={"$callable": REFERENCE}),
        "routines.r.routes[0]",
        "cannot be async",
    ),
    "a default route to nowhere": (put(*R, "default_route", value="bogus"), "routines.r.default_route", "'bogus'"),
    "an odd default route": (put(*R, "default_route", value=[1]), "routines.r.default_route", "no event [1]"),
    "a connection from nowhere": (
        put("connections", 0, "source_routine_id", value="bogus"),
        "connections[0]",
        "no routine 'bogus'",
    ),
    "an odd mapping": (
        put("connections", 1, "param_mapping", value={"a": 1}),
        "connections[1].param_mapping[...]",
        "`str`",
    ),
    "an unknown field of a connection": (put("connections", 1, "bogus", value=1), "connections[1]", "is unknown"),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_document_is_refused_with_the_path_of_the_damage(what: str) -> None:
    damage, path, reason = DAMAGES[what]
    damage(damaged := document())
    error = refusal(damaged)
    assert error.path == path
    assert reason in str(error)
    assert len(error.problems) == 1


def test_an_undamaged_document_is_read() -> None:
    flow = Flow()
    flow.deserialize(document())
    assert flow.serialize() == document()


def test_what_a_constructor_raises_is_an_error_of_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    flow = Flow()
    flow.add_routine(DocumentFragile(), "fragile")
    written = flow.serialize()
    monkeypatch.setattr(f"{__name__}.broken", True)
    error = refusal(written)
    assert str(error) == "routines.fragile: DocumentFragile refused its data: OSError: no licence"
    assert isinstance(error.__cause__, OSError)


def test_all_that_is_wrong_is_said_at_once() -> None:
    damaged = document()
    put(*A, "_slots", "input", "handler", value="self.bogus")(damaged)
    put(*R, "_type", value="Bogus")(damaged)
    put("connections", 0, "priority", value="high")(damaged)
    damaged["connections"].append(dict(damaged["connections"][1], target_routine_id="b", target_slot="bogus"))
    error = refusal(damaged)
    assert isinstance(error, CombinedError)
    assert [problem.path for problem in error.problems] == [
        "routines.a._slots.input.handler",
        "routines.r._type",
        "connections[0].priority",
        "connections[2]",
    ]
    assert [type(problem) for problem in error.problems] == [
        CallableReferenceError,
        UnknownClassError,
        DocumentError,
        DocumentError,
    ]
    assert error.path == "routines.a._slots.input.handler"


def test_a_connection_of_a_refused_routine_is_not_blamed() -> None:
    damaged = document()
    put(*A, "_type", value="Bogus")(damaged)
    assert [problem.path for problem in refusal(damaged).problems] == ["routines.a._type"]


@pytest.mark.parametrize(
    ("part", "odd", "path"),
    [
        (Event("out"), {"output_params": 5}, "output_params"),
        (Connection(), dict.fromkeys(("source_routine_id", "source_event", "target_routine_id", "target_slot"), 5),
         "source_routine_id"),
        (ErrorHandler(), {"_type": "Slot"}, "_type"),
        (DocumentWorker(), {"_type": "DocumentWorker", "_slots": {"x": 1}}, "DocumentWorker._slots.x"),
    ],
)  # fmt: skip
def test_a_part_that_is_read_alone_says_where_in_it(part: Any, odd: dict[str, Any], path: str) -> None:
    with pytest.raises(SeriluxError) as caught:
        part.deserialize(odd)
    assert caught.value.path == path


@register_serializable
class DocumentFlow(Flow):
    """A flow with a field of its own."""

    def __init__(self) -> None:
        super().__init__("mine")
        self.owner = "nobody"
        self.add_serializable_fields(["owner"])


def test_a_subclass_of_flow_is_written_under_its_own_name_with_its_fields() -> None:
    flow = DocumentFlow()
    flow.owner = "me"
    flow.add_routine(DocumentWorker(), "a")
    written = json.loads(json.dumps(flow.serialize()))
    read = DocumentFlow()
    read.deserialize(written)
    assert (written["_type"], read.owner, list(read.routines)) == ("DocumentFlow", "me", ["a"])
    assert read.serialize() == written


def test_the_document_of_a_subclass_is_not_read_into_another_class() -> None:
    with pytest.raises(DocumentError, match="'DocumentFlow', but 'Flow' is read here"):
        Flow().deserialize(DocumentFlow().serialize())
    with pytest.raises(DocumentError, match="'Flow', but 'DocumentFlow' is read here"):
        DocumentFlow().deserialize(Flow().serialize())


def test_an_odd_field_of_a_flow_leaves_it_as_it_was() -> None:
    flow = DocumentFlow()
    written = DocumentFlow().serialize() | {"flow_id": "other", "owner": {"$bogus": 1}}
    with pytest.raises(DocumentError) as caught:
        flow.deserialize(written)
    assert caught.value.path == "DocumentFlow.owner"
    assert flow.flow_id == "mine"


def test_a_flow_in_a_field_is_a_flow_of_its_class_again() -> None:
    outer = DocumentFlow()
    outer.owner = DocumentFlow()  # type: ignore[assignment]  # a field holds anything
    read = DocumentFlow()
    read.deserialize(json.loads(json.dumps(outer.serialize())))
    assert type(read.owner) is DocumentFlow


@pytest.mark.parametrize("value", [Flow("data"), DocumentFlow(), {"deep": [Flow("data")]}])
def test_a_flow_is_no_data(value: Any) -> None:
    with pytest.raises(UnsupportedValueError, match="Flow is no data; pass its id, or what serialize"):
        DocumentWorker().set_config(value=value)


def test_a_document_has_no_flow_in_its_data() -> None:
    damaged = document()
    flow = {key: item for key, item in Flow("data").serialize().items() if key != "_type"}
    put(*A, "_config", value={"value": {"$object": {"class": "Flow", "fields": flow}}})(damaged)
    assert str(refusal(damaged)).startswith("routines.a._config.value: a Flow is no data")


def test_a_slot_is_written_and_read_with_its_routine_only() -> None:
    worker = DocumentWorker()
    slot = worker.get_slot("input")
    with pytest.raises(UnsupportedValueError, match="slot 'input' is part of its routine"):
        slot.serialize()
    with pytest.raises(UnsupportedValueError, match="slot 'input' is part of its routine"):
        worker.set_config(slot=slot)
    with pytest.raises(DocumentError, match="read the document of that"):
        slot.deserialize({"_type": "Slot"})
