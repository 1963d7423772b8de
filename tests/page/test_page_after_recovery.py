"""Page: Expected Behavior After Recovery."""

import pytest

from routilux import ErrorHandler, Flow, JobState
from routilux.testing import StepRunner
from tests.page import page
from tests.page.flows import (
    FOUR_RECORDS,
    cross_host_flow,
    documents,
    numbers_flow,
    paused_after,
    recovery_flow,
    restored,
    stepped,
    unreliable_flow,
)
from tests.page.page_routines import SharedWriter, Unreliable
from tests.page.second_host import finish_on_second_host


@pytest.fixture
def runner():
    return StepRunner()


def twice_failed(runner, succeeds_at, retry_delay=0.0):
    """An unreliable job that is paused after two failures."""
    flow = unreliable_flow(succeeds_at, retry_delay=retry_delay, engine_factory=runner.engine)
    return flow, paused_after(flow, runner, "unreliable", 2)


# Status Transitions


def test_a_paused_job_becomes_running_then_completed(runner):
    flow = cross_host_flow(engine_factory=runner.engine)
    job_state = paused_after(flow, runner, "source", 1)
    names = page.run(806, flow=flow, job_state=job_state)
    names["resumed"].wait()
    exec(page.code(813), names)
    assert names["resumed"].status == "completed"


def test_a_job_that_was_saved_running_is_running_after_resume_too(runner):
    flow = cross_host_flow(engine_factory=runner.engine)
    new_flow, new_job_state = restored(documents(flow, stepped(runner, flow, "source", 1)), runner)
    assert new_job_state.status == "running"
    assert new_flow.resume(new_job_state).status == "running"
    new_job_state.wait()
    assert new_job_state.status == "completed"


def test_a_job_that_was_saved_before_it_began_is_resumed(runner):
    flow = cross_host_flow(engine_factory=runner.engine)
    transfer_data = documents(flow, paused_after(flow, runner, "source", 0))
    transfer_data["job_state"]["status"] = "pending"
    assert finish_on_second_host(transfer_data)["history"] == FOUR_RECORDS


def test_a_job_with_nothing_left_to_do_is_running_after_resume_every_time():
    with cross_host_flow() as flow:
        job_state = flow.execute("source")
        assert job_state.wait(30)
        flow.pause(job_state)
        transfer_data = documents(flow, job_state)
    assert transfer_data["job_state"]["pending_tasks"] == []
    seen = set()
    with Flow() as new_flow:
        new_flow.deserialize(transfer_data["flow"])
        for _ in range(200):
            new_job_state = JobState()
            new_job_state.deserialize(transfer_data["job_state"])
            seen.add(str(new_flow.resume(new_job_state).status))
            assert new_job_state.wait(30)
            assert new_job_state.status == "completed"
    assert seen == {"running"}


def test_a_job_with_one_quick_task_left_is_running_after_resume_every_time():
    runner = StepRunner()
    flow = cross_host_flow(engine_factory=runner.engine)
    transfer_data = documents(flow, paused_after(flow, runner, "source", 1))
    seen = set()
    with Flow() as new_flow:
        new_flow.deserialize(transfer_data["flow"])
        for _ in range(200):
            new_job_state = JobState()
            new_job_state.deserialize(transfer_data["job_state"])
            seen.add(str(new_flow.resume(new_job_state).status))
            assert new_job_state.wait(30)
    assert seen == {"running"}


@pytest.mark.parametrize("steps", [1, 2])
def test_a_resumed_job_is_still_running_when_all_that_is_due_has_been_done(runner, steps):
    flow = cross_host_flow(engine_factory=runner.engine)
    job_state = paused_after(flow, runner, "source", steps)
    flow.resume(job_state)
    while runner.step():
        pass
    runner.clock.advance(0.0)
    assert job_state.status == "running"
    assert len(job_state.execution_history) == 4


def test_a_resumed_job_with_nothing_left_settles_by_itself(runner):
    flow = cross_host_flow(engine_factory=runner.engine)
    job_state = paused_after(flow, runner, "source", 2)
    flow.resume(job_state)
    runner.run()
    assert job_state.status == "completed"


