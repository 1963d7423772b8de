"""A job's data behind its lock, who may look at them meanwhile, and what operators are told when it is free."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from routilux._core.job import Job
from routilux._engine.job_lock import JobLock, taken
from routilux._engine.keeping import TURN
from routilux._engine.news import Bulletin, News
from routilux._forks import renew_after_fork

NewJob = Callable[[], Job]


class LockedJob:
    """A job that one thread at a time may change.

    Its data are made (`new_job`) after what holds them, as that is after its handle: the garbage collector looks at
    objects from the oldest to the newest, and moves about, twice, what it comes to before its holder. What few jobs
    have is an attribute of the class until a job has it.
    """

    noted: Bulletin | None = None
    _looking: "threading.Lock | None" = None
    _stands_still = False

    def __init__(self, new_job: NewJob) -> None:
        self.job = new_job()
        self.lock: JobLock = threading.RLock()  # type: ignore[assignment]  # it has `_is_owned`, for Condition
        self.now: Callable[[], float] = time.time
        renew_after_fork(self)

    def _begin_anew(self) -> None:
        """Leave to the parent what its threads were at."""
        self._looking, self._stands_still, self.noted = None, False, None

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Tell operators what is noted in the meantime, when that is over and the job's lock is free."""
        try:
            yield
        finally:
            self.tell_news()

    def tell_news(self) -> None:
        """Tell operators what has been noted, each thing once; whoever comes later waits until it is told.

        Who still has the job's lock leaves that to whoever has taken it before: logging has locks, too.
        """
        if self.noted is not None and not self.lock._is_owned():
            self.noted.tell(self.job.job_id, self.job.flow_id)

    def note(self, news: News) -> None:
        """Have operators told of something, as soon as the job's lock, which is held, is free."""
        self.noted = self.noted or Bulletin()
        self.noted.add(news)

    @contextmanager
    def looking(self) -> Iterator[Job]:
        """See the job while nobody changes it: under its lock, or while whoever holds that waits for the store."""
        while True:
            with self.taken(TURN) as is_mine:
                if is_mine:
                    yield self.job
                    return
            looking = self._looking
            if looking is None:  # so far nobody has waited for the store
                continue
            with looking:
                if self._stands_still:
                    yield self.job
                    return

    def taken(self, patience: float | None) -> AbstractContextManager[bool]:
        """Have the job's lock, unless somebody has it for longer than `patience` seconds: then it is False."""
        return taken(self.lock, patience)

    @contextmanager
    def _standing_still(self) -> Iterator[None]:
        """Change nothing of the job, whose lock is held, while its store is waited for: others may look."""
        looking = self._looking = self._looking or threading.Lock()
        with looking:
            self._stands_still = True
        try:
            yield
        finally:
            with looking:
                self._stands_still = False
