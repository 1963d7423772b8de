"""The census moves between real processes, one of which is killed; nothing of it is lost or committed twice."""

import io
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from rich.console import Console

from examples.census.__main__ import Outcome, conclude
from examples.census.flow import census_flow
from examples.census.hosts import Recovered, crash
from examples.census.report import differences, print_crash
from examples.census.routines import all_have_come
from examples.census.starts import Start
from routilux import JobState

REPOSITORY = Path(__file__).parents[2]
BROKEN_EARLY, BROKEN_LATE, BEYOND = "a_python_2.py", "zz_unknown_coding.py", "zzz_beyond_the_limit.py"


class Moved(NamedTuple):
    """What the hosts have left behind, and what an uninterrupted run has."""

    transfer: dict
    finished: JobState
    uninterrupted: JobState
    paths: list[str]

    @property
    def history_of_a(self) -> list[dict]:
        return self.transfer["job_state"]["execution_history"]


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> Path:
    """Enough real files to be paused among: half of them take host A near a second."""
    folder = tmp_path_factory.mktemp("sources")
    library = Path(sysconfig.get_paths()["stdlib"])
    for path in library.glob("*.py"):
        shutil.copy(path, folder)
    for package in ("asyncio", "email", "unittest"):
        shutil.copytree(library / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / BROKEN_EARLY).write_text("print 'two'\n")
    (folder / BROKEN_LATE).write_text("# coding: none-such\n")
    (folder / BEYOND).write_text("1 +\n")
    (folder / "site-packages").mkdir()
    (folder / "site-packages" / "installed.py").write_text("1 +\n")
    return folder


@pytest.fixture(scope="module")
def paths(sources) -> list[str]:
    """All but the last, which is beyond the limit, and what is installed."""
    found = (path.relative_to(sources).as_posix() for path in sources.rglob("*.py"))
    return sorted(path for path in found if "site-packages" not in path)[:-1]


@pytest.fixture(scope="module")
def moved(tmp_path_factory, sources, paths) -> Moved:
    folder = tmp_path_factory.mktemp("hosts")
    params = json.dumps({"root": str(sources), "limit": len(paths)})
    run(folder, "examples.census.uninterrupted", "uninterrupted.json", params)
    run(folder, "examples.census.host_a", "transfer.json", params)
    run(folder, "examples.census.host_b", "transfer.json", "moved.json")
    return Moved(
        json.loads((folder / "transfer.json").read_bytes()),
        JobState.load(folder / "moved.json"),
        JobState.load(folder / "uninterrupted.json"),
        paths,
    )


@pytest.fixture(scope="module")
def recovered(tmp_path_factory, sources, paths) -> Recovered:
    """What a crash half way has come to."""
    params = {"root": str(sources), "limit": len(paths)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", REPOSITORY.as_posix(), prepend=os.pathsep)
        return crash(Console(file=io.StringIO()), tmp_path_factory.mktemp("crash"), params)


def run(folder: Path, *command: str) -> str:
    """Run a module to its end as a process of its own, in a folder; what it printed comes back."""
    result = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=240,
    )
    return result.stdout


def census_here(folder: Path) -> JobState:
    with census_flow() as flow:
        job_state = flow.execute("list", {"root": str(folder)})
        job_state.wait(raise_on_failure=True)
    return job_state


def test_host_a_leaves_a_paused_job_with_tasks_pending(moved):
    assert moved.transfer["job_state"]["status"] == "paused"
    assert len(moved.transfer["job_state"]["pending_tasks"]) > 0


def test_host_a_has_done_at_least_half_but_not_all(moved):
    done = Counter(record["event_name"] for record in moved.history_of_a if record["routine_id"] == "parse")
    assert len(moved.paths) / 2 <= done["parsed"] + done["broken"] < len(moved.paths)


def test_host_b_adds_to_the_history_of_host_a(moved):
    history = moved.finished.serialize()["execution_history"]
    assert history[: len(moved.history_of_a)] == moved.history_of_a


def test_each_file_is_parsed_or_found_broken_once_on_one_of_the_hosts(moved):
    history = moved.finished.execution_history
    parsed = [record.data["path"] for record in history if record.event_name == "parsed"]
    broken = [record.data["broken"]["path"] for record in history if record.event_name == "broken"]
    assert sorted(parsed + broken) == moved.paths


def test_host_b_finishes_the_job(moved):
    assert (moved.finished.status, moved.finished.pending_tasks) == ("completed", [])


def test_the_moved_census_equals_the_uninterrupted_one_record_by_record(moved):
    assert differences(moved.finished, moved.uninterrupted) == []


def test_the_collector_is_called_once(moved):
    starts = [record for record in moved.finished.execution_history if record.event_name == "start"]
    assert sum(record.routine_id == "collect" for record in starts) == 1