def test_a_resumed_job_may_fail(runner):
    flow = unreliable_flow(9, max_retries=0, engine_factory=runner.engine)
    outcome = finish_on_second_host(documents(flow, paused_after(flow, runner, "unreliable", 0)))
    assert outcome["status_after_resume"] == "running"
    assert outcome["status"] == "failed"


def test_a_resumed_job_may_be_cancelled(runner):
    flow = cross_host_flow(engine_factory=runner.engine)
    new_flow, new_job_state = restored(documents(flow, paused_after(flow, runner, "source", 1)), runner)
    new_flow.cancel(new_flow.resume(new_job_state), reason="no longer wanted")
    assert new_job_state.status == "cancelled"


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_a_settled_job_is_not_resumed(runner, status):
    flow = cross_host_flow(engine_factory=runner.engine)
    transfer_data = documents(flow, paused_after(flow, runner, "source", 1))
    transfer_data["job_state"]["status"] = status
    new_flow, new_job_state = restored(transfer_data, runner)
    with pytest.raises(ValueError, match=f"is {status}: there is nothing to resume"):
        new_flow.resume(new_job_state)


# Execution Continuation


def test_pending_tasks_are_enqueued_in_their_order(runner):
    flow = numbers_flow(engine_factory=runner.engine)
    outcome = finish_on_second_host(documents(flow, paused_after(flow, runner, "numbers", 1)))
    assert outcome["shared_log"] == [{"number": 0}, {"number": 1}, {"number": 2}]
    assert outcome["pending_tasks"] == []


def test_new_events_are_appended_to_the_existing_history(runner):
    flow = cross_host_flow(engine_factory=runner.engine)
    transfer_data = documents(flow, paused_after(flow, runner, "source", 1))
    before = transfer_data["job_state"]["execution_history"]
    after = finish_on_second_host(transfer_data)["document"]["execution_history"]
    assert after[:2] == before
    assert [record["routine_id"] for record in after[2:]] == ["processor", "processor"]
    assert after[3]["data"] == {"result": "Processed: initial_data"}


# Retry Behavior


def test_after_two_failures_retry_count_and_max_retries_are_preserved(runner):
    flow, job_state = twice_failed(runner, succeeds_at=5, retry_delay=100.0)
    new_flow, new_job_state = restored(documents(flow, job_state), runner)
    error_handler = new_flow.routines["unreliable"].get_error_handler()
    page.run(831, flow=new_flow, job_state=new_job_state, error_handler=error_handler)
    new_job_state.wait()
    assert new_job_state.status == "completed"


def test_the_retry_count_is_restored_though_the_flow_was_saved_before_the_failures(runner):
    flow = unreliable_flow(succeeds_at=5, engine_factory=runner.engine)
    flow_data = flow.serialize()
    job_state = paused_after(flow, runner, "unreliable", 2)
    new_flow, new_job_state = restored({"flow": flow_data, "job_state": job_state.serialize()}, runner)
    error_handler = new_flow.routines["unreliable"].get_error_handler()
    assert error_handler.retry_count == 0
    new_flow.resume(new_job_state)
    assert error_handler.retry_count == 2


def test_exactly_retries_3_and_4_are_left_then_the_job_fails_for_good(runner):
    flow, job_state = twice_failed(runner, succeeds_at=99)
    outcome = finish_on_second_host(documents(flow, job_state))
    assert outcome["attempts"] == [["unreliable", attempt] for attempt in (3, 4, 5)]
    assert outcome["status"] == "failed"
    assert outcome["error"] == ["ConnectionError", "no answer at attempt 5"]
    assert outcome["history"] == [["unreliable", "start"], ["unreliable", "error"]] * 5
    assert outcome["routine_states"] == {"unreliable": "failed"}


