"""Jobs that this process owns and does not run: others may have them as soon as the store lets it give them back."""

from collections.abc import Callable
from time import monotonic, time
from typing import NamedTuple

from routilux._backends.backend import Backend, Batch, JobRecord, StoredJob
from routilux._core.journal import write_record
from routilux._engine.hands import Hands
from routilux._engine.owner import said_to_be_gone
from routilux._engine.rebuilding import definition_behind, opaque_job
from routilux._haste import without_haste
from routilux._logging import logger
from routilux.errors import RoutiluxError, StoreError, StoreUnavailableError
from serilux.errors import SeriluxError


class _Left(NamedTuple):
    """Until when a job may yet become this process's, and its owner before, if the death of that is not noted."""

    until: float
    died: str | None


class LeftBehind:
    """Jobs that are to be given back, each with the epoch under which it is this process's.

    A store that gave no answer may still be at what it was asked for, for `patience` seconds.
    """

    def __init__(
        self, backend: Backend, owner: str, hands: Hands, *, is_run: Callable[[str, int], bool], patience: float
    ) -> None:
        self._backend = backend
        self._owner = owner
        self._hands = hands
        self._is_run = is_run
        self._patience = patience
        self._left: dict[tuple[str, int], _Left] = {}

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to be given back."""
        return not self._left

    def add(self, job_id: str, epoch: int, died: str | None = None) -> None:
        """Have a job given back, if it is, or becomes, this process's under that epoch, and is not run.

        It goes to nobody; where its owner before has `died`, and that is not noted, to one who is gone, so that whoever
        has it next notes that.
        """
        self._left[job_id, epoch] = _Left(monotonic() + self._patience, died)

    def died_before(self, job_id: str, epoch: int) -> str | None:
        """The owner before, of a job that is this process's under that epoch, if its death is not noted."""
        left = self._left.get((job_id, epoch))
        return None if left is None else left.died

    def give_back(self, job_id: str, epoch: int, died: str | None = None) -> None:
        """`add` a job, and give it back at once. An error where that cannot be; it is tried again later."""
        self.add(job_id, epoch, died)
        self._give_back(job_id, epoch, None)

    def give_back_all(self) -> None:
        """Give back what can be; nobody is waited for, and a store that is not available is left alone for now."""
        for job_id, epoch in list(self._left):
            try:
                self._give_back(job_id, epoch, 0.0)
            except TimeoutError:
                continue
            except StoreUnavailableError:
                return
            except (RoutiluxError, SeriluxError) as error:
                self._give_up_in_time(job_id, epoch, error)

    def _give_up_in_time(self, job_id: str, epoch: int, error: Exception) -> None:
        """Try a job no more, when what the store was asked for before cannot be the reason any more."""
        left = self._left.get((job_id, epoch))
        if left is not None and monotonic() >= left.until:
            self.forget(job_id, epoch)
            extra = {"action": "give_back", "job_id": job_id}
            logger.warning("job %s stays with this process: %s", job_id, error, extra=extra)

    def hand_on_deaths(self) -> None:
        """Have whoever claims a job next note what this process, which ends, has not; others it leaves to nobody.

        Nobody is waited for who has a job in hand: what he writes of it from now on is refused. One that cannot be
        handed on goes to nobody, too.
        """
        for (job_id, epoch), left in list(self._left.items()):
            try:
                if left.died is not None:
                    self._hand_on(job_id, epoch, left.died)
            except StoreError as error:
                extra = {"action": "leave", "job_id": job_id}
                logger.warning("that the last owner of job %s died is not noted: %s", job_id, error, extra=extra)
                if isinstance(error, StoreUnavailableError):  # it is waited for once
                    return

    def _hand_on(self, job_id: str, epoch: int, died: str) -> None:
        record = self._backend.record(job_id)
        if record is not None and self._is_mine(record, epoch):
            self._backend.acquire(record, said_to_be_gone(died))

    def _is_mine(self, record: JobRecord, epoch: int) -> bool:
        return (record.owner, record.epoch) == (self._owner, epoch)

    def _give_back(self, job_id: str, epoch: int, seconds: float | None) -> None:
        with self._hands.holding(job_id, seconds):
            left, record = self._left.get((job_id, epoch)), self._backend.record(job_id)
            if left is None:  # another thread was faster
                return
            if record is not None and self._is_mine(record, epoch) and not self._is_run(job_id, epoch):
                self._release(record, left.died)
            elif (record is None or record.epoch < epoch) and monotonic() < left.until:
                return
        self.forget(job_id, epoch)

    def forget(self, job_id: str, epoch: int) -> None:
        """Have a job not given back: it is run, or others have it."""
        self._left.pop((job_id, epoch), None)

    def _release(self, record: JobRecord, died: str | None) -> None:
        with without_haste():
            if died is not None:
                self._backend.acquire(record, said_to_be_gone(died))
            else:
                self._backend.write([self._nothing_more(self._backend.read(record.job_id))])

    def _nothing_more(self, stored: StoredJob) -> Batch:
        """What lets others have a job, with the status that it has by what is stored of it."""
        record, status = stored.record, status_by_content(self._backend, stored)
        place = record.job_id, record.created_at, record.epoch, stored.number + 1
        return Batch(*place, write_record([]), time(), status, releases=True)


def status_by_content(backend: Backend, stored: StoredJob) -> str | None:
    """The status that a job has by what is stored of it, for which no class of it need be known; None if damaged."""
    try:
        _, graph = definition_behind(backend, stored)
        return opaque_job(stored, graph).status.value
    except StoreUnavailableError:
        raise
    except (RoutiluxError, SeriluxError):
        return None
