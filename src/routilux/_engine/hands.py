"""Jobs that a thread of this process is just taking, or giving back: meanwhile other threads have to wait."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from routilux._engine.threads import is_mine
from routilux._haste import seconds_left
from routilux.errors import StoreUnavailableError


class Hands:
    """Which thread has which job to itself, and whether it is taking it."""

    def __init__(self) -> None:
        self._holders: dict[str, int] = {}
        self._taken: set[str] = set()
        self._lock = threading.RLock()  # entered itself: a Condition could be left locked by a signal
        self._change = threading.Condition(self._lock)

    @property
    def is_in_use(self) -> bool:
        """Whether the calling thread is just asking for a job, or letting go of one: a signal may have come then."""
        return is_mine(self._lock)

    def are_taking(self, job_id: str) -> bool:
        """Whether a thread is just taking a job."""
        return job_id in self._taken

    @contextmanager
    def taking(self, job_id: str) -> Iterator[None]:
        """`holding` a job to take it."""
        with self.holding(job_id):
            is_mine = job_id not in self._taken
            self._taken.add(job_id)
            try:
                yield
            finally:
                if is_mine:
                    self._taken.discard(job_id)

    @contextmanager
    def holding(self, job_id: str, seconds: float | None = None) -> Iterator[None]:
        """Have a job to oneself, when nobody else has it any more. Who has it already does not wait.

        TimeoutError after so many seconds; StoreUnavailableError where the caller has no more time for a store.
        """
        me = threading.get_ident()
        if self._holders.get(job_id) == me:
            yield
            return
        with self._lock:
            if not self._change.wait_for(
                lambda: job_id not in self._holders, seconds_left() if seconds is None else seconds
            ):
                raise (StoreUnavailableError if seconds is None else TimeoutError)(
                    f"job {job_id!r}: another thread of this process has had it for too long; try again"
                )
            self._holders[job_id] = me
        try:
            yield
        finally:
            with self._lock:
                del self._holders[job_id]
                self._change.notify_all()
