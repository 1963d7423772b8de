"""The commands that are printed do what they say when they are typed, whatever is in their words."""

import re
import subprocess
import sys
from collections.abc import Sequence
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from routilux.cli.invocation import Invocation
from routilux.cli.quoting import in_shell
from routilux.cli.resuming import outlook_of
from routilux.stores import open_store
from tests.cli.commands import routilux

WORDS = ["plain", "a b", "it's", "é", "a\tb", "\x1b[2J\x07", "\u202e", "back\\slash\t", "quote'\t", "1\t2", "\udcff9"]


def typed(command: str) -> list[str]:
    """The words of a command, as a shell reads them."""
    assert command.isprintable()
    read = subprocess.run(["bash", "-c", f"printf '%s\\0' {command}"], capture_output=True, check=True)
    return [word.decode("utf-8", "surrogateescape") for word in read.stdout.split(b"\0")[:-1]]


def again(command: str) -> Sequence[str]:
    """What is given to the command `routilux` then."""
    name, *arguments = typed(command)
    assert name == "routilux"
    return arguments


def test_a_shell_reads_the_words_that_were_meant() -> None:
    assert typed(in_shell(WORDS)) == WORDS


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_so_it_does_where_stdout_cannot_hold_them(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(BytesIO(), encoding=encoding))
    command = in_shell(["€9", *WORDS])
    assert command.encode(encoding).decode(encoding) == command
    assert typed(command) == ["€9", *WORDS]


RUN = ("run", "shop:flow", "--entry", "orders", "--param", "amounts=[-5]", "--job-id")


@pytest.mark.parametrize("job_id", ["-x", "--store=none", "--json", "--", "-"])
def test_an_id_is_not_taken_for_an_option(folder: Path, job_id: str) -> None:
    result = routilux(*RUN, job_id)
    for _ in range(2):
        command = result.stderr.rpartition("once more: ")[2].strip()
        result = routilux(*again(command))
        assert (result.exit_code, f"job {job_id} failed: " in result.stderr) == (1, True)


def test_nor_is_it_where_a_module_is_to_be_put_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    routilux(*RUN, "-x")
    monkeypatch.setattr("routilux.cli.resuming._problem", lambda store, job_id: "its classes are not known")
    with open_store("sqlite:///routilux.db") as store:
        outlook = outlook_of(store, "-x", Invocation.of([]))
    assert (outlook.command, str(outlook).partition("; MODULE ")[1:]) == (
        "routilux retry --app MODULE -- -x",
        ("; MODULE ", "is the one that registers its classes"),
    )


def test_what_follows_two_dashes_says_nothing_of_a_store(folder: Path) -> None:
    given = Invocation.of(["show", "--app", "shop", "--", "--store=none"])
    assert given == Invocation.of(["--app", "shop"])


def test_a_file_that_is_to_be_made_is_not_taken_for_an_option(folder: Path) -> None:
    refused = re.search("`(.+)` makes it", routilux("keys", "--", "-my keys").stderr)
    assert refused is not None
    command = refused[1].replace("ALGORITHM", "HMAC-SHA256")
    assert routilux(*again(command)).exit_code == 0
    assert (folder / "-my keys").exists()


@pytest.mark.parametrize("name", ["a\tb.db", "it's \x1b[31m.db", "\udcff.db"])
def test_a_store_is_the_same_whatever_its_name_has_in_it(folder: Path, name: str) -> None:
    result = routilux(*RUN, "m1", "--store", f"sqlite:///{name}")
    command = result.stderr.rpartition("once more: ")[2].strip()
    result = routilux(*again(command))
    assert "job m1 failed: " in result.stderr
    assert [path.name for path in folder.glob("*.db")] == [name]
