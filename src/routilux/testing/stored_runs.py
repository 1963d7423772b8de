"""A job in a store, and the hosts that run it one after the other, each of which dies when it is told to."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import NoReturn

from routilux._backends.backend import Backend
from routilux._engine.fault_points import FaultPoint
from routilux._engine.keeper import Keeper
from routilux._engine.owner import this_process
from routilux._model import JobStatus
from routilux._records import Data, task_id
from routilux.errors import ResumeError, UnknownJobError
from routilux.flow import Flow
from routilux.job_state import JobState
from routilux.stores.store import Store
from routilux.testing.moves import Course, MoveKind, Progress
from routilux.testing.step_runner import StepRunner
from routilux.testing.trial import Trial

NEVER = float("inf")
MANY = 10**6
HANDLER_RAN = "handler ran"
NOTHING_NEW = frozenset({FaultPoint.RECORDS_WAIT.value, FaultPoint.RECORDS_MADE.value})
"""Moments at which to die is no other than after the last write: what is on disk is the same, and what has run."""
Die = Callable[[], NoReturn]


class HostDied(BaseException):
    """The host has died; nothing that it still does is to be seen."""


def die_here() -> NoReturn:
    """Die within this process."""
    raise HostDied


class Moments:
    """The moments that a host comes to, of which it does not survive one: the fault points, and each handler's end."""

    def __init__(self, last: int | None = None, die: Die = die_here) -> None:
        self.passed: list[str] = []
        self.dead = False
        self._last = last
        self._die = die

    def reached(self, point: FaultPoint) -> None:
        """Come to a fault point."""
        self.come_to(point.value)

    def come_to(self, moment: str) -> None:
        """Come to a moment, or die there; what is dead does nothing more."""
        if self.dead:
            raise HostDied
        self.passed.append(moment)
        if len(self.passed) == self._last:
            self.dead = True
            self._die()


def worst(moments: Sequence[str], at: frozenset[int] | None, alike: frozenset[str]) -> Iterator[int]:
    """The numbers of the moments at which to die is unlike before; of those, the ones that are asked for."""
    for number, moment in enumerate(moments, 1):
        if moment not in alike and (at is None or number in at):
            yield number


def forget(backend: Backend, job_id: str) -> None:
    """Delete a job, if there is one: nobody else is about."""
    record = backend.record(job_id)
    if record is not None:
        backend.delete(record)


class Host:
    """A process with a store of its own, as far as the store can tell; what it does is on disk when it is `strict`."""

    def __init__(self, backend: Backend, runner: StepRunner, moments: Moments) -> None:
        self.runner = runner
        self.moments = moments
        self.store = Store(backend, window=NEVER, max_lost_attempts=MANY)
        ledger = self.store.ledger
        ledger.owner = _no_process()
        ledger.keeper = Keeper(backend, ledger.owner, ledger.hands, ledger.patience)
        ledger.reached = moments.reached

    def start(self, trial: Trial, progress: Progress) -> Course:
        """Start the job."""
        return trial.begin(self.runner, progress, self.store)

    def take_over(self, trial: Trial, progress: Progress) -> Course:
        """Go on with the job from what is stored; from its start if nothing is."""
        try:
            flow, job_state = self.store.load(trial.job_id, flow=lambda: trial.blank(self.runner))
        except UnknownJobError:
            progress.start_over()
            return self.start(trial, progress)
        trial.equip(flow)
        if job_state.status is JobStatus.RUNNING:
            _resume(flow, job_state)
        return Course(self.runner, flow, job_state, progress)

    def finish(self, course: Course) -> None:
        """Let the job come to its end, having each attempt on disk before its handler is called."""
        while (move := course.move()) is not None:
            if move.kind is MoveKind.TAKE:
                course.job_state._live.sync()
            elif move.kind is MoveKind.RUN:
                self.moments.come_to(HANDLER_RAN)
            if self.moments.dead:
                raise HostDied

    def read(self, trial: Trial) -> JobState:
        """The job as it is stored."""
        flow, job_state = self.store.load(trial.job_id, flow=lambda: trial.blank(self.runner))
        job_state._live.graph = flow._compile()[0]
        return job_state

    def left(self, trial: Trial) -> Data | None:
        """The document of what is stored of the job, if anything is."""
        with suppress(UnknownJobError):
            return self.read(trial).serialize()
        return None

    def leave(self) -> None:
        """Write nothing more, and tell of nothing more."""
        self.store.ledger.abandon()
        self.store.ledger.join()


def _resume(flow: Flow, job_state: JobState) -> None:
    """Resume a job; what must not be repeated, and was in flight with a host that died, is tried again."""
    with suppress(ResumeError):
        flow.resume(job_state)
        return
    ambiguous = [task for task in job_state._job.ready if task.ambiguous]
    for task in ambiguous:
        flow.resolve(job_state, task_id(job_state.job_id, task.number), "again")
    if job_state.status is JobStatus.RUNNING or ambiguous:
        flow.resume(job_state)


def _no_process() -> str:
    """The name of an owner like this process, but one that has died already, so that others may take its jobs."""
    about = json.loads(this_process())
    return json.dumps(about | {"pid": os.getpid(), "started": "never"}, sort_keys=True)
