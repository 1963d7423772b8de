"""`routilux jobs`."""

from pathlib import Path

from routilux.cli.accounts import owner_text
from tests.cli.commands import documents, in_process, read_until, routilux, start


def test_it_lists_jobs_oldest_first(folder: Path, completed: str, failed: str) -> None:
    listed = documents("jobs")
    assert [(job["job_id"], job["flow_id"], job["status"], job["owner"], job["orphaned"]) for job in listed] == [
        (completed, "shop", "completed", None, False),
        (failed, "shop", "failed", None, False),
    ]


def test_its_table_has_a_line_for_each(folder: Path, completed: str, failed: str) -> None:
    head, *lines = routilux("jobs").stdout.splitlines()
    assert head.split() == ["job", "flow", "status", "epoch", "last", "written", "run", "by"]
    assert [line.split()[:3] for line in lines] == [[completed, "shop", "completed"], [failed, "shop", "failed"]]


def test_it_lists_those_of_a_status_or_a_flow(folder: Path, completed: str, failed: str) -> None:
    assert [job["job_id"] for job in documents("jobs", "--status", "failed")] == [failed]
    assert documents("jobs", "--flow", "bakery") == []


def test_who_runs_a_job_is_named_and_so_is_a_job_whose_process_died(folder: Path, gate: Path) -> None:
    with start(folder, "run", "shop:flow", "--entry", "orders", "--param", "amounts=[1, 2]", GATE=str(gate)) as process:
        read_until(process, "billing 1")
        (running,) = documents("jobs")
        process.kill()
        process.wait(60)
    (orphan,) = documents("jobs")
    assert f"process {process.pid} on" in running["owner"]
    assert (running["orphaned"], orphan["orphaned"], owner_text(orphan)) == (False, True, "gone; recover it")


def test_a_store_that_is_not_there_is_not_made(folder: Path) -> None:
    code, output, errors = in_process(folder, "jobs", "--store", "sqlite:///typo.db")
    assert (code, output, errors.count("\n")) == (1, "", 1)
    assert "there is no store 'sqlite:///typo.db'" in errors
    assert not (folder / "typo.db").exists()
