"""Page: Best Practices for Cross-Host Execution, Common Pitfalls, Best Practices Summary."""

import logging
from itertools import count

import pytest

from routilux import Flow, JobState, Routine
from routilux.testing import StepRunner
from serilux import is_registered, register_serializable
from tests.page import page
from tests.page.flows import FOUR_RECORDS, cross_host_flow, documents, paused_after, recovery_flow, restored, stepped
from tests.page.second_host import finish_on_second_host


@pytest.fixture
def runner():
    return StepRunner()


@pytest.fixture
def flow(runner):
    return cross_host_flow(engine_factory=runner.engine)


@pytest.fixture
def job_state(runner, flow):
    return paused_after(flow, runner, "source", 1)


NAMES = {"Flow": Flow, "JobState": JobState, "Routine": Routine, "register_serializable": register_serializable}
NUMBERS = count()
IN_A_MODULE = {**NAMES, "__name__": "tests.page.block"}


@pytest.mark.parametrize("line", [538, 603, 613, 934])
def test_flow_and_job_state_serialized_separately_are_enough_for_host_b(line, flow, job_state):
    names = page.run(line, flow=flow, job_state=job_state)
    assert names["flow_data"].get("job_state") is None
    transfer_data = {"flow": flow.serialize(), "job_state": names["job_state_data"]}
    assert finish_on_second_host(transfer_data)["history"] == FOUR_RECORDS


def test_serialize_has_no_include_execution_state(flow):
    with pytest.raises(TypeError, match="include_execution_state"):
        flow.serialize(include_execution_state=True)


def test_the_document_of_a_flow_has_no_job_state(flow, job_state):
    flow_data = page.run(613, flow=flow, job_state=job_state)["flow_data"]
    with pytest.raises(KeyError):
        flow_data["job_state"]


def test_with_the_flow_only_the_job_is_lost(flow, job_state):
    new_flow = Flow()
    new_flow.deserialize(flow.serialize())
    assert not any("initial_data" in str(part) for part in new_flow.serialize().values())
    assert "initial_data" in str(job_state.serialize())


@pytest.mark.parametrize("line", [547, 950])
def test_the_registered_routine_of_the_page_can_be_written_and_read(line):
    my_routine = page.run(line, **NAMES)["MyRoutine"]
    assert is_registered(my_routine)
    flow = Flow()
    flow.add_routine(my_routine(), "mine")
    new_flow = Flow()
    new_flow.deserialize(flow.serialize())
    assert type(new_flow.routines["mine"]) is my_routine


