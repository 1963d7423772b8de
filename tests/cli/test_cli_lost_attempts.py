"""How many processes may die in the middle of a task, as a command is told."""

import signal
from pathlib import Path

import pytest

from tests.cli.commands import documents, in_process

DEADLY = """
import os
import signal
from routilux import Flow, Routine
from serilux import register_serializable

@register_serializable
class Deadly(Routine):
    def __init__(self):
        super().__init__()
        self.set_effects("recorded")
        self.define_slot("trigger", handler=self.ask)
        self.define_slot("step", handler=self.step)
        self.define_slot("answer", handler=self.decide)
        self.define_event("step")
        self.define_event("answered", ["approved"])

    def ask(self):
        self.expect("answer")
        self.emit("step")

    def step(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def decide(self, approved):
        pass

flow = Flow("deadly")
flow.add_routine(Deadly(), "deadly")
flow.connect("deadly", "step", "deadly", "step")
"""
RUN = ("run", "deadly:flow", "--entry", "deadly", "--job-id", "m1")
APP = ("--app", "deadly")
ONE = ("--max-lost-attempts", "1")
NAMED = "(max_lost_attempts=1), the last time with nothing else of the job in flight"


@pytest.fixture
def orphaned(folder: Path) -> Path:
    """A folder with the job m1, which has killed its process once."""
    (folder / "deadly.py").write_text(DEADLY)
    assert in_process(folder, *RUN)[0] == -signal.SIGKILL
    return folder


@pytest.mark.parametrize(
    "command",
    [
        ("recover",),
        ("resume", "m1"),
        ("pause", "m1"),
        ("cancel", "m1"),
        ("deliver", "m1", "deadly", "answer", "--param", "approved=true"),
    ],
    ids=lambda command: command[0],
)
def test_whoever_claims_the_job_may_say_how_many_may_die(orphaned: Path, command: tuple[str, ...]) -> None:
    in_process(orphaned, *command, *APP, *ONE)
    document = documents("show", "m1")["document"]
    assert (document["status"], NAMED in document["error"]["message"]) == ("failed", True)


def test_the_environment_may_say_so_too(orphaned: Path) -> None:
    _, _, errors = in_process(orphaned, "recover", *APP, ROUTILUX_MAX_LOST_ATTEMPTS="1")
    assert NAMED in errors
    assert errors.endswith("; once more: routilux retry m1 --app deadly\n")


def test_what_the_environment_says_is_typed_by_nobody(orphaned: Path) -> None:
    several = {"ROUTILUX_MAX_LOST_ATTEMPTS": "5"}
    assert in_process(orphaned, "pause", "m1", *APP, **several)[1].endswith("routilux resume m1 --app deadly\n")


def test_it_is_part_of_the_command_to_type_next(orphaned: Path) -> None:
    _, _, errors = in_process(orphaned, "recover", *APP, *ONE)
    assert errors.endswith("; once more: routilux retry m1 --max-lost-attempts 1 --app deadly\n")


def test_a_job_that_is_run_or_retried_outlives_as_many(orphaned: Path) -> None:
    in_process(orphaned, "recover", *APP, *ONE)
    assert in_process(orphaned, "retry", "m1", *APP, *ONE)[0] == -signal.SIGKILL
    assert in_process(orphaned, "recover", *APP, "--max-lost-attempts", "2")[0] == -signal.SIGKILL
    assert in_process(orphaned, "pause", "m1", *APP, "--max-lost-attempts", "3")[0] == 0
