"""Shows a store that this process lives, hands on what others ask of its jobs, and gives back what it does not run."""

import os
import threading
from collections.abc import Callable, Sequence
from random import sample
from time import monotonic, time
from typing import NamedTuple
from weakref import ref

from routilux._backends.backend import Backend
from routilux._engine.attempt import describe
from routilux._engine.giving_back import LeftBehind
from routilux._engine.hands import Hands
from routilux._engine.keeping import TURN, Servant
from routilux._engine.refusals import closed_first
from routilux._engine.requests import Answer, key_of, write_answer
from routilux._engine.threads import is_mine, start_thread, tell_of
from routilux._haste import seconds_left
from routilux._logging import logger
from routilux.errors import OwnershipLost, RoutiluxError, StoreError, StoreUnavailableError
from serilux.errors import SeriluxError

ROUND = 1.0
"""Seconds between two looks at what others ask."""
BEAT = 5.0
"""Seconds between two heartbeats."""


class _Held(NamedTuple):
    """A job that runs here, and the epoch under which it does."""

    epoch: int
    servant: Servant


class _Outcome(NamedTuple):
    """What has become of a request: whether there is nothing more to do, and what is to be told whoever asked."""

    is_over: bool
    told: Answer | None = None


_BUSY = _Outcome(is_over=False)
_SEEN = _Outcome(is_over=True)
"""For what is seen in the store: it is done, or the job is lost, and whoever has it next is asked."""


