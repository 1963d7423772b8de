"""Long lists for people: what is alike is put together, and the first few of it are shown."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

SHOWN = 10
"""How many of what is alike are shown."""
T = TypeVar("T")


def grouped(
    title: str, items: Iterable[T], kind: Callable[[T], str], shown: int | None, say: Callable[[T], str] = str
) -> Iterator[str]:
    """Items as lines under a title, those of one kind together; of more than `shown` the first, and how many are left.

    With None all are shown, each in a line of its own.
    """
    kinds: dict[str, list[T]] = {}
    for item in items:
        kinds.setdefault(kind(item), []).append(item)
    for name, alike in kinds.items():
        if shown is None or len(alike) <= shown:
            yield from (f"{title} {say(item)}" for item in alike)
        else:
            yield from _some(f"{title} {name} x {len(alike)}", [say(item) for item in alike[:shown]], len(alike))


def _some(head: str, lines: Sequence[str], there_are: int) -> Iterator[str]:
    yield head
    yield from (f"  {line}" for line in lines)
    yield f"  and {there_are - len(lines)} more"
