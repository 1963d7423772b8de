"""Jobs that this process owns and does not run: others may have them as soon as the store lets it give them back."""

import threading
from collections.abc import Callable
from math import inf
from time import monotonic, time
from typing import NamedTuple

from routilux._backends.backend import Backend, Batch, StoredJob
from routilux._backends.haste import without_haste
from routilux._core.graph_document import read_definition
from routilux._core.journal import write_record
from routilux._engine.hands import Hands
from routilux._engine.rebuilding import opaque, rebuild
from routilux._logging import logger
from routilux.errors import RoutiluxError, StoreUnavailableError
from serilux.errors import SeriluxError

AGAIN = 0.5
"""Seconds until a store that did not let it is asked again."""


class _Left(NamedTuple):
    """Under which epoch a job is this process's, when that is looked at, and until when it may still come true."""

    epoch: int
    due: float
    until: float


class LeftBehind:
    """Jobs that are to be given back, each by the epoch under which it is this process's.

    A store that gave no answer may still be at what it was asked for, for `patience` seconds.
    """

    def __init__(
        self, backend: Backend, owner: str, hands: Hands, *, is_run: Callable[[str], bool], patience: float
    ) -> None:
        self._backend = backend
        self._owner = owner
        self._hands = hands
        self._is_run = is_run
        self._patience = patience
        self._left: dict[str, _Left] = {}
        self._lock = threading.Lock()
        self._not_before = 0.0

    def add(self, job_id: str, epoch: int) -> None:
        """Have a job given back soon, if it is this process's under that epoch, and it does not run it."""
        with self._lock:
            self._left[job_id] = self._entry(epoch)

    def _entry(self, epoch: int) -> _Left:
        now = monotonic()
        return _Left(epoch, now, now + self._patience)

    def due_in(self) -> float:
        """Seconds until something is to be given back."""
        with self._lock:
            first = min([left.due for left in self._left.values()], default=inf)
        return max(first - monotonic(), self._not_before - monotonic(), 0.0)

    def give_back_next(self) -> None:
        """Give one back, whichever has waited longest, if it can be."""
        with self._lock:
            waiting = self._left.copy()
        if not waiting:  # somebody has just given it back
            return
        job_id, left = min(waiting.items(), key=lambda item: item[1].due)
        if self._hands.are_taking(job_id):  # for how long, nobody knows
            self._postpone(job_id, left.epoch)
            return
        try:
            self.give_back(job_id, left.epoch)
        except StoreUnavailableError:
            self._not_before = monotonic() + AGAIN
        except (RoutiluxError, SeriluxError) as error:
            self._forget(job_id, left.epoch)
            extra = {"action": "give_back", "job_id": job_id}
            logger.warning("job %s stays with this process: %s", job_id, error, extra=extra)

    def give_back(self, job_id: str, epoch: int) -> None:
        """Give a job back, with the status that it has by what is stored of it; nothing where it is not as `add` says.

        An error where that cannot be; while the store is not available, it is tried later.
        """
        try:
            with self._hands.holding(job_id):
                record = self._backend.record(job_id)
                is_mine = record is not None and (record.owner, record.epoch) == (self._owner, epoch)
                if is_mine and not self._is_run(job_id):
                    self._release(self._backend.read(job_id))
        except StoreUnavailableError:
            self._postpone(job_id, epoch)
            raise
        left = self._left.get(job_id)
        if left is not None and (record is None or record.epoch < epoch) and monotonic() < left.until:
            self._postpone(job_id, epoch)
        else:
            self._forget(job_id, epoch)

    def _postpone(self, job_id: str, epoch: int) -> None:
        """Try it later, unless the job has been left behind under a later epoch meanwhile."""
        with self._lock:
            left = self._left.get(job_id)
            if left is None or left.epoch < epoch:
                left = self._entry(epoch)
            self._left[job_id] = left._replace(due=monotonic() + AGAIN)

    def _forget(self, job_id: str, epoch: int) -> None:
        with self._lock:
            left = self._left.get(job_id)
            if left is not None and left.epoch == epoch:  # else it has been left behind once more
                del self._left[job_id]

    def _release(self, stored: StoredJob) -> None:
        record, status = stored.record, status_by_content(self._backend, stored)
        content = write_record([])
        place = record.job_id, record.created_at, record.epoch, stored.number + 1
        nothing = Batch(*place, content, time(), status, releases=True)
        with without_haste():
            self._backend.write([nothing])


def status_by_content(backend: Backend, stored: StoredJob) -> str | None:
    """The status that a job has by what is stored of it, for which no class of it need be known; None if damaged."""
    try:
        graph = read_definition(backend.definition(stored.record.definition))[1]
        return rebuild(opaque(stored), graph).job.status.value
    except StoreUnavailableError:
        raise
    except (RoutiluxError, SeriluxError):
        return None
