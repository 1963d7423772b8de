"""Page: Serializing Objects, Deserializing Objects, Saving to JSON, Loading from JSON, Serializable Fields."""

import json

import pytest

from routilux import ErrorHandler, Flow, JobState, Routine
from routilux.testing import StepRunner
from serilux import UnsupportedValueError
from tests.page import page
from tests.page.flows import cross_host_flow, documents, paused_after, restored
from tests.page.page_routines import PageBox, PageFields, PageSource


def test_flow_routine_job_state_and_error_handler_all_serialize_to_json():
    flow = cross_host_flow()
    names = {"flow": flow, "routine": Routine(), "job_state": JobState(), "error_handler": ErrorHandler()}
    page.run(9, **names)
    for name, type_name in {
        "flow": "Flow",
        "routine": "Routine",
        "job_state": "JobState",
        "error_handler": "ErrorHandler",
    }.items():
        data = names[name].serialize()
        assert data["_type"] == type_name
        assert json.loads(json.dumps(data, allow_nan=False)) == data


@pytest.mark.parametrize("kind", [Flow, Routine, JobState, ErrorHandler])
def test_each_core_class_reads_its_own_document_as_the_page_does(kind):
    data = kind().serialize()
    source = page.code(25)
    (part,) = [part for part in source.split("\n\n") if f"= {kind.__name__}()" in part]
    names = {"Flow": Flow, "Routine": Routine, "JobState": JobState, "ErrorHandler": ErrorHandler, "data": data}
    exec(part, names)
    (read,) = [value for value in names.values() if type(value) is kind]
    assert read.serialize() == data


def test_what_was_read_serializes_to_the_same_document():
    runner = StepRunner()
    flow = cross_host_flow(engine_factory=runner.engine)
    transfer_data = documents(flow, paused_after(flow, runner, "source", 1))
    assert documents(*restored(transfer_data)) == transfer_data


def test_the_document_of_a_subclass_names_the_class_to_build():
    data = PageSource().serialize()
    with pytest.raises(ValueError, match=r"build one of its class: PageSource\(\)\.deserialize\(data\)"):
        Routine().deserialize(data)


def test_a_flow_is_saved_to_a_json_file_and_loaded_from_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flow = cross_host_flow()
    page.run(45, flow=flow)
    loaded = page.run(55, Flow=Flow)["flow"]
    assert loaded.serialize() == flow.serialize()
    assert list(loaded.routines) == ["source", "processor"]


def test_only_registered_fields_are_serialized():
    routine = PageFields()
    page.run(67, self=routine)
    routine.field1, routine.field2, routine.field3 = 1, "two", None
    data = routine.serialize()
    assert {name: data[name] for name in data if not name.startswith("_")} == {
        "field1": 1,
        "field2": "two",
        "field3": None,
    }


def test_lists_dicts_and_other_serializable_objects_in_fields_come_back_equal():
    routine = PageFields()
    routine.field1 = [1, [2.5, "three"], {"four": (5, b"6")}]
    routine.field2 = {"nested": {"deeply": [None, True]}, ("a", 1): "key"}
    routine.field3 = box = PageBox()
    box.content = [PageBox()]
    box.content[0].content = "innermost"
    read = PageFields()
    read.deserialize(json.loads(json.dumps(routine.serialize(), allow_nan=False)))
    assert (read.field1, read.field2) == (routine.field1, routine.field2)
    assert type(read.field1[2]["four"]) is tuple
    assert [type(read.field3), type(read.field3.content[0])] == [PageBox, PageBox]
    assert read.field3.content[0].content == "innermost"


def test_a_registered_field_that_cannot_be_written_is_refused_with_its_path():
    flow = Flow()
    routine = PageFields()
    routine.field1 = {"deep": [object()]}
    flow.add_routine(routine, "fields")
    with pytest.raises(UnsupportedValueError) as caught:
        flow.serialize()
    assert caught.value.path == "routines.fields.field1.deep[0]"