def test_the_retries_granted_by_host_b_are_numbers_3_and_4(runner):
    flow, job_state = twice_failed(runner, succeeds_at=99)
    new_flow, new_job_state = restored(documents(flow, job_state), runner)
    error_handler = new_flow.routines["unreliable"].get_error_handler()
    new_flow.resume(new_job_state)
    counts = [error_handler.retry_count]
    while new_job_state.status == "running":
        assert runner.step() or runner.clock.advance_to_next_timer()
        if error_handler.retry_count != counts[-1]:
            counts.append(error_handler.retry_count)
    assert counts == [2, 3, 4]
    assert new_job_state.status == "failed"


@pytest.mark.parametrize("succeeds_at", [3, 4, 5])
def test_a_retry_that_succeeds_on_host_b_completes_the_job(runner, succeeds_at):
    flow, job_state = twice_failed(runner, succeeds_at)
    outcome = finish_on_second_host(documents(flow, job_state))
    assert outcome["attempts"] == [["unreliable", attempt] for attempt in range(3, succeeds_at + 1)]
    assert outcome["status"] == "completed"
    assert outcome["routine_states"] == {"unreliable": "completed"}


def test_a_retry_waits_on_host_b_for_what_is_left_of_its_delay(runner):
    flow, job_state = twice_failed(runner, succeeds_at=3, retry_delay=100.0)
    due = runner.clock.now() + 100.0
    transfer_data = documents(flow, job_state)
    runner.clock.advance(60.0)
    new_flow, new_job_state = restored(transfer_data, runner)
    new_flow.resume(new_job_state)
    while not runner.step():
        assert runner.clock.advance_to_next_timer()
    assert runner.clock.now() == due


def test_retries_continue_over_any_number_of_hosts(runner):
    flow, job_state = twice_failed(runner, succeeds_at=99)
    flow, job_state = restored(documents(flow, job_state), runner)
    flow.resume(job_state)
    while not runner.step():
        assert runner.clock.advance_to_next_timer()
    flow.pause(job_state)
    assert job_state.pending_tasks[0]["retry_count"] == 3
    outcome = finish_on_second_host(documents(flow, job_state))
    assert outcome["attempts"] == [["unreliable", 4], ["unreliable", 5]]


def test_the_retries_of_one_job_do_not_count_for_another(runner):
    flow, _ = twice_failed(runner, succeeds_at=99)
    outcome = finish_on_second_host(documents(flow, paused_after(flow, runner, "unreliable", 0)))
    assert outcome["attempts"] == [["unreliable", attempt] for attempt in (1, 2, 3, 4, 5)]


def test_the_retries_of_a_flows_error_handler_continue_too(runner):
    flow = Flow(flow_id="unreliable_flow", engine_factory=runner.engine)
    unreliable = Unreliable()
    unreliable.set_config(succeeds_at=99)
    flow.add_routine(unreliable, "unreliable")
    flow.set_error_handler(ErrorHandler("retry", max_retries=4, retry_delay=0.0))
    outcome = finish_on_second_host(documents(flow, paused_after(flow, runner, "unreliable", 2)))
    assert outcome["attempts"] == [["unreliable", attempt] for attempt in (3, 4, 5)]


# Routine State


def test_completed_routines_remain_completed_and_do_not_run_again(runner):
    flow = cross_host_flow(engine_factory=runner.engine)
    outcome = finish_on_second_host(documents(flow, paused_after(flow, runner, "source", 1)))
    assert outcome["routine_states"] == {"source": "completed", "processor": "completed"}
    assert outcome["history"].count(["source", "start"]) == 1


def test_failed_routines_remain_failed(runner):
    flow = cross_host_flow(engine_factory=runner.engine)
    transfer_data = documents(flow, paused_after(flow, runner, "source", 2))
    transfer_data["job_state"]["routine_states"]["processor"] = {"status": "failed"}
    outcome = finish_on_second_host(transfer_data)
    assert outcome["routine_states"] == {"source": "completed", "processor": "failed"}
    assert len(outcome["history"]) == 4


