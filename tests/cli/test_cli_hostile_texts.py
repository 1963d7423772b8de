"""What names, reasons and errors have in them that is no text, no command prints: it is shown escaped."""

import json
import os
import pty
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from routilux.stores import open_store
from tests.cli.commands import in_process, routilux, start
from tests.cli.hostile import FORGED, flow, make_flow, strict
from tests.cli.test_cli_views import ESCAPES, all_of

SHOWN = r"\x1b]0;owned\x07\x1b[2J\x1b[31m\u202e\x9b1m\njob forged of flow 'forged' is completed[red]:smile:"
ROUTINE = f"routine{SHOWN}"
STORE = "sqlite:///routilux.db"


@pytest.fixture
def hostile(folder: Path) -> Path:
    shutil.copy(Path(__file__).with_name("hostile.py"), folder / "hostile.py")
    return folder


@pytest.fixture
def paused(hostile: Path) -> str:
    """A job that waits, and was paused for a hostile reason."""
    with open_store(STORE) as store, make_flow() as made:
        job_state = made.execute(f"routine{FORGED}", store=store, job_id="paused[red]")
        made.pause(job_state, f"why{FORGED}", {f"at{FORGED}": FORGED})
    return job_state.job_id


@pytest.fixture
def failed(hostile: Path) -> str:
    """A job that has failed with a hostile message."""
    with open_store(STORE) as store:
        job_state = strict.execute(f"routine{FORGED}", store=store, job_id="failed")
        assert job_state.wait(timeout=60)
    return job_state.job_id


def printed(folder: Path, *arguments: str, code: int | None = 0, **settings: str) -> str:
    """What a command prints, in both streams, once it is known to give no orders and to forge no line."""
    ended, output, errors = in_process(folder, *arguments, **settings)
    assert code is None or (ended, errors if ended == 0 else "") == (code, "")
    return checked(output + errors)


def checked(text: str) -> str:
    assert [each for each in text if not each.isprintable() and each != "\n"] == []
    assert [line for line in text.splitlines() if line.startswith("job forged")] == []
    return text


def test_the_list_of_jobs_has_one_row_for_each(hostile: Path, paused: str) -> None:
    with sqlite3.connect("routilux.db") as database:  # as somebody else may have written it
        database.execute("UPDATE jobs SET flow_id = ?", (f"flow{FORGED}",))
    database.close()
    lines = printed(hostile, "jobs").splitlines()
    assert [line[: len(paused)] for line in lines[1:]] == [paused]
    assert f"  flow{SHOWN}  paused  " in lines[1]


def test_a_job_is_shown_with_all_that_it_says(hostile: Path, paused: str) -> None:
    lines = printed(hostile, "show", paused).splitlines()
    assert any(line.startswith(f"{ROUTINE}  ") for line in lines)
    assert any(line.endswith(f": why{SHOWN}") for line in lines)
    assert any(line.startswith(f"shared key{SHOWN} = ") for line in lines)
    assert any(line.endswith(f"for {ROUTINE}.wait{SHOWN}") for line in lines)


@pytest.mark.parametrize("command", ["show", "explain"])
def test_a_job_that_failed_says_why_in_its_own_lines(hostile: Path, failed: str, command: str) -> None:
    text = printed(hostile, command, failed)
    assert f"failed{SHOWN.replace(chr(92) + 'n', ' ')}" in text


def test_what_a_job_waits_for_is_explained(hostile: Path, paused: str) -> None:
    assert f"{ROUTINE}.wait{SHOWN}" in printed(hostile, "explain", paused)


def test_a_file_of_somebody_elses_is_inspected(hostile: Path, paused: str) -> None:
    printed(hostile, "export", paused, "-o", f"file{FORGED.replace('/', '')}")
    (file,) = [each.name for each in hostile.iterdir() if each.name.startswith("file")]
    assert f"why{SHOWN}" in printed(hostile, "inspect", file)
    read = json.loads(Path(file).read_text())
    read["job"]["flow_id"] = f"flow{FORGED}"
    Path(file).write_text(json.dumps(read))
    assert f"of flow {f'flow{FORGED}'!r} is paused" in printed(hostile, "inspect", file)
    assert "an id has printable characters only" in printed(hostile, "import", file, code=1)


def test_what_does_not_fit_is_told_with_a_plan_that_can_be_used(hostile: Path, paused: str) -> None:
    text = printed(hostile, "check", "--app", "hostile:other", code=None)
    assert f"job {paused} of flow {flow.flow_id!r}" in text
    assert "routine\\x1b]0;owned" in text
    refused = printed(hostile, "resume", paused, "--app", "hostile:other", code=1)
    assert "routine\\x1b]0;owned" in refused


def test_a_job_that_runs_and_fails_is_followed_in_lines(hostile: Path) -> None:
    text = printed(hostile, "run", "hostile:strict", "--entry", f"routine{FORGED}", code=1)
    assert f"in routine {f'routine{FORGED}'!r}" in text


