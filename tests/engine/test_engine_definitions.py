"""Slips in a definition that would show late, on another host or in the middle of a job, are told at once."""

import pytest

from routilux import DefinitionError, Flow, Routine
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


def test_an_event_is_led_to_no_slot_without_a_handler() -> None:
    """What came there ended the worker that took it, and the job went on for ever."""
    flow = flow_of(Tabular())
    with pytest.raises(DefinitionError, match=r"slot 'later' of routine 'tabular' has no handler .* handler=self"):
        flow.connect("tabular", "out", "tabular", "later")
    assert flow.connections == []
