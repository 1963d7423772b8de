"""What is asked of a stored job, whoever runs it: this process, another one, or nobody.

A request is left for one owner, under the job's epoch; no other one obeys it. So once the epoch has changed, all that
was done under the former one is on disk, and a request without an answer is one that was dropped.
"""

from collections.abc import Callable, Iterator
from functools import partial
from time import monotonic, sleep
from uuid import uuid4

from routilux._backends.backend import Backend, JobRecord
from routilux._backends.haste import in_time
from routilux._core.job import Job
from routilux._engine.ledger import Ledger
from routilux._engine.live_job import LiveJob
from routilux._engine.owner import shown
from routilux._engine.requests import Request, delivery_of, read_answer, write_request
from routilux._model import SlotKey
from routilux._records import Data
from routilux.errors import JobStateError
from routilux.job_state import JobState
from routilux.stores.arguments import record_of

FIRST_LOOK = 0.02
LAST_LOOK = 0.5
WhyNot = Callable[[Job], str]
"""Says why a task of a job waits for its delivery no more; nothing where it still does."""


class _Asked:
    """A request that is left for one owner after the other, each time under another key.

    `epoch` is that of the owner with whom it lies; None where it lies with nobody.
    """

    def __init__(self, backend: Backend, job_id: str, request: Request) -> None:
        self._backend = backend
        self._job_id = job_id
        self._request = request
        self._key = ""
        self.epoch: int | None = None

    def leave(self, record: JobRecord) -> None:
        """Ask who owns the job by now, unless it lies with him."""
        if self.lies_with(record):
            return
        key = uuid4().hex
        self._backend.ask(self._job_id, write_request(self._request, key, record.epoch))
        self._key, self.epoch = key, record.epoch

    def take_answer(self, record: JobRecord) -> bool:
        """Take what the owner has answered, if he has: whether he obeyed. JobStateError, with his words, if he refused.

        What the last owner has refused the next one may do; and what nobody has looked at lies with nobody any more.
        """
        content = None if self.epoch is None else self._backend.answered(self._job_id, self._key)
        if content is None:
            return False
        answer, epoch = read_answer(content), self.epoch
        self.epoch = None
        if answer.refusal is not None and epoch == record.epoch:
            raise _refused(record, answer.refusal)
        return answer.is_done

    def lies_with(self, record: JobRecord) -> bool:
        """Whether who owns the job may obey it yet."""
        return record.owner is not None and record.epoch == self.epoch


class Asking:
    """Leaves requests for a job's owner, and looks what became of them; what nobody runs is changed here.

    `look` gives a job to be changed, which needs the classes of its values; `see` one with these left as JSON.
    """

    def __init__(self, ledger: Ledger, look: Callable[[str], JobState], see: Callable[[str], Job]) -> None:
        self._ledger = ledger
        self._look = look
        self._see = see

    def until(
        self,
        job_id: str,
        request: Request,
        do: Callable[[LiveJob], object],
        is_met: Callable[[JobRecord], bool],
        timeout: float | None,
    ) -> str:
        """Ask, and say which status the job has when it is seen that this is met; TimeoutError after `timeout` seconds.

        JobStateError, with what the owner says, where it refuses, and StoreUnavailableError where the store cannot even
        be asked in that time.
        """
        asked = _Asked(self._ledger.backend, job_id, request)
        with in_time(timeout):
            for _ in _looks(job_id, timeout):
                record = self._record(job_id)
                if is_met(record):
                    return record.status
                if self._ledger.has_owner(record):
                    asked.take_answer(record)
                    asked.leave(record)
                elif self._is_done_here(job_id, do):
                    break
            return self._record(job_id).status

    def deliver(self, job_id: str, target: SlotKey, data: Data, why_not: WhyNot, timeout: float | None) -> None:
        """Deliver, and return when it is certain that this is what the job has got; `until` says what is raised.

        That is so when its owner says it, in the very transaction that it was written in, or when it was done here.
        JobStateError where `why_not` has words for that the task waits no more, and nobody can obey any more.
        """
        asked = _Asked(self._ledger.backend, job_id, delivery_of(target, data))
        with in_time(timeout):
            for _ in _looks(job_id, timeout):
                record = self._record(job_id)
                is_run = self._ledger.has_owner(record)
                if asked.take_answer(record):
                    return
                if not asked.lies_with(record):
                    _check_waits(self._see(job_id), why_not)
                if is_run:
                    asked.leave(record)
                elif self._is_delivered_here(record, asked, target, data, why_not):
                    return

    def _is_delivered_here(
        self, record: JobRecord, asked: _Asked, target: SlotKey, data: Data, why_not: WhyNot
    ) -> bool:
        """Deliver to a job that nobody runs; False where somebody else has begun to.

        One who seemed to be dead may have obeyed in the last moment: once the job is this process's, that can be seen,
        and he cannot any more.
        """

        def deliver(live: LiveJob) -> None:
            def is_done() -> bool:
                if asked.take_answer(record):
                    return True
                _check_waits(live.job, why_not)
                return False

            live.deliver(target, data, is_done=is_done)

        return self._is_done_here(record.job_id, deliver)

    def _is_done_here(self, job_id: str, do: Callable[[LiveJob], object]) -> bool:
        """Change a job that nobody runs; False where somebody else has begun to."""
        live = self._look(job_id)._live
        try:
            live.uninterrupted(partial(do, live))
        except JobStateError:
            if self._ledger.has_owner(self._record(job_id)):
                return False
            raise
        return True

    def _record(self, job_id: str) -> JobRecord:
        return record_of(self._ledger.backend, job_id)


def _check_waits(job: Job, why_not: WhyNot) -> None:
    if problem := why_not(job):
        raise JobStateError(problem, job_id=job.job_id)


def _looks(job_id: str, timeout: float | None) -> Iterator[None]:
    """The moments at which to look what has become of a request: the owner is another process, which tells nobody."""
    end, delay = None if timeout is None else monotonic() + timeout, FIRST_LOOK
    while True:
        yield
        if end is not None and monotonic() >= end:
            raise TimeoutError(f"job {job_id!r}: its owner has been asked, and has not answered yet")
        sleep(delay)
        delay = min(2 * delay, LAST_LOOK)


def _refused(record: JobRecord, refusal: str) -> JobStateError:
    whose = shown(record.owner or "")
    return JobStateError(f"job {record.job_id!r} is run by {whose}, which refuses: {refusal}", job_id=record.job_id)
