"""The table of figures, for the terminal and for `RESULTS.md`."""

import os
import platform
from collections.abc import Callable, Iterable, Mapping

from bench.effort import Effort
from bench.outcome import Outcome

Figure = Callable[[Effort], Outcome]
_HEADS = ("figure", "measured", "floor", "ratio", "goal", "met", "what")


def page(figures: Mapping[str, Figure], outcomes: Mapping[str, Outcome], machine: str) -> str:
    """The whole of `RESULTS.md`."""
    missed = [f"`{name}`" for name, outcome in outcomes.items() if not outcome.met]
    met = len(outcomes) - len(missed)
    return "\n".join(
        [
            "# What routilux costs",
            "",
            f"Written by `make bench`: {machine}. {met} of {len(outcomes)} goals are met.",
            f"Not met: {', '.join(missed) or 'none'}.",
            "",
            "A figure and its floor are measured in turn: floor, figure, floor, figure. `measured` and `floor` are",
            "medians; `ratio` is the median of the ratios, and holds on other machines, where absolute times do not.",
            "For the shortest times it matters where things happen to lie in memory: several processes are measured.",
            "",
            *_markdown(_rows(figures, outcomes)),
            "",
        ]
    )


def machine() -> str:
    """What the figures depend on; more load than cores means that others were computing or writing, too."""
    load = os.getloadavg()[0]
    return f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, load {load:.1f}"


def line(name: str, outcome: Outcome) -> str:
    """One figure, for those who watch."""
    verdict = "met" if outcome.met else "NOT MET"
    parts = [f"{name:<20}", outcome.measured]
    parts += [f"floor {outcome.floor}"] if outcome.floor else []
    parts += [f"ratio {outcome.ratio}"] if outcome.ratio else []
    return "  ".join([*parts, f"goal {outcome.goal}: {verdict}"])


def _rows(figures: Mapping[str, Figure], outcomes: Mapping[str, Outcome]) -> list[tuple[str, ...]]:
    return [_HEADS, *(_row(name, figures[name], outcome) for name, outcome in outcomes.items())]


def _row(name: str, figure: Figure, outcome: Outcome) -> tuple[str, ...]:
    return (
        f"`{name}`",
        outcome.measured,
        outcome.floor,
        outcome.ratio,
        outcome.goal,
        "yes" if outcome.met else "**no**",
        figure.__doc__ or "",
    )


def _markdown(rows: list[tuple[str, ...]]) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    ruled = [rows[0], tuple("-" * width for width in widths), *rows[1:]]
    for row in ruled:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"| {' | '.join(cells)} |"
