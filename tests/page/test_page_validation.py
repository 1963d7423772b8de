"""Page: Serialization Validation, Constructor Requirements, Special Handling."""

import json

import pytest

from routilux import Connection, ErrorHandler, ErrorStrategy, Event, Flow, Routine, Slot
from routilux.testing import StepRunner
from serilux import ConstructorError, Serializable, lookup_class, register_serializable
from tests.page import page
from tests.page.flows import cross_host_flow, documents, paused_after, restored
from tests.page.page_routines import PageBox, PageFields, PageProcessor, Recorder

BAD_ROUTINE_ERROR = "\n".join(
    line.removeprefix("# ").removeprefix("TypeError: ") for line in page.lines(103, 107).splitlines()
)


class NeedsSize(Serializable):
    def __init__(self, size):
        super().__init__()
        self.size = size
        self.add_serializable_fields(["size"])


class NeedsTwo(Routine):
    def __init__(self, first, second, third=3):
        super().__init__()


class PolicyWithParameters(ErrorHandler):
    def __init__(self, patience):
        super().__init__("retry")
        self.patience = patience


class SlotWithParameters(Slot):
    def __init__(self, size):
        super().__init__("odd")


class EventWithParameters(Event):
    def __init__(self, size):
        super().__init__("odd")


class ConnectionWithParameters(Connection):
    def __init__(self, size):
        super().__init__()


def refusal(flow: Flow) -> str:
    with pytest.raises(TypeError) as caught:
        flow.serialize()
    return str(caught.value)


def flow_with(routine: Routine) -> Flow:
    flow = Flow(flow_id="checked")
    flow.add_routine(routine, "r")
    return flow


def test_a_routine_with_constructor_parameters_fails_with_exactly_the_error_of_the_page():
    assert BAD_ROUTINE_ERROR.splitlines()[-1].startswith("For Routine subclasses")
    with pytest.raises(TypeError) as caught:
        page.run(91, Flow=Flow, Routine=Routine)
    assert str(caught.value) == BAD_ROUTINE_ERROR


def test_a_routine_configured_after_creation_serializes_with_its_config():
    data = page.run(111, Flow=Flow, Routine=Routine)["data"]
    assert data["routines"]["good_routine"]["_config"] == {"param1": "value1", "param2": "value2"}


def test_after_a_successful_serialization_deserialization_succeeds():
    flow = cross_host_flow()
    new_flow = Flow()
    new_flow.deserialize(flow.serialize())
    assert [type(routine) for routine in new_flow.routines.values()] == [
        type(routine) for routine in flow.routines.values()
    ]


def test_instances_are_created_by_calling_the_class_without_arguments(monkeypatch):
    data = cross_host_flow().serialize()
    made = []
    original = PageProcessor.__init__
    monkeypatch.setattr(PageProcessor, "__init__", lambda self: (made.append("()"), original(self))[1])
    Flow().deserialize(data)
    assert made == ["()"]


def test_every_routine_of_the_flow_is_checked_not_only_the_first():
    flow = cross_host_flow()
    flow.add_routine(NeedsTwo(1, 2), "last")
    assert refusal(flow).startswith("Routine 'last' (NeedsTwo) cannot be serialized:")


@pytest.mark.parametrize("wrap", [lambda bad: bad, lambda bad: [bad], lambda bad: {"key": (1, [bad])}])
def test_nested_serializable_objects_in_fields_are_checked(wrap):
    routine = PageFields()
    routine.field2 = wrap(NeedsSize(3))
    text = refusal(flow_with(routine))
    assert text.startswith("routines.r.field2")
    assert "(NeedsSize) cannot be serialized:" in text.splitlines()[0]


def test_serializable_objects_within_serializable_objects_are_checked_recursively():
    routine = PageFields()
    routine.field1 = outer = PageBox()
    outer.content = {"inner": PageBox()}
    outer.content["inner"].content = [NeedsSize(3)]
    assert refusal(flow_with(routine)).startswith(
        "routines.r.field1.content.inner.content[0] (NeedsSize) cannot be serialized:"
    )


def test_error_handlers_of_routines_and_flows_are_checked():
    recorder = Recorder()
    recorder.set_error_handler(PolicyWithParameters(1))
    assert refusal(flow_with(recorder)).startswith(
        "routines.r._error_handler (PolicyWithParameters) cannot be serialized:"
    )
    flow = cross_host_flow()
    flow.set_error_handler(PolicyWithParameters(1))
    assert refusal(flow).startswith("error_handler (PolicyWithParameters) cannot be serialized:")


def test_slots_and_events_within_routines_are_checked():
    recorder = Recorder()
    recorder._slots["odd"] = SlotWithParameters(1)
    assert refusal(flow_with(recorder)).startswith("routines.r._slots.odd (SlotWithParameters) cannot be serialized:")
    recorder = Recorder()
    recorder._events["odd"] = EventWithParameters(1)
    assert refusal(flow_with(recorder)).startswith("routines.r._events.odd (EventWithParameters) cannot be serialized:")


