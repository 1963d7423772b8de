"""What is asked of a stored job, whoever runs it: this process, another one, or nobody."""

from collections.abc import Callable
from time import monotonic, sleep
from uuid import uuid4

from routilux._backends.backend import JobRecord
from routilux._backends.haste import in_time
from routilux._engine.ledger import Ledger
from routilux._engine.live_job import LiveJob
from routilux._engine.owner import shown
from routilux._engine.requests import Answer, Request, read_answer, write_request
from routilux.errors import JobStateError, UnknownJobError
from routilux.job_state import JobState
from routilux.stores.arguments import asked_id

FIRST_LOOK = 0.02
LAST_LOOK = 0.5
LAST_WORD = 2.0
"""Seconds for which an answer may come from who runs the job no more."""


class _Asked:
    """A request: under which epoch it was left, and whether it is met only when its owner says so."""

    def __init__(self, by_answer: bool) -> None:
        self.key = uuid4().hex
        self.epoch: int | None = None
        self.by_answer = by_answer
        self._seen_let_go: float | None = None

    def waits_for_answer(self, record: JobRecord, *, is_run: bool) -> bool:
        """Whether the owner still has to say that it was this request which was met.

        One that has let go of the job since, as that is at its end, may be about to say so; one that died will not, and
        then what is seen has to do.
        """
        if not self.by_answer or record.epoch != self.epoch:
            return False
        if is_run:
            return True
        self._seen_let_go = self._seen_let_go or monotonic()
        return monotonic() - self._seen_let_go < LAST_WORD


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
        *,
        by_answer: bool = False,
    ) -> str:
        """Ask, and say which status the job has when that is met; TimeoutError after `timeout` seconds.

        A request is left for one owner: the next one is asked again. JobStateError, with what the owner says, where it
        refuses, and StoreUnavailableError where the store cannot even be asked in that time. Where it is to be met
        `by_answer`, what is seen of the job counts only when its owner says so, too.
        """
        with in_time(timeout):
            return self._until(job_id, request, do, is_met, timeout, _Asked(by_answer))

    def _until(
        self,
        job_id: str,
        request: Request,
        do: Callable[[LiveJob], object],
        is_met: Callable[[JobRecord], bool],
        timeout: float | None,
        asked: "_Asked",
    ) -> str:
        end, delay = None if timeout is None else monotonic() + timeout, FIRST_LOOK
        while True:
            record = self._record(job_id)
            is_run = self._ledger.has_owner(record)
            answer = self._answer_to(asked, record)
            if is_met(record):
                if asked.by_answer and asked.epoch is None:
                    raise JobStateError(f"job {job_id!r}: somebody else was faster and has done that", job_id=job_id)
                if not asked.waits_for_answer(record, is_run=is_run):
                    return record.status
            elif not is_run:
                do(self._look(job_id)._live)
                return self._record(job_id).status
            if answer.refusal is not None:
                raise _refused(record, answer.refusal)
            if is_run and record.epoch != asked.epoch:
                self._ledger.backend.ask(job_id, write_request(request, asked.key))
                asked.epoch = record.epoch
            if end is not None and monotonic() >= end:
                raise TimeoutError(f"job {job_id!r}: its owner has been asked, and has not answered yet")
            sleep(delay)  # the owner is another process: nobody here is told
            delay = min(2 * delay, LAST_LOOK)

    def _answer_to(self, asked: "_Asked", record: JobRecord) -> Answer:
        """What the owner says; what it has not looked at counts as not asked."""
        content = self._ledger.backend.answered(record.job_id, asked.key) if record.epoch == asked.epoch else None
        if content is None:
            return Answer()
        answer = read_answer(content)
        if answer.is_done:
            asked.by_answer = False
        elif answer.refusal is None:
            asked.epoch = None
        return answer

    def _record(self, job_id: str) -> JobRecord:
        record = self._ledger.backend.record(asked_id(job_id))
        if record is None:
            raise UnknownJobError(f"the store has no job {job_id!r}")
        return record


def _refused(record: JobRecord, refusal: str) -> JobStateError:
    whose = shown(record.owner or "")
    return JobStateError(f"job {record.job_id!r} is run by {whose}, which refuses: {refusal}", job_id=record.job_id)
