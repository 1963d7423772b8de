"""A history that keeps the newest records only, and counts the others; and one that nobody has looked at yet."""

from collections import deque
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

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


class UnreadRecords(msgspec.Struct, gc=False):
    """Records that a document had, checked, as columns; their contents are one JSON text where they are plain."""

    routine_ids: list[str]
    event_names: list[str]
    contents: bytes | list[Any]
    times: list[datetime]

    def records(self) -> Iterable[HistoryRecord]:
        """The records themselves."""
        contents = self.contents if isinstance(self.contents, list) else msgspec.json.decode(self.contents)
        return map(HistoryRecord, self.routine_ids, self.event_names, contents, map(datetime.timestamp, self.times))
