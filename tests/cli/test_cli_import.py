"""`routilux import`: exactly one copy of a moved job can go on."""

import json
from pathlib import Path

import pytest

from tests.cli.commands import documents, routilux

OTHER = ("--store", "sqlite:///other.db")


@pytest.fixture
def transfer(folder: Path, failed: str) -> Path:
    path = folder / "transfer.json"
    path.write_text(routilux("export", failed).stdout)
    return path


def test_a_moved_job_goes_on_in_the_other_store(
    folder: Path, failed: str, transfer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported = documents("import", str(transfer), *OTHER)
    assert (imported["job_id"], imported["status"]) == (failed, "failed")
    monkeypatch.setenv("FORGIVING", "yes")
    assert routilux("retry", failed, "--app", "shop", *OTHER, "--json").exit_code == 0
    assert documents("show", failed, *OTHER)["document"]["shared_data"]["billed"] == 65


def test_it_reads_stdin(folder: Path, failed: str, transfer: Path) -> None:
    result = routilux("import", *OTHER, input=transfer.read_text())
    assert (result.exit_code, documents("jobs", *OTHER)[0]["job_id"]) == (0, failed)


def test_a_second_import_is_refused(folder: Path, transfer: Path) -> None:
    routilux("import", str(transfer), *OTHER)
    result = routilux("import", str(transfer), *OTHER)
    assert (result.exit_code, "is in this store already" in result.stderr) == (1, True)


def test_where_the_job_comes_from_it_is_refused_too(folder: Path, transfer: Path) -> None:
    result = routilux("import", str(transfer))
    assert (result.exit_code, "was moved out of this store" in result.stderr) == (1, True)


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 1}', "[" * 100_000])
def test_anything_else_is_refused_in_one_line(folder: Path, text: str) -> None:
    (folder / "odd.json").write_text(text)
    result = routilux("import", "odd.json", *OTHER)
    assert (result.exit_code, result.stderr.count("\n"), "odd.json" in result.stderr) == (1, 1, True)


def test_a_file_that_is_not_there_is_told(folder: Path) -> None:
    result = routilux("import", "missing.json", *OTHER, "--json")
    assert (result.exit_code, json.loads(result.stderr)["error"]["type"]) == (1, "FileNotFoundError")
