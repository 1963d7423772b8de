"""Inputs that follow coverage: `python -m tests.fuzz.with_atheris job -atheris_runs=100000` (`make fuzz`).

atheris is no dependency of the tests: it has wheels for Linux on x86-64 only.
"""

import sys

import atheris

with atheris.instrument_imports(include=["serilux", "routilux"]):
    from tests.fuzz.choices import ByteChoices
    from tests.fuzz.targets import Reader, inputs_of

NAME = sys.argv.pop(1)
READER, MAKE = Reader(NAME), inputs_of(NAME)


def examine(content: bytes) -> None:
    """Make an input of bytes, and look at what comes of it."""
    READER.examine_quickly(MAKE(ByteChoices(content)))


atheris.Setup(sys.argv, examine)
atheris.Fuzz()
