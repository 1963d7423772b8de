"""The mutants that mutmut has made, and what became of each."""

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

FOLDERS = ("src/serilux", "src/routilux/_core")
NOTES = Path("mutmut-stats.json")
NO_TESTS = 33
TIMEOUT = 36


class Mutant(NamedTuple):
    """A mutant, in the file beside which its result is kept."""

    name: str
    file: Path

    @property
    def function(self) -> str:
        return self.name.partition("__mutmut_")[0]


class Notes(NamedTuple):
    """Which tests reach a function, and how many seconds each takes."""

    tests: dict[str, list[str]]
    seconds: dict[str, float]


def read_notes(folder: Path) -> Notes:
    notes = json.loads((folder / NOTES).read_text(encoding="utf-8"))
    return Notes(notes["tests_by_mangled_function_name"], notes["duration_by_test"])


def results(folder: Path) -> Iterator[tuple[Mutant, int | None]]:
    """All mutants with the exit code of their tests, None for those that have not been tried."""
    for part in FOLDERS:
        for file in sorted((folder / part).rglob("*.meta")):
            for name, code in _read(file)["exit_code_by_key"].items():
                yield Mutant(name, file), code


def record(mutant: Mutant, code: int) -> None:
    """Keep a result where `mutmut results` and `mutmut show` find it."""
    notes = _read(mutant.file)
    notes["exit_code_by_key"][mutant.name] = code
    written = mutant.file.with_suffix(".written")
    written.write_text(json.dumps(notes, indent=4), encoding="utf-8")
    written.replace(mutant.file)  # somebody may be reading it


def _read(file: Path) -> dict[str, Any]:
    notes: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return notes


def chosen(folder: Path, pattern: str, sample: int | None, again: int | None) -> list[Mutant]:
    """Those whose name matches, or so many of them, that have the result `again`.

    Their order is drawn with a fixed seed: however many are tried, they are a sample of all.
    """
    named = [(mutant, code) for mutant, code in results(folder) if fnmatchcase(mutant.name, pattern)]
    Random(0).shuffle(named)
    return [mutant for mutant, code in named[:sample] if code == again]
