"""`routilux explain`: what a job did, what it waits for, why it failed."""

import signal
from pathlib import Path

import pytest

from tests.cli.commands import documents, finish, in_process, let_go_on, read_until, routilux, start


def test_it_says_why_a_job_failed_and_where(folder: Path, failed: str) -> None:
    explained = documents("explain", failed)
    place = explained["error"]["place"]
    assert (explained["error"]["type"], explained["error"]["message"]) == ("ValueError", "a bill of -5")
    assert (place["file"], place["function"]) == (str(folder / "shop.py"), "bill")
    assert "raise ValueError" in (folder / "shop.py").read_text().splitlines()[place["line"] - 1]


def test_it_says_what_the_job_did(folder: Path, failed: str) -> None:
    assert documents("explain", failed)["done"] == {
        "orders": {"activations": 1, "events": 3, "errors": 0, "retries": 0},
        "billing": {"activations": 4, "events": 0, "errors": 2, "retries": 1},
    }


def test_its_text_begins_with_the_reason(folder: Path, failed: str) -> None:
    lines = routilux("explain", failed).stdout.splitlines()
    (why,) = [line for line in lines if line.startswith("  why:")]
    assert lines[0] == f"job {failed} of flow 'shop' is failed: a task failed and nothing more is started"
    assert "  so far: 5 activations, 3 events, 2 errors, 1 retries" in lines
    assert lines[1] == why
    assert why.startswith("  why: ValueError in routine 'billing': a bill of -5")


def test_it_needs_none_of_the_users_classes_and_says_what_a_job_does(folder: Path, gate: Path) -> None:
    with start(folder, "run", "shop:flow", "--entry", "orders", "--param", "amounts=[1, 2]", GATE=str(gate)) as process:
        read_until(process, "billing 1")
        process.kill()
        process.wait(60)
    job_id = documents("jobs")[0]["job_id"]
    (folder / "shop.py").unlink()
    code, output, errors = in_process(folder, "explain", job_id)
    assert (code, errors) == (0, "")
    assert "run by: gone; recover it" in output
    assert output.startswith(f"job {job_id} of flow 'shop' is running: its process has gone")
    assert documents("explain", job_id)["explanation"]["note"] in output.splitlines()[0]


@pytest.fixture
def long(folder: Path, gate: Path) -> str:
    """A job that was paused with 99 of 101 orders before it."""
    amounts = f"amounts={[*range(101)]}"
    process = start(folder, "run", "shop:flow", "--entry", "orders", "--param", amounts, GATE=str(gate))
    read_until(process, "billing 1")
    process.send_signal(signal.SIGTERM)
    read_until(process, "starts nothing more")
    let_go_on(gate, process)
    assert finish(process)[0] == 130
    job_id: str = documents("jobs")[0]["job_id"]
    return job_id


@pytest.mark.parametrize(
    ("verb", "head"), [("explain", "  queued: billing.order x 99"), ("show", "pending task billing.order x 99")]
)
def test_of_many_tasks_a_few_are_shown_and_all_if_asked(long: str, verb: str, head: str) -> None:
    lines = routilux(verb, long).stdout.splitlines()
    at = lines.index(head)
    assert lines[at + 11].strip() == "and 89 more"
    assert sum(f"{long}:" in line for line in lines) == 10
    everything = routilux(verb, long, "--all").stdout.splitlines()
    assert sum(f"{long}:" in line for line in everything) == 99


LATE = """
from routilux import Flow, Routine
from serilux import register_serializable

@register_serializable
class Late(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", handler=self.ask)
        self.define_slot("answer", handler=print)

    def ask(self):
        self.expect("answer", timeout=0.001)

flow = Flow("late")
flow.add_routine(Late(), "late")
"""


def test_a_failure_that_no_code_has_raised_is_told_once(folder: Path) -> None:
    (folder / "late.py").write_text(LATE)
    assert in_process(folder, "run", "late:flow", "--entry", "late", "--job-id", "m1")[0] == 1
    lines = routilux("explain", "m1").stdout.splitlines()
    assert lines[1].startswith("  why: routilux.errors.DeliveryTimeout in routine 'late': ")
    assert lines[2].startswith("  failed: late.answer (task m1:2), since ")
