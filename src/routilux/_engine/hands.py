"""Jobs that a thread of this process is just taking, or giving up: meanwhile other threads have to wait."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Hands:
    """Which thread has which job to itself."""

    def __init__(self) -> None:
        self._holders: dict[str, int] = {}
        self._lock = threading.RLock()  # entered itself: a Condition could be left locked by a signal
        self._change = threading.Condition(self._lock)

    def __contains__(self, job_id: str) -> bool:
        return job_id in self._holders

    @contextmanager
    def holding(self, job_id: str) -> Iterator[None]:
        """Have a job to oneself, when nobody else has it any more. Who has it already does not wait."""
        me = threading.get_ident()
        if self._holders.get(job_id) == me:
            yield
            return
        with self._lock:
            self._change.wait_for(lambda: job_id not in self._holders)
            self._holders[job_id] = me
        try:
            yield
        finally:
            with self._lock:
                del self._holders[job_id]
                self._change.notify_all()
