"""Times: seconds since the epoch in a job, ISO 8601 texts in its document."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import msgspec

from routilux._core.checked import refuse
from routilux._shapes import Instant, convert

EARLIEST = datetime(1, 1, 3, tzinfo=UTC).timestamp()
LATEST = datetime(9000, 1, 1, tzinfo=UTC).timestamp()

_INSTANTS = list[Instant]


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

    All that one commit brings about has the same time, which is read once.
    """
    if texts and texts.count(texts[0]) == len(texts):
        return [times_each(texts[:1], path_of)[0].timestamp()] * len(texts)
    return list(map(datetime.timestamp, times_each(texts, path_of)))


def times_each(texts: list[str], path_of: Callable[[int], str]) -> list[datetime]:
    """Times, in whatever zone; `path_of` tells the path of one by its index."""
    try:
        times = msgspec.convert(texts, _INSTANTS)
    except msgspec.ValidationError:
        times = [convert(text, Instant, path_of(index)) for index, text in enumerate(texts)]
    if times and not EARLIEST <= min(times).timestamp() <= max(times).timestamp() <= LATEST:
        list(map(in_our_era, times, map(path_of, range(len(times)))))  # one of them is refused
    return times


def in_our_era(time: datetime, path: str) -> float:
    """A time in seconds since the epoch, if it is one whose neighbours in every zone are dates."""
    second = time.timestamp()
    if not EARLIEST <= second <= LATEST:
        refuse(f"a time of our era, up to the year 9000, is expected, not {time.isoformat()}", path)
    return second
