"""What is asked of a stored job, whoever runs it: this process, another one, or nobody."""

from collections.abc import Callable
from time import monotonic, sleep

from routilux._backends.backend import JobRecord
from routilux._engine.ledger import Ledger
from routilux._engine.live_job import LiveJob
from routilux._engine.requests import Request, write_request
from routilux.errors import UnknownJobError
from routilux.job_state import JobState

FIRST_LOOK = 0.02
LAST_LOOK = 0.5


class Asking:
    """Leaves requests for a job's owner, and looks whether they were met; what nobody runs is changed here."""

    def __init__(self, ledger: Ledger, look: Callable[[str], JobState]) -> None:
        self._ledger = ledger
        self._look = look

    def until(
        self,
        job_id: str,
        request: Request,
        do: Callable[[LiveJob], object],
        is_met: Callable[[JobRecord], bool],
        timeout: float | None,
    ) -> str:
        """Ask, and say which status the job has when that is met; TimeoutError after `timeout` seconds.

        A request is left for one owner: the next one is asked again.
        """
        end = None if timeout is None else monotonic() + timeout
        asked_of, delay = None, FIRST_LOOK
        while True:
            record = self._record(job_id)
            if is_met(record):
                return record.status
            if not self._ledger.has_owner(record):
                do(self._look(job_id)._live)
                return self._record(job_id).status
            if record.epoch != asked_of:
                self._ledger.backend.ask(job_id, write_request(request))
                asked_of = record.epoch
            if end is not None and monotonic() >= end:
                raise TimeoutError(f"job {job_id!r}: its owner has been asked, and has not answered yet")
            sleep(delay)  # the owner is another process: nobody here is told
            delay = min(2 * delay, LAST_LOOK)

    def _record(self, job_id: str) -> JobRecord:
        record = self._ledger.backend.record(job_id)
        if record is None:
            raise UnknownJobError(f"the store has no job {job_id!r}")
        return record
