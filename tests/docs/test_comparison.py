"""What the comparison says of routilux itself is what was measured, give or take a half."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "comparison.md").read_text(encoding="utf-8")
RESULTS = (ROOT / "bench" / "RESULTS.md").read_text(encoding="utf-8")
NUMBER = r"([\d,.]+)"
SAID = {
    "chain": rf"^\| \*\*routilux\*\* \| {NUMBER} \|",
    "fan_out": rf"\| {NUMBER} \(without a join\) \|",
    "sqlite_group": rf"\| {NUMBER} in a group,",
    "sqlite_strict": rf"in a group, {NUMBER} each by itself",
    "jobs": rf"\| {NUMBER} jobs/s \|\n\| Burr",
}


def number(pattern: str, text: str) -> float:
    (found,) = re.findall(pattern, text, re.MULTILINE)
    return float(found.replace(",", ""))


@pytest.mark.parametrize("figure", SAID)
def test_a_figure_of_the_comparison_is_the_measured_one(figure: str) -> None:
    measured = number(rf"^\| `{figure}` +\| {NUMBER} ", RESULTS)
    assert number(SAID[figure], PAGE) == pytest.approx(measured, rel=0.5)
