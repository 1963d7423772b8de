"""Shows a store that this process lives, and hands on what others ask of the jobs it runs."""

import threading
from collections.abc import Callable, Sequence
from time import monotonic

from routilux._backends.backend import Backend
from routilux._engine.attempt import describe
from routilux._engine.keeping import TURN, Servant
from routilux._engine.requests import Answer, key_of, write_answer
from routilux._engine.threads import start_thread
from routilux._logging import logger
from routilux.errors import OwnershipLost, RoutiluxError, StoreError, StoreUnavailableError
from serilux.errors import SeriluxError

ROUND = 1.0
"""Seconds between two looks at what others ask."""
BEAT = 5.0
"""Seconds between two heartbeats."""


class Keeper:
    """Two threads per store and process, which look into the store while the process owns jobs there.

    One of them only shows that it lives: what is asked of a job may have to wait for its lock, behind users' code.
    Where it `is_known` the store may know this owner; else nothing was written that would have to be taken back.
    """

    def __init__(self, backend: Backend, owner: str) -> None:
        self._backend = backend
        self._owner = owner
        self._lock = threading.RLock()  # entered itself: a Condition could be left locked by a signal
        self._changed = threading.Condition(self._lock)
        self._servants: dict[str, Servant] = {}
        self._unsent: list[tuple[str, str, bytes]] = []
        self._obeyed: list[tuple[str, bytes]] = []
        self.is_known = False
        self._beaten_at: float | None = None
        self._threads: set[str] = set()
        self._closed = threading.Event()

    def show(self) -> None:
        """Have the store know this owner before it owns anything there."""
        now = monotonic()
        if self._beaten_at is None or now - self._beaten_at > BEAT:
            self.is_known = True
            self._backend.beat(self._owner)
            self._beaten_at = now

    def stand_by(self) -> None:
        """Have the threads; NoThreadError where one cannot be started."""
        with self._lock:
            for name, work in (("routilux-heart", self.show), ("routilux-keeper", self._look)):
                if name not in self._threads:
                    start_thread(name, self._run, work)
                    self._threads.add(name)

    def hold(self, job_id: str, servant: Servant) -> None:
        """Look after a job that runs here."""
        self.stand_by()
        with self._lock:
            if not self._servants:
                self._changed.notify_all()
            self._servants[job_id] = servant

    def let_go(self, job_id: str, servant: Servant) -> None:
        """Look after a job no longer, unless it runs here by another handle now."""
        with self._lock:
            if self._servants.get(job_id) is servant:
                del self._servants[job_id]

    def holds(self, job_id: str) -> bool:
        """Whether a job runs here."""
        return job_id in self._servants

    def close(self) -> None:
        """End the threads."""
        with self._lock:
            self._closed.set()
            self._changed.notify_all()

    def _run(self, work: Callable[[], None]) -> None:
        while self._is_needed():
            try:
                work()
            except StoreError as error:
                logger.warning("the store cannot be looked into: %s", error, extra={"action": "keep"})
            self._closed.wait(ROUND)

    def _look(self) -> None:
        """Hand on what is asked, and have it answered.

        A request stays in the store until that is done, so that none is lost with a connection; what is still to be
        dismissed is not handed on once more.
        """
        self._finish()
        self._hand_on(self._backend.asked(self._owner))
        self._finish()

    def _is_needed(self) -> bool:
        with self._lock:
            while not (self._closed.is_set() or self._servants or self._unsent or self._obeyed):
                self._changed.wait()
            return not self._closed.is_set()

    def _finish(self) -> None:
        """Leave in the store what was answered, and only then dismiss the requests; what cannot be done now is later.

        So whoever asks again, not knowing whether he has, finds his request there, or an answer.
        """
        while self._unsent:
            self._backend.answer(*self._unsent[0])
            del self._unsent[0]
        if self._obeyed:
            self._backend.dismiss(self._obeyed)
            self._obeyed = []

    def _hand_on(self, asked: Sequence[tuple[str, bytes]]) -> None:
        """Hand requests on, each once; those of a job that somebody has for long, who holds up no other, wait."""
        busy: set[str] = set()
        for job_id, request in asked:
            answer = None if job_id in busy else self._answer(job_id, request)
            if answer is None:
                busy.add(job_id)
                continue
            self._obeyed.append((job_id, request))
            if not answer.is_done and (key := key_of(request)):  # what is done is on disk, and that it is
                self._unsent.append((job_id, key, write_answer(answer)))

    def _answer(self, job_id: str, request: bytes) -> Answer | None:
        """Hand a request on, and say what has become of it; None for nothing yet.

        Whatever is raised, as by a class of the user's of which data are made, is for who asked, and ends nothing here.
        """
        servant = self._servants.get(job_id)
        if servant is None:  # it is just being taken up here, or has just been let go
            return Answer()
        try:
            return servant.obey(request, TURN)
        except BaseException as error:  # noqa: BLE001 - see the docstring
            refusal = _words(error)
            extra = {"action": "obey", "job_id": job_id}
            logger.warning("job %s cannot do what it was asked for: %s", job_id, refusal, extra=extra)
            is_lost = isinstance(error, OwnershipLost | StoreUnavailableError)  # the next owner is to be asked
            return Answer() if is_lost else Answer(refusal=refusal)


def _words(error: BaseException) -> str:
    """What an error says, whatever it is; of one that is not of this library, its type, too."""
    described = describe(error, None, None)
    if isinstance(error, (RoutiluxError, SeriluxError)):
        return described.message
    return f"{described.type}: {described.message}"
