"""`routilux retry`."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.changed_shops import changed, plan_file
from tests.cli.commands import documents, in_process, routilux

__all__ = ["changed"]  # a fixture


def test_a_failed_job_goes_on_with_its_failed_task(folder: Path, failed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGIVING", "yes")
    result = routilux("retry", failed, "--app", "shop", "--json")
    assert (result.exit_code, json.loads(result.stdout)["status"]) == (0, "completed")
    assert documents("show", failed)["document"]["shared_data"]["billed"] == 65


def test_one_that_fails_again_has_failed_again(folder: Path, failed: str) -> None:
    result = routilux("retry", failed, "--app", "shop")
    assert (result.exit_code, f"job {failed} failed: ValueError" in result.stderr) == (1, True)


def test_no_line_is_said_twice(folder: Path, failed: str) -> None:
    said = [re.sub(r"[0-9.]+/s", "", line) for line in routilux("retry", failed, "--app", "shop").stdout.splitlines()]
    assert [line for line in said if said.count(line) > 1] == []


def test_one_that_has_not_failed_is_refused(folder: Path, completed: str) -> None:
    result = routilux("retry", completed, "--app", "shop")
    assert (result.exit_code, "only a failed job is retried" in result.stderr) == (1, True)


def test_a_failed_job_goes_on_in_a_flow_of_the_code_by_a_plan(folder: Path, failed: str, changed: None) -> None:
    plan = plan_file(folder, slots={"billing.order": "bill"})
    refused = in_process(folder, "retry", failed, "--app", "renamed:flow")
    assert (refused[0], "has failed; it carries 'number', 'amount', and could not be tried again" in refused[2]) == (
        1,
        True,
    )
    retried = in_process(folder, "retry", failed, "--app", "renamed:flow", "--plan", plan, "--json", FORGIVING="yes")
    assert (retried[0], json.loads(retried[1])["status"]) == (0, "completed")
