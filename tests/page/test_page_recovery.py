"""Page: Automatic Task Recovery."""

import copy

import pytest

from routilux import ErrorHandler, Flow, JobState
from routilux.testing import StepRunner
from tests.page import page
from tests.page.flows import closed_gate, documents, numbers_flow, recovery_flow, restored, stepped, unreliable_flow
from tests.page.page_routines import GatedRecorder, Recorder
from tests.page.second_host import finish_on_second_host


def idle_job(runner, flow):
    """A job of the recovery flow that is paused with nothing pending: the recorder has had nothing to do."""
    job_state = stepped(runner, flow, "numbers", 1, count=0)
    flow.pause(job_state)
    assert job_state.pending_tasks == []
    return job_state


@pytest.fixture
def runner():
    return StepRunner()


@pytest.fixture
def flow(runner):
    return recovery_flow(engine_factory=runner.engine)


def with_slot_data(runner, flow, slot="input", data=None):
    job_state = idle_job(runner, flow)
    flow.routines["recorder"].get_slot(slot).receive(data or {"number": 5})
    return documents(flow, job_state)


def recovered(transfer_data, runner):
    """What is recorded after a resume of these documents, and the pending tasks right after it."""
    new_flow, new_job_state = restored(transfer_data, runner)
    new_flow.resume(new_job_state)
    pending = new_job_state.serialize()["pending_tasks"]
    new_job_state.wait()
    return new_job_state.shared_log, pending


def test_slot_data_is_serialized_with_the_flow(runner, flow):
    transfer_data = with_slot_data(runner, flow)
    assert transfer_data["flow"]["routines"]["recorder"]["_slots"]["input"]["_data"] == {"number": 5}
    new_flow, new_job_state = restored(transfer_data)
    assert documents(new_flow, new_job_state) == transfer_data


def test_tasks_are_rebuilt_from_slot_data_on_another_host(runner, flow):
    outcome = finish_on_second_host(with_slot_data(runner, flow))
    assert outcome["shared_log"] == [{"number": 5}]
    assert outcome["history"][-2:] == [["recorder", "start"], ["recorder", "output"]]
    assert outcome["status"] == "completed"
    assert outcome["status_after_resume"] == "running"


def test_slot_data_becomes_a_task_only_once(runner, flow):
    new_flow, new_job_state = restored(with_slot_data(runner, flow), runner)
    new_flow.resume(new_job_state)
    assert new_flow.serialize()["routines"]["recorder"]["_slots"]["input"]["_data"] == {}
    new_flow.pause(new_job_state)
    new_flow, new_job_state = restored(documents(new_flow, new_job_state), runner)
    new_flow.resume(new_job_state).wait()
    assert new_job_state.shared_log == [{"number": 5}]


def test_every_slot_with_data_gets_a_task(runner, flow):
    transfer_data = with_slot_data(runner, flow)
    transfer_data["flow"]["routines"]["recorder"]["_slots"]["trigger"]["_data"] = {"number": 6}
    log, pending = recovered(transfer_data, runner)
    assert sorted(task["slot"] for task in pending) == ["input", "trigger"]
    assert sorted(entry["number"] for entry in log) == [5, 6]


def test_connection_and_priority_of_a_recovered_task_are_those_of_the_slots_connection(runner, flow):
    _, (task,) = recovered(with_slot_data(runner, flow), runner)
    assert task["connection"] == {"source_routine_id": "numbers", "source_event": "output"}
    assert task["priority"] == 7
    assert task["data"] == {"number": 5}


def test_connections_lead_on_after_recovery(runner, flow):
    flow.add_routine(Recorder(), "next")
    flow.connect("recorder", "output", "next", "appended")
    outcome = finish_on_second_host(with_slot_data(runner, flow))
    assert outcome["shared_log"] == [{"number": 5}, {"number": [5]}]


def test_a_slot_without_data_gets_no_task(runner, flow):
    assert recovered(documents(flow, idle_job(runner, flow)), runner) == ([], [])


def test_a_slot_without_a_handler_keeps_its_data(runner, flow):
    transfer_data = with_slot_data(runner, flow, "silent")
    assert recovered(transfer_data, runner) == ([], [])
    new_flow, new_job_state = restored(transfer_data, runner)
    new_flow.resume(new_job_state)
    assert new_flow.serialize()["routines"]["recorder"]["_slots"]["silent"]["_data"] == {"number": 5}


def test_a_slot_with_a_pending_task_gets_no_second_one(runner):
    flow = numbers_flow(engine_factory=runner.engine)
    job_state = stepped(runner, flow, "numbers", 1, count=1)
    flow.pause(job_state)
    flow.routines["recorder"].get_slot("input").receive({"number": 99})
    log, pending = recovered(documents(flow, job_state), runner)
    assert (len(pending), log) == (1, [{"number": 0}])


