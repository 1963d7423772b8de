"""Page: Handler Method Validation."""

import pytest

from routilux import ConditionalRouter, Flow, Routine
from serilux import ForeignMethodError, register_serializable
from tests.page import page
from tests.page.flows import documents
from tests.page.page_routines import PageRouter, PageSource, join, keep, take
from tests.page.second_host import finish_on_second_host

FOREIGN_METHOD_ERROR = page.lines(260, 262).removeprefix("ValueError: ").rstrip("\n")


class OtherRoutine(Routine):
    def process(self, **data):
        pass

    def merge(self, old, new):
        return new

    def is_wanted(self, data):
        return True


def module_level_handler(**data):
    pass


def refusal(flow: Flow) -> str:
    with pytest.raises(ValueError, match="Cannot serialize method") as caught:
        flow.serialize()
    assert isinstance(caught.value, ForeignMethodError)
    return str(caught.value)


def flow_with(routine: Routine, other: Routine) -> Flow:
    flow = Flow(flow_id="methods")
    flow.add_routine(other, "other_id")
    flow.add_routine(routine, "my_id")
    return flow


def test_a_method_of_another_routine_of_the_flow_fails_with_exactly_the_error_of_the_page():
    other = OtherRoutine()

    @register_serializable(name="PageMethodsMine")  # there may be one more MyRoutine, of a block of the page
    class MyRoutine(Routine):
        def __init__(self):
            super().__init__()
            self.input_slot = self.define_slot("input", handler=other.process)

    assert refusal(flow_with(MyRoutine(), other)) == FOREIGN_METHOD_ERROR


def test_the_incorrect_usage_of_the_page_is_refused_though_its_other_routine_is_in_no_flow():
    my_routine = page.run(247, Routine=Routine, OtherRoutine=OtherRoutine)["MyRoutine"]()
    flow = flow_with(my_routine, OtherRoutine())
    assert refusal(flow) == FOREIGN_METHOD_ERROR.replace("other_id", "not in a flow")


def test_the_correct_usage_of_the_page_is_serialized_by_the_name_of_its_method():
    my_routine = page.run(236, Routine=Routine)["MyRoutine"]()
    flow = Flow()
    flow.add_routine(my_routine, "mine")
    assert flow.serialize()["routines"]["mine"]["_slots"]["input"]["handler"] == "self.process_data"


def test_a_method_of_another_object_of_the_same_class_is_refused():
    class Twin(Routine):
        def work(self, **data):
            pass

    first, second = Twin(), Twin()
    second.define_slot("input", handler=first.work)
    text = refusal(flow_with(second, first))
    assert text == FOREIGN_METHOD_ERROR.replace("process'", "work'").replace("OtherRoutine", "Twin").replace(
        "MyRoutine", "Twin"
    )


def test_merge_strategies_are_checked():
    other, mine = OtherRoutine(), Routine()
    mine.define_slot("input", handler=take, merge_strategy=other.merge)
    assert refusal(flow_with(mine, other)).startswith("Cannot serialize method 'merge' from OtherRoutine[other_id].\n")


def test_the_predicate_of_a_slot_is_checked():
    other, mine = OtherRoutine(), Routine()
    mine.define_slot("input", handler=take, when=other.is_wanted)
    assert refusal(flow_with(mine, other)).startswith(
        "Cannot serialize method 'is_wanted' from OtherRoutine[other_id]."
    )


def test_conditions_of_a_conditional_router_are_checked():
    other, mine = OtherRoutine(), ConditionalRouter()
    mine.add_route("wanted", other.is_wanted)
    expected = FOREIGN_METHOD_ERROR.replace("process'", "is_wanted'").replace("MyRoutine", "ConditionalRouter")
    assert refusal(flow_with(mine, other)) == f"{expected}\nFound at: routines.my_id.routes[0][1]"


@pytest.mark.parametrize(
    ("function", "reference"),
    [
        (module_level_handler, f"{__name__}:module_level_handler"),
        (print, "builtins:print"),
        (len, "builtins:len"),
    ],
)
def test_module_level_functions_and_builtins_are_allowed_as_handlers(function, reference):
    routine = Routine()
    routine.define_slot("input", handler=function)
    flow = Flow()
    flow.add_routine(routine, "r")
    assert flow.serialize()["routines"]["r"]["_slots"]["input"]["handler"] == reference


def test_methods_functions_and_builtins_are_found_again_in_another_process():
    flow = Flow(flow_id="methods")
    flow.add_routine(PageSource(), "source")
    router = PageRouter()
    router.add_route("big", router.is_big)
    router.add_route("kept", keep)
    router.add_route("any", len)
    flow.add_routine(router, "router")
    taker = Routine()
    taker.define_slot("input", handler=take, merge_strategy=join, when=keep)
    taker.define_slot("counted", handler=take, when=len)
    flow.add_routine(taker, "taker")
    flow.connect("router", "big", "taker", "input")
    flow.connect("router", "big", "taker", "counted")
    with flow:
        job_state = flow.execute("router", {"number": 2})
        flow.pause(job_state)
        transfer_data = documents(flow, job_state)
    assert transfer_data["flow"]["routines"]["taker"]["_slots"]["input"] == {
        "handler": "tests.page.page_routines:take",
        "merge_strategy": "tests.page.page_routines:join",
        "when": "tests.page.page_routines:keep",
        "timeout": None,
        "_data": {},
    }
    outcome = finish_on_second_host(transfer_data)
    assert outcome["history"] == [["router", "start"], ["router", "big"], ["taker", "start"], ["taker", "start"]]
    assert outcome["status"] == "completed"


def test_a_function_that_no_process_could_import_is_refused_with_what_to_do():
    routine = Routine()
    routine.define_slot("input", handler=lambda **data: None)
    flow = Flow()
    flow.add_routine(routine, "r")
    with pytest.raises(ValueError, match="define it at the top of a module, or as a method"):
        flow.serialize()
