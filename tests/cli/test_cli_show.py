"""`routilux show`: what a job is like, without any of its classes."""

import json
from pathlib import Path

from routilux.stores import open_store
from tests.cli.commands import documents, in_process, routilux


def test_it_shows_the_document_of_the_job(folder: Path, failed: str) -> None:
    with open_store("sqlite:///routilux.db") as store:
        _, job_state = store.load(failed)
    assert documents("show", failed)["document"] == job_state.serialize()


def test_it_needs_none_of_the_users_classes(folder: Path, completed: str) -> None:
    (folder / "shop.py").unlink()
    code, output, errors = in_process(folder, "show", completed, "--json")
    assert (code, errors) == (0, "")
    assert json.loads(output)["document"]["shared_data"] == {
        "billed": 150,
        "last": {"$object": {"class": "Money", "fields": {"amount": 130}}},
    }


def test_its_text_says_how_far_the_job_is(folder: Path, failed: str) -> None:
    lines = routilux("show", failed).stdout.splitlines()
    assert lines[0] == f"job {failed} of flow 'shop' is failed, epoch 0"
    assert [line.split() for line in lines if line.startswith(("orders ", "billing "))] == [
        ["orders", "completed", "1", "3", "0", "0"],
        ["billing", "failed", "4", "0", "2", "1"],
    ]
    assert f"failed task {failed}:4 for billing.order" in lines
    assert "shared billed = 70" in lines


def test_an_unknown_job_is_refused_in_one_line(folder: Path, completed: str) -> None:
    result = routilux("show", "nobody")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "routilux: the store has no job 'nobody'\n")


def test_it_is_refused_as_a_document(folder: Path, completed: str) -> None:
    error = json.loads(routilux("show", "nobody", "--json").stderr)
    assert error == {"error": {"type": "UnknownJobError", "message": "the store has no job 'nobody'"}}
