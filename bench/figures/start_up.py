"""What it costs to begin with the library."""

from importlib.metadata import requires

from bench import floors
from bench.effort import Effort
from bench.outcome import Outcome, below
from bench.pairs import Pairs, in_pairs


def import_time(effort: Effort) -> Outcome:
    """A whole process that runs `import routilux`, which loads no names yet; floor: one that runs `pass`."""
    pairs = _processes("import routilux", effort)
    names = _processes("from routilux import Flow, Routine", effort)
    return below(pairs, 0.08, "ms", f"with `Flow` and `Routine`: {names.figure * 1e3:.0f} ms")


def _processes(program: str, effort: Effort) -> Pairs:
    return in_pairs(lambda: floors.python_process("pass"), lambda: floors.python_process(program), 2 * effort.pairs)


def dependencies(_: Effort) -> Outcome:
    """What is installed beside the library, from the package's metadata."""
    needed = [entry for entry in requires("routilux") or [] if "extra ==" not in entry]
    return Outcome("", f"{len(needed)}: {', '.join(needed)}", "", "at most 1", len(needed) <= 1)


START_UP = {"import_time": import_time, "dependencies": dependencies}
