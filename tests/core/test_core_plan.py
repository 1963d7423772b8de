"""A plan: what it may say, and how it is written and read."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from routilux import DefinitionError, Plan, SlotKey
from routilux._core.shapes import _by_place
from routilux._plan import NO_PLAN, checked_plan, slot_named
from serilux import trust
from serilux.errors import DocumentError, SeriluxError, UntrustedReferenceError

trust(__name__)


def more(config: dict[str, Any]) -> dict[str, Any]:
    return config | {"more": True}


FULL = Plan(
    routines={"clean": "scrub"},
    slots={"clean.input": "in", ("a.b", "c"): ("d", "e")},
    parameters={"clean.input": {"amount": "total"}},
    classes={"Money": "Amount", "shop.Busy": "shop.errors.Busy"},
    config={"clean": more},
    drop=["clean.other", "j:7", ("a.b", "x"), "clean.other"],
    flow_id="shop",
    reason="2.3",
)


def test_slots_may_be_named_in_any_way() -> None:
    assert Plan(slots={"a.b": "c"}) == Plan(slots={("a", "b"): "c"}) == Plan(slots={SlotKey("a", "b"): "c"})
    assert Plan(drop=["a.b"]) == Plan(drop=[("a", "b")])
    assert list(Plan(slots={"a.b": "c"}).slots) == [SlotKey("a", "b")]


def test_it_says_what_things_are_called_now() -> None:
    assert (FULL.routine_of("clean"), FULL.routine_of("other")) == ("scrub", "other")
    assert FULL.slot_of(SlotKey("clean", "input")) == SlotKey("scrub", "in")
    assert FULL.slot_of(SlotKey("clean", "other")) == SlotKey("scrub", "other")
    assert FULL.slot_of(SlotKey("a.b", "c")) == SlotKey("d", "e")
    assert FULL.slot_of(SlotKey("x", "y")) == SlotKey("x", "y")
    assert FULL.parameters_of(SlotKey("clean", "input")) == {"amount": "total"}
    assert FULL.parameters_of(SlotKey("scrub", "in")) == {}


def test_it_says_what_is_dropped() -> None:
    assert FULL.dropped_slots == {SlotKey("clean", "other"), SlotKey("a.b", "x")}
    assert FULL.dropped_tasks == {"j:7"}


def test_its_document_says_no_more_than_it_does() -> None:
    assert Plan().document() == {}
    assert Plan(routines={"a": "b"}).document() == {"routines": {"a": "b"}}
    assert FULL.document() == {
        "routines": {"clean": "scrub"},
        "slots": [["clean.input", "in"], [["a.b", "c"], ["d", "e"]]],
        "parameters": {"clean.input": {"amount": "total"}},
        "classes": {"Money": "Amount", "shop.Busy": "shop.errors.Busy"},
        "config": {"clean": f"{__name__}:more"},
        "drop": ["clean.other", "j:7", ["a.b", "x"]],
        "flow_id": "shop",
        "reason": "2.3",
    }


def test_a_document_is_read_as_the_plan_that_it_was() -> None:
    read = Plan.read(json.loads(json.dumps(FULL.document())))
    assert read == FULL
    assert read.config["clean"] is more
    assert hash(read) == hash(FULL)


@pytest.mark.parametrize("key", [("x", "y:12"), ("a.b", "c"), ("a", "b.c")])
def test_a_slot_whose_text_would_be_read_as_something_else_is_written_by_its_names(key: tuple[str, str]) -> None:
    plan = Plan(drop=[key], slots={key: "z"}, parameters={key: {"p": "q"}})
    assert Plan.read(plan.document()) == plan


def test_its_text_can_be_read_by_python() -> None:
    plan = Plan(slots={"a.b": ("c", "d")}, drop=["j:1"], reason="why")
    assert repr(plan) == "Plan(slots={'a.b': ['c', 'd']}, drop=['j:1'], reason='why')"
    assert eval(repr(plan)) == plan


def test_plans_that_say_something_else_are_others() -> None:
    assert Plan(reason="a") != Plan(reason="b")
    assert Plan() != "Plan()"
    assert Plan(config={"a": more}) != Plan(config={"a": dict})


def test_a_function_that_nobody_could_find_is_named_all_the_same() -> None:
    assert Plan(config={"a": lambda config: config}).document()["config"]["a"].endswith("<lambda>")


def test_nothing_of_it_can_be_changed() -> None:
    names = {"a": "b"}
    plan = Plan(routines=names)
    names["c"] = "d"
    assert plan.routines == {"a": "b"}
    with pytest.raises(TypeError):
        plan.routines["c"] = "d"  # type: ignore[index]
    with pytest.raises(AttributeError):
        plan.reason = "x"  # type: ignore[misc]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "routines that are no dict": ({"routines": ["a"]}, "the routines of a plan are a dict of old names and new ones"),
    "a routine that is no name": ({"routines": {"a": 5}}, "the routines of a plan is a name, not 5"),
    "a routine without a name": ({"routines": {"a": ""}}, "the routines of a plan is a name, not ''"),
    "slots that are no dict": ({"slots": 5}, "the slots of a plan are a dict by 'routine.slot', not 5"),
    "slots that are no pairs": ({"slots": ["ab"]}, "the slots of a plan are a dict by 'routine.slot'"),
    "no slot": ({"slots": {"a": "b"}}, "'a' names no slot; write 'routine.slot'"),
    "a slot with too many dots": ({"slots": {"a.b.c": "b"}}, "'a.b.c' names no slot"),
    "a slot without a routine": ({"drop": [".b"]}, "'.b' names no slot"),
    "a slot of three names": ({"drop": [("a", "b", "c")]}, "names no slot"),
    "a slot that is a number": ({"drop": [5]}, "5 names no slot"),
    "a slot named twice": ({"slots": [["a.b", "c"], [["a", "b"], "d"]]}, "the slots of a plan name 'a.b' twice"),
    "a slot that becomes nothing": ({"slots": {"a.b": None}}, "the slots of a.b of a plan is a name, not None"),
    "a slot that becomes no slot": ({"slots": {"a.b": ("c",)}}, "names no slot"),
    "parameters that are no dict": ({"parameters": {"a.b": "c"}}, "the parameters of a.b of a plan are a dict"),
    "a config that is no dict": ({"config": [more]}, "the config of a plan is a dict of functions by routine"),
    "a config that is no function": ({"config": {"a": 5}}, "the config of 'a' in a plan is a function of the old one"),
    "a task alone": ({"drop": "j:7"}, "the drop of a plan is a list of task ids and slots, not 'j:7'"),
    "nothing to drop": ({"drop": None}, "the drop of a plan is a list"),
    "a flow that is no name": ({"flow_id": ""}, "flow_id of a plan is a text that is not empty"),
    "a reason that is no text": ({"reason": None}, "reason of a plan is a text, not None"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_meant_is_refused(what: str) -> None:
    said, message = WRONG[what]
    with pytest.raises(DefinitionError) as caught:
        Plan(**said)
    assert message in str(caught.value)


def test_classes_may_become_one() -> None:
    assert Plan(classes={"A": "C", "B": "C"}).classes == {"A": "C", "B": "C"}


DOCUMENTS: dict[str, tuple[Any, type[SeriluxError], str]] = {
    "no object": ([], DocumentError, "expected an object"),
    "an unknown field": ({"slot": {}}, DocumentError, "slot is unknown (did you mean 'slots'?)"),
    "what cannot be meant": ({"slots": {"a": "b"}}, DocumentError, "'a' names no slot"),
    "a config that is no object": ({"config": []}, DocumentError, "the config of a plan is an object"),
    "a function of nobody's": ({"config": {"a": "os:system"}}, UntrustedReferenceError, "config.a"),
}


@pytest.mark.parametrize("what", DOCUMENTS)
def test_a_document_that_is_no_plan_is_refused(what: str) -> None:
    document, kind, message = DOCUMENTS[what]
    with pytest.raises(kind) as caught:
        Plan.read(document)
    assert message in str(caught.value)


def test_a_slot_is_named_in_two_ways() -> None:
    assert slot_named("a.b") == slot_named(("a", "b")) == SlotKey("a", "b")


def test_what_is_no_plan_is_refused() -> None:
    assert checked_plan(None) == NO_PLAN
    assert checked_plan(Plan(reason="why")) == Plan(reason="why")
    with pytest.raises(DefinitionError, match=r"a plan is a Plan, not {'reason': 'why'}; Plan.read\(document\) makes"):
        checked_plan({"reason": "why"})


def test_its_schema_takes_what_is_said_of_slots_by_their_names_or_in_pairs() -> None:
    validator = Draft202012Validator(_by_place({"type": "integer"}).extra_json_schema)
    taken = [{}, {"a.b": 1}, [], [["a.b", 1], [["a", "b"], 2]]]
    refused = [5, "a.b", {"a.b": "c"}, [5], [{}], [[]], [["a.b"]], [["a.b", 1, 2]], [["a.b", "c"]], [[1, 1]]]
    assert [document for document in [*taken, *refused] if validator.is_valid(document)] == taken
