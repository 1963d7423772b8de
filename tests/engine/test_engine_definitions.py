"""Slips in a definition that would show late, on another host or in the middle of a job, are told at once."""

import pytest

from routilux import ConditionalRouter, DefinitionError, Flow, Routine
from routilux.stores import open_store
from serilux import register_serializable


@register_serializable(name="EngineTabular")
class Tabular(Routine):
    """Takes an argument that it could do without."""

    def __init__(self, table: str = "default") -> None:
        super().__init__()
        self.table = table
        self.define_slot("trigger", self.go)
        self.define_slot("later")
        self.define_event("out")

    def go(self) -> None:
        pass


@register_serializable(name="EngineTabularToo")
class Orders(Tabular):
    """Is made without arguments, and gives some to its base."""

    def __init__(self) -> None:
        super().__init__("orders")


@register_serializable(name="EngineLateConstructor")
class Late(Routine):
    """Calls the constructor of its base when all is defined."""

    def __init__(self) -> None:
        self.table = "default"
        self.define_slot("trigger", self.go)
        self.set_config(rows=3)
        super().__init__()

    def go(self) -> None:
        self.get_execution_context().state["rows"] = self.get_config("rows")


@register_serializable(name="EngineNoConstructor")
class Never(Late):
    """Calls it never."""

    def __init__(self) -> None:
        self.table = "default"
        self.define_slot("trigger", self.go)
        self.set_config(rows=3)


@register_serializable(name="EngineLateRouter")
class LateRouter(ConditionalRouter):
    """Has its routes before it calls the constructor of its base."""

    def __init__(self) -> None:
        self.add_route("large", {"size": 3})
        self.set_default_route("small")
        super().__init__()


@register_serializable(name="EngineRouterWithout")
class RouterWithout(ConditionalRouter):
    """Calls it never."""

    def __init__(self) -> None:
        self.add_route("large", {"size": 3})
        self.set_default_route("small")


class Watched(Tabular):
    """Notes what is set, from when its constructor has begun."""

    def __init__(self) -> None:
        object.__setattr__(self, "seen", [])
        super().__init__()

    def __setattr__(self, name: str, value: object) -> None:
        self.seen.append(name)
        super().__setattr__(name, value)


class MadeOtherwise(Tabular):
    """Is made by nobody who knows of routines."""

    def __new__(cls) -> "MadeOtherwise":
        return object.__new__(cls)


def flow_of(routine: Routine) -> Flow:
    flow = Flow("tables")
    flow.add_routine(routine, "tabular")
    return flow


@pytest.mark.parametrize("routine", [lambda: Tabular("orders"), lambda: Tabular(table="orders")])
def test_a_routine_that_was_made_with_arguments_is_in_no_document(routine) -> None:
    """It came back as another one, and wrote to another table."""
    flow = flow_of(routine())
    told = r"^routines\.tabular: Routine 'tabular' was made with arguments.* makes Tabular\(\).*set_config"
    with pytest.raises(TypeError, match=told):
        flow.serialize()
    with open_store("memory:") as store:
        with pytest.raises(TypeError, match=told):
            flow.execute("tabular", store=store)
        assert store.jobs() == []
    assert flow.execute("tabular").wait(10)


@pytest.mark.parametrize("routine", [Tabular, Orders])
def test_one_that_was_made_without_arguments_is(routine) -> None:
    other = Flow()
    other.deserialize(flow_of(routine()).serialize())
    assert other.routines["tabular"].table == routine().table


@pytest.mark.parametrize("routine", [Late, Never])
def test_a_constructor_calls_that_of_its_base_when_it_likes(routine) -> None:
    """What had been defined before that would be gone, and a routine of which it was forgotten would be none."""
    other = Flow()
    other.deserialize(flow_of(routine()).serialize())
    job = other.execute("tabular")
    assert job.wait(10)
    assert job.get_routine_state("tabular")["rows"] == 3


@pytest.mark.parametrize("router", [LateRouter, RouterWithout])
def test_so_does_that_of_a_router(router) -> None:
    other = Flow()
    other.deserialize(flow_of(router()).serialize())
    job = other.execute("tabular", {"size": 3})
    assert job.wait(10)
    assert [record.event_name for record in job.execution_history] == ["start", "large"]
    assert other.routines["tabular"].default_route == "small"


def test_what_is_made_before_the_constructor_is_set_by_nobody() -> None:
    """The `__setattr__` of a routine may need what its own constructor makes."""
    assert Watched().seen == ["table"]


def test_a_routine_that_is_made_otherwise_says_so() -> None:
    with pytest.raises(DefinitionError, match=r"MadeOtherwise.__new__ has to call super\(\).__new__\(cls\)"):
        MadeOtherwise()


def test_an_event_is_led_to_no_slot_without_a_handler() -> None:
    """What came there ended the worker that took it, and the job went on for ever."""
    flow = flow_of(Tabular())
    with pytest.raises(DefinitionError, match=r"slot 'later' of routine 'tabular' has no handler .* handler=self"):
        flow.connect("tabular", "out", "tabular", "later")
    assert flow.connections == []
