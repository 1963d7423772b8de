"""`routilux export`: a job leaves its store, and is nowhere else than in what was printed."""

import json
from pathlib import Path

from tests.cli.commands import documents, finish, in_process, routilux, start


def test_what_is_printed_is_all_of_the_job_and_a_tombstone_stays(folder: Path, failed: str) -> None:
    transfer = json.loads(routilux("export", failed).stdout)
    assert (transfer["format"], transfer["job"]["job_id"], transfer["flow"]["flow_id"]) == (1, failed, "shop")
    assert documents("jobs")[0]["status"] == "moved"
    assert documents("show", failed)["document"] is None
    assert routilux("export", failed).exit_code == 1


def test_a_copy_is_another_job_and_the_first_one_stays(folder: Path, failed: str) -> None:
    transfer = json.loads(routilux("export", failed, "--copy").stdout)
    assert transfer["job"]["job_id"] != failed
    assert documents("jobs")[0]["status"] == "failed"


def test_a_job_that_could_not_be_written_is_back_in_its_store(folder: Path, failed: str) -> None:
    with open("/dev/full", "w") as full:
        code, _, errors = finish(start(folder, "export", failed, "--app", "shop", stdout=full))
    assert (code, errors.count("\n")) == (1, 1)
    assert "No space left on device" in errors
    assert documents("jobs")[0]["status"] == "failed"


def test_without_the_classes_of_its_values_nothing_is_moved(folder: Path, failed: str) -> None:
    code, output, errors = in_process(folder, "export", failed)
    assert (code, output, "Money" in errors) == (1, "", True)
    assert documents("jobs")[0]["status"] == "failed"
