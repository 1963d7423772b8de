"""Jobs that go one activation at a time, on the caller's thread."""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from itertools import count
from random import Random
from typing import Any

from routilux._context import Activation
from routilux._current import current
from routilux._engine.apart import IsHeldUp, Needs
from routilux._engine.attempt import Failure, await_handler, run_handler
from routilux._engine.awaited import Awaited, TimeIsUp
from routilux._engine.coroutines import Cancellable
from routilux._engine.engine import Engine
from routilux._engine.live_job import LiveJob
from routilux._engine.workers import Servable
from routilux._records import Data, Task
from routilux.errors import BlockingCallError, DefinitionError, RoutiluxError
from routilux.flow import Flow
from routilux.job_state import JobState
from routilux.testing.virtual_clock import VirtualClock


class StuckError(RoutiluxError, RuntimeError):
    """Somebody waits for a job that has nothing left to run and no timer to wait for."""


class Attempt:
    """An activation whose handler is called, and which is committed, when the test says so."""

    def __init__(self, live: LiveJob, activation: Activation) -> None:
        self.live = live
        self._activation = activation
        self._failure: Failure = None
        self.has_run = False

    @property
    def task(self) -> Task:
        """The task that was taken."""
        return self._activation.task

    @property
    def routine_id(self) -> str:
        """The routine whose handler it is."""
        return self._activation.task.target.routine_id

    def run(self) -> "Attempt":
        """Call the handler."""
        self.has_run = True
        if self._activation.handler.is_async:
            self._failure = asyncio.run(await_handler(self._activation))
        else:
            self._failure = run_handler(self._activation)
        current.set(None)
        return self

    def commit(self) -> None:
        """Commit what the handler did, or what its failure means."""
        self.live.finish(self._activation, self._failure)
        self.live.submit()


