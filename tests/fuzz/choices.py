"""Where the mutations of a fuzzer come from: a seed, Hypothesis, or the bytes of a fuzzer that follows coverage."""

from collections.abc import Sequence
from random import Random
from typing import Any, Protocol, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


class Choices(Protocol):
    """Whoever chooses."""

    def below(self, count: int) -> int:
        """A number from 0 to `count` - 1; the smaller ones make the simpler inputs."""


def one_of(choices: Choices, options: Sequence[T]) -> T:
    """One of some options, the simplest of which stand first."""
    return options[choices.below(len(options))]


class SeededChoices:
    """Chosen by a seed: fast."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def below(self, count: int) -> int:
        return int(self._random.random() * count)


class DrawnChoices:
    """Drawn by Hypothesis, which makes an input that fails a simple one."""

    def __init__(self, draw: Any) -> None:
        self._draw = draw

    def below(self, count: int) -> int:
        drawn: int = self._draw(st.integers(0, count - 1))
        return drawn


class ByteChoices:
    """Read from bytes; where they end, the simplest is chosen."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._place = 0

    def below(self, count: int) -> int:
        width = (max(count - 1, 1).bit_length() + 7) // 8
        part = self._content[self._place : self._place + width]
        self._place += width
        return int.from_bytes(part, "little") % count
