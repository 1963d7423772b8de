"""Page: Flow and JobState Separation."""

import json

from routilux import Flow, JobState
from routilux.testing import StepRunner
from tests.page import page
from tests.page.flows import FOUR_RECORDS, cross_host_flow, documents, paused_after
from tests.page.second_host import finish_on_second_host

EXECUTION_STATE = {
    "job_state",
    "status",
    "execution_history",
    "routine_states",
    "pending_tasks",
    "shared_data",
    "job_id",
}


def test_a_flow_holds_only_the_definition_and_a_job_state_only_the_execution():
    runner = StepRunner()
    flow = cross_host_flow(engine_factory=runner.engine)
    transfer_data = documents(flow, paused_after(flow, runner, "source", 1))
    flow_data, job_state_data = transfer_data["flow"], transfer_data["job_state"]
    assert not EXECUTION_STATE & flow_data.keys()
    assert {"routines", "connections", "execution_strategy", "max_workers", "error_handler"} <= flow_data.keys()
    assert {"execution_history", "routine_states", "status", "pending_tasks"} <= job_state_data.keys()
    assert not {"routines", "connections"} & job_state_data.keys()


def test_running_a_flow_leaves_its_document_as_it_was():
    flow = cross_host_flow(engine_factory=StepRunner().engine)
    before = json.dumps(flow.serialize())
    flow.execute("source").wait()
    assert json.dumps(flow.serialize()) == before


def test_executions_of_one_flow_are_independent():
    runner = StepRunner()
    flow = cross_host_flow(engine_factory=runner.engine)
    first, second = flow.execute("source"), flow.execute("source")
    flow.pause(first)
    second.wait()
    assert [first.status, second.status] == ["paused", "completed"]
    assert first.job_id != second.job_id
    assert [len(first.execution_history), len(second.execution_history)] == [2, 4]
    assert [len(first.pending_tasks), len(second.pending_tasks)] == [1, 0]


def test_the_serialization_pattern_saves_two_documents():
    runner = StepRunner()
    flow = cross_host_flow(engine_factory=runner.engine)
    saved = {}
    names = page.run(
        294,
        flow=flow,
        job_state=paused_after(flow, runner, "source", 1),
        save_flow=lambda data: saved.update(flow=json.dumps(data)),
        save_job_state=lambda data: saved.update(job_state=json.dumps(data)),
    )
    assert "job_state" not in names["flow_data"]
    assert {name: json.loads(text) for name, text in saved.items()} == {
        "flow": names["flow_data"],
        "job_state": names["job_state_data"],
    }


def test_the_deserialization_pattern_resumes_on_another_host():
    runner = StepRunner()
    flow = cross_host_flow(engine_factory=runner.engine)
    outcome = finish_on_second_host(documents(flow, paused_after(flow, runner, "source", 1)), block=307)
    assert outcome["status"] == "completed"
    assert outcome["history"] == FOUR_RECORDS


def test_one_flow_document_serves_many_job_documents():
    runner = StepRunner()
    flow = cross_host_flow(engine_factory=runner.engine)
    jobs = [paused_after(flow, runner, "source", 1) for _ in range(3)]
    new_flow = Flow(engine_factory=runner.engine)
    new_flow.deserialize(flow.serialize())
    for job in jobs:
        new_job_state = JobState()
        new_job_state.deserialize(job.serialize())
        new_flow.resume(new_job_state).wait()
        assert new_job_state.job_id == job.job_id
        assert len(new_job_state.execution_history) == 4
