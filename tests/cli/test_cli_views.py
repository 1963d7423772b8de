"""What a terminal shows while a job runs: a picture, and whole lines of what users' code prints above it."""

import json
import os
import pty
import re
from contextlib import closing, suppress
from pathlib import Path

import pytest

from routilux import Flow, Routine
from routilux.cli import progress
from routilux.cli.progress import Watched
from routilux.cli.tally import Count, Tally
from routilux.cli.views import LineView
from routilux.testing import StepRunner, VirtualClock
from tests.cli.commands import in_process, let_go_on, start

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PRINTS = """
import os, subprocess, sys
from serilux import register_serializable
from shop import *

@register_serializable
class Loud(Billing):
    def bill(self, number, amount):
        if number == 0 and "GATE" in os.environ:
            with open(os.environ["GATE"]) as gate:  # until there is a picture
                gate.read()
        print(f"printed {number}")
        print(f"complained {number}", file=sys.stderr)
        subprocess.run(["echo", f"child {number}"], check=True)

made = Flow("loud")
made.add_routine(Orders(), "orders")
made.add_routine(Loud(), "billing[red]")
made.connect("orders", "order", "billing[red]", "order")
"""


def drawn(terminal: int, wanted: bytes) -> str:
    """What comes out of a terminal until this is to be seen."""
    shown = b""
    while wanted not in shown:
        shown += os.read(terminal, 65536)
    return shown.decode()


def all_of(terminal: int) -> str:
    """What comes out of a terminal until nobody writes to it any more, which is an error of its own."""
    parts = []
    with suppress(OSError):
        while part := os.read(terminal, 65536):
            parts.append(part)
    return b"".join(parts).decode()


def test_what_users_code_prints_stands_above_the_picture_in_whole_lines(folder: Path, gate: Path) -> None:
    (folder / "loud.py").write_text(PRINTS)
    ours, theirs = pty.openpty()
    arguments = ("run", "loud:made", "--entry", "orders", "--param", "amounts=[1, 2]")
    process = start(folder, *arguments, stdout=theirs, stderr=theirs, TERM="xterm", COLUMNS="120", GATE=str(gate))
    os.close(theirs)
    shown = drawn(ours, b"1 queued")
    let_go_on(gate, process)
    shown += all_of(ours)
    os.close(ours)
    assert (process.communicate(timeout=60), process.returncode) == ((None, None), 0)
    lines = [line.strip() for line in ESCAPES.sub("", shown).replace("\r", "\n").split("\n")]
    said = [line for line in lines if line.startswith(("printed", "complained", "child"))]
    assert sorted(said) == ["child 0", "child 1", "complained 0", "complained 1", "printed 0", "printed 1"]
    assert any(line.split("│")[1:2] == [" billing[red] "] for line in lines)
    assert "is completed: 3 activations" in shown


def test_with_json_even_what_child_processes_print_stays_out_of_the_document(folder: Path) -> None:
    (folder / "loud.py").write_text(PRINTS)
    arguments = ("run", "loud:made", "--entry", "orders", "--param", "amounts=[1, 2]", "--json")
    code, output, errors = in_process(folder, *arguments)
    assert (code, json.loads(output)["status"], errors.count("child")) == (0, "completed", 2)


class Asking(Routine):
    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", handler=self.ask)
        self.define_slot("answer", handler=print)

    def ask(self) -> None:
        self.expect("answer")


def test_a_job_that_waits_for_somebody_says_where_and_says_it_once(capfd: pytest.CaptureFixture[str]) -> None:
    runner = StepRunner()
    flow = Flow("approval", engine_factory=runner.engine)
    flow.add_routine(Asking(), "approval")
    watched = Watched(flow.execute("approval"))
    with closing(LineView()) as view:
        for _ in range(3):
            view.show([watched.look()])
    said = [line for line in capfd.readouterr().out.splitlines() if "activations" in line]
    assert [line.partition("; ")[2] for line in said] == ["waits for a delivery to approval.answer"]


def test_a_rate_is_one_of_half_a_second_and_of_what_was_done_since(monkeypatch: pytest.MonkeyPatch) -> None:
    runner, clock = StepRunner(), VirtualClock()
    monkeypatch.setattr(progress, "monotonic", clock.now)
    flow = Flow("approval", engine_factory=runner.engine)
    flow.add_routine(Asking(), "approval")
    job_state = flow.execute("approval")
    runner.run()
    watched = Watched(job_state)
    flow.deliver(job_state, "approval", "answer", {})
    runner.run()
    clock.advance(0.4)
    look = watched.look()
    assert (look.total.activations, look.rate, "/s" in str(look)) == (2, None, False)
    clock.advance(0.1)
    look = watched.look()
    assert (look.rate, "waiting, 2.0/s, 0 errors" in str(look)) == (2.0, True)


def test_events_of_the_users_may_have_the_names_of_the_engines_records() -> None:
    tally = Tally()
    tally.add("a", "start", {"slot": "trigger"})
    tally.add("a", "start", {"at": 1})
    tally.add("a", "error", {"reason": "none"})
    tally.add("a", "error", {"type": "ValueError", "message": "", "attempt": 1})
    assert tally.counts([]) == {"a": Count(activations=1, events=2, errors=1, retries=1)}


def test_the_answer_to_an_ambiguous_task_is_no_event_of_its_routine() -> None:
    tally = Tally()
    tally.add("a", "resolved", {"attempt": 1, "again": False})
    tally.add("a", "resolved", {"ticket": 7})
    assert tally.counts([]) == {"a": Count(events=1)}


def test_failures_that_were_not_retried_are_no_retries() -> None:
    tally, failure = Tally(), {"type": "ValueError", "message": "", "attempt": 1}
    for name in ("error", "error", "error_continued", "error", "skipped", "error"):
        tally.add("a", name, failure)
    assert tally.counts(["a"])["a"].retries == 1
