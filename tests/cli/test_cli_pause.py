"""`routilux pause`."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from routilux.stores import SQLiteBackend
from tests.cli.commands import documents, finish, in_process, let_go_on, read_until, routilux, start
from tests.patience import until


def test_a_job_of_another_process_pauses(folder: Path, gate: Path) -> None:
    process = start(folder, "run", "shop:flow", "--entry", "orders", "--param", "amounts=[1, 2, 3]", GATE=str(gate))
    read_until(process, "billing 1")
    job_id = documents("jobs")[0]["job_id"]
    pausing = start(folder, "pause", job_id, "--reason", "lunch", "--app", "shop", "--json")
    read_note(folder, job_id)
    let_go_on(gate, process)
    code, output, errors = finish(pausing)
    assert (code, errors) == (0, "")
    assert json.loads(output)["status"] == "paused"
    assert (finish(process)[0], documents("show", job_id)["document"]["pause_points"][0]["reason"]) == (130, "lunch")


def read_note(folder: Path, job_id: str) -> None:
    """Return when the job has been told to pause."""
    until(lambda: documents("explain", job_id)["explanation"]["note"] == "it pauses when what runs has finished")


def test_a_job_that_nobody_runs_pauses_here(folder: Path, gate: Path) -> None:
    with start(folder, "run", "shop:flow", "--entry", "orders", "--param", "amounts=[1, 2]", GATE=str(gate)) as process:
        read_until(process, "billing 1")
        process.kill()
        process.wait(60)
    job_id = documents("jobs")[0]["job_id"]
    code, output, errors = in_process(folder, "pause", job_id, "--app", "shop")
    assert (code, errors) == (0, "")
    assert output == f"job {job_id} is paused; it goes on with: routilux resume {job_id} --app shop\n"


def test_an_owner_that_does_not_answer_is_not_waited_for_longer_than_said(folder: Path, gate: Path) -> None:
    process = start(folder, "run", "shop:flow", "--entry", "orders", "--param", "amounts=[1, 2]", GATE=str(gate))
    read_until(process, "billing 1")
    job_id = documents("jobs")[0]["job_id"]
    result = routilux("pause", job_id, "--timeout", "0")
    let_go_on(gate, process)
    finish(process)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "its owner has been asked" in result.stderr


def test_a_store_that_is_locked_is_not_waited_for_longer_than_said(
    folder: Path, failed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SQLiteBackend.__init__.__kwdefaults__, "busy_timeout", 3600.0)
    with closing(sqlite3.connect(folder / "routilux.db", isolation_level=None)) as locking:
        locking.execute("PRAGMA locking_mode = EXCLUSIVE")
        locking.execute("BEGIN IMMEDIATE")
        locking.execute("UPDATE jobs SET flow_id = flow_id")
        result = routilux("pause", failed, "--timeout", "0.1")
        locking.execute("ROLLBACK")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "another program has had it locked for too long; try again" in result.stderr


def test_a_settled_job_is_refused(folder: Path, failed: str) -> None:
    result = routilux("pause", failed)
    assert (result.exit_code, "cannot be paused" in result.stderr) == (1, True)