def test_a_failed_job_is_not_resumed_and_keeps_its_failed_task(runner):
    flow = unreliable_flow(99, max_retries=0, engine_factory=runner.engine)
    job_state = stepped(runner, flow, "unreliable", 1)
    transfer_data = documents(flow, job_state)
    assert transfer_data["job_state"]["status"] == "failed"
    assert [task["routine_id"] for task in transfer_data["job_state"]["failed_tasks"]] == ["unreliable"]
    outcome = finish_on_second_host(transfer_data)
    assert outcome["refused"] == f"job {job_state.job_id!r} is failed: there is nothing to resume; retry it"
    assert "ValueError" in outcome["types"]


def test_routines_with_retries_available_go_on(runner):
    flow, job_state = twice_failed(runner, succeeds_at=3)
    assert job_state.get_routine_state("unreliable")["status"] == "pending"
    outcome = finish_on_second_host(documents(flow, job_state))
    assert outcome["routine_states"] == {"unreliable": "completed"}


def test_pending_and_running_routines_continue(runner):
    flow = numbers_flow(engine_factory=runner.engine)
    job_state = stepped(runner, flow, "numbers", 1)
    runner.begin(job_state)
    assert job_state.get_routine_state("recorder")["status"] == "running"
    outcome = finish_on_second_host(documents(flow, job_state))
    assert outcome["routine_states"] == {"numbers": "completed", "recorder": "completed"}
    assert outcome["shared_log"] == [{"number": 0}, {"number": 1}, {"number": 2}]


@pytest.mark.parametrize(("strategy", "status"), [("skip", "skipped"), ("continue", "error_continued")])
def test_skipped_and_continued_routines_remain_so(runner, strategy, status):
    flow = cross_host_flow(engine_factory=runner.engine)
    unreliable = Unreliable()
    unreliable.set_config(succeeds_at=99)
    unreliable.set_error_handler(ErrorHandler(strategy))
    flow.add_routine(unreliable, "unreliable")
    flow.connect("source", "output", "unreliable", "input", priority=1)
    job_state = paused_after(flow, runner, "source", 2)
    assert job_state.get_routine_state("unreliable")["status"] == status
    outcome = finish_on_second_host(documents(flow, job_state))
    assert outcome["routine_states"] == {"source": "completed", "unreliable": status, "processor": "completed"}
    assert outcome["history"].count(["unreliable", "start"]) == 1


# Data Integrity


def test_slot_data_of_the_job_is_preserved(runner):
    flow = numbers_flow(slot="appended", engine_factory=runner.engine)
    job_state = paused_after(flow, runner, "numbers", 2)
    assert job_state.serialize()["slot_data"]["recorder"] == {"appended": {"number": [0]}}
    outcome = finish_on_second_host(documents(flow, job_state))
    assert outcome["shared_log"] == [{"number": [0]}, {"number": [0, 1]}, {"number": [0, 1, 2]}]


def test_shared_data_is_preserved_and_goes_on(runner):
    flow = Flow(flow_id="shared", engine_factory=runner.engine)
    for name in ("first", "second"):
        flow.add_routine(SharedWriter(), name)
    flow.connect("first", "output", "second", "input")
    job_state = paused_after(flow, runner, "first", 1)
    job_state.update_shared_data("outside", [1, 2])
    outcome = finish_on_second_host(documents(flow, job_state))
    assert outcome["shared_data"] == {
        "first": {"seen": []},
        "outside": [1, 2],
        "second": {"seen": ["first", "outside"]},
    }


def test_connections_are_restored_with_mapping_and_priority(runner):
    flow = Flow(flow_id="connected", engine_factory=runner.engine)
    for name in ("numbers", "recorder"):
        flow.add_routine(numbers_flow().routines[name].__class__(), name)
    flow.connect("numbers", "output", "recorder", "input", {"number": "n"}, priority=3)
    transfer_data = documents(flow, paused_after(flow, runner, "numbers", 0, count=1))
    (connection,) = restored(transfer_data)[0].connections
    assert (connection.source, connection.target) == (("numbers", "output"), ("recorder", "input"))
    assert (connection.param_mapping, connection.priority) == ({"number": "n"}, 3)
    assert finish_on_second_host(transfer_data)["shared_log"] == [{"n": 0}]


# Error Handling


