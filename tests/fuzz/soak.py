"""Many inputs, one after the other: `python -m tests.fuzz.soak --inputs 1000000`."""

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import NamedTuple

from tests.fuzz.choices import SeededChoices
from tests.fuzz.targets import TARGETS, Reader, inputs_of

FINDINGS = Path(".fuzz")
TRACED = 20
"""The memory of one input of so many is looked at, whatever it is."""


class Tally(NamedTuple):
    """What came of a number of inputs."""

    inputs: int
    accepted: int
    findings: list[str]


def soak(name: str, first: int, inputs: int) -> Tally:
    """Examine the inputs of so many seeds, from the first on."""
    reader, make, findings = Reader(name), inputs_of(name), []
    for seed in range(first, first + inputs):
        text = make(SeededChoices(seed))
        try:
            reader.examine(text) if seed % TRACED == 0 else reader.examine_quickly(text)
        except Exception as error:  # noqa: BLE001 - whatever comes out of a reader undocumented is a finding
            findings.append(kept(name, seed, text, error))
            reader = Reader(name) if len(findings) < 20 else reader
        if len(findings) == 20:
            break
    return Tally(seed - first + 1, reader.accepted, findings)


def kept(name: str, seed: int, text: str, error: Exception) -> str:
    """Write an input down, and say where it is and what it did."""
    FINDINGS.mkdir(exist_ok=True)
    path = FINDINGS / f"{name}-{sha256(text.encode()).hexdigest()[:12]}.json"
    path.write_text(text, encoding="utf-8")
    return f"{name} seed {seed}, {len(text)} bytes, {path}: {type(error).__name__}: {str(error)[:600]}"


def shares(inputs: int, seed: int, size: int) -> Iterator[tuple[str, int, int]]:
    """Turns of the targets, each with so many inputs of its own."""
    left = inputs
    for turn in count():
        for name in TARGETS:
            if left <= 0:
                return
            yield name, seed + turn * size, min(size, left)
            left -= size


def main() -> int:
    """Run from the command line; 1 where something was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--share", type=int, default=5_000)
    given = parser.parse_args()
    return report(list(shares(given.inputs, given.seed, given.share)), given.processes)


def report(turns: list[tuple[str, int, int]], processes: int) -> int:
    """Take all turns, and tell of them."""
    start, inputs, accepted, found = time.monotonic(), 0, 0, 0
    with ProcessPoolExecutor(processes) as pool:
        for tally in pool.map(soak, *zip(*turns, strict=True)):
            inputs, accepted, found = inputs + tally.inputs, accepted + tally.accepted, found + len(tally.findings)
            for finding in tally.findings:
                print(finding, flush=True)
            print(f"\r{inputs} inputs, {inputs / (time.monotonic() - start):.0f}/s ", end="", file=sys.stderr)
    print(f"\n{inputs} inputs, {accepted} of them accepted: {found} findings", flush=True)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
