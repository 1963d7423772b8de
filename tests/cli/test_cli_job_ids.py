"""How much of a job's id has to be typed."""

from pathlib import Path

import pytest

from tests.cli.commands import documents, routilux

RUN = ("run", "shop:flow", "--entry", "orders", "--param", "amounts=[1]", "--job-id")
FIRST, SECOND = "0a" * 16, "0b" * 16


@pytest.fixture
def three(folder: Path) -> None:
    for job_id in (FIRST, SECOND, "0"):
        routilux(*RUN, job_id)


def test_the_beginning_is_enough_where_only_one_job_begins_so(three: None) -> None:
    assert documents("show", FIRST[:2])["job"]["job_id"] == FIRST
    assert routilux("delete", SECOND[:4]).exit_code == 0
    assert documents("explain", FIRST[:3])["job"]["job_id"] == FIRST


def test_a_whole_id_is_that_job_although_others_begin_so(three: None) -> None:
    assert documents("show", "0")["job"]["job_id"] == "0"


COMMANDS = [
    ("show",),
    ("explain",),
    ("resume",),
    ("retry",),
    ("pause",),
    ("cancel",),
    ("export",),
    ("delete",),
    ("deliver", "a", "b", "--data", "{}"),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_where_several_begin_so_they_are_listed_and_nothing_is_done(three: None, command: tuple[str, ...]) -> None:
    routilux("delete", "0")
    verb, *rest = command
    result = routilux(verb, "0", *rest)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"routilux: the ids of 2 jobs begin with '0': {FIRST!r}, {SECOND!r}\n"
    assert [job["job_id"] for job in documents("jobs")] == [FIRST, SECOND]


@pytest.mark.parametrize("command", COMMANDS)
def test_an_id_that_was_chosen_is_given_whole(folder: Path, command: tuple[str, ...]) -> None:
    """A command that is typed once more hit the next job that begins so."""
    routilux(*RUN, "order-17")
    verb, *rest = command
    result = routilux(verb, "order-1", *rest)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "routilux: the store has no job 'order-1'; an id that was chosen is given whole: 'order-17'; "
        "`routilux jobs` lists all\n"
    )
    assert [job["status"] for job in documents("jobs")] == ["completed"]


def test_many_are_not_all_listed(folder: Path) -> None:
    for number in range(12):
        routilux(*RUN, f"{number:032x}")
    assert routilux("show", "00").stderr.endswith(" and 2 more\n")


def test_nothing_is_no_beginning(three: None) -> None:
    assert "the store has no job ''" in routilux("delete", "").stderr
