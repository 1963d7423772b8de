"""A job that goes by single moves: a task is taken, its handler is called, what that did is committed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import NamedTuple

from routilux._model import JobStatus, SlotKey
from routilux._records import Data
from routilux.flow import Flow
from routilux.job_state import JobState
from routilux.testing.step_runner import Attempt, StepRunner


class Delivery(NamedTuple):
    """What somebody gives to a task that waits (`Routine.expect`), as soon as nothing else can go on."""

    routine_id: str
    slot: str
    data: Data


class MoveKind(StrEnum):
    """What a move does."""

    TAKE = "was taken, its handler not called"
    RUN = "has run, nothing of it committed"
    COMMIT = "was committed"
    DELIVER = "was delivered to"
    WAIT = "the clock went on to the next timer"


class Move(NamedTuple):
    """One move of a job; `target` is the slot of the task that it is about, `task` its number."""

    kind: MoveKind
    target: str = ""
    task: int = 0
    attempt: int = 0

    def __str__(self) -> str:
        if self.kind is MoveKind.WAIT:
            return self.kind.value
        return f"task {self.task} of {self.target}, attempt {self.attempt}, {self.kind.value}"


@dataclass
class Progress:
    """How far a run has come, on whatever hosts: what outlives a host that dies.

    `most` is how many moves are made before it is said that the job does not come to an end. `handing` is the number of
    the task that was being delivered to when a host died, if one was: whether it has been, the next host sees.
    """

    random: Random
    deliveries: Sequence[Delivery]
    most: int
    delivered: int = 0
    handing: int | None = None
    moves: list[Move] = field(default_factory=list)

    def start_over(self) -> None:
        """Begin again: nothing of the job has outlived its first host."""
        self.delivered, self.handing = 0, None


class Course:
    """One job on one host; a seed chooses the order in which concurrent activations go."""

    def __init__(self, runner: StepRunner, flow: Flow, job_state: JobState, progress: Progress) -> None:
        self.runner = runner
        self.flow = flow
        self.job_state = job_state
        self.progress = progress
        self.in_flight: list[Attempt] = []
        self._width = flow.max_workers if job_state._live.graph.concurrent else 1
        self._find_out_what_was_delivered()

    def _find_out_what_was_delivered(self) -> None:
        handing, self.progress.handing = self.progress.handing, None
        if handing is not None and handing not in self.job_state._job.expecting.tasks:
            self.progress.delivered += 1

    def move(self) -> Move | None:
        """Make one move; None where nothing can go on, or the job runs no more."""
        if self.job_state._job.status is not JobStatus.RUNNING:
            return None
        move = self._activate() or self._deliver() or self._wait()
        if move is not None:
            self.progress.moves.append(move)
            self._check_end()
        return move

    def _check_end(self) -> None:
        most = self.progress.most
        if len(self.progress.moves) > most:
            raise RuntimeError(f"job {self.job_state.job_id!r} has made {most} steps, and goes on; does it ever end?")

    def _activate(self) -> Move | None:
        choices: list[Attempt | None] = [*self.in_flight]
        if len(self.in_flight) < self._width:
            choices.append(None)
        while choices:
            chosen = self.progress.random.choice(choices)
            choices.remove(chosen)
            move = self._begin() if chosen is None else self._go_on(chosen)
            if move is not None:
                return move
        return None

    def _begin(self) -> Move | None:
        attempt = self.runner.begin(self.job_state)
        if attempt is None:
            return None
        self.in_flight.append(attempt)
        return _move(MoveKind.TAKE, attempt)

    def _go_on(self, attempt: Attempt) -> Move:
        if not attempt.has_run:
            attempt.run()
            return _move(MoveKind.RUN, attempt)
        self.in_flight.remove(attempt)
        attempt.commit()
        return _move(MoveKind.COMMIT, attempt)

    def _deliver(self) -> Move | None:
        """Give the next delivery to whoever waits for it."""
        progress, waiting = self.progress, self.job_state._job.expecting
        if self.in_flight or progress.delivered == len(progress.deliveries):
            return None
        routine_id, slot, data = progress.deliveries[progress.delivered]
        task = waiting.oldest(SlotKey(routine_id, slot))
        if task is None:
            return None
        progress.handing = task.number
        self.flow.deliver(self.job_state, routine_id, slot, data)
        progress.handing, progress.delivered = None, progress.delivered + 1
        return Move(MoveKind.DELIVER, str(task.target), task.number, task.retry_count + 1)

    def _wait(self) -> Move | None:
        gone_on = not self.in_flight and self.runner.clock.advance_to_next_timer()
        return Move(MoveKind.WAIT) if gone_on else None


def _move(kind: MoveKind, attempt: Attempt) -> Move:
    task = attempt.task
    return Move(kind, str(task.target), task.number, task.retry_count + 1)