class StepRunner:
    """Runs jobs without threads: flows made with `engine_factory=runner.engine` go when `step` or `run` is called.

    A blocking call (`wait`, `execute`) on such a flow runs steps, and moves the clock on to the next timer when there
    are none, until it can return; StuckError where it never could.

    With a `seed`, concurrent activations overlap: a step is then that one begins and its handler is called, or that one
    is committed, as the seed chooses.
    """

    def __init__(self, clock: VirtualClock | None = None, *, seed: int | None = None) -> None:
        self.clock = clock or VirtualClock()
        self._queue: deque[LiveJob] = deque()
        self._random = None if seed is None else Random(seed)
        self._begun: list[Attempt] = []
        self._asked: deque[Callable[[], None]] = deque()
        self._ids = count(1)

    def engine(self, flow_id: str, max_workers: int) -> Engine:
        """An engine for a flow; give this method to `Flow` as its `engine_factory`."""
        return _SteppedEngine(self, max_workers)

    def new_id(self) -> str:
        """Ids that are the same in each run of a test."""
        return f"job-{next(self._ids)}"

    def start(self, flow: Flow, entry_routine_id: str, entry_params: Data | None = None, **settings: Any) -> JobState:
        """Start a job without running its entry yet; `settings` are those of `Flow.execute`.

        DefinitionError for a flow that was not made with `engine_factory=runner.engine`: it would run elsewhere.
        """
        if flow._engine_factory != self.engine:
            raise DefinitionError(
                f"flow {flow.flow_id!r} does not run on this StepRunner; make it with "
                f"Flow(..., engine_factory=runner.engine)"
            )
        return flow.start(entry_routine_id, entry_params, **settings)

    def enqueue(self, job: LiveJob) -> None:
        """Remember a job that has something to run."""
        job.queued = self
        self._queue.append(job)

    def ask(self, call: Callable[[], None]) -> None:
        """Remember what is to be done by the next step."""
        self._asked.append(call)

    def begin(self, job_state: JobState) -> Attempt | None:
        """Take a job's next task; None where nothing may start now. Several begun at once are concurrent."""
        return self._begin(job_state._live)

    @staticmethod
    def _begin(live: LiveJob) -> Attempt | None:
        activation = live.next_activation()
        return None if activation is None else Attempt(live, activation)

    def reload(self, flow: Flow, job_state: JobState) -> tuple[Flow, JobState]:
        """Write both documents as JSON text, let the job go as if its process had died, and resume it from the text."""
        flow_text = json.dumps(flow.serialize(), allow_nan=False)
        job_text = json.dumps(job_state.serialize(), allow_nan=False)
        self.abandon(job_state)
        read_flow, read_job = Flow(engine_factory=self.engine, resources=flow.resources), JobState()
        read_flow.deserialize(json.loads(flow_text))
        flow._give_secrets(read_flow)
        read_job.deserialize(json.loads(job_text))
        return read_flow, read_flow.resume(read_job)

    def abandon(self, job_state: JobState) -> None:
        """Let go of a job as if its process had died."""
        job_state._live.abandon()
        self._begun = [attempt for attempt in self._begun if attempt.live is not job_state._live]
        with suppress(ValueError):
            self._queue.remove(job_state._live)

    def step(self) -> bool:
        """Run one activation of the job whose turn it is; False where no job has one to run.

        What a handler of what is logged has asked of a flow (`shutdown`) is done first, as a step of its own.
        """
        return self._do_what_was_asked() or self._step()

    def _do_what_was_asked(self) -> bool:
        """False where nothing was, or the handler that waits here keeps it from being done."""
        if not self._asked:
            return False
        call = self._asked.popleft()
        try:
            call()
        except BlockingCallError:
            self._asked.appendleft(call)
            return False
        return True

    def _step(self) -> bool:
        return self._step_in_turn() if self._random is None else self._step_by_chance(self._random)

    def _step_by_chance(self, random: Random) -> bool:
        choices: list[Attempt | LiveJob] = [*self._begun, *self._queue]
        while choices:
            chosen = choices.pop(random.randrange(len(choices)))
            if isinstance(chosen, Attempt):
                self._begun.remove(chosen)
                chosen.commit()
                return True
            if self._begin_one_more(chosen):
                return True
        return False

    def _begin_one_more(self, job: LiveJob) -> bool:
        """Begin an activation, where the job may have one more in flight."""
        in_flight = [attempt for attempt in self._begun if attempt.live is job]
        width = job.engine.max_workers if isinstance(job.engine, _SteppedEngine) else 1
        attempt = self._begin(job) if len(in_flight) < width else None
        if attempt is not None:
            self._begun.append(attempt.run())
        elif not in_flight:
            self._queue.remove(job)
            job.queued = None
        return attempt is not None

    def _step_in_turn(self) -> bool:
        while self._queue:
            job = self._queue.popleft()
            if job.queued is not self:  # it goes on elsewhere
                continue
            job.queued = None
            attempt = self._begin(job)
            if attempt is not None:
                attempt.run().commit()
                return True
        return False

    def run_ready(self) -> None:
        """Run until nothing can go on without time or somebody's doing; the clock does not move."""
        while self.step():
            pass

    def run(self) -> None:
        """Run until nothing can go on without somebody's doing, moving the clock from timer to timer."""
        while self.step() or self.clock.advance_to_next_timer():
            pass

    def run_until(self, awaited: Awaited, deadline: float | None) -> None:
        """Run until it has come true; TimeIsUp if the clock passes the deadline before."""
        while not awaited.is_done:
            if self.step() or awaited.is_done:
                continue
            timer = self.clock.next_timer
            if deadline is not None and (timer is None or timer > deadline):
                self.clock.advance(max(deadline - self.clock.now(), 0.0))
                raise TimeIsUp
            if not self.clock.advance_to_next_timer():
                raise StuckError("nothing is left to run, and no timer to wait for: this wait would never end")


class _SteppedWorkers:
    is_in_use = False

    def __init__(self, runner: StepRunner) -> None:
        self._runner = runner

    def stand_by(self) -> None:
        pass

    def submit(self, job: Servable) -> None:
        if job.queued is not self._runner:
            assert isinstance(job, LiveJob)
            self._runner.enqueue(job)

    def replace_stuck(self) -> None:
        pass

    def retire(self) -> bool:
        return False

    def close(self) -> None:
        pass


class _NoCoroutines:
    def start(self, coroutine: Coroutine[Any, Any, None]) -> Cancellable:
        raise NotImplementedError("a StepRunner awaits async handlers itself")

    def close(self) -> None:
        pass


class _SteppedEngine(Engine):
    def __init__(self, runner: StepRunner, max_workers: int) -> None:
        super().__init__(runner.clock, _SteppedWorkers(runner), _NoCoroutines(), runner.new_id)
        self.max_workers = max_workers
        self._runner = runner

    def wait_for(self, awaited: Awaited, timeout: float | None = None) -> None:
        self._runner.run_until(awaited, None if timeout is None else self._runner.clock.now() + timeout)

    def shut_down_apart(self, call: Callable[[], None], needs: Needs, is_held_up: IsHeldUp) -> None:
        self._runner.ask(call)
