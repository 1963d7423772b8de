"""Page: When to Use Pause vs Direct Serialization."""

import asyncio
import threading

from routilux import JobState
from routilux.testing import StepRunner
from tests.page import page, page_routines
from tests.page.flows import FOUR_RECORDS, closed_gate, cross_host_flow, documents, numbers_flow, restored, stepped
from tests.page.page_routines import GatedRecorder
from tests.page.second_host import finish_on_second_host

THREE_NUMBERS = [{"number": 0}, {"number": 1}, {"number": 2}]


def test_option_1_pauses_and_saves_what_host_b_finishes():
    with cross_host_flow() as flow:
        names = page.run(664, flow=flow, entry_id="source")
    assert names["job_state"].status == "paused"
    assert [point["reason"] for point in names["job_state"].pause_points] == ["Saving checkpoint"]
    outcome = finish_on_second_host(names["save_data"])
    assert (outcome["history"], outcome["status"]) == (FOUR_RECORDS, "completed")


def test_option_2_saves_without_pausing_what_host_b_finishes():
    with closed_gate():
        flow = numbers_flow(GatedRecorder(), "gated")
        names = page.run(704, flow=flow, entry_id="numbers")
        outcome = finish_on_second_host(names["save_data"])
    assert names["job_state"].wait(30)
    assert outcome["status"] == "completed"
    assert outcome["shared_log"] == names["job_state"].shared_log == THREE_NUMBERS


def test_pausing_moves_every_task_of_the_queue_to_pending_tasks():
    runner = StepRunner()
    flow = numbers_flow(engine_factory=runner.engine)
    job_state = stepped(runner, flow, "numbers", 1)
    assert job_state.pending_tasks == []
    flow.pause(job_state)
    assert [task["data"] for task in job_state.pending_tasks] == THREE_NUMBERS


def test_active_tasks_complete_before_a_pause_returns():
    async def pause_while_a_handler_runs() -> JobState:
        with closed_gate():
            flow = numbers_flow(GatedRecorder(), "gated")
            job_state = flow.execute("numbers")
            page_routines.busy.wait()
            pausing = asyncio.create_task(flow.pause_async(job_state))
            await asyncio.sleep(0)
            assert not pausing.done()
            page_routines.gate.set()
            await pausing
        return job_state

    job_state = asyncio.run(pause_while_a_handler_runs())
    assert job_state.shared_log == THREE_NUMBERS[:1]
    assert [task["data"] for task in job_state.pending_tasks] == THREE_NUMBERS[1:]


def test_a_paused_state_is_preserved_exactly():
    runner = StepRunner()
    flow = numbers_flow(engine_factory=runner.engine)
    job_state = stepped(runner, flow, "numbers", 2)
    flow.pause(job_state, reason="exact", checkpoint={"at": 2})
    transfer_data = documents(flow, job_state)
    assert documents(*restored(transfer_data)) == transfer_data
    assert documents(flow, job_state) == transfer_data


def test_pause_points_say_when_and_why_and_what_the_caller_noted():
    runner = StepRunner()
    flow = numbers_flow(engine_factory=runner.engine)
    job_state = stepped(runner, flow, "numbers", 1)
    flow.pause(job_state, reason="first look", checkpoint={"step": 1})
    flow.resume(job_state)
    flow.pause(job_state, reason="second look")
    assert [(point["reason"], point["checkpoint"]) for point in job_state.pause_points] == [
        ("first look", {"step": 1}),
        ("second look", {}),
    ]
    assert job_state.pause_points[0]["timestamp"].timestamp() == runner.clock.now()


def test_a_long_running_execution_is_checkpointed_again_and_again():
    runner = StepRunner()
    flow = numbers_flow(engine_factory=runner.engine)
    job_state = stepped(runner, flow, "numbers", 1, count=5)
    saved = []
    for _ in range(5):
        flow.pause(job_state, reason="Checkpoint")
        saved.append(documents(flow, job_state))
        flow.resume(job_state)
        runner.step()
    assert [len(data["job_state"]["pending_tasks"]) for data in saved] == [5, 4, 3, 2, 1]
    assert finish_on_second_host(saved[2])["shared_log"] == [{"number": number} for number in range(5)]


def test_a_paused_execution_can_be_inspected():
    runner = StepRunner()
    flow = numbers_flow(engine_factory=runner.engine)
    job_state = stepped(runner, flow, "numbers", 2)
    flow.pause(job_state, reason="inspection")
    assert {name: state["status"] for name, state in job_state.routine_states.items()} == {
        "numbers": "completed",
        "recorder": "pending",
    }
    assert "recorder.input" in str(job_state.explain())


def test_direct_serialization_does_not_wait_for_active_tasks_and_the_execution_goes_on():
    with closed_gate(), numbers_flow(GatedRecorder(), "gated") as flow:
        job_state = flow.execute("numbers")
        page_routines.busy.wait()
        transfer_data = documents(flow, job_state)
        assert job_state.status == "running"
        page_routines.gate.set()
        assert job_state.wait(30)
    assert transfer_data["job_state"]["status"] == "running"
    assert job_state.status == "completed"
    assert job_state.shared_log == THREE_NUMBERS


def test_nothing_is_lost_by_direct_serialization_while_a_handler_runs():
    with closed_gate(), numbers_flow(GatedRecorder(), "gated") as flow:
        job_state = flow.execute("numbers")
        page_routines.busy.wait()
        transfer_data = documents(flow, job_state)
        page_routines.gate.set()
    assert [task["data"] for task in transfer_data["job_state"]["pending_tasks"]] == THREE_NUMBERS
    outcome = finish_on_second_host(transfer_data)
    assert outcome["shared_log"] == THREE_NUMBERS
    assert outcome["status"] == "completed"
    assert outcome["status_after_resume"] == "running"


def test_nothing_is_lost_if_several_handlers_run_at_once():
    with closed_gate():
        flow = numbers_flow(GatedRecorder(), "gated", execution_strategy="concurrent", max_workers=3)
        job_state = flow.execute("numbers")
        page_routines.busy.wait()
        outcome = finish_on_second_host(documents(flow, job_state))
    assert job_state.wait(30)
    assert sorted(entry["number"] for entry in outcome["shared_log"]) == [0, 1, 2]


def test_a_quick_snapshot_at_any_step_is_finished_by_a_copy():
    for steps in range(4):
        runner = StepRunner()
        flow = numbers_flow(engine_factory=runner.engine)
        new_flow, new_job_state = restored(documents(flow, stepped(runner, flow, "numbers", steps)), runner)
        new_flow.resume(new_job_state).wait()
        assert new_job_state.shared_log == THREE_NUMBERS


def test_snapshots_in_the_background_of_a_real_run_lose_nothing():
    done = threading.Event()
    saved = []

    with numbers_flow() as flow:
        job_state = flow.execute("numbers", {"count": 300})

        def save() -> None:
            while not done.is_set():
                saved.append(documents(flow, job_state))

        saver = threading.Thread(target=save)
        saver.start()
        assert job_state.wait(60)
        done.set()
        saver.join()
    expected = [{"number": number} for number in range(300)]
    assert job_state.shared_log == expected
    for transfer_data in saved[:: max(len(saved) // 5, 1)]:
        if transfer_data["job_state"]["status"] != "completed":
            new_flow, new_job_state = restored(transfer_data)
            with new_flow:
                assert new_flow.resume(new_job_state).wait(30)
            assert new_job_state.shared_log == expected
