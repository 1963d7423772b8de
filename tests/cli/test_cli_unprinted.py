"""What cannot be printed, as the reader has gone or the disk is full, is said on stderr, and ends nothing half-way."""

import errno
import json
import os
import pty
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import TextIOWrapper
from pathlib import Path

import pytest

from routilux.cli.outlet import Outlet
from routilux.cli.picture import LiveView
from routilux.cli.views import LineView, View
from routilux.stores import open_store
from tests.cli.commands import documents, entered
from tests.patience import until
from tests.stores.patients import patient

WAITING = ("run", "tests.stores.patients:patient", "--entry", "patient", "--job-id", "m1")
BRIEF = ("run", "shop:flow", "--entry", "orders", "--param", "amounts=[1]", "--job-id", "m1")
GOES_ON = "job m1 is paused and goes on with: routilux resume m1 --app tests.stores.patients:patient"


@contextmanager
def stdout_of(descriptor: int) -> Iterator[None]:
    """Have this process print to somewhere else."""
    kept, former = os.dup(1), sys.stdout
    os.dup2(descriptor, 1)
    try:
        with open(1, "w", encoding="utf-8", closefd=False) as stdout:
            sys.stdout = stdout
            yield
    finally:
        sys.stdout = former
        os.dup2(kept, 1)
        os.close(kept)


@contextmanager
def no_reader() -> Iterator[None]:
    """A pipe whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    with stdout_of(writer):
        yield
    os.close(writer)


@contextmanager
def full() -> Iterator[None]:
    """A disk that has no room any more."""
    with open("/dev/full", "w") as disk, stdout_of(disk.fileno()):
        yield


UNWILLING = [
    pytest.param(no_reader, "Broken pipe", id="no reader"),
    pytest.param(full, "No space left on device", id="full"),
]


@pytest.mark.parametrize(("unwilling", "why"), UNWILLING)
def test_a_job_that_nobody_can_see_is_paused_and_what_resumes_it_is_said(
    folder: Path, capfd: pytest.CaptureFixture[str], unwilling: type, why: str
) -> None:
    with unwilling():
        assert entered(*WAITING) == 130
    first, *_, last = capfd.readouterr().err.splitlines()
    assert first == f"stdout: {why}; pausing, Ctrl-C leaves at once"
    assert last == f"routilux: stdout: {why}; {GOES_ON}"
    assert documents("jobs")[0]["status"] == "paused"
    assert documents("show", "m1")["document"]["pause_points"][0]["reason"] == f"stdout: {why}"


@pytest.mark.parametrize(("unwilling", "why"), UNWILLING)
def test_a_job_that_has_completed_is_said_to_have_where_its_document_cannot_be_printed(
    folder: Path, capfd: pytest.CaptureFixture[str], unwilling: type, why: str
) -> None:
    with unwilling():
        assert entered(*BRIEF, "--json") == 1
    *_, told = capfd.readouterr().err.splitlines()
    assert json.loads(told)["error"]["message"].startswith(f"stdout: {why}; job m1 is completed: 2 activations, ")
    assert documents("jobs")[0]["status"] == "completed"


def test_so_it_is_in_words(folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "stdout")

    monkeypatch.setattr("routilux.cli.endings.print_lines", refuse)
    assert entered(*BRIEF) == 1
    assert "routilux: stdout: No space left on device; job m1 is completed: 2 activations, " in capfd.readouterr().err


def problem_number(view: View) -> int | None:
    return view.problem.errno if view.problem is not None else None


def test_what_users_code_prints_tells_that_nobody_reads() -> None:
    with no_reader(), closing(LineView()) as view:
        os.write(1, b"printed\n")
        until(lambda: view.problem is not None)
        assert problem_number(view) == errno.EPIPE


def test_a_terminal_that_has_gone_is_one_that_nobody_sees() -> None:
    ours, theirs = pty.openpty()
    os.close(ours)
    with stdout_of(theirs), closing(LiveView()) as view:
        view.say("said")
        view.show([])
        assert problem_number(view) == errno.EIO
    os.close(theirs)


@pytest.fixture
def waiting(folder: Path) -> None:
    """A job m1 that waits, and m2 that has been cancelled."""
    with open_store("sqlite:///routilux.db") as store, patient() as flow:
        for job_id in ("m1", "m2"):
            flow.pause(flow.execute("patient", store=store, job_id=job_id))
        store.cancel("m2")


DONE = [
    (("cancel", "m1"), "job m1 is cancelled"),
    (("delete", "m1"), "job m1 was deleted"),
    (("prune", "--older-than", "0s"), "1 job was removed"),
    (("export", "m1", "-o", "m\n1.json"), r"job m1 was moved to m\n1.json (epoch 1)"),
    (("keys", "mine", "--add", "Ed25519", "--id", "k1"), "key  algorithm; k1   Ed25519"),
]


@pytest.mark.parametrize(("arguments", "done"), DONE, ids=lambda each: each[0])
def test_what_was_done_is_said_where_it_cannot_be_printed(
    waiting: None, capfd: pytest.CaptureFixture[str], arguments: tuple[str, ...], done: str
) -> None:
    with full():
        assert entered(*arguments) == 1
    assert capfd.readouterr().err == f"routilux: stdout: No space left on device; {done}\n"


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_an_error_that_nobody_can_be_told_has_its_exit_code(
    waiting: None, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    with open("/dev/full", "w") as disk, monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", TextIOWrapper(os.fdopen(os.dup(disk.fileno()), "wb")))
        assert entered("delete", "none", *options) == 1
        sys.stderr.close()


def test_a_reader_that_is_slow_gets_all_from_a_pipe_that_does_not_block() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    read: list[bytes] = []
    with stdout_of(writer):
        outlet = Outlet()
    os.close(writer)
    reading = threading.Thread(target=lambda: read.extend(iter(lambda: os.read(reader, 4096), b"")))
    reading.start()
    with outlet.text:
        outlet.text.write("x" * 300_000)
    reading.join(60)
    os.close(reader)
    assert (len(b"".join(read)), outlet.problem) == (300_000, None)
