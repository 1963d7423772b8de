"""How much a job has done, by what its history says."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_STARTED = {"slot"}
_FAILED = {"type", "message", "attempt"}


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
        """Count one record; an event of the user's may have any name, also one of the engine's."""
        count, shape = self.routines.setdefault(routine_id, Count()), content.keys()
        if event_name == "start" and shape == _STARTED:
            count.activations += 1
        elif event_name == "error" and shape == _FAILED:
            count.errors += 1
            count.retries += 1
        elif event_name in ("error_continued", "skipped") and shape == _FAILED:
            count.retries -= 1
        else:
            count.events += 1

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