def test_connections_are_checked_and_named_by_their_index():
    flow = cross_host_flow()
    flow._connections.append(ConnectionWithParameters(1))
    assert refusal(flow).startswith("connections[1] (ConnectionWithParameters) cannot be serialized:")


def test_job_states_and_flows_in_fields_are_serialized_and_checked_too():
    runner = StepRunner()
    inner = cross_host_flow(engine_factory=runner.engine)
    routine = PageFields()
    routine.field1 = inner
    routine.field2 = paused_after(inner, runner, "source", 1)
    new_flow = Flow()
    new_flow.deserialize(json.loads(json.dumps(flow_with(routine).serialize(), allow_nan=False)))
    assert new_flow.routines["r"].field1.serialize() == inner.serialize()
    assert new_flow.routines["r"].field2.serialize() == routine.field2.serialize()
    inner.add_routine(NeedsTwo(1, 2), "bad")
    assert "'bad' (NeedsTwo) cannot be serialized:" in refusal(flow_with_field(inner))


def flow_with_field(value: object) -> Flow:
    routine = PageFields()
    routine.field1 = value
    return flow_with(routine)


def test_the_error_names_object_class_every_required_parameter_and_the_fix():
    text = refusal(flow_with(NeedsTwo(1, 2)))
    assert text == BAD_ROUTINE_ERROR.replace("bad_routine", "r").replace("BadRoutine", "NeedsTwo").replace(
        "required_param", "first, second"
    )


def test_a_refused_flow_can_still_run_and_is_unchanged():
    flow = cross_host_flow(engine_factory=StepRunner().engine)
    flow.add_routine(NeedsTwo(1, 2), "bad")
    refusal(flow)
    job_state = flow.execute("source")
    job_state.wait()
    assert job_state.status == "completed"
    assert list(flow.routines) == ["source", "processor", "bad"]


def test_parameters_that_have_defaults_are_allowed():
    class Lenient(Routine):
        def __init__(self, size=3, *rest, **options):
            super().__init__()

    flow = Flow()
    flow.add_routine(Lenient(), "lenient")
    assert flow.serialize()["routines"]["lenient"]["_type"] == "Lenient"


def test_the_wrong_and_the_right_class_of_the_page_with_setup():
    flow = Flow(flow_id="requirements")
    names = page.run(166, Routine=Routine, flow=flow)
    assert names["routine"].get_config() == {"max_items": 10, "timeout": 5.0}
    assert flow.serialize()["routines"]["my_routine"]["_config"] == {"max_items": 10, "timeout": 5.0}


def test_the_wrong_class_of_constructor_requirements_is_refused():
    wrong = page.code(166).split("# ✅")[0]
    names = {"Routine": Routine}
    exec(wrong, names)
    flow = Flow()
    flow.add_routine(names["MyRoutine"](10, 5.0), "my_routine")
    assert "parameters: max_items, timeout" in refusal(flow).splitlines()


def test_the_three_steps_of_deserialization_give_the_routine_back():
    routine = PageFields()
    routine.field1 = 5
    data = routine.serialize()
    routine_class = lookup_class(data["_type"])
    read = routine_class()
    read.deserialize(data)
    assert (type(read), read.field1) == (PageFields, 5)


def test_the_decorator_checks_the_class_when_it_is_defined():
    with pytest.raises(TypeError, match=r"requires\nparameters: max_items") as caught:

        @register_serializable
        class TooDemanding(Routine):
            def __init__(self, max_items):
                super().__init__()

    assert isinstance(caught.value, ConstructorError)


def test_serialize_checks_a_class_that_was_never_registered():
    assert "NeedsTwo" in refusal(flow_with(NeedsTwo(1, 2)))


@pytest.mark.parametrize("strategy", list(ErrorStrategy))
def test_the_error_strategy_is_a_string_in_the_document_and_an_enum_again_after_it(strategy):
    handler = ErrorHandler(strategy)
    data = json.loads(json.dumps(handler.serialize()))
    assert type(data["strategy"]) is str
    assert data["strategy"] == strategy.value
    read = ErrorHandler()
    read.deserialize(data)
    assert read.strategy is strategy


def test_error_handlers_of_a_flow_come_back_with_all_their_settings():
    flow = cross_host_flow()
    flow.set_error_handler(ErrorHandler("retry", 7, 0.5, 3.0, [OSError, ValueError], True))
    flow.routines["processor"].set_error_handler(ErrorHandler(ErrorStrategy.SKIP))
    flow.get_error_handler().retry_count = 2
    runner = StepRunner()
    new_flow, _ = restored(documents(flow, cross_host_job(runner)))
    assert new_flow.get_error_handler().serialize() == flow.get_error_handler().serialize()
    assert new_flow.get_error_handler().retryable_exceptions == ("builtins.OSError", "builtins.ValueError")
    assert new_flow.routines["processor"].get_error_handler().strategy is ErrorStrategy.SKIP


def cross_host_job(runner: StepRunner):
    return paused_after(cross_host_flow(engine_factory=runner.engine), runner, "source", 1)
