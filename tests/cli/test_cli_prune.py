"""`routilux prune`."""

from datetime import timedelta
from pathlib import Path

import pytest

from routilux.cli.removing import read_age
from tests.cli.commands import documents, routilux


def test_what_settled_longer_ago_is_removed(folder: Path, failed: str, completed: str) -> None:
    assert routilux("prune", "--older-than", "1h").stdout == "0 jobs were removed\n"
    assert documents("prune", "--older-than", "0s") == {"pruned": 2}
    assert documents("jobs") == []


def test_one_is_one(folder: Path, failed: str) -> None:
    assert routilux("prune", "--older-than", "0s").stdout == "1 job was removed\n"


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("1.5h", timedelta(hours=1.5)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(weeks=2)),
    ],
)
def test_an_age_has_a_unit(text: str, age: timedelta) -> None:
    assert read_age(text) == age


@pytest.mark.parametrize("text", ["7", "d", "-1d", "7 days", "nan", "", "9999999999999w", "1e3s"])
def test_anything_else_removes_nothing(folder: Path, failed: str, text: str) -> None:
    result = routilux("prune", f"--older-than={text}")
    assert (result.exit_code, "is not like 90s, 30m, 12h, 7d or 2w" in result.stderr) == (2, True)
    assert [job["job_id"] for job in documents("jobs")] == [failed]
