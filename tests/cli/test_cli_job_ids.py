"""How much of a job's id has to be typed."""

from pathlib import Path

import pytest

from tests.cli.commands import documents, routilux

RUN = ("run", "shop:flow", "--entry", "orders", "--param", "amounts=[1]", "--job-id")


@pytest.fixture
def three(folder: Path) -> None:
    for job_id in ("order-17", "order-18", "order"):
        routilux(*RUN, job_id)


def test_the_beginning_is_enough_where_only_one_job_begins_so(three: None) -> None:
    assert documents("show", "order-17")["job"]["job_id"] == "order-17"
    assert routilux("delete", "order-18").exit_code == 0
    assert documents("explain", "order-")["job"]["job_id"] == "order-17"


def test_a_whole_id_is_that_job_although_others_begin_so(three: None) -> None:
    assert documents("show", "order")["job"]["job_id"] == "order"


@pytest.mark.parametrize(
    "command",
    [
        ("show",),
        ("explain",),
        ("resume",),
        ("retry",),
        ("pause",),
        ("cancel",),
        ("export",),
        ("delete",),
        ("deliver", "a", "b", "--data", "{}"),
    ],
)
def test_where_several_begin_so_they_are_listed_and_nothing_is_done(three: None, command: tuple[str, ...]) -> None:
    verb, *rest = command
    result = routilux(verb, "order-", *rest)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "routilux: the ids of 2 jobs begin with 'order-': 'order-17', 'order-18'\n"
    assert [job["job_id"] for job in documents("jobs")] == ["order-17", "order-18", "order"]


def test_many_are_not_all_listed(folder: Path) -> None:
    for number in range(12):
        routilux(*RUN, f"order-{number}")
    assert routilux("show", "order-").stderr.endswith(" and 2 more\n")


def test_nothing_is_no_beginning(three: None) -> None:
    assert "the store has no job ''" in routilux("delete", "").stderr
