"""How much a job has done, by what its history says."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from routilux._core.record_kinds import RecordKind, kind_of


@dataclass(slots=True)
class Count:
    """Activations that ended or flushed, events emitted, attempts that failed, and how many of these were retried."""

    activations: int = 0
    events: int = 0
    errors: int = 0
    retries: int = 0

    def __str__(self) -> str:
        return f"{self.activations} activations, {self.events} events, {self.errors} errors, {self.retries} retries"


class Tally:
    """Counts by routine, of the records that it has been given. A bounded history has only its newest ones."""

    def __init__(self) -> None:
        self.routines: dict[str, Count] = {}

    def add(self, routine_id: str, event_name: str, content: Mapping[str, Any]) -> None:
        """Count one record; the answer to an ambiguous task counts as nothing: no handler has done it."""
        count, kind = self.routines.setdefault(routine_id, Count()), kind_of(event_name, content)
        match kind:
            case None:
                count.events += 1
            case RecordKind.START:
                count.activations += 1
            case RecordKind.ERROR:
                count.errors += 1
                count.retries += 1
            case RecordKind.ERROR_CONTINUED | RecordKind.SKIPPED:
                count.retries -= 1
            case RecordKind.RESOLVED:
                pass
            case _:
                assert_never(kind)

    def counts(self, failed: Iterable[str]) -> dict[str, Count]:
        """What each routine has done; `failed` names the routine of each task that failed the job, not retried."""
        stops = Counter(failed)
        return {
            routine_id: Count(count.activations, count.events, count.errors, count.retries - stops[routine_id])
            for routine_id, count in self.routines.items()
        }


def total(counts: Iterable[Count]) -> Count:
    """What all of them have done."""
    each = [(count.activations, count.events, count.errors, count.retries) for count in counts]
    return Count(*map(sum, zip(*each, strict=True)))
