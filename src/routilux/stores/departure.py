"""A job that leaves its store: it is out, or it is where it was, or whoever moves it is left with its document."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import sleep, time
from typing import TypeVar

from msgspec.structs import replace

from routilux._backends.backend import MOVED, Backend, StoredJob
from routilux._engine.patience import within
from routilux._engine.trying_again import tried_again
from routilux._files import Draft
from routilux._records import Data
from routilux.errors import (
    JobStateError,
    RoutiluxError,
    StoreError,
    StoreUnavailableError,
    StrandedJobError,
    UnknownJobError,
)
from serilux.errors import SeriluxError

T = TypeVar("T")


class Departure:
    """One job's way out of its store, and back where it gets nowhere (law 2).

    A store that does not answer may have moved the job, or taken it back: it is asked for `patience` seconds.
    `document` is that of the job as it is `stored`; `admit` takes it back. A `draft` is the document on disk; it stays
    where it may be all that there is of the job.
    """

    def __init__(
        self,
        backend: Backend,
        stored: StoredJob,
        document: Data,
        *,
        admit: Callable[[Data], object],
        patience: float,
        draft: Draft | None = None,
    ) -> None:
        self._backend = backend
        self._stored = stored
        self._document = document
        self._admit = admit
        self._patience = patience
        self._draft = draft
        self._is_out: bool | None = False
        """None where the store was asked, and it is not known what it has done."""
        self._at = time()

    @property
    def job_id(self) -> str:
        """Which job it is."""
        return self._stored.record.job_id

    @contextmanager
    def out(self) -> Iterator[None]:
        """Have the job out of its store; where something fails meanwhile, it is back there.

        JobStateError where somebody else has it by now. StrandedJobError where it cannot be taken back, or it is not
        known whether it has left.
        """
        try:
            self._leave()
            yield
        except BaseException as error:
            self._come_back_after(error)
            raise

    def _leave(self) -> None:
        """Leave a tombstone of the job as it was read: where more was stored since, it stays."""
        self._have_draft_stay(True)
        if not self._patiently(self._has_left):
            raise JobStateError(
                f"job {self.job_id!r} was taken over, or changed just now; pause it, then export it", job_id=self.job_id
            )

    def _patiently(self, call: Callable[[], T]) -> T:
        """What a call of the store gives, which comes to its end whatever signals come."""
        return within(None, lambda: tried_again(call, self._patience, is_over=sleep, action="move"))

    def _has_left(self) -> bool:
        was_asked, self._is_out = self._is_out is None, None
        try:
            self._is_out = self._backend.move_out(self._stored.record, at=self._at) is not None
        except (RoutiluxError, SeriluxError) as error:
            self._is_out = self._is_out_after(error, was_asked=was_asked)
            if not self._is_out:
                raise
        return self._is_out

    def _is_out_after(self, error: Exception, *, was_asked: bool) -> bool | None:
        """Whether it was this call, or one before, that has moved the job; None where that is not known.

        What a store has done of which it gave no answer may become visible later.
        """
        if isinstance(error, UnknownJobError) and not was_asked:
            return False
        then, now = self._stored.record, self._backend.record(self.job_id)
        if now == replace(then, status=MOVED, epoch=then.epoch + 1, owner=None, updated_at=self._at):
            return True
        return None if now is None or isinstance(error, StoreUnavailableError) else False

    def _come_back_after(self, error: BaseException) -> None:
        """Have the job where it was, or say with a StrandedJobError that it may be nowhere."""
        job = f"job {self.job_id!r}"
        if self._draft is not None and self._draft.is_kept:
            raise StoreError(f"{job} has left for the file, but that may not be on disk: {error}") from error
        if self._is_out is None and isinstance(error, Exception):
            raise self._stranded(f"{error}; whether {job} has left is not known") from error
        if self._is_out is not False:
            self._come_back(f"{_told(error)}; {job} has left, and cannot be taken back", error)
        self._have_draft_stay(False)

    def _come_back(self, otherwise: str, cause: BaseException) -> None:
        try:
            self._patiently(self._taken_back)
        except BaseException as refusal:  # noqa: BLE001 - whatever it is, the job must not go with it
            raise self._stranded(f"{otherwise}: {_told(refusal)}") from cause
        self._is_out = False

    def _taken_back(self) -> None:
        try:
            self._admit(self._document)
        except (StoreError, JobStateError):  # it may be there all the same: no answer came, or it has never left
            record = self._backend.record(self.job_id)
            if record is None or record.status == MOVED:
                raise

    def _stranded(self, problem: str) -> StrandedJobError:
        file = "" if self._draft is None else str(self._draft.path)
        return StrandedJobError(problem, transfer=self._document, file=file)

    def _have_draft_stay(self, stays: bool) -> None:
        if self._draft is not None:
            self._draft.stays = stays


def _told(error: BaseException) -> str:
    return str(error) or type(error).__name__
