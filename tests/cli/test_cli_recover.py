"""`routilux recover`."""

import json
from pathlib import Path

import pytest

from tests.cli.commands import documents, in_process, read_until, routilux, start


@pytest.fixture
def orphan(folder: Path, gate: Path) -> str:
    """A job whose process was killed."""
    with start(folder, "run", "shop:flow", "--entry", "orders", "--param", "amounts=[1, 2, 3]", GATE=str(gate)) as lost:
        read_until(lost, "billing 1")
        lost.kill()
        lost.wait(60)
    job_id: str = documents("jobs")[0]["job_id"]
    return job_id


def test_a_job_whose_process_died_is_finished(folder: Path, orphan: str) -> None:
    result = routilux("recover", "--app", "shop", "--json")
    (ended,) = json.loads(result.stdout)
    assert (result.exit_code, ended["job_id"], ended["status"]) == (0, orphan, "completed")
    assert documents("show", orphan)["document"]["shared_data"]["billed"] == 6


def test_one_that_cannot_go_on_here_is_told_and_left(folder: Path, orphan: str) -> None:
    code, output, errors = in_process(folder, "recover", "--json")
    assert (code, json.loads(output)) == (1, [])
    assert orphan in json.loads(errors)["error"]["message"]
    assert documents("jobs")[0]["orphaned"] is True


def test_where_none_has_died_there_is_nothing_to_do(folder: Path, completed: str) -> None:
    result = routilux("recover", "--app", "shop", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])
