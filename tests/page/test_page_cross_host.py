"""Page: Cross-Host Serialization and Execution, up to its Best Practices."""

import asyncio
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

import pytest

from routilux import Flow, JobState
from routilux.testing import StepRunner
from tests.page import page, page_routines
from tests.page.flows import FOUR_RECORDS, closed_gate, cross_host_flow, documents, paused_after, restored, stepped
from tests.page.page_routines import GatedProcessor, PageSource
from tests.page.second_host import finish_on_second_host, start_module
from tests.page.socket_host import announced_ports

EXAMPLES = Path(__file__).parents[2] / "examples"


def run_script(script: Path, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", script],
        cwd=folder,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


def test_the_complete_example_as_one_script_prints_exactly_the_expected_output(tmp_path):
    script = tmp_path / "cross_host.py"
    script.write_text(page.code(334), encoding="utf-8")
    assert run_script(script, tmp_path) == page.code(425)


def test_the_complete_example_split_between_two_processes_prints_exactly_the_expected_output(tmp_path):
    imports_and_classes, a_and_b = page.code(334).split("# Create flow on Host A\n")
    cut = "# ============================================\n# Host B"
    host_a, host_b = a_and_b.split(cut)
    host_b = cut + host_b
    for name in ("flow.flow_id", "job_state.job_id"):
        kind, field = name.split(".")
        assert host_b.count(f"== {name}\n") == 1
        host_b = host_b.replace(f"== {name}\n", f'== transfer_data["{kind}"]["{field}"]\n')
    (tmp_path / "routines_of_both.py").write_text(imports_and_classes, encoding="utf-8")
    for name, text in {"host_a.py": host_a, "host_b.py": host_b}.items():
        (tmp_path / name).write_text("from routines_of_both import *\n" + text, encoding="utf-8")
    output = run_script(tmp_path / "host_a.py", tmp_path) + run_script(tmp_path / "host_b.py", tmp_path)
    assert output == page.code(425)


@pytest.mark.parametrize(("steps", "pending", "records"), [(0, 1, 0), (1, 1, 2), (2, 0, 4)])
def test_there_are_exactly_four_records_wherever_the_pause_falls(steps, pending, records):
    runner = StepRunner()
    flow = cross_host_flow(engine_factory=runner.engine)
    job_state = paused_after(flow, runner, "source", steps)
    transfer_data = documents(flow, job_state)
    assert job_state.status == "paused"
    assert len(transfer_data["job_state"]["pending_tasks"]) == pending
    assert len(transfer_data["job_state"]["execution_history"]) == records
    outcome = finish_on_second_host(transfer_data)
    assert outcome["history"] == FOUR_RECORDS
    assert outcome["status"] == "completed"
    assert outcome["job_id"] == job_state.job_id
    assert outcome["flow_id"] == flow.flow_id


def test_there_are_exactly_four_records_if_the_pause_falls_while_the_processor_runs():
    outcome = finish_on_second_host(asyncio.run(pause_while_the_processor_runs()))
    assert outcome["history"] == FOUR_RECORDS
    assert outcome["status"] == "completed"


def gated_flow() -> Flow:
    flow = Flow(flow_id="gated_flow")
    flow.add_routine(PageSource(), "source")
    flow.add_routine(GatedProcessor(), "processor")
    flow.connect("source", "output", "processor", "gated")
    return flow


async def pause_while_the_processor_runs():
    with closed_gate():
        flow = gated_flow()
        job_state = flow.execute("source")
        page_routines.busy.wait()
        pausing = asyncio.create_task(flow.pause_async(job_state, reason="Transfer to Host B"))
        await asyncio.sleep(0)  # the pause has been asked for, and waits for the processor
        assert not pausing.done()
        assert job_state.status == "running"
        page_routines.gate.set()
        await pausing
    assert job_state.status == "paused"
    assert job_state.pending_tasks == []
    return documents(flow, job_state)


def test_there_are_exactly_four_records_in_a_real_run_time_and_again():
    for _ in range(50):
        with cross_host_flow() as flow:
            job_state = flow.execute("source")
            flow.pause(job_state, reason="Transfer to Host B")
            transfer_data = documents(flow, job_state)
        new_flow, new_job_state = restored(transfer_data)
        with new_flow:
            assert new_flow.resume(new_job_state).wait(30)
        assert [[record.routine_id, record.event_name] for record in new_job_state.execution_history] == FOUR_RECORDS


def test_a_real_run_paused_on_host_a_is_completed_on_host_b():
    with cross_host_flow() as flow:
        job_state = flow.execute("source")
        flow.pause(job_state, reason="Transfer to Host B")
        outcome = finish_on_second_host(documents(flow, job_state))
    assert outcome["history"] == FOUR_RECORDS
    assert outcome["same_job_state"] is True
    assert outcome["waited"] is True
    assert outcome["pause_points"] == ["Transfer to Host B"]


def test_host_b_resumes_after_host_a_has_died_without_a_pause():
    runner = StepRunner()
    flow = cross_host_flow(engine_factory=runner.engine)
    job_state = stepped(runner, flow, "source", 1)
    transfer_data = documents(flow, job_state)
    runner.abandon(job_state)
    assert transfer_data["job_state"]["status"] == "running"
    assert finish_on_second_host(transfer_data)["history"] == FOUR_RECORDS


def test_a_saved_execution_is_recovered_later_by_any_number_of_hosts_in_turn():
    runner = StepRunner()
    flow = cross_host_flow(engine_factory=runner.engine)
    transfer_data = documents(flow, paused_after(flow, runner, "source", 0))
    for _ in range(3):
        flow, job_state = restored(transfer_data, runner)
        flow.resume(job_state)
        flow.pause(job_state)
        transfer_data = documents(flow, job_state)
    assert finish_on_second_host(transfer_data)["history"] == FOUR_RECORDS


def test_the_flow_alone_does_not_resume_a_job():
    flow = cross_host_flow()
    with pytest.raises(ValueError, match="is a run of flow ''; this is flow 'cross_host_flow'"):
        flow.resume(JobState())


def test_flow_first_then_job_state_then_resume_with_the_deserialized_job_state():
    runner = StepRunner()
    flow = cross_host_flow(engine_factory=runner.engine)
    transfer_data = documents(flow, paused_after(flow, runner, "source", 1))
    new_flow = Flow(engine_factory=runner.engine)
    new_flow.deserialize(transfer_data["flow"])
    new_job_state = JobState()
    new_job_state.deserialize(transfer_data["job_state"])
    assert new_job_state.status == "paused"
    assert new_flow.resume(new_job_state) is new_job_state


def test_a_job_goes_through_a_socket_to_another_process():
    host_b = start_module("tests.page.socket_host")
    port = int(host_b.stdout.readline())
    with cross_host_flow() as flow:
        job_state = flow.execute("source")
        flow.pause(job_state)
        transfer_data = documents(flow, job_state)
    page.run(444)["send_to_host_b"](transfer_data["flow"], transfer_data["job_state"], ("127.0.0.1", port))
    output, errors = host_b.communicate(timeout=60)
    assert (host_b.returncode, errors) == (0, "")
    assert json.loads(output) == {"status": "completed", "history": FOUR_RECORDS}


def test_a_job_larger_than_a_chunk_goes_through_a_socket():
    functions = page.run(444)
    large = {"text": "é" * 300_000}
    ports = Queue()
    with ThreadPoolExecutor(1) as pool, announced_ports(ports.put):
        received = pool.submit(functions["receive_from_host_a"], 0)
        functions["send_to_host_b"](large, {"more": [1, 2]}, ("127.0.0.1", ports.get(timeout=30)))
        assert received.result(30) == (large, {"more": [1, 2]})


def test_a_job_goes_through_a_database_to_another_process(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with cross_host_flow() as flow:
        job_state = flow.execute("source")
        flow.pause(job_state)
        transfer_data = documents(flow, job_state)
    page.run(488)["save_execution_to_db"](transfer_data["flow"], transfer_data["job_state"], "execution-1")
    host_b = start_module("tests.page.database_host", "execution-1", cwd=tmp_path)
    output, errors = host_b.communicate(timeout=60)
    assert (host_b.returncode, errors) == (0, "")
    assert json.loads(output) == {"status": "completed", "history": FOUR_RECORDS}


def test_an_execution_that_is_not_in_the_database_is_none_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    functions = page.run(488)
    functions["save_execution_to_db"]({}, {}, "execution-1")
    assert functions["load_execution_from_db"]("execution-2") == (None, None)


@pytest.mark.parametrize(
    ("line", "example"),
    [
        (334, "cross_host/routines.py"),
        (444, "socket_transfer/transfer.py"),
        (488, "sqlite_transfer/database.py"),
    ],
)
def test_the_functions_and_classes_of_the_examples_are_those_of_the_page(line, example):
    source = (EXAMPLES / example).read_text(encoding="utf-8")
    assert page.functions(source) == page.functions(page.code(line))