class Keeper:
    """Two threads per store and process, which look into the store while the process owns jobs there.

    One of them only shows that it lives: what is asked of a job may have to wait for its lock, behind users' code, and
    what is given back for the store. The other one looks, too, while somebody here waits for a job that may be others'.
    Where it `is_known` the store may know this owner; else nothing was written that would have to be taken back.
    """

    def __init__(self, backend: Backend, owner: str, hands: Hands, patience: float) -> None:
        self._backend = backend
        self._owner = owner
        self.left_behind = LeftBehind(backend, owner, hands, is_run=self.holds, patience=patience)
        self._lock = threading.RLock()  # entered itself: a Condition could be left locked by a signal
        self._changed = threading.Condition(self._lock)
        self._held: dict[str, _Held] = {}
        self._known: set[ref[Servant]] = set()
        self._waited_for: set[ref[Servant]] = set()
        self._pid = os.getpid()
        self._unsent: list[tuple[str, str, bytes]] = []
        self._obeyed: list[tuple[str, bytes]] = []
        self.is_known = False
        self._beaten_at: float | None = None
        self._checked_at = self._heard_at = monotonic()
        self._heard_by_wall = time()  # which goes on while the machine sleeps
        self._hearing = threading.Lock()
        self._handed_on = 0
        self._failed_at = -ROUND
        self._threads: dict[str, threading.Thread] = {}
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
            self._have_thread("routilux-heart", self.show, self._is_left_with_something)
            self._have_thread("routilux-keeper", self._look, self._has_to_look)

    def _have_thread(self, name: str, work: Callable[[], None], is_needed: Callable[[], bool]) -> None:
        with self._lock:
            if name not in self._threads:
                self._threads[name] = start_thread(name, self._run, work, is_needed)

    def hold(self, job_id: str, epoch: int, servant: Servant) -> None:
        """Look after a job that runs here; StoreError where the store has been closed meanwhile."""
        self.stand_by()
        with self._lock:
            if self._closed.is_set():
                raise closed_first(job_id)
            if not self._held:
                self._changed.notify_all()
            self._held[job_id] = _Held(epoch, servant)
            self.know(servant)

    def know(self, servant: Servant) -> None:
        """Have those who wait for a job told when the store is closed, or others have it, as long as there is that job.

        NoThreadError where no thread can be started that looks. In a fork none does.
        """
        self._known.add(ref(servant, self._known.discard))
        if os.getpid() == self._pid and not self._closed.is_set():
            self._have_thread("routilux-keeper", self._look, self._has_to_look)
            self._waited_for.add(ref(servant, self._waited_for.discard))
            self._wake()

    def let_go(self, job_id: str, servant: object) -> None:
        """Look after a job no longer, unless it runs here by another handle now."""
        with self._lock:
            held = self._held.get(job_id)
            if held is not None and held.servant is servant:
                del self._held[job_id]

    def holds(self, job_id: str, epoch: int) -> bool:
        """Whether a job runs here under that epoch; who still runs it under an earlier one is about to find out."""
        held = self._held.get(job_id)
        return held is not None and held.epoch == epoch

    def leave_behind(self, job_id: str, epoch: int, died: str | None = None) -> None:
        """Give back, as soon as the store lets it, a job that is this process's under that epoch, and is not run.

        `died` is its owner before, if the death of that is not noted.
        """
        self.left_behind.add(job_id, epoch, died)
        self._wake()

    def give_back(self, job_id: str, epoch: int, died: str | None = None) -> None:
        """`leave_behind` a job, and give it back at once. An error where that cannot be; it is tried again later."""
        try:
            self.left_behind.give_back(job_id, epoch, died)
        finally:
            self._wake()

    def _wake(self) -> None:
        with self._lock:
            self._changed.notify_all()

    @property
    def is_in_use(self) -> bool:
        """Whether the calling thread is in the middle of a call that changes what is kept: a signal may have come."""
        return is_mine(self._lock)

    def close(self) -> None:
        """End the threads."""
        with self._lock:
            self._closed.set()
            self._changed.notify_all()

    def join(self) -> None:
        """Return when the threads have ended, after `close`."""
        for thread in list(self._threads.values()):
            thread.join()

    @property
    def is_closed(self) -> bool:
        """Whether nothing is looked after any more."""
        return self._closed.is_set()

    def close_logs(self) -> None:
        """Have nothing more begin of what runs here: others may have it from now on."""
        with self._lock:
            held = self._held.copy()
        for job_id, (_, servant) in held.items():
            servant.close_log(closed_first(job_id))

    def tell_who_waits(self) -> None:
        """Tell those who wait for jobs that their store has been closed, as nobody looks after them any more."""
        for known in self._known.copy():
            if (servant := known()) is not None:
                servant.tell_who_waits()

    def _run(self, work: Callable[[], None], is_needed: Callable[[], bool]) -> None:
        while self._is_there(is_needed):
            try:
                work()
            except StoreError as error:
                if not self._closed.is_set():  # else that is why
                    logger.warning("the store cannot be looked into: %s", error, extra={"action": "keep"})
            except BaseException as error:  # noqa: BLE001 - whatever it is, others wait for what comes next
                tell_of(error)
            self._closed.wait(ROUND)

    def _look(self) -> None:
        """Give back what is not run, find out what is not this process's, hand on what is asked, tell who waits."""
        self.left_behind.give_back_all()
        self._find_out()
        self.hear(0.0)
        self._have_learned()

    def hear(self, since: float) -> None:
        """Hand on what is asked, and answer it, unless all that was asked until `since` seconds ago is by now.

        A request stays in the store until that is done, so that none is lost with a connection; what is still to be
        dismissed is not handed on once more. A caller in haste waits for another thread that is just at it only as long
        as that gets on, and not at all for a store that has just given no answer.
        """
        moment, by_wall, left, so_far = monotonic() - since, time() - since, seconds_left(), -1
        while so_far != self._handed_on and (left is None or monotonic() - self._failed_at >= ROUND):
            so_far = self._handed_on
            if self._hearing.acquire(timeout=-1 if left is None else left):
                try:
                    if self._heard_at < moment or self._heard_by_wall < by_wall:
                        self._hear()
                finally:
                    self._hearing.release()
                return

    def _hear(self) -> None:
        began, by_wall = monotonic(), time()
        self._finish()
        try:
            asked = self._backend.asked(self._owner)
        except StoreUnavailableError:
            self._failed_at = monotonic()
            raise
        is_all = self._hand_on(asked)
        self._finish()
        if is_all:
            self._heard_at, self._heard_by_wall = began, by_wall

    def _find_out(self) -> None:
        """Now and then, have jobs find out that others have them: one that waits for somebody has nothing to write."""
        held, now = self._held.copy(), monotonic()
        if held and now - self._checked_at > BEAT:
            owned = {(record.job_id, record.epoch) for record in self._backend.records(owner=self._owner)}
            doubtful = [servant for job_id, (epoch, servant) in held.items() if (job_id, epoch) not in owned]
            for servant in sample(doubtful, len(doubtful)):  # none waits behind those that somebody has in hand
                servant.find_out(TURN)
                if monotonic() - now > ROUND:  # of the others in the next round: something may be asked
                    return
            self._checked_at = now

    def _have_learned(self) -> None:
        """Have those who wait for jobs learn what others make of these; what takes too long is for the next round."""
        began, waited_for = monotonic(), self._still_waited_for()
        for servant in sample(waited_for, len(waited_for)):
            servant.learn(TURN)
            if monotonic() - began > ROUND / 4:
                return

    def _still_waited_for(self) -> list[Servant]:
        """The jobs for which somebody waits; each is forgotten first, as somebody may begin to wait just then."""
        still = list[Servant]()
        for known in self._waited_for.copy():
            self._waited_for.discard(known)
            if (servant := known()) is not None and servant.is_waited_for:
                self._waited_for.add(known)
                still.append(servant)
        return still

    def _is_there(self, is_needed: Callable[[], bool]) -> bool:
        """Rest until there is something to do; False when there never will be."""
        with self._lock:
            while not (self._closed.is_set() or is_needed()):
                self._changed.wait()
            return not self._closed.is_set()

    def _is_left_with_something(self) -> bool:
        """Whether a job runs here, or there is something to do of one that did."""
        return bool(self._held or self._unsent or self._obeyed) or not self.left_behind.is_empty

    def _has_to_look(self) -> bool:
        return self._is_left_with_something() or bool(self._waited_for)

    def _finish(self) -> None:
        """Leave in the store what was answered, and only then dismiss the requests; what cannot be done now is later.

        So whoever asks again, not knowing whether he has, finds his request there, or an answer.
        """
        while self._unsent:
            self._send(*self._unsent[0])
            del self._unsent[0]
        if self._obeyed:
            self._backend.dismiss(self._obeyed)
            self._obeyed = []

    def _send(self, job_id: str, key: str, answer: bytes) -> None:
        """Leave an answer in the store; one that it does not take, as no other request may wait for it, is dropped."""
        try:
            self._backend.answer(job_id, key, answer)
        except StoreUnavailableError:
            raise
        except StoreError as error:
            extra = {"action": "answer", "job_id": job_id}
            logger.warning("who asked something of job %s cannot be answered: %s", job_id, error, extra=extra)

    def _hand_on(self, asked: Sequence[tuple[str, bytes]]) -> bool:
        """Hand requests on, each once, and say whether those are all.

        Those of a job that somebody has for long, who holds up no other, wait.
        """
        busy: set[str] = set()
        for job_id, request in asked:
            outcome = _BUSY if job_id in busy else self._outcome(job_id, request)
            if not outcome.is_over:
                busy.add(job_id)
                continue
            self._handed_on += 1
            self._obeyed.append((job_id, request))
            if outcome.told is not None and (key := key_of(request)):
                self._unsent.append((job_id, key, write_answer(outcome.told)))
        return not busy

    def _outcome(self, job_id: str, request: bytes) -> _Outcome:
        """Hand a request on, and say what has become of it.

        Whatever is raised, as by a class of the user's of which data are made, is for who asked, and ends nothing here.
        """
        held = self._held.get(job_id)
        if held is None:  # it is just being taken up here, or has just been let go
            return _Outcome(is_over=True, told=Answer())
        try:
            answer = held.servant.obey(request, TURN)
        except BaseException as error:  # noqa: BLE001 - see the docstring
            refusal = _words(error)
            extra = {"action": "obey", "job_id": job_id}
            logger.warning("job %s cannot do what it was asked for: %s", job_id, refusal, extra=extra)
            if isinstance(error, OwnershipLost):
                return _Outcome(is_over=True, told=Answer())
            return _SEEN if held.servant.lost is not None else _Outcome(is_over=True, told=Answer(refusal=refusal))
        if answer is None:
            return _BUSY
        return _SEEN if answer.is_done else _Outcome(is_over=True, told=answer)


def _words(error: BaseException) -> str:
    """What an error says, whatever it is; of one that is not of this library, its type, too."""
    described = describe(error, None, None)
    if isinstance(error, (RoutiluxError, SeriluxError)):
        return described.message
    return f"{described.type}: {described.message}"
