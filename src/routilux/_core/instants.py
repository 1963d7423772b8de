"""Times: seconds since the epoch in a job, ISO 8601 texts in its document."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

import msgspec

from routilux._core.checked import convert, refuse
from routilux._core.shapes import Instant

EARLIEST = datetime(1, 1, 3, tzinfo=UTC).timestamp()
LATEST = datetime(9000, 1, 1, tzinfo=UTC).timestamp()


def instants(times: Iterable[float]) -> list[str]:
    """Times in seconds since the epoch as ISO 8601 texts in UTC."""
    texts: list[str] = msgspec.to_builtins([datetime.fromtimestamp(time, UTC) for time in times])
    return texts


def instant(time: float | None) -> str | None:
    """One time as text, None as None."""
    return None if time is None else instants([time])[0]


def seconds(time: datetime | None, path: str) -> float | None:
    """One time in seconds since the epoch, None as None."""
    return None if time is None else in_our_era(time, path)


def seconds_each(texts: list[str], path_of: Callable[[int], str]) -> list[float]:
    """Times in seconds since the epoch; `path_of` tells the path of one by its index.

    Each text is read once, since all that one commit brings about has the same time.
    """
    distinct = list(set(texts))
    try:
        times = [in_our_era(time, "") for time in msgspec.convert(distinct, list[Instant])]
    except ValueError:
        return [in_our_era(convert(text, Instant, place), place) for place, text in _placed(texts, path_of)]
    by_text = dict(zip(distinct, times, strict=True))
    return [by_text[text] for text in texts]


def _placed(texts: list[str], path_of: Callable[[int], str]) -> Iterator[tuple[str, str]]:
    return ((path_of(index), text) for index, text in enumerate(texts))


def in_our_era(time: datetime, path: str) -> float:
    """A time in seconds since the epoch, if it is one whose neighbours in every zone are dates."""
    second = time.timestamp()
    if not EARLIEST <= second <= LATEST:
        refuse(f"a time of our era, up to the year 9000, is expected, not {time.isoformat()}", path)
    return second
