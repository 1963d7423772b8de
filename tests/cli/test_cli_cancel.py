"""`routilux cancel`."""

from pathlib import Path

from tests.cli.commands import documents, finish, in_process, read_until, routilux, start


def test_a_job_of_another_process_is_cancelled(folder: Path, gate: Path) -> None:
    process = start(folder, "run", "shop:flow", "--entry", "orders", "--param", "amounts=[1, 2, 3]", GATE=str(gate))
    read_until(process, "billing 1")
    job_id = documents("jobs")[0]["job_id"]
    code, output, errors = in_process(folder, "cancel", job_id, "--reason", "no money", "--app", "shop")
    assert (code, output, errors) == (0, f"job {job_id} is cancelled\n", "")
    assert finish(process)[0] == 1
    assert documents("explain", job_id)["explanation"]["note"] == "it was cancelled (no money)"


def test_a_settled_job_is_refused(folder: Path, completed: str) -> None:
    result = routilux("cancel", completed)
    assert (result.exit_code, "cannot be cancelled" in result.stderr) == (1, True)