def test_a_flow_id_mismatch_is_a_value_error_and_changes_nothing(runner, capsys):
    flow = cross_host_flow(engine_factory=runner.engine)
    job_state = paused_after(flow, runner, "source", 1)
    before = job_state.serialize()
    page.run(869, flow=recovery_flow(engine_factory=runner.engine), job_state=job_state)
    assert capsys.readouterr().out == (
        f"Recovery failed: job {job_state.job_id!r} is a run of flow 'cross_host_flow'; this is flow 'recovery_flow'\n"
    )
    assert job_state.serialize() == before


def test_a_routine_that_is_not_found_is_a_value_error_and_changes_nothing(runner, capsys):
    flow = cross_host_flow(engine_factory=runner.engine)
    transfer_data = documents(flow, paused_after(flow, runner, "source", 1))
    del transfer_data["flow"]["routines"]["processor"]
    transfer_data["flow"]["connections"] = []
    new_flow, new_job_state = restored(transfer_data, runner)
    before = new_job_state.serialize()
    page.run(869, flow=new_flow, job_state=new_job_state)
    output = capsys.readouterr().out
    assert output.startswith("Recovery failed: ")
    assert "flow 'cross_host_flow' has no routine 'processor'; it has: 'source'" in output
    assert new_job_state.serialize() == before


def test_all_that_does_not_fit_is_listed(runner):
    flow = numbers_flow(engine_factory=runner.engine)
    transfer_data = documents(flow, paused_after(flow, runner, "numbers", 1))
    for task, change in zip(
        transfer_data["job_state"]["pending_tasks"],
        [{"routine_id": "gone"}, {"slot": "gone"}, {"slot": "silent"}],
        strict=True,
    ):
        task.update(change)
    outcome = finish_on_second_host(transfer_data)
    assert "ValueError" in outcome["types"]
    assert [line.split(" is for ")[0] for line in outcome["refused"].splitlines()[1:]] == [
        "  - pending_tasks[0]",
        "  - pending_tasks[1]",
        "  - pending_tasks[2]",
    ]


def test_other_errors_are_caught_as_exceptions(runner, capsys):
    flow = cross_host_flow(engine_factory=runner.engine)
    job_state = paused_after(flow, runner, "source", 1)
    flow.shutdown()
    page.run(869, flow=flow, job_state=job_state)
    assert capsys.readouterr().out.startswith("Unexpected error: flow 'cross_host_flow' has been shut down")


# Common Scenarios


def scenario(line, flow, job_state, runner):
    """Run a scenario in this process, and what it saved on another host."""
    names = page.run(
        line, flow=flow, job_state=job_state, Flow=lambda: Flow(engine_factory=runner.engine), JobState=JobState
    )
    first_seen = names["resumed"].status
    names["resumed"].wait()
    outcome = finish_on_second_host({"flow": names["flow_data"], "job_state": names["job_state_data"]})
    assert first_seen == outcome["status_after_resume"] == "running"
    assert outcome["shared_log"] == names["resumed"].shared_log
    return outcome


def test_normal_recovery(runner):
    flow = numbers_flow(engine_factory=runner.engine)
    outcome = scenario(882, flow, stepped(runner, flow, "numbers", 2), runner)
    assert outcome["shared_log"] == [{"number": 0}, {"number": 1}, {"number": 2}]
    assert outcome["attempts"] == [["recorder", 1]] * 2


def test_recovery_with_slot_data(runner):
    flow = numbers_flow(engine_factory=runner.engine)
    job_state = stepped(runner, flow, "numbers", 1)
    flow.routines["recorder"].get_slot("trigger").receive({"number": 3})
    outcome = scenario(899, flow, job_state, runner)
    assert outcome["shared_log"] == [{"number": number} for number in range(4)]


def test_recovery_with_retries(runner):
    flow, job_state = twice_failed(runner, succeeds_at=5)
    outcome = scenario(915, flow, job_state, runner)
    assert outcome["attempts"] == [["unreliable", attempt] for attempt in (3, 4, 5)]
    assert outcome["status"] == "completed"
