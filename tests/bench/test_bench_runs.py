"""The benchmark itself; what it measures is nobody's test."""

import pytest

from bench.__main__ import main
from bench.figures import FIGURES
from bench.least_engine import LeastChain
from bench.outcome import Outcome
from bench.table import page
from bench.workloads import chain_flow, finish


def test_a_quick_figure_prints_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--quick", "--only", "chain"])

    names = [text.split()[0] for text in capsys.readouterr().out.splitlines()[1:]]

    assert names == ["chain"]


def test_the_page_says_honestly_that_a_goal_is_not_met() -> None:
    outcome = Outcome("1 us", "20 us", "20.00", "at most 9 x the floor", met=False)

    written = page(FIGURES, {"chain": outcome}, "a machine")

    assert "a machine. 0 of 1 goals are met.\nNot met: `chain`." in written


def test_every_figure_says_what_it_is() -> None:
    assert [name for name, figure in FIGURES.items() if not figure.__doc__] == []


def test_the_least_loop_leaves_the_history_that_a_job_leaves() -> None:
    with chain_flow(3) as flow:
        job = flow.execute("step_0", {"left": 7})
        finish(job)

    least = [(record.step, record.event, record.content["left"]) for record in LeastChain(3).run({"left": 7})[1::2]]

    emitted = [record for record in job.execution_history if record.event_name == "out"]
    assert least == [(record.routine_id, record.event_name, record.data["left"]) for record in emitted]
    assert len(job.execution_history) == 2 * len(least)


def test_durable_jobs_are_measured_beside_a_bare_table(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--quick", "--only", "sqlite_size"])

    assert "floor 100 bytes" in capsys.readouterr().out