def test_an_unregistered_routine_fails_on_host_b_naming_class_and_decorator():
    class NeverRegistered(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger", handler=self.start)

        def start(self):
            pass

    flow = Flow(flow_id="unregistered")
    flow.add_routine(NeverRegistered(), "mine")
    with flow:
        outcome = finish_on_second_host(documents(flow, flow.execute("mine")))
    assert "ValueError" in outcome["types"]
    assert outcome["refused"].startswith("routines.mine._type: class 'NeverRegistered' is not registered here")
    assert "@serilux.register_serializable" in outcome["refused"]


def test_the_pitfall_of_not_registering_and_its_cure():
    wrong, right = page.code(622).split("# ✅ Correct: Registered")
    name = f"PitfallRoutine{next(NUMBERS)}"  # registered below, for as long as this process lives
    names = {**NAMES, "__name__": "tests.page.unregistered_block"}
    exec(wrong.replace("MyRoutine", name), names)
    flow = Flow()
    flow.add_routine(names[name](), "mine")
    data = flow.serialize()
    with pytest.raises(ValueError, match=f"'{name}' is not registered here"):
        Flow().deserialize(data)
    exec(right.replace("MyRoutine", name), names)
    new_flow = Flow()
    new_flow.deserialize(data)
    assert type(new_flow.routines["mine"]) is names[name]


@pytest.mark.parametrize(
    ("line", "divider", "wrong_first", "parameter"),
    [(557, "# ❌ Wrong", False, "param1"), (637, "# ✅ Correct", True, "max_items")],
)
def test_constructor_parameters_are_refused_before_they_could_fail_on_host_b(line, divider, wrong_first, parameter):
    first, second = page.code(line).split(divider)
    names = dict(IN_A_MODULE)
    exec(first if wrong_first else divider + second, names)
    flow = Flow()
    flow.add_routine(names["MyRoutine"](1), "mine")
    with pytest.raises(TypeError, match=rf"Routine 'mine' \(MyRoutine\) cannot be serialized:[\s\S]*: {parameter}\n"):
        flow.serialize()


def test_no_argument_constructors_with_config_are_right():
    first, _ = page.code(557).split("# ❌ Wrong")
    names = dict(IN_A_MODULE)
    exec(first, names)
    assert names["MyRoutine"]().serialize()["_config"] == {"param1": "value1"}


def test_config_set_by_a_setup_method_is_right():
    _, second = page.code(637).split("# ✅ Correct")
    names = dict(IN_A_MODULE)
    exec("# ✅ Correct" + second, names)
    routine = names["MyRoutine"]()
    routine.setup(max_items=10)
    assert routine.serialize()["_config"] == {"max_items": 10}


def test_reading_the_documents_locally_shows_that_they_are_safe_to_transfer(flow, job_state):
    names = page.run(571, flow=flow, job_state=job_state, Flow=Flow, JobState=JobState)
    assert names["test_flow"].serialize() == names["flow_data"]
    assert names["test_job_state"].serialize() == names["job_state_data"]
    outcome = finish_on_second_host({"flow": names["flow_data"], "job_state": names["job_state_data"]})
    assert outcome["history"] == FOUR_RECORDS


def test_the_local_test_of_the_summary_reads_both_documents(flow, job_state):
    transfer_data = documents(flow, job_state)
    names = page.run(
        957, Flow=Flow, JobState=JobState, flow_data=transfer_data["flow"], job_state_data=transfer_data["job_state"]
    )
    assert documents(names["test_flow"], names["test_job_state"]) == transfer_data


def test_the_local_test_finds_what_would_fail_on_host_b(flow, job_state):
    transfer_data = documents(flow, job_state)
    transfer_data["flow"]["routines"]["source"]["_type"] = "Gone"
    with pytest.raises(ValueError, match="class 'Gone' is not registered here"):
        page.run(
            957,
            Flow=Flow,
            JobState=JobState,
            flow_data=transfer_data["flow"],
            job_state_data=transfer_data["job_state"],
        )


def test_the_graceful_resume_of_the_page_resumes(flow, job_state):
    transfer_data = documents(flow, job_state)
    outcome = finish_on_second_host(transfer_data, block=586)
    assert outcome["history"] == FOUR_RECORDS


def test_the_graceful_resume_of_the_page_reports_what_it_could_not_resume(flow, job_state, capsys):
    transfer_data = documents(flow, job_state)
    transfer_data["job_state"]["flow_id"] = "another_flow"
    page.run(
        586, Flow=Flow, JobState=JobState, flow_data=transfer_data["flow"], job_state_data=transfer_data["job_state"]
    )
    assert capsys.readouterr().out == (
        f"Failed to resume execution: job {job_state.job_id!r} is a run of flow 'another_flow'; "
        "this is flow 'cross_host_flow'\n"
    )


def test_pause_captures_all_pending_tasks(runner, flow):
    job_state = stepped(runner, flow, "source", 1)
    page.run(940, flow=flow, job_state=job_state)
    assert job_state.status == "paused"
    assert [task["routine_id"] for task in job_state.pending_tasks] == ["processor"]
    assert job_state.pause_points[-1]["reason"] == "Checkpoint"


def test_direct_serialization_needs_no_pause(runner, flow):
    assert page.run(945).keys() == {"__name__", "__builtins__"}  # only comments: what they say is tested here
    job_state = stepped(runner, flow, "source", 1)
    assert finish_on_second_host(documents(flow, job_state))["history"] == FOUR_RECORDS
    assert job_state.status == "running"


def test_the_graceful_resume_of_the_summary_logs_what_failed(flow, job_state, caplog):
    flow.resume(job_state)
    with caplog.at_level(logging.ERROR):
        page.run(965, flow=flow, job_state=job_state, logger=logging.getLogger("page"))
    assert caplog.messages == [
        f"Recovery failed: job {job_state.job_id!r} is running here already; pause it first",
    ]


def test_automatic_recovery_can_be_trusted(runner):
    flow = recovery_flow(engine_factory=runner.engine)
    job_state = stepped(runner, flow, "numbers", 1, count=0)
    flow.pause(job_state)
    flow.routines["recorder"].get_slot("input").receive({"number": 5})
    flow, job_state = restored(documents(flow, job_state), runner)
    resumed = page.run(973, flow=flow, job_state=job_state)["resumed"]
    resumed.wait()
    assert resumed.shared_log == [{"number": 5}]
