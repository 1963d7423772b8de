"""A history that keeps the newest records only, and counts the others."""

from collections import deque
from collections.abc import Iterable

from routilux._records import HistoryRecord


class BoundedHistory(deque[HistoryRecord]):
    """The newest `maxlen` records; `dropped` tells how many older ones there were."""

    def __init__(self, records: Iterable[HistoryRecord], limit: int, dropped: int = 0) -> None:
        super().__init__((), limit)
        self.dropped = dropped
        self.extend(records)

    def append(self, record: HistoryRecord) -> None:
        """Add one record."""
        self.dropped += len(self) == self.maxlen
        super().append(record)

    def extend(self, records: Iterable[HistoryRecord]) -> None:
        """Add records in order."""
        for record in records:
            self.append(record)
