"""`routilux resume`."""

import json
import signal
from pathlib import Path

import pytest

from tests.cli.commands import documents, finish, in_process, read_until, routilux, start


@pytest.fixture
def paused(folder: Path, gate: Path) -> str:
    """A job that was interrupted while it handled the second of three orders."""
    process = start(folder, "run", "shop:flow", "--entry", "orders", "--param", "amounts=[1, 2, 3]", GATE=str(gate))
    read_until(process, "billing 1")
    process.send_signal(signal.SIGTERM)
    read_until(process, "starts nothing more")
    gate.write_text("")
    assert finish(process)[0] == 130
    job_id: str = documents("jobs")[0]["job_id"]
    return job_id


def test_a_paused_job_goes_on_where_it_stood(folder: Path, paused: str) -> None:
    result = routilux("resume", paused, "--app", "shop", "--json")
    assert (result.exit_code, json.loads(result.stdout)["status"]) == (0, "completed")
    assert documents("show", paused)["document"]["shared_data"]["billed"] == 6


def test_without_its_classes_it_is_refused_and_stays(folder: Path, paused: str) -> None:
    code, _, errors = in_process(folder, "resume", paused)
    assert (code, "Traceback" in errors) == (1, False)
    assert "'Billing'" in errors
    assert documents("jobs", "--status", "paused")[0]["job_id"] == paused


def test_a_settled_job_is_refused(folder: Path, failed: str) -> None:
    result = routilux("resume", failed, "--app", "shop")
    assert result.exit_code == 1
    assert "there is nothing to resume; retry it" in result.stderr


def test_a_job_that_somebody_runs_is_taken_only_if_asked_for(folder: Path, gate: Path) -> None:
    process = start(folder, "run", "shop:flow", "--entry", "orders", "--param", "amounts=[1, 2]", GATE=str(gate))
    read_until(process, "billing 1")
    job_id = documents("jobs")[0]["job_id"]
    refused = in_process(folder, "resume", job_id, "--app", "shop")
    taken = in_process(folder, "resume", job_id, "--app", "shop", "--take-over")
    gate.write_text("")
    code, _, errors = finish(process)
    assert (refused[0], f"is run by process {process.pid}" in refused[2]) == (1, True)
    assert (taken[0], code, "was taken over by" in errors) == (0, 1, True)


def test_an_app_that_is_not_there_is_a_usage_error(folder: Path, failed: str) -> None:
    result = routilux("resume", failed, "--app", "shoop")
    assert (result.exit_code, "there is no module 'shoop'" in result.stderr) == (2, True)
