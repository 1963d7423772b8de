"""Standard streams that are closed, lead nowhere, or cannot hold what is printed."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from routilux.cli.streams import make_streams_ready
from routilux.cli.user_output import Captured
from routilux.stores import open_store
from tests.cli.commands import documents, entered, finish, start
from tests.stores.patients import patient


@pytest.fixture
def euro(folder: Path) -> str:
    """A job that waits, whose id not every encoding can hold."""
    with open_store("sqlite:///routilux.db") as store, patient() as flow:
        job_state = flow.execute("patient", store=store, job_id="€9")
        flow.pause(job_state)
    return job_state.job_id


def printing_to(monkeypatch: pytest.MonkeyPatch, name: str, encoding: str) -> BytesIO:
    """What is printed, where a stream has this encoding."""
    printed = BytesIO()
    monkeypatch.setattr(sys, name, TextIOWrapper(printed, encoding=encoding))
    return printed


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_what_stdout_cannot_hold_is_escaped(euro: str, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    printed = printing_to(monkeypatch, "stdout", encoding)
    assert entered("pause", euro, "--app", "shop") == 0
    command = rb"routilux resume $'\342\202\2549' --app shop"
    assert printed.getvalue() == rb"job \u20ac9 is paused; it goes on with: " + command + b"\n"


def test_what_stderr_cannot_hold_is_escaped_too(euro: str, monkeypatch: pytest.MonkeyPatch) -> None:
    complained = printing_to(monkeypatch, "stderr", "ascii")
    assert entered("retry", euro) == 1
    assert complained.getvalue().startswith(rb"routilux: job '\u20ac9' is paused")


def test_json_is_json_in_any_encoding(euro: str, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = printing_to(monkeypatch, "stdout", "ascii")
    assert entered("jobs", "--json") == 0
    assert json.loads(printed.getvalue())[0]["job_id"] == euro


def test_what_users_code_prints_is_read_as_it_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    printing_to(monkeypatch, "stdout", "latin-1")
    lines: list[str] = []
    with closing(Captured([1], lines.append)):
        os.write(1, "café\n".encode("latin-1"))
    assert lines == ["café"]


STREAMS = ["stdin", "stdout", "stderr"]


@contextmanager
def closed(name: str) -> Iterator[int]:
    """A standard stream that is closed, as a shell does it with `>&-`; its number."""
    number, former = STREAMS.index(name), getattr(sys, name)
    kept = os.dup(number)
    os.close(number)
    setattr(sys, name, None)
    try:
        yield number
    finally:
        setattr(sys, name, former)
        os.dup2(kept, number)
        os.close(kept)


@pytest.mark.parametrize("name", STREAMS)
def test_no_file_of_ours_has_the_number_of_a_stream_that_was_closed(name: str) -> None:
    with closed(name) as number:
        make_streams_ready()
        assert (os.fstat(number).st_rdev, os.get_inheritable(number)) == (os.stat(os.devnull).st_rdev, True)


@pytest.mark.parametrize("name", STREAMS)
def test_a_command_does_its_work_whatever_is_closed(euro: str, name: str) -> None:
    with closed(name):
        assert entered("cancel", euro, "--app", "shop") == 0
    assert documents("jobs")[0]["status"] == "cancelled"


def test_an_error_is_not_printed_to_stdout(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    assert entered("jobs", "--json") == 1
    assert entered("jobs") == 1
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("command", [("import", "-"), ("inspect", "-"), ("check", "-")])
def test_from_a_stdin_that_is_closed_nothing_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert entered(*command) == 2
    assert capsys.readouterr().err == "routilux: Invalid value for stdin: it is closed; name a file\n"


def test_a_job_is_not_moved_to_nowhere(euro: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull, "w") as nowhere, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", nowhere)
        assert entered("export", euro) == 2
        assert entered("export", euro, "--copy") == 0
    assert documents("jobs")[0]["status"] == "paused"


def test_a_job_runs_though_all_streams_are_closed(folder: Path) -> None:
    """In a process: also what child processes would print is nowhere."""
    arguments = ("run", "shop:flow", "--entry", "orders", "--param", "amounts=[1]", "--job-id", "m1")
    process = start(folder, *arguments, redirected="<&- >&- 2>&-")
    assert finish(process) == (0, "", "")
    assert documents("jobs")[0]["status"] == "completed"
