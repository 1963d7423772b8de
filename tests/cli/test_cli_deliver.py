"""`routilux deliver`: the answer of a person."""

import shutil
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from tests.cli.commands import documents, finish, in_process, read_until, routilux, start
from tests.patience import until

VALUED = """
from dataclasses import dataclass
from serilux import register_serializable
from approval import *

@register_serializable
@dataclass
class Bill:
    amount: int

@register_serializable
class Valued(Approval):
    def ask(self, amount):
        self.get_execution_context().job_state.update_shared_data("bill", Bill(amount))
        for _ in range(3):
            self.expect("answer")
        super().ask(amount)

valued = Flow("valued")
valued.add_routine(Valued(), "approval")
"""
RUN = ("run", "approval:flow", "--entry", "approval", "--param", "amount=500", "--job-id", "m1")


@pytest.fixture
def approvals(folder: Path) -> Iterator[Path]:
    shutil.copy(Path(__file__).with_name("approval.py"), folder / "approval.py")
    yield folder
    sys.modules.pop("approval", None)


@pytest.fixture
def paused(approvals: Path) -> Path:
    """A folder with the job m1, which waits for an answer and which nobody runs."""
    process = start(approvals, *RUN)
    read_until(process, "all right?")
    process.send_signal(signal.SIGTERM)
    assert finish(process)[0] == 130
    return approvals


def answer() -> Any:
    return documents("show", "m1")["document"]["shared_data"]


def test_a_job_that_another_process_runs_gets_it(approvals: Path) -> None:
    process = start(approvals, *RUN)
    read_until(process, "all right?")
    code, _, errors = in_process(approvals, "deliver", "m1", "approval", "answer", "--param", "approved=true")
    assert (code, errors) == (0, "")
    assert (finish(process)[0], answer()) == (0, {"approved": True, "by": "nobody"})


def test_a_job_that_nobody_runs_gets_it_and_goes_on_when_resumed(paused: Path) -> None:
    data = ("--data", '{"approved": false}', "--param", "by=Ada")
    code, output, errors = in_process(paused, "deliver", "m1", "approval", "answer", *data, "--app", "approval")
    assert (code, errors) == (0, "")
    assert output == "job m1 is paused; it goes on with: routilux resume m1 --app approval\n"
    assert in_process(paused, "resume", "m1", "--app", "approval")[0] == 0
    assert answer() == {"approved": False, "by": "Ada"}


def test_none_of_its_classes_need_be_known(paused: Path) -> None:
    code, output, errors = in_process(paused, "deliver", "m1", "approval", "answer", "--param", "approved=true")
    assert (code, errors) == (0, "")
    assert output.endswith("routilux resume m1 --app MODULE; MODULE is the one that registers its classes\n")


def test_the_task_that_is_named_gets_it(approvals: Path, valued: Popen[str]) -> None:
    waiting = [note["task_id"] for note in documents("explain", "m1")["explanation"]["waiting_for_delivery"]]
    deliver = ("deliver", "m1", "approval", "answer", "--task", waiting[2], "--param")
    assert routilux(*deliver, "approved=true").exit_code == 0
    until(lambda: answer().get("approved") is True)
    notes = documents("explain", "m1")["explanation"]["waiting_for_delivery"]
    assert [note["task_id"] for note in notes] == [waiting[0], waiting[1], waiting[3]]
    again = routilux(*deliver, "approved=false")
    assert (again.exit_code, again.stdout) == (1, "")
    said = f"has no task '{waiting[2]}' that waits on approval.answer; there wait '{waiting[0]}', "
    assert said in again.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            ["approval", "trigger", "--data", "{}"],
            1,
            "waits for nothing on approval.trigger; it waits on approval.answer",
        ),
        (["approval", "answer", "--param", "aproved=true", "--app", "approval"], 1, "aproved"),
        (["approval", "answer"], 2, "there is nothing to deliver; give what the handler takes, or --data '{}'"),
        (["approval", "answer", "--param", "approved=False"], 2, "write approved=false; for a text put it in quotes"),
        (["approval", "answer", "--param", "approved=TRUE"], 2, "write approved=true"),
        (["approval", "answer", "--param", "by=None"], 2, "write by=null"),
        (["approval", "answer", "--param", "approved=no"], 2, """for a text put it in quotes, as in 'approved="no"'"""),
        (["approval", "answer", "--param", "approved=N"], 2, "write approved=false"),
        (["approval", "answer", "--param", "approved=Off"], 2, "write approved=false"),
        (["approval", "answer", "--param", "approved=YES"], 2, "write approved=true"),
        (["approval", "answer", "--param", "approved=y"], 2, "write approved=true"),
        (["approval", "answer", "--param", "approved=on"], 2, "write approved=true"),
        (["approval", "answer", "--data", "[1]"], 2, "it is no object"),
        (["approval", "answer", "--data", "{"], 2, "it is no JSON"),
        (["approval", "answer", "--data", '{"by": 1}', "--param", "by=2"], 2, "'by' is in --data too"),
    ],
)
def test_what_cannot_be_delivered_changes_nothing(paused: Path, arguments: list[str], code: int, said: str) -> None:
    result = routilux("deliver", "m1", *arguments)
    assert (result.exit_code, result.stdout, said in result.stderr) == (code, "", True)
    assert len(documents("explain", "m1")["explanation"]["waiting_for_delivery"]) == 1


@pytest.fixture
def valued(approvals: Path) -> Popen[str]:
    """What runs the job m1, which has a value of a class of its own and waits for four answers."""
    (approvals / "valued.py").write_text(VALUED)
    process = start(approvals, "run", "valued:valued", *RUN[2:])
    read_until(process, "all right?")
    until(lambda: len(documents("explain", "m1")["explanation"]["waiting_for_delivery"]) == 4)
    return process


def test_of_a_job_that_somebody_runs_it_is_said_who_does(approvals: Path, valued: Popen[str]) -> None:
    """None of the classes of its values need be known."""
    deliver = ("deliver", "m1", "approval", "answer", "--param", "approved=true")
    code, output, errors = in_process(approvals, *deliver)
    here = f"process {valued.pid} on {socket.gethostname()}"
    assert (code, output, errors) == (0, f"job m1 is running; it goes on in {here}\n", "")
    document = {"job_id": "m1", "status": "running", "command": None, "problem": None}
    assert documents(*deliver) == document


def test_where_nobody_runs_the_job_the_classes_of_its_values_are_asked_for(approvals: Path, valued: Popen[str]) -> None:
    valued.kill()
    valued.wait()
    deliver = ("deliver", "m1", "approval", "answer", "--param", "approved=true")
    code, output, errors = in_process(approvals, *deliver)
    assert (code, output) == (1, "")
    assert "class 'Bill' is not registered here; give the module that registers it with --app MODULE" in errors
    assert in_process(approvals, *deliver, "--app", "valued") == (
        0,
        "job m1 is running; it goes on with: routilux resume m1 --app valued\n",
        "",
    )
