"""A job and the workers that serve it, with workers and a loop that only write down what they are asked."""

import contextvars
import threading
from collections.abc import Coroutine
from typing import Any

from routilux import Flow, Routine
from routilux._engine.engine import Engine
from routilux.testing import StepRunner, VirtualClock
from tests.engine.engine_parts import emitted, flow_of, routine


class NotedWorkers:
    """Workers that never work."""

    is_in_use = False

    def __init__(self) -> None:
        self.asked: list[str] = []

    def stand_by(self) -> None:
        pass

    def submit(self, job: Any) -> None:
        self.asked.append("submit")

    def replace_stuck(self) -> None:
        self.asked.append("replace")

    def retire(self) -> bool:
        self.asked.append("retire")
        return True

    def close(self) -> None:
        pass


class SlowLoop:
    """A loop for which starting a coroutine takes a second; it does not run any."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock, self.started = clock, 0

    def start(self, coroutine: Coroutine[Any, Any, None]) -> "SlowLoop":
        coroutine.close()
        self.started += 1
        self.clock.advance(1.0)
        return self

    def cancel(self) -> None:
        pass

    def close(self) -> None:
        pass


def noted_flow(**parts: Any) -> tuple[Flow, NotedWorkers, SlowLoop]:
    clock = VirtualClock()
    workers, loop = NotedWorkers(), SlowLoop(clock)
    return flow_of(**parts, engine_factory=lambda *_: Engine(clock, workers, loop, lambda: "job")), workers, loop


def test_a_job_that_starts_coroutines_lets_others_have_their_turn() -> None:
    def send(self: Routine) -> None:
        for value in range(3):
            self.emit("out", value=value)

    async def work(self: Routine, value: int) -> None:
        pass

    flow, workers, loop = noted_flow(
        a=routine(send, "out"), b=routine(work), links=("a.out>b",), execution_strategy="concurrent"
    )
    job_state = flow.execute("a")
    workers.asked.clear()
    job_state._live.serve(lambda: True)
    assert (workers.asked[-1], loop.started) == ("submit", 1)


def test_a_handler_that_comes_back_when_its_job_runs_elsewhere_is_taken_back_by_its_own_workers() -> None:
    part = routine(lambda self: None, timeout=5.0)
    flow, workers, _ = noted_flow(a=part)
    elsewhere, others, _ = noted_flow(a=routine(lambda self: None, timeout=5.0))
    job_state = flow.start("a")
    live = job_state._live
    stuck = live.next_activation()
    assert stuck is not None
    flow._engine.clock.advance(5.0)
    elsewhere.retry(job_state)
    live.finish(stuck, None)
    assert [asked for asked in workers.asked if asked != "submit"] == ["replace", "retire"]
    assert set(others.asked) <= {"submit"}


def test_what_goes_on_elsewhere_as_it_is_submitted_is_submitted_there() -> None:
    class Slow(NotedWorkers):
        def submit(self, job: Any) -> None:
            super().submit(job)
            if elsewhere._engine is not None:
                job.engine = elsewhere._engine

    (flow, workers, _), (elsewhere, others, _) = (noted_flow(a=routine(lambda self: None)) for _ in range(2))
    job_state = flow.start("a")
    elsewhere.start("a")
    flow._engine.workers, slow = Slow(), workers
    others.asked.clear()
    job_state._live.submit()
    assert (flow._engine.workers.asked, others.asked, slow.asked) == (["submit"], ["submit"], ["submit"])


def test_a_priority_is_that_of_its_own_emission_though_another_thread_emits_too() -> None:
    """The other thread emits between the moment that an emission is put into the outbox and its being routed."""
    runner = StepRunner()

    def send(self: Routine) -> None:
        context = contextvars.copy_context()
        outbox = Outbox(lambda: context.run(self.emit, "out", value="plain"))
        context_of(self).outbox = outbox
        self.emit_with("out", {"value": "urgent"}, priority=9)

    flow = flow_of(runner, a=routine(send, "out"), b=routine(lambda self, value: None), links=("a.out>b",))
    job_state = flow.execute("a")
    ready = [(task.priority, task.data) for task in job_state._job.ready]
    assert ready == [(9, {"value": "urgent"}), (0, {"value": "plain"})]
    assert emitted(job_state, "out") == [{"value": "urgent"}, {"value": "plain"}]


def context_of(part: Routine) -> Any:
    context = part.get_execution_context()
    assert context is not None
    return context._activation


class Outbox(list[Any]):
    """A list to which, once, another thread appends right behind the first element."""

    def __init__(self, meanwhile: Any) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    def append(self, record: Any) -> None:
        super().append(record)
        meanwhile, self._meanwhile = self._meanwhile, None
        if meanwhile is not None:
            thread = threading.Thread(target=meanwhile)
            thread.start()
            thread.join()
