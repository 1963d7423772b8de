"""The benchmark itself; what it measures is nobody's test."""

import pytest

from bench.__main__ import main
from bench.figures import FIGURES
from bench.outcome import Outcome
from bench.table import page


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


def test_durable_jobs_are_measured_beside_a_bare_table(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--quick", "--only", "sqlite_size"])

    assert "floor 100 bytes" in capsys.readouterr().out
