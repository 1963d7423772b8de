"""Jobs that have one id, one after the other was deleted: they are told apart by when they were created."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from routilux.errors import JobExistsError

MOMENT = 1e-6
"""Seconds: documents know no shorter ones, and by a document a job goes from store to store."""


def is_same_moment(one: float, other: float) -> bool:
    """Whether two jobs of one id are one, by the seconds at which they were created."""
    return abs(one - other) < MOMENT


class Beginnings:
    """When the jobs began that this process has stored last, by a clock that may stand still, as those of tests do."""

    def __init__(self) -> None:
        self._moment: float | None = None
        self._latest: dict[str, float] = {}
        self._lock = Lock()
        self._named: set[str] = set()

    @contextmanager
    def naming(self, job_id: str) -> Iterator[None]:
        """Have an id to oneself until its job is stored; JobExistsError where somebody has it."""
        with self._lock:
            if job_id in self._named:
                raise JobExistsError(f"job {job_id!r} is just being started in this process", job_id=job_id)
            self._named.add(job_id)
        try:
            yield
        finally:
            self._named.discard(job_id)

    def told_apart(self, job_id: str, created_at: float) -> float:
        """When a new job is said to be created: later than the one before that had its id and began at that moment."""
        if created_at != self._moment:
            self._moment, self._latest = created_at, {}
        former = self._latest.get(job_id)
        self._latest[job_id] = told = created_at if former is None else former + 2 * MOMENT
        return told