def test_a_picture_of_it_has_no_orders_in_it(hostile: Path) -> None:
    ours, theirs = pty.openpty()
    arguments = ("run", "hostile:strict", "--entry", f"routine{FORGED}")
    process = start(hostile, *arguments, stdout=theirs, stderr=theirs, TERM="xterm", COLUMNS="400")
    os.close(theirs)
    text = ESCAPES.sub("", all_of(ours).replace("\r", "\n"))
    os.close(ours)
    assert process.wait(60) == 1
    assert f"{ROUTINE} " in checked(text)
    assert flow.flow_id in text


def test_commands_that_steer_print_what_they_were_given(hostile: Path, paused: str) -> None:
    printed(hostile, "pause", paused, "--reason", FORGED)
    printed(hostile, "deliver", paused, f"nobody{FORGED}", f"slot{FORGED}", "--data", "{}", code=1)
    printed(hostile, "deliver", paused, f"routine{FORGED}", f"wait{FORGED}", "--param", f"a{FORGED}={FORGED}")
    printed(hostile, "resume", paused, "--app", "hostile")
    printed(hostile, "recover", "--app", "hostile")
    printed(hostile, "retry", paused, "--app", "hostile", code=1)
    printed(hostile, "cancel", paused, "--reason", FORGED, code=1)
    printed(hostile, "delete", paused)
    assert printed(hostile, "prune", "--older-than", "1h") == "0 jobs were removed\n"


@pytest.mark.parametrize("command", ["show", "explain", "pause", "cancel", "delete", "export", "retry", "resume"])
def test_an_id_that_can_be_none_is_that_of_no_job(hostile: Path, paused: str, command: str) -> None:
    for job_id in (FORGED, NO_TEXT):
        result = routilux(command, job_id)
        assert (result.exit_code, result.stdout) == (1, "")
        assert checked(result.stderr).startswith(
            f"routilux: the store has no job {job_id!r}; `routilux jobs` lists all"
        )


NO_TEXT = "report-\udcff.txt"


WITHOUT_CODE = [
    ("pause", "{job}", "--reason", NO_TEXT),
    ("cancel", "{job}", "--reason", NO_TEXT),
    ("jobs", "--flow", NO_TEXT),
    ("jobs", "--status", NO_TEXT),
    ("deliver", "{job}", NO_TEXT, "answer", "--data", "{}"),
    ("deliver", "{job}", f"routine{FORGED}", NO_TEXT, "--data", "{}"),
    ("deliver", "{job}", f"routine{FORGED}", f"wait{FORGED}", "--param", f"{NO_TEXT}=1"),
    ("deliver", "{job}", f"routine{FORGED}", f"wait{FORGED}", "--data", f'{{"a": "{NO_TEXT}"}}'),
    ("keys", "ring.json", "--add", "HMAC-SHA256", "--id", NO_TEXT),
    ("keys", NO_TEXT),
    ("inspect", NO_TEXT),
    ("prune", "--older-than", NO_TEXT),
    ("jobs", "--store", f"sqlite:///{NO_TEXT}"),
    (NO_TEXT,),
]
WITH_CODE = [
    ("run", "hostile:flow", "--entry", NO_TEXT),
    ("run", "hostile:flow", "--entry", f"routine{FORGED}", "--job-id", NO_TEXT),
    ("run", "hostile:flow", "--entry", f"routine{FORGED}", "--param", f"{NO_TEXT}=1"),
    ("run", "hostile:flow", "--entry", f"routine{FORGED}", "--param", f"a={NO_TEXT}"),
    ("run", f"{NO_TEXT}:flow", "--entry", "a"),
    ("run", f"hostile:{NO_TEXT}", "--entry", "a"),
    ("resume", "{job}", "--app", NO_TEXT),
]


@pytest.mark.parametrize("arguments", WITHOUT_CODE)
def test_an_argument_that_is_no_text_is_refused_in_one_line(paused: str, arguments: tuple[str, ...]) -> None:
    before = document_of(paused)
    result = routilux(*with_job(arguments, paused))
    check_refused(result.exit_code, result.stdout, result.stderr)
    assert document_of(paused) == before


@pytest.mark.parametrize("arguments", [WITHOUT_CODE[0], *WITH_CODE])
def test_so_it_is_as_bytes_of_a_command_line(hostile: Path, paused: str, arguments: tuple[str, ...]) -> None:
    before = document_of(paused)
    check_refused(*in_process(hostile, *with_job(arguments, paused)))
    assert document_of(paused) == before


def document_of(job_id: str) -> dict[str, Any]:
    with open_store(STORE) as store:
        return store.load_job(job_id).serialize()


def with_job(arguments: tuple[str, ...], job_id: str) -> list[str]:
    return [job_id if each == "{job}" else each for each in arguments]


def check_refused(code: int, output: str, errors: str) -> None:
    assert (code in (1, 2), output) == (True, "")
    assert checked(errors).startswith("routilux: ")
    assert all(line.startswith("  ") for line in errors.splitlines()[1:])
    assert "Traceback" not in errors