def test_pending_tasks_are_taken_up_before_tasks_from_slot_data(runner):
    flow = numbers_flow(engine_factory=runner.engine)
    job_state = stepped(runner, flow, "numbers", 1, count=2)
    flow.pause(job_state)
    flow.routines["recorder"].get_slot("trigger").receive({"number": 99})
    log, _ = recovered(documents(flow, job_state), runner)
    assert log == [{"number": 0}, {"number": 1}, {"number": 99}]


def test_data_received_by_a_slot_that_appends_is_recovered_as_lists(runner, flow):
    job_state = idle_job(runner, flow)
    for number in (1, 2):
        flow.routines["recorder"].get_slot("appended").receive({"number": number})
    log, _ = recovered(documents(flow, job_state), runner)
    assert log == [{"number": [1, 2]}]


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled", "skipped"])
def test_no_task_is_recovered_for_a_routine_that_is_over(runner, flow, status):
    transfer_data = with_slot_data(runner, flow)
    transfer_data["job_state"]["routine_states"]["recorder"] = {"status": status}
    assert recovered(transfer_data, runner) == ([], [])
    outcome = finish_on_second_host(transfer_data)
    assert (outcome["shared_log"], outcome["status"]) == ([], "completed")
    assert outcome["routine_states"]["recorder"] == status


@pytest.mark.parametrize("status", ["pending", "running"])
def test_a_task_is_recovered_for_a_routine_that_is_not_over(runner, flow, status):
    transfer_data = with_slot_data(runner, flow)
    transfer_data["job_state"]["routine_states"]["recorder"] = {"status": status}
    assert recovered(transfer_data, runner)[0] == [{"number": 5}]


def test_tasks_that_were_completed_are_not_run_again(runner):
    flow = numbers_flow(engine_factory=runner.engine)
    job_state = stepped(runner, flow, "numbers", 3)
    flow.pause(job_state)
    outcome = finish_on_second_host(documents(flow, job_state))
    assert outcome["attempts"] == [["recorder", 1]]
    assert outcome["shared_log"] == [{"number": 0}, {"number": 1}, {"number": 2}]


def with_retries_used(runner, flow, used):
    transfer_data = with_slot_data(runner, flow)
    policy = ErrorHandler("retry", max_retries=4)
    policy.retry_count = used
    transfer_data["flow"]["routines"]["recorder"]["_error_handler"] = policy.serialize()
    return transfer_data


@pytest.mark.parametrize("used", [4, 5])
def test_no_task_is_recovered_that_has_no_retries_left(runner, flow, used):
    assert recovered(with_retries_used(runner, flow, used), runner) == ([], [])


@pytest.mark.parametrize("used", [0, 3])
def test_a_recovered_task_keeps_the_retries_of_its_error_handler(runner, flow, used):
    log, (task,) = recovered(with_retries_used(runner, flow, used), runner)
    assert task["retry_count"] == used
    assert log == [{"number": 5}]


def test_retry_count_and_max_retries_are_restored_on_another_host(runner):
    flow = unreliable_flow(succeeds_at=3, retry_delay=0.0, engine_factory=runner.engine)
    job_state = stepped(runner, flow, "unreliable", 2)
    flow.pause(job_state)
    transfer_data = documents(flow, job_state)
    (task,) = transfer_data["job_state"]["pending_tasks"]
    policy = transfer_data["flow"]["routines"]["unreliable"]["_error_handler"]
    assert (task["retry_count"], policy["retry_count"], policy["max_retries"]) == (2, 2, 4)
    outcome = finish_on_second_host(transfer_data)
    assert outcome["retry_counts"] == [2]
    assert outcome["attempts"] == [["unreliable", 3]]


def test_priority_and_metadata_of_pending_tasks_are_restored(runner):
    flow = numbers_flow(engine_factory=runner.engine)
    job_state = stepped(runner, flow, "numbers", 1)
    flow.pause(job_state)
    transfer_data = documents(flow, job_state)
    for number, task in enumerate(transfer_data["job_state"]["pending_tasks"]):
        task["priority"], task["metadata"] = number, {"rank": number}
    log, pending = recovered(copy.deepcopy(transfer_data), runner)
    assert log == [{"number": 2}, {"number": 1}, {"number": 0}]
    assert sorted((task["priority"], task["metadata"]["rank"]) for task in pending) == [(0, 0), (1, 1), (2, 2)]


def test_tasks_in_the_queue_at_a_direct_save_are_continued_on_another_host():
    with closed_gate():
        flow = numbers_flow(GatedRecorder(), "gated")
        transfer_data = page.run(704, flow=flow, entry_id="numbers")["save_data"]
        assert finish_on_second_host(transfer_data)["shared_log"] == [{"number": n} for n in range(3)]


def test_the_example_of_the_page_runs_as_it_stands():
    with numbers_flow() as flow:
        names = page.run(765, flow=flow, entry_id="numbers", Flow=Flow, JobState=JobState)
        with names["new_flow"]:
            assert names["resumed"].wait(30)
    assert names["resumed"].shared_log == [{"number": 0}, {"number": 1}, {"number": 2}]
