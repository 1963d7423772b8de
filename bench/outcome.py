"""What came of measuring one figure: its line in the table."""

from dataclasses import dataclass

from bench.pairs import Pairs, all_of


@dataclass(frozen=True, slots=True)
class Outcome:
    """A floor, what was measured, their ratio and the goal, as texts, and whether the goal is met."""

    floor: str
    measured: str
    ratio: str
    goal: str
    met: bool


def at_most_times(pairs: Pairs, limit: float, unit: str, note: str = "") -> Outcome:
    """A figure that may be so many times its floor."""
    goal = f"at most {limit:g} x the floor"
    return _outcome(pairs, unit, goal, pairs.ratio <= limit, note)


def at_most_times_in_all(several: list[Pairs], limit: float, unit: str) -> Outcome:
    """One that was measured in several processes: all of it counts, and how far they differ is shown."""
    ratios = [pairs.ratio for pairs in several]
    note = f"{len(several)} processes, ratios {min(ratios):.2f} to {max(ratios):.2f}"
    return at_most_times(all_of(several), limit, unit, note)


def below(pairs: Pairs, limit: float, unit: str, note: str = "") -> Outcome:
    """A figure with an absolute limit, in the base unit (seconds, bytes)."""
    return _outcome(pairs, unit, f"under {shown(limit, unit)}", pairs.figure < limit, note)


def rate_of(pairs: Pairs, limit: float, what: str) -> Outcome:
    """A figure in seconds for each one, with a goal of so many a second."""
    rate = 1 / pairs.figure
    return Outcome(
        f"{1 / pairs.floor:,.0f} {what}/s",
        f"{rate:,.0f} {what}/s",
        f"{pairs.ratio:.2f}",
        f"{limit:,.0f} {what}/s",
        rate >= limit,
    )


def _outcome(pairs: Pairs, unit: str, goal: str, met: bool, note: str = "") -> Outcome:
    measured = shown(pairs.figure, unit) + (f" ({note})" if note else "")
    return Outcome(shown(pairs.floor, unit), measured, f"{pairs.ratio:.2f}", goal, met)


_FACTORS = {"us": 1e6, "ms": 1e3, "s": 1.0, "bytes": 1.0}


def shown(value: float, unit: str) -> str:
    """A value in seconds or bytes, as text in a unit, to three figures."""
    scaled = value * _FACTORS[unit]
    return f"{scaled:,.0f} {unit}" if scaled >= 100 else f"{scaled:.3g} {unit}"
