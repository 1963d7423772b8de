"""Jobs that this process owns and does not run: others may have them as soon as the store lets it give them back."""

from collections.abc import Callable
from math import inf
from time import monotonic, time

from routilux._backends.backend import Backend, Batch, StoredJob
from routilux._backends.haste import without_haste
from routilux._core.graph_document import read_definition
from routilux._core.journal import write_record
from routilux._engine.hands import Hands
from routilux._engine.rebuilding import rebuild
from routilux._logging import logger
from routilux.errors import RoutiluxError, StoreUnavailableError

AGAIN = 0.5
"""Seconds until a store that did not let it is asked again."""


class LeftBehind:
    """Jobs that are to be given back, each by the epoch under which it is this process's."""

    def __init__(self, backend: Backend, owner: str, hands: Hands, is_run: Callable[[str], bool]) -> None:
        self._backend = backend
        self._owner = owner
        self._hands = hands
        self._is_run = is_run
        self._epochs: dict[str, int] = {}
        self._due = inf

    def add(self, job_id: str, epoch: int) -> None:
        """Have a job given back soon, if it is this process's under that epoch, and it does not run it."""
        self._epochs[job_id], self._due = epoch, monotonic()

    def due_in(self) -> float:
        """Seconds until something is to be given back."""
        return max(self._due - monotonic(), 0.0)

    def give_back_all(self) -> None:
        """Give back what can be; the rest is tried later."""
        self._due = inf
        for job_id, epoch in list(self._epochs.items()):
            if self._hands.are_taking(job_id):  # for how long, nobody knows
                self._due = monotonic() + AGAIN
                continue
            try:
                self.give_back(job_id, epoch)
            except StoreUnavailableError:
                self._due = monotonic() + AGAIN
            except RoutiluxError as error:
                self._epochs.pop(job_id, None)
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
            self.add(job_id, epoch)
            raise
        self._epochs.pop(job_id, None)

    def _release(self, stored: StoredJob) -> None:
        record, status = stored.record, status_by_content(self._backend, stored)
        content = write_record([])
        place = record.job_id, record.created_at, record.epoch, stored.number + 1
        nothing = Batch(*place, content, time(), status, releases=True)
        with without_haste():
            self._backend.write([nothing])


def status_by_content(backend: Backend, stored: StoredJob) -> str | None:
    """The status that a job has by what is stored of it; None where that cannot be read here."""
    try:
        graph = read_definition(backend.definition(stored.record.definition))[1]
        return rebuild(stored, graph).job.status.value
    except StoreUnavailableError:
        raise
    except Exception:  # noqa: BLE001 - whatever it is, as an error of a class of the user's, others may read it
        return None
