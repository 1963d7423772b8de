"""`routilux retry`."""

import json
from pathlib import Path

import pytest

from tests.cli.commands import documents, routilux


def test_a_failed_job_goes_on_with_its_failed_task(folder: Path, failed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGIVING", "yes")
    result = routilux("retry", failed, "--app", "shop", "--json")
    assert (result.exit_code, json.loads(result.stdout)["status"]) == (0, "completed")
    assert documents("show", failed)["document"]["shared_data"]["billed"] == 65


def test_one_that_fails_again_has_failed_again(folder: Path, failed: str) -> None:
    result = routilux("retry", failed, "--app", "shop")
    assert (result.exit_code, f"job {failed} failed: ValueError" in result.stderr) == (1, True)


def test_one_that_has_not_failed_is_refused(folder: Path, completed: str) -> None:
    result = routilux("retry", completed, "--app", "shop")
    assert (result.exit_code, "only a failed job is retried" in result.stderr) == (1, True)
