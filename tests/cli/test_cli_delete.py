"""`routilux delete`."""

from pathlib import Path

from tests.cli.commands import documents, finish, let_go_on, read_until, routilux, start


def test_a_job_is_gone(folder: Path, failed: str) -> None:
    result = routilux("delete", failed)
    assert (result.exit_code, result.stdout) == (0, f"job {failed} was deleted\n")
    assert documents("jobs") == []


def test_the_tombstone_of_a_job_that_was_moved_out_goes_too(folder: Path, failed: str) -> None:
    routilux("export", failed, "-o", "moved.json")
    assert documents("delete", failed) == {"job_id": failed, "deleted": True}
    assert routilux("import", "moved.json").exit_code == 0


def test_a_job_that_somebody_runs_is_not_deleted(folder: Path, gate: Path) -> None:
    process = start(folder, "run", "shop:flow", "--entry", "orders", "--param", "amounts=[1, 2]", GATE=str(gate))
    read_until(process, "billing 1")
    job_id = documents("jobs")[0]["job_id"]
    result = routilux("delete", job_id)
    let_go_on(gate, process)
    assert (result.exit_code, "cancel it first" in result.stderr) == (1, True)
    assert finish(process)[0] == 0


def test_a_job_that_is_not_there_is_told(folder: Path, failed: str) -> None:
    result = routilux("delete", "nobody")
    assert (result.exit_code, "the store has no job 'nobody'" in result.stderr) == (1, True)