def test_broken_files_are_in_the_result_with_the_reason(moved):
    broken = {file["path"]: file["why"].split(":")[0] for file in moved.finished.shared_data["census"]["broken"]}
    assert broken == {BROKEN_EARLY: "SyntaxError", BROKEN_LATE: "SyntaxError"}


def test_broken_files_are_errors_that_the_job_continued_after(moved):
    continued = [record for record in moved.finished.execution_history if record.event_name == "error_continued"]
    assert [record.routine_id for record in continued] == ["parse", "parse"]
    assert moved.finished.get_routine_state("parse")["status"] == "error_continued"


def test_one_broken_file_is_met_on_each_host(moved):
    on_a = [record["data"]["broken"]["path"] for record in moved.history_of_a if record["event_name"] == "broken"]
    assert on_a == [BROKEN_EARLY]


def test_the_census_of_a_killed_host_equals_the_uninterrupted_one_record_by_record(recovered, moved):
    assert differences(recovered.job_state, moved.uninterrupted) == []


def test_host_a_is_killed_when_it_has_begun_half_of_the_files_but_not_all(recovered, paths):
    assert len(paths) / 2 <= sum(start.routine_id == "parse" for start in recovered.on_a) < len(paths)


def test_host_b_begins_with_what_host_a_has_done_last_and_starts_nothing_else_again(recovered):
    again = len(set(recovered.on_a) & set(recovered.on_b))
    assert recovered.on_b[:again] == recovered.on_a[len(recovered.on_a) - again :]
    assert len(set(recovered.on_a)) == len(recovered.on_a)


def test_the_demo_counts_what_a_crash_has_repeated_and_lost(tmp_path):
    (tmp_path / "one.py").write_text("import os\n")
    one = census_here(tmp_path)
    (tmp_path / "two.py").write_text("import os\n")
    two = census_here(tmp_path)
    output = io.StringIO()
    starts = [Start("j:1", "list"), Start("j:2", "parse"), Start("j:3", "parse")]
    print_crash(Console(file=output, width=100), one, starts[:2], starts[1:], two)
    counts = [line.split("│")[2].strip() for line in output.getvalue().splitlines() if line.startswith("│")]
    twice, lost = (sum((a - b).values()) for a, b in [(records(one), records(two)), (records(two), records(one))])
    assert counts == ["2", "2", "1", str(twice), str(lost)]
    assert "1 of parse" in output.getvalue()
    assert twice > 0 and lost > 0


def records(job_state: JobState) -> Counter[str]:
    return Counter(f"{record.event_name} {record.data}" for record in job_state.execution_history)


def test_the_demo_says_in_its_last_line_that_the_check_passed(sources, paths, tmp_path):
    printed = run(tmp_path, "examples.census", "--root", str(sources), "--limit", str(len(paths)))
    assert printed.splitlines()[-1].startswith("check passed")
    assert (tmp_path / "transfer.json").exists()


def test_a_difference_is_reported_and_is_exit_code_1(tmp_path):
    (tmp_path / "one.py").write_text("import os\n")
    one = census_here(tmp_path)
    (tmp_path / "two.py").write_text("import os\n")
    two = census_here(tmp_path)
    output = io.StringIO()
    outcome = Outcome(two, Recovered(one, [], []), two)
    assert conclude(Console(file=output), outcome, 0.0) == 1
    assert "the census that was killed: files: 1 and 2" in output.getvalue()
    assert "the census that has moved" not in output.getvalue()


def test_the_census_of_an_empty_folder_counts_nothing(tmp_path):
    assert census_here(tmp_path).shared_data["census"]["files"] == 0


def test_a_small_census_is_right(tmp_path):
    (tmp_path / "one.py").write_text(
        "import os, os.path\n"
        "from . import two\n"
        "class A:\n"
        "    def f(self):\n"
        "        for x in y:\n"
        "            if x: pass\n"
        "            elif y: import re\n"
    )
    (tmp_path / "two.py").write_text("from os import path\nasync def g(): pass\n")
    assert census_here(tmp_path).shared_data["census"] == {
        "files": 2,
        "lines": 9,
        "functions": 2,
        "complexity": 5,
        "classes": 1,
        "most_complex": [[4, "one.py", 4, "f"], [1, "two.py", 2, "g"]],
        "most_imported": [["os", 2], ["re", 1]],
        "broken": [],
    }


@pytest.mark.parametrize(
    ("findings", "complete"),
    [
        ({}, False),
        ({"lines": [1]}, False),
        ({"total": [0]}, True),
        ({"total": [1], "lines": [1], "functions": [{}], "classes": [0]}, False),
        ({"total": [1], "lines": [1], "functions": [{}], "classes": [0], "imports": [[]]}, True),
        ({"total": [2], "lines": [1], "functions": [{}], "classes": [0], "imports": [[]], "broken": [{}]}, True),
    ],
)
def test_the_collector_waits_for_all_findings(findings, complete):
    assert all_have_come(findings) is complete
