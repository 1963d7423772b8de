"""`python -m bench [--only NAME ...] [--quick]`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from bench.effort import FULL, QUICK
from bench.figures import FIGURES
from bench.outcome import Outcome
from bench.table import line, machine, page

RESULTS = Path(__file__).parent / "RESULTS.md"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and after a full run of everything write `RESULTS.md`."""
    options = _options(arguments)
    names = options.only or list(FIGURES)
    outcomes: dict[str, Outcome] = {}
    about = machine()
    print(about, flush=True)
    for name in names:
        outcomes[name] = FIGURES[name](QUICK if options.quick else FULL)
        print(line(name, outcomes[name]), flush=True)
    if not (options.only or options.quick):
        RESULTS.write_text(page(FIGURES, outcomes, about))
        print(f"written to {RESULTS}")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="What routilux costs, beside its floors.")
    parser.add_argument(
        "--only", action="append", choices=list(FIGURES), metavar="NAME", help=f"one of {', '.join(FIGURES)}; repeat it"
    )
    parser.add_argument("--quick", action="store_true", help="fewer and smaller measurements")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
