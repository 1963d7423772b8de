"""What is asked of a stored job, whoever runs it: this process, another one, or nobody.

A request is left for one owner, under the job's epoch; no other one obeys it. So once the epoch has changed, all that
was done under the former one is on disk, and a request without an answer is one that was dropped.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from math import inf
from time import monotonic, sleep
from typing import TypeVar
from uuid import uuid4

from routilux._backends.backend import Backend, JobRecord
from routilux._core.job import Job
from routilux._core.plan_records import taken_by_a_plan
from routilux._engine.awaited import TimeIsUp, left_until
from routilux._engine.ledger import Ledger
from routilux._engine.live_job import LiveJob
from routilux._engine.namesakes import is_same_moment
from routilux._engine.owner import shown
from routilux._engine.requests import Request, delivery_of, read_answer, write_request
from routilux._engine.trying_again import tried_again
from routilux._haste import at_most, in_time, seconds_left
from routilux._logging import logger
from routilux._model import JobStatus
from routilux._records import Addressee, Data, Task, task_id
from routilux.errors import JobStateError, OwnershipLost, StoreError, StoreUnavailableError, UnknownJobError
from routilux.job_state import JobState
from routilux.stores.arguments import record_of

FIRST_LOOK = 0.02
LAST_LOOK = 0.5
T = TypeVar("T")
WhyNot = Callable[[Job], str]
"""Says why a task of a job waits for its delivery no more; nothing where it still does."""


class _Asked:
    """A request that is left for one owner after the other, each time under another key, under which it is answered.

    `epoch` is that of the owner with whom it lies, or may lie; None where it lies with nobody.
    """

    def __init__(self, backend: Backend, job_id: str, request: Request, created_at: float | None = None) -> None:
        self._backend = backend
        self.job_id = job_id
        self._created_at = created_at
        self._request = request
        self._key = self._owner = ""
        self._is_left = False
        self.epoch: int | None = None

    @property
    def may_be_done(self) -> bool:
        """Whether it is not known that it was not done."""
        return bool(self._key)

    def record(self) -> JobRecord:
        """The job as it is listed; UnknownJobError where there is none, or another than was asked first."""
        record = record_of(self._backend, self.job_id)
        self.check_is_it(record.created_at)
        return record

    def check_is_it(self, created_at: float) -> None:
        """UnknownJobError where a job that was created then is not the one that was asked first."""
        self._created_at = created_at if self._created_at is None else self._created_at
        if not is_same_moment(created_at, self._created_at):
            raise UnknownJobError(
                f"job {self.job_id!r} was deleted as something was asked of it; the store has another one of that id"
            )

    def leave(self, record: JobRecord) -> None:
        """Ask who owns the job by now, unless it lies with him.

        Where it is not known whether it does, he is asked once more under the same key, which changes nothing if so.
        """
        if not self.lies_with(record):
            self._key, self._owner, self._is_left = uuid4().hex, record.owner or "", False
            self.epoch = record.epoch
        if not self._is_left:
            request = write_request(self._request, self._key, record.epoch, record.created_at)
            self._backend.ask(self.job_id, self._key, request)
            self._is_left = True

    def take_answer(self, record: JobRecord) -> bool:
        """Take what the owner has answered, if he has: whether he obeyed. JobStateError, with his words, if he refused.

        What the last owner has refused the next one may do; and what nobody has looked at lies with nobody any more.
        """
        content = self._backend.answered(self.job_id, self._key) if self._key else None
        if content is None:
            return False
        answer, epoch = read_answer(content), self.epoch
        self.epoch = None
        self.acknowledge()
        if answer.refusal is not None and epoch == record.epoch:
            raise self._refused(answer.refusal, JobStatus(record.status))
        return answer.is_done

    def acknowledge(self) -> None:
        """Know what has become of it: the answer, if there is one yet, is wanted no more."""
        key, self._key = self._key, ""
        if key:
            with suppress(StoreError):  # else it goes with the job: what was done is done
                self._backend.acknowledge(self.job_id, key)

    def begun_here(self) -> str:
        """The key under which this process, which does itself what is asked, is to say that it is done."""
        self._key, self.epoch = uuid4().hex, None
        return self._key

    def is_too_late(self, record: JobRecord, job: Job, why_not: WhyNot) -> bool:
        """Whether it was done, where the task waits no more; JobStateError where somebody else was faster.

        Where that still waits, and has come into other hands, it was not done, and nobody can do it any more.
        """
        problem = why_not(job)
        if self.take_answer(record):
            return True
        if problem:
            raise JobStateError(problem, job_id=job.job_id, status=job.status)
        if self.epoch != record.epoch:
            self._key = ""
        return False

    def lies_with(self, record: JobRecord) -> bool:
        """Whether who owns the job may obey it yet."""
        return record.owner is not None and record.epoch == self.epoch

    def _refused(self, refusal: str, status: JobStatus) -> JobStateError:
        """What the owner that was asked says; by now the job may have another, or none."""
        problem = f"is run by {shown(self._owner)}, which refuses: {refusal}"
        return JobStateError(f"job {self.job_id!r} {problem}", job_id=self.job_id, status=status)


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
        is_met: Callable[[str], bool],
        timeout: float | None,
    ) -> str:
        """Ask, and say which status the job has once this is seen to meet it; TimeoutError after `timeout` seconds.

        JobStateError, with what the owner says, where it refuses, and StoreUnavailableError where the store is away for
        its patience, or at the end of that time.
        """
        asked, met = _Asked(self._ledger.backend, job_id, request), list[str]()

        def do_unless_met(live: LiveJob) -> None:
            if not is_met(live.job.status):
                do(live)
            elif not is_met(asked.record().status):  # its owner died of that; else somebody was faster
                live.have_listed()
            met.append(live.job.status)

        def look() -> str | None:
            record = asked.record()
            if is_met(record.status):
                return record.status
            if self._ledger.has_owner(record):
                asked.take_answer(record)
                asked.leave(record)
            elif self._is_done_here(asked, do_unless_met) and is_met(met[-1]):
                return met[-1]
            return None

        return self._looked(asked, look, timeout)

    def deliver(self, find: Callable[[], tuple[Job, Task]], to: Addressee, data: Data, timeout: float | None) -> None:
        """Deliver to a task that is found in a job, and return when it is certain that this is what it has got.

        That is so when its owner says it, in the very transaction that it was written in, or when it was done here.
        `until` says what is raised, and JobStateError where the task waits no more, and nobody can obey any more. Where
        the store is away before that is known, the StoreUnavailableError says that it is not.
        """
        end = None if timeout is None else monotonic() + timeout
        with in_time(timeout):
            seen, waiting = tried_again(find, at_most(self._ledger.patience), is_over=sleep, action="ask")
            self._deliver(seen, waiting, to, data, left_until(end, monotonic()))

    def _deliver(self, seen: Job, waiting: Task, to: Addressee, data: Data, timeout: float | None) -> None:
        asked = _Asked(self._ledger.backend, seen.job_id, delivery_of(to, data), seen.created_at)
        why_not = partial(_why_not, waiting)

        def look() -> bool | None:
            record = asked.record()
            is_run = self._ledger.has_owner(record)
            if asked.take_answer(record):
                return True
            if not asked.lies_with(record) and asked.is_too_late(record, self._see(seen.job_id), why_not):
                return True
            if is_run:
                asked.leave(record)
                return None
            return self._is_delivered_here(record, asked, to, data, why_not) or None

        try:
            self._looked(asked, look, timeout)
        except UnknownJobError:
            raise
        except StoreError as error:
            if not asked.may_be_done:
                raise
            raise _unknown(seen.job_id, error) from error

    def _is_delivered_here(self, record: JobRecord, asked: _Asked, to: Addressee, data: Data, why_not: WhyNot) -> bool:
        """Deliver to a job that nobody runs; False where somebody else has begun to.

        One who seemed to be dead may have obeyed in the last moment: once the job is this process's, that can be seen,
        and he cannot any more. Nor can this process, once another has taken it over, whose answer is there if it has.
        """

        def deliver(live: LiveJob) -> None:
            def begin() -> str | None:
                return None if asked.is_too_late(record, live.job, why_not) else asked.begun_here()

            live.deliver(to, data, begin)

        is_done = self._is_done_here(asked, deliver)
        if is_done:
            asked.acknowledge()
        return is_done

    def _is_done_here(self, asked: _Asked, do: Callable[[LiveJob], object]) -> bool:
        """Change a job that nobody runs; False where somebody else has begun to, who may have died of it since.

        What is refused of the job itself says which status it has. StoreUnavailableError where the caller has no more
        time: then it goes on by itself, and may be done yet.
        """
        live = self._look(asked.job_id)._live
        asked.check_is_it(live.job.created_at)
        try:
            live.uninterrupted(partial(do, live), patience=seconds_left())
        except TimeIsUp as error:
            raise StoreUnavailableError(
                f"job {asked.job_id!r}: the store has not taken in time what was done here, and may take it yet"
            ) from error
        except OwnershipLost:
            return False
        except JobStateError as error:
            if error.status is None or self._ledger.has_owner(asked.record()):
                return False
            raise
        return True

    def _looked(self, asked: _Asked, look: Callable[[], T | None], timeout: float | None) -> T:
        """What a look gives at last: the owner is another process, which tells nobody. `until` says what is raised.

        Where the store is away it is looked again, and so found out what was done.
        """
        end, away_since = inf if timeout is None else monotonic() + timeout, inf
        delays = _delays()
        with in_time(timeout):
            while True:
                began = monotonic()
                try:
                    if (seen := look()) is not None:
                        return seen
                    if monotonic() >= end:
                        raise TimeoutError(f"job {asked.job_id!r}: its owner has been asked, and has not answered yet")
                    away_since = inf
                except StoreUnavailableError as error:
                    away_since = min(away_since, began)
                    if monotonic() >= min(end, away_since + self._ledger.patience):
                        raise
                    logger.warning("the store is not available, looking again: %s", error, extra={"action": "ask"})
                sleep(max(min(next(delays), end - monotonic()), 0.0))


def _why_not(waiting: Task, job: Job) -> str:
    if taken := taken_by_a_plan(job, waiting):
        return f"task {task_id(job.job_id, waiting.number)} of job {job.job_id!r} {taken}"
    if waiting.number in job.expecting.tasks:
        return ""
    if waiting.deadline is not None and job.updated_at >= waiting.deadline:
        deadline = datetime.fromtimestamp(waiting.deadline, UTC).isoformat()
        return f"job {job.job_id!r} waits for that no more: its deadline is over ({deadline}), or somebody was faster"
    return f"job {job.job_id!r}: somebody else was faster and has done that"


def _delays() -> Iterator[float]:
    """The seconds between one look and the next."""
    delay = FIRST_LOOK
    while True:
        yield delay
        delay = min(2 * delay, LAST_LOOK)


def _unknown(job_id: str, error: StoreError) -> StoreError:
    kind = StoreUnavailableError if isinstance(error, StoreUnavailableError) else StoreError
    return kind(
        f"job {job_id!r}: it is not known whether it was delivered, and it may be yet; before you deliver again, look "
        f"what the job has got and waits for (store.load, store.peek): {error}"
    )
