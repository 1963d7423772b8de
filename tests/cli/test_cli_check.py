"""`routilux check`: whether an exported job could go on here."""

from pathlib import Path

import pytest

from tests.cli.commands import documents, in_process, routilux


@pytest.fixture
def transfer(folder: Path, failed: str) -> str:
    (folder / "transfer.json").write_text(routilux("export", failed).stdout)
    return "transfer.json"


def test_a_job_whose_classes_are_there_can_go_on(folder: Path, transfer: str) -> None:
    assert documents("check", transfer, "--app", "shop") == {"problems": [], "notes": []}


def test_a_class_that_is_not_there_is_a_problem(folder: Path, transfer: str) -> None:
    code, output, errors = in_process(folder, "check", transfer)
    assert (code, errors) == (1, "")
    problem, verdict = output.splitlines()
    assert ("Money" in problem, verdict) == (True, "it cannot go on here")


def test_it_is_checked_against_a_flow_of_the_code(folder: Path, transfer: str) -> None:
    assert routilux("check", transfer, "--app", "shop:flow").exit_code == 0
    changed = (folder / "shop.py").read_text().replace('"order", handler=self.bill', '"bill", handler=self.bill')
    (folder / "changed.py").write_text(changed.replace('"billing", "order")', '"billing", "bill")'))
    code, output, errors = in_process(folder, "check", transfer, "--app", "changed:flow")
    assert (code, errors) == (1, "")
    assert "problem: " in output
    assert "order" in output


def test_a_file_is_checked_with_its_keys(folder: Path, failed: str) -> None:
    routilux("keys", "keys.json", "--add", "HMAC-SHA256")
    content = routilux("export", failed, "--key-file", "keys.json", "--compress").stdout_bytes
    (folder / "job.transfer").write_bytes(content)
    checked = ("check", "job.transfer", "--app", "shop")
    assert documents(*checked, "--key-file", "keys.json") == {"problems": [], "notes": []}
    assert routilux(*checked).exit_code == 1
    (folder / "job.transfer").write_bytes(content[:-1])
    assert "cut off" in routilux(*checked, "--key-file", "keys.json").stderr
