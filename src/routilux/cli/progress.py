"""How far the jobs that this process runs have come."""

from collections import deque
from collections.abc import Iterator
from itertools import islice
from time import monotonic
from typing import NamedTuple

from routilux._core.job import Job
from routilux._core.snapshot import records_dropped, records_so_far
from routilux._model import JobStatus, RoutineStatus
from routilux._records import HistoryRecord
from routilux.cli.tally import Count, Tally, total
from routilux.job_state import JobState

MEMORY = 20
"""Looks: the rate is that since the one so many looks ago."""
SHORTEST = 0.5
"""Seconds that a rate is of at least: of a few activations within some milliseconds it would say nothing."""
PATIENCE = 0.2
"""Seconds: users' code that is asked in the middle of a commit keeps looks waiting no longer than that."""


class Progress(NamedTuple):
    """A job at one moment; `expecting` are the slots that wait for a delivery.

    `rate` is in activations per second, None where the job has not been looked at for long enough.
    """

    job_id: str
    flow_id: str
    status: JobStatus
    seconds: float
    running: int
    queued: int
    waiting: int
    expecting: tuple[str, ...]
    failed: int
    rate: float | None
    total: Count
    routines: dict[str, tuple[RoutineStatus | None, Count]]

    def __str__(self) -> str:
        done = self.total
        rate = "" if self.rate is None else f"{self.rate:.1f}/s, "
        deliveries = f"; waits for a delivery to {', '.join(self.expecting)}" if self.expecting else ""
        return (
            f"{self.status}: {done.activations} activations, {self.running} running, {self.queued} queued, "
            f"{self.waiting} waiting, {rate}{done.errors} errors, {done.retries} retries{deliveries}"
        )

    def what_changes(self) -> "Progress":
        """The same without what changes by itself while time goes on."""
        return self._replace(seconds=0.0, rate=None)


class Watched:
    """A job, looked at again and again; each look costs what is new and what is queued."""

    def __init__(self, job_state: JobState) -> None:
        self.job_state = job_state
        self._tally = Tally()
        self._seen = 0
        self._began = monotonic()
        self._looks: deque[tuple[float, int]] = deque(maxlen=MEMORY)
        with job_state._live.lock:
            self._last = self._looked_at(job_state._live.job)

    def look(self) -> Progress:
        """How far the job has come by now, or had when it could last be looked at."""
        live = self.job_state._live
        if live.lock.acquire(timeout=PATIENCE):
            try:
                self._last = self._looked_at(live.job)
            finally:
                live.lock.release()
        return self._last

    def _looked_at(self, job: Job) -> Progress:
        for record in self._new_records(job):
            self._tally.add(record.routine_id, record.event_name, record.content)
        return self._progress(job, self._tally.counts(task.target.routine_id for task in job.failed))

    def _new_records(self, job: Job) -> Iterator[HistoryRecord]:
        first = max(self._seen - records_dropped(job), 0)
        self._seen = records_so_far(job)
        return islice(job.records(), first, None)

    def _progress(self, job: Job, counts: dict[str, Count]) -> Progress:
        statuses = job.routine_statuses([*counts])
        done = total(counts.values())
        return Progress(
            job.job_id,
            job.flow_id,
            job.status,
            monotonic() - self._began,
            len(job.active),
            len(job.ready),
            len(job.waiting()),
            tuple(dict.fromkeys(str(task.target) for task in job.expecting.tasks.values())),
            len(job.failed),
            self._rate(done.activations),
            done,
            {routine_id: (statuses[routine_id], count) for routine_id, count in counts.items()},
        )

    def _rate(self, activations: int) -> float | None:
        now = monotonic()
        self._looks.append((now, activations))
        then, before = self._looks[0]
        return (activations - before) / (now - then) if now - then >= SHORTEST else None
