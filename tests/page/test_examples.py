"""Every script in examples/ as a real process: it takes no arguments, ends by itself and prints what is said here."""

import re
from pathlib import Path

import pytest

from tests.page import page
from tests.page.second_host import ROOT, run_module

EXAMPLES = ROOT / "examples"
OTHERS = {"census"}  # the main job has tests of its own

OUTPUTS = {
    "cross_host": page.code(425),
    "socket_transfer": "Host A: sending\nHost B: completed, 4 records\n",
    "sqlite_transfer": "Host A: saved (None, None)\nHost B: completed, 4 records\n",
    "pause_versus_direct": (
        "Host A, paused: paused; pause points: ['Saving checkpoint']\n"
        "Host B: completed; shared log: [0, 1, 2, 3, 4]\n"
        "Host A, direct: running\n"
        "Host A, gone on: completed; shared log: [0, 1, 2, 3, 4]\n"
        "Host B: completed; shared log: [0, 1, 2, 3, 4]\n"
    ),
    "automatic_recovery": (
        "Host A: pending tasks: []\n"
        "Host A: slot data: {'words': ['nobody', 'has', 'a', 'task', 'for', 'these']}\n"
        "Host B: completed; shared log: ['6 words']\n"
    ),
    "retries_continued": (
        "Host A:\n"
        "  attempt 1\n"
        "  attempt 2\n"
        "Host A: paused; retry_count: 2\n"
        "  attempt 3\n"
        "  attempt 4\n"
        "  attempt 5\n"
        "Host B: completed; shared log: ['answered at attempt 5']\n"
    ),
    "refused_by_serialize": (
        "".join(line.removeprefix("# ") for line in page.lines(103, 107).splitlines(keepends=True))
        + "\nGoodRoutine: {'param1': 'value1', 'param2': 'value2'}\n\n"
        + page.code(260)
    ),
    "json_files": (
        "<Flow 'greetings': 1 routines, 0 connections>: {'greeting': 'Hello'}\ncompleted: ['Hello, world!']\n"
    ),
    "conditional_routing": "domestic_desk: 20 from NL\nlarge_desk: 5000 from NL\nabroad_desk: 30 from PE\n",
    "waiting_for_a_person": "running; finished: False\ncompleted: ['Ship it? yes, says Ada']\n",
    "crash_and_recover": (
        "Host A:\n"
        "  step 1, task 1\n"
        "  step 2, task 2\n"
        "  step 3, task 3\n"
        "Host A: killed by signal 9; committed: [1, 2]; job: running\n"
        "Host B:\n"
        "  step 3, task 3\n"
        "  step 4, task 4\n"
        "  step 5, task 5\n"
        "Host B: completed; committed: [1, 2, 3, 4, 5]\n"
    ),
    "approve_from_another_process": (
        "Office: the job is running and waits on approval.answer\nWorker: completed: ['Ship it? yes, says Ada']\n"
    ),
    "at_most_once": (
        "It died before paying. The job is paused: the process died in the middle of what must not be repeated\n"
        "  payment.trigger is resolved: again\n"
        "  completed; payments so far: 1\n"
        "It died after paying. The job is paused: the process died in the middle of what must not be repeated\n"
        "  payment.trigger is resolved: done\n"
        "  completed; payments so far: 2\n"
    ),
    "async_handlers": ("completed: 1000 answers\none after the other: 500 s; took less than 50 s: True\n"),
    "fan_in": "{'lengths': [3, 3, 3, 9]}, collected 1 time\n",
    "shared_data": "{'currency': 'EUR', 'total': 42}\n[5, 7, 30]\n",
}


def scripts() -> set[str]:
    """What `python -m examples.NAME` can be said of."""
    modules = {file.stem for file in EXAMPLES.glob("[!_]*.py")}
    packages = {file.parent.name for file in EXAMPLES.glob("*/__main__.py")}
    return {name for name in modules | packages if not any(name.startswith(other) for other in OTHERS)}


def test_every_script_is_run_here_and_named_in_the_readme():
    listed = set(re.findall(r"`python -m examples\.(\w+)` \|", (EXAMPLES / "README.md").read_text(encoding="utf-8")))
    assert scripts() == OUTPUTS.keys()
    assert {name for name in listed if not any(name.startswith(other) for other in OTHERS)} == OUTPUTS.keys()


@pytest.mark.parametrize("name", sorted(OUTPUTS))
def test_the_script_prints_what_it_should_and_leaves_nothing_behind(name: str, tmp_path: Path):
    assert run_module(f"examples.{name}", cwd=tmp_path) == OUTPUTS[name]
    assert list(tmp_path.iterdir()) == []
