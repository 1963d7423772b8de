"""The lock around a job; and, in a forked process, what stands in for that of a job that is its parent's."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import NoReturn, Protocol

from routilux._model import JobStatus
from routilux.errors import JobStateError


class JobLock(Protocol):
    """A lock that its thread may take again."""

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Have the job to oneself; False where somebody else has it for longer than `timeout` seconds."""

    def release(self) -> None:
        """Let others have it."""

    def _is_owned(self) -> bool:
        """Whether the calling thread has it."""

    def __enter__(self) -> bool:
        """Have the job to oneself."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Let others have it."""


class ParentsLock:
    """Refuses whoever wants to have the job: its threads, and perhaps half of a change, are with the parent."""

    def __init__(self, job_id: str, status: JobStatus) -> None:
        self._job_id = job_id
        self._status = status
        self._parent = os.getppid()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> NoReturn:
        """Refuse: JobStateError."""
        raise JobStateError(
            f"job {self._job_id!r} belongs to the process that forked this one (process {self._parent}), which ran it "
            f"then; ask for it there, or by a store that is opened here. To have it here, pause it before the fork",
            job_id=self._job_id,
            status=self._status,
        )

    def release(self) -> NoReturn:
        """Refuse, too: nobody here has it."""
        self.acquire()

    def _is_owned(self) -> bool:
        return False

    def __enter__(self) -> NoReturn:
        self.acquire()

    def __exit__(self, *raised: object) -> None:
        pass


@contextmanager
def taken(lock: JobLock, patience: float | None) -> Iterator[bool]:
    """Have a lock, unless somebody has it for longer than `patience` seconds: then it is False.

    Nobody has it after that, even where a signal came between taking it and what lets it go; where that was in the code
    of `contextmanager` itself, once nobody has any more what the signal raised.
    """
    had, is_mine = lock._is_owned(), False
    try:
        is_mine = lock.acquire(timeout=-1 if patience is None else patience)
        yield is_mine
    finally:
        if is_mine or (lock._is_owned() and not had):
            lock.release()


def is_free(lock: JobLock) -> bool:
    """Whether no other thread has a lock."""
    with taken(lock, 0) as is_mine:
        return is_mine
