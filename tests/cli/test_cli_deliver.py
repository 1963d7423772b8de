"""`routilux deliver`: the answer of a person."""

import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import documents, finish, in_process, read_until, routilux, start

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


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["approval", "trigger"], 1, "waits for nothing on approval.trigger; it waits on approval.answer"),
        (["approval", "answer", "--param", "aproved=true", "--app", "approval"], 1, "aproved"),
        (["approval", "answer", "--data", "[1]"], 2, "it is no object"),
        (["approval", "answer", "--data", "{"], 2, "it is no JSON"),
        (["approval", "answer", "--data", '{"by": 1}', "--param", "by=2"], 2, "'by' is in --data too"),
    ],
)
def test_what_cannot_be_delivered_changes_nothing(paused: Path, arguments: list[str], code: int, said: str) -> None:
    result = routilux("deliver", "m1", *arguments)
    assert (result.exit_code, result.stdout, said in result.stderr) == (code, "", True)
    assert len(documents("explain", "m1")["explanation"]["waiting_for_delivery"]) == 1
