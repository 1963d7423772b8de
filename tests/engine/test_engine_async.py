"""Async handlers and the awaitable forms: one loop, no thread each."""

import asyncio
import contextvars
import gc
import logging
import threading
from queue import SimpleQueue
from typing import Any

import pytest

from routilux import BlockingCallError, JobFailedError, JobStateError, Routine
from routilux._engine import live_job, running_job
from routilux._engine.coroutines import LazyLoopThread
from routilux.errors import RoutiluxError
from routilux.testing import StepRunner
from tests.engine.engine_parts import EngineAsker, StandInLock, emitted, events_of, flow_of, pipeline, retrying, routine
from tests.engine.test_engine_threads import in_background, running, sending, stuck
from tests.interruptions import interrupted
from tests.patience import PATIENCE, until, wait_for_threads

Ended = SimpleQueue[str]
"""Tells how handlers have ended."""

request: contextvars.ContextVar[str] = contextvars.ContextVar("request", default="none")


def waiting(entered: threading.Event, ended: Ended, **options: Any) -> Routine:
    """Waits until it is cancelled, and tells how it ended."""

    async def work(self: Routine) -> None:
        self.emit("out", value=1)
        entered.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.put("cancelled")
            raise

    return routine(work, "out", **options)


def test_a_thousand_handlers_wait_at_once_and_cost_no_thread_each() -> None:
    gate: list[Any] = []
    here: list[int] = []

    async def wait(self: Routine, value: int) -> None:
        if not gate:
            gate.append(asyncio.Event())
        here.append(value)
        if len(here) == 1000:
            here.append(threading.active_count())
            gate[0].set()
        await gate[0].wait()
        self.emit("out", value=value)

    before = threading.active_count()
    flow = flow_of(links=("a.out>b",), execution_strategy="concurrent", a=sending(1000), b=routine(wait, "out"))
    with running(flow):
        job_state = flow.execute("a")
        assert job_state.wait(PATIENCE, raise_on_failure=True)
    assert here[1000] <= before + 4 + 2
    assert job_state.get_routine_state("b")["status"] == "completed"


def test_a_sequential_job_awaits_one_handler_at_a_time() -> None:
    now = [0, 0]

    async def wait(self: Routine, value: int) -> None:
        now[0] += 1
        now[1] = max(now)
        await asyncio.sleep(0)
        now[0] -= 1

    flow = flow_of(links=("a.out>b",), a=sending(50), b=routine(wait))
    with running(flow):
        assert flow.execute("a").wait(PATIENCE, raise_on_failure=True)
    assert now[1] == 1


def test_sync_and_async_handlers_take_turns() -> None:
    order: list[str] = []

    async def one(self: Routine, value: int) -> None:
        order.append(f"async {value}")
        if value < 20:
            self.emit("out", value=value + 1)

    def two(self: Routine, value: int) -> None:
        order.append(f"sync {value}")
        self.emit("out", value=value + 1)

    flow = flow_of(links=("a.out>b", "b.out>a"), a=routine(one, "out"), b=routine(two, "out"))
    with running(flow):
        assert flow.execute("a", {"value": 0}).wait(PATIENCE, raise_on_failure=True)
    assert order == [f"{'sync' if value % 2 else 'async'} {value}" for value in range(21)]


def test_retries_of_async_handlers() -> None:
    async def work(self: Routine) -> None:
        context = self.get_execution_context()
        assert context is not None
        self.emit("out", attempt=context.attempt)
        await asyncio.sleep(0)
        if context.attempt < 3:
            raise ValueError

    part = routine(work, "out")
    part.set_error_handler(retrying(2, 0.001))
    flow = flow_of(a=part)
    with running(flow):
        job_state = flow.execute("a")
        assert job_state.wait(PATIENCE, raise_on_failure=True)
    assert emitted(job_state, "out") == [{"attempt": 3}]


def test_an_async_handler_that_takes_too_long_is_cancelled() -> None:
    entered, ended = threading.Event(), Ended()
    part = waiting(entered, ended, timeout=0.05)
    flow = flow_of(a=part, free=routine(lambda self: None))
    with running(flow):
        job_state = flow.execute("a")
        assert job_state.status == "failed"
        assert job_state.error is not None and job_state.error.type == "routilux.errors.ActivationTimeout"
        assert emitted(job_state, "out") == []
        assert ended.get(timeout=PATIENCE) == "cancelled"


def test_a_retry_of_an_async_handler_that_took_too_long() -> None:
    async def work(self: Routine) -> None:
        context = self.get_execution_context()
        assert context is not None
        if context.attempt == 1:
            await asyncio.Event().wait()
        self.emit("out", attempt=context.attempt)

    part = routine(work, "out", timeout=0.05)
    part.set_error_handler(retrying(5, 0.001))
    flow = flow_of(a=part)
    with running(flow):
        job_state = flow.execute("a")
        assert job_state.wait(PATIENCE, raise_on_failure=True)


def test_the_timeout_of_a_job_cancels_its_async_handlers() -> None:
    entered, ended = threading.Event(), Ended()
    flow = flow_of(a=waiting(entered, ended))
    with running(flow):
        job_state = flow.execute("a", timeout=0.05)
        assert job_state.error is not None and job_state.error.type == "routilux.errors.JobTimeout"
        if entered.is_set():
            assert ended.get(timeout=PATIENCE) == "cancelled"


def test_a_cancel_reaches_an_async_handler_as_cancelled_error() -> None:
    entered, ended = threading.Event(), Ended()
    flow = flow_of(
        links=("start.out>a",), start=routine(lambda self: self.emit("out"), "out"), a=waiting(entered, ended)
    )
    with running(flow):
        job_state = flow.execute("start")
        assert entered.wait(PATIENCE)
        flow.cancel(job_state)
        assert job_state.status == "cancelled"
        assert ended.get(timeout=PATIENCE) == "cancelled"
        assert events_of(job_state) == [("start", "start"), ("start", "out")]


def test_an_async_handler_may_cancel_its_own_job() -> None:
    ended = SimpleQueue[str]()

    async def work(self: Routine) -> None:
        context = self.get_execution_context()
        assert context is not None
        context.flow.cancel(context.job_state)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.put("cancelled")
            raise

    flow = flow_of(a=routine(work))
    with running(flow):
        job_state = flow.execute("a")
        assert job_state.status == "cancelled"
        assert ended.get(timeout=PATIENCE) == "cancelled"


def test_a_handler_that_cancels_its_own_task_loses_no_other() -> None:
    taken: list[int] = []

    async def work(self: Routine, value: int) -> None:
        taken.append(value)
        task = asyncio.current_task()
        assert task is not None
        task.cancel()

    flow = flow_of(links=("a.out>b",), a=sending(10), b=routine(work))
    with running(flow):
        job_state = flow.execute("a")
        assert job_state.wait(PATIENCE)
        assert job_state.status == "completed"
    assert taken == list(range(10))


def test_an_async_handler_flushes() -> None:
    entered, release = threading.Event(), []

    async def work(self: Routine) -> None:
        release.append((asyncio.get_running_loop(), asyncio.Event()))
        self.emit("out", value=1)
        self.flush()
        entered.set()
        await release[0][1].wait()
        self.emit("out", value=2)

    flow = flow_of(a=routine(work, "out"))
    with running(flow):
        thread, outcome = in_background(flow.execute, "a")
        assert entered.wait(PATIENCE)
        loop, event = release[0]
        loop.call_soon_threadsafe(event.set)
        thread.join(PATIENCE)
        assert emitted(outcome[0], "out") == [{"value": 1}, {"value": 2}]


def test_tasks_that_a_handler_starts_are_inside_of_it() -> None:
    async def work(self: Routine, value: int) -> None:
        request.set(f"request {value}")

        async def part(index: int) -> None:
            await asyncio.sleep(0)
            self.emit("out", value=value, index=index, request=request.get())

        await asyncio.gather(part(0), part(1))

    flow = flow_of(links=("a.out>b",), execution_strategy="concurrent", a=sending(20), b=routine(work, "told"))
    flow.routines["b"].define_event("out")
    with running(flow):
        job_state = flow.execute("a")
        assert job_state.wait(PATIENCE, raise_on_failure=True)
    told = [r.data for r in job_state.execution_history if (r.routine_id, r.event_name) == ("b", "out")]
    assert sorted((data["value"], data["index"]) for data in told) == [(v, i) for v in range(20) for i in range(2)]
    assert all(data["request"] == f"request {data['value']}" for data in told)


def test_a_handler_pauses_its_own_job_without_waiting_for_itself() -> None:
    async def work(self: Routine) -> None:
        context = self.get_execution_context()
        assert context is not None
        self.emit("out")
        await context.flow.pause_async(context.job_state, "inside")
        assert context.job_state.status == "running"

    flow = flow_of(links=("a.out>b",), a=routine(work, "out"), b=routine(lambda self: None))
    with running(flow):
        job_state = flow.execute("a")
        assert (job_state.status, len(job_state.pending_tasks)) == ("paused", 1)


@pytest.mark.parametrize("verb", ["execute", "wait", "pause"])
def test_the_awaitable_forms_are_refused_inside_too(verb: str) -> None:
    async def work(self: Routine) -> None:
        flow = self.get_execution_context().flow
        with pytest.raises(BlockingCallError):
            await {
                "execute": lambda: flow.execute_async("a"),
                "wait": other.wait_async,
                "pause": lambda: flow.pause_async(other),
            }[verb]()

    flow = flow_of(a=routine(work), ask=EngineAsker())
    with running(flow):
        other = flow.execute("ask")
        assert flow.execute("a").wait(PATIENCE, raise_on_failure=True)


def test_the_step_runner_awaits_async_handlers() -> None:
    async def work(self: Routine, value: int) -> None:
        await asyncio.sleep(0)
        self.emit("out", value=value)

    job_state = flow_of(StepRunner(), a=routine(work, "out")).execute("a", {"value": 1})
    assert emitted(job_state, "out") == [{"value": 1}]


# From an asyncio program.


def test_an_asyncio_program_executes_waits_pauses_and_resumes() -> None:
    async def program() -> list[Any]:
        with pipeline() as flow:
            job_state = await flow.execute_async("source", {"count": 3})
            await flow.pause_async(job_state, "lunch")
            assert job_state.status == "paused"
            assert await job_state.wait_async(timeout=0.001) is False
            flow.resume(job_state)
            assert await job_state.wait_async(PATIENCE)
            return job_state.shared_log

    assert asyncio.run(program()) == [0, 0, 1, 2, 2, 4]


def test_many_jobs_are_awaited_at_once() -> None:
    async def program() -> list[int]:
        with pipeline(execution_strategy="concurrent") as flow:

            async def one(count: int) -> int:
                job_state = await flow.execute_async("source", {"count": count})
                assert await job_state.wait_async()
                return len(job_state.shared_log)

            return await asyncio.gather(*(one(count) for count in range(20)))

    assert asyncio.run(program()) == [2 * count for count in range(20)]


def test_awaiting_does_not_block_the_callers_loop() -> None:
    entered, release = threading.Event(), threading.Event()

    def work(self: Routine) -> None:
        entered.set()
        release.wait(PATIENCE)

    async def program() -> bool:
        started = asyncio.create_task(flow.execute_async("a"))
        assert await asyncio.to_thread(entered.wait, PATIENCE)
        assert not started.done()
        release.set()
        return await (await started).wait_async()

    flow = flow_of(a=routine(work))
    with running(flow, release):
        assert asyncio.run(program())


def test_pausing_does_not_block_the_callers_loop_while_a_predicate_is_asked() -> None:
    asked, release, in_time = threading.Event(), threading.Event(), list[bool]()

    def look(data: dict[str, Any]) -> bool:
        asked.set()
        in_time.append(release.wait(PATIENCE))
        return True

    async def program() -> None:
        job_state = flow.start("a")
        assert await asyncio.to_thread(asked.wait, PATIENCE)
        pausing = asyncio.create_task(flow.pause_async(job_state))
        asyncio.get_running_loop().call_soon(release.set)  # when that has begun to wait
        await pausing
        assert job_state.status == "paused"

    flow = flow_of(a=routine(lambda self: None, when=look))
    with running(flow, release):
        asyncio.run(program())
    assert in_time == [True]


def test_a_coroutine_runs_nothing_more_of_a_job_that_goes_on_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    ran, moved = list[str](), threading.Event()

    async def send(self: Routine) -> None:
        self.emit("out")
        self.emit("out")

    async def work(self: Routine) -> None:
        ran.append(threading.current_thread().name)

    def move() -> None:
        here.pause(job_state)
        there.resume(job_state)

    async def breathe() -> None:
        if not moved.is_set():
            await asyncio.to_thread(begun.wait, PATIENCE)
            await asyncio.to_thread(move)
            moved.set()

    monkeypatch.setattr(live_job, "breathe", breathe)
    runner, begun = StepRunner(), threading.Event()
    here, there = (
        flow_of(*who, flow_id="moved", links=("a.out>b",), a=routine(send, "out"), b=routine(work))
        for who in ((), (runner,))
    )
    job_state = here.start("a")
    begun.set()
    assert moved.wait(PATIENCE)
    here.shutdown()
    wait_for_threads("routilux-loop-moved")
    assert (job_state.status, ran) == ("running", [])
    runner.run()
    assert (job_state.status, ran) == ("completed", [threading.current_thread().name] * 2)


class TakenAtOnce(StandInLock):
    """A lock that another thread takes as soon as its maker has let go of it, once, for as long as it needs it."""

    def __init__(self, lock: Any, release: threading.Event, in_time: list[bool]) -> None:
        super().__init__(lock)
        self._is_armed, self._maker = True, threading.get_ident()
        self._release, self._in_time = release, in_time

    def release(self) -> None:
        self._lock.release()
        if self._is_armed and threading.get_ident() == self._maker and not self._lock._is_owned():
            self._is_armed = False
            taken = threading.Event()
            threading.Thread(target=self._take, args=[taken]).start()
            assert taken.wait(PATIENCE)

    def _take(self, taken: threading.Event) -> None:
        with self._lock:
            taken.set()
            self._in_time.append(self._release.wait(5))

    def __exit__(self, *raised: object) -> None:
        self.release()


def test_pausing_does_not_block_the_callers_loop_where_somebody_is_faster_after_it_has_looked() -> None:
    entered, release, in_time = threading.Event(), threading.Event(), list[bool]()

    async def program() -> None:
        job_state = flow.start("a")
        assert await asyncio.to_thread(entered.wait, PATIENCE)
        job_state._live.lock = TakenAtOnce(job_state._live.lock, release, in_time)
        pausing = asyncio.create_task(flow.pause_async(job_state))
        asyncio.get_running_loop().call_soon(release.set)  # when that has begun to wait
        await pausing
        assert job_state.status == "paused"

    flow = flow_of(a=stuck(entered, release))
    with running(flow, release):
        asyncio.run(program())
    assert in_time == [True]


def test_a_caller_that_gives_up_waiting_harms_nobody() -> None:
    release = threading.Event()

    async def program() -> bool:
        job_state = await flow.execute_async("a")
        waiter = asyncio.create_task(job_state.wait_async())
        asyncio.get_running_loop().call_soon(waiter.cancel)  # when it has begun to wait
        with pytest.raises(asyncio.CancelledError):
            await waiter
        release.set()
        return await job_state.wait_async(PATIENCE)

    flow = flow_of(links=("a.out>b",), a=sending(1), b=routine(lambda self, value: release.wait(PATIENCE) and None))
    with running(flow, release):
        assert asyncio.run(program())


def test_a_caller_that_gives_up_an_execute_leaves_the_job_running() -> None:
    entered, release, done = threading.Event(), threading.Event(), threading.Event()

    def work(self: Routine) -> None:
        entered.set()
        release.wait(PATIENCE)
        done.set()

    async def program() -> None:
        started = asyncio.create_task(flow.execute_async("a"))
        assert await asyncio.to_thread(entered.wait, PATIENCE)
        started.cancel()
        with pytest.raises(asyncio.CancelledError):
            await started

    flow = flow_of(a=routine(work))
    with running(flow, release):
        asyncio.run(program())
        release.set()
        assert done.wait(PATIENCE)


def test_wait_async_raises_if_asked_to() -> None:
    async def program() -> None:
        with flow_of(a=routine(lambda self: 1 / 0)) as flow:
            job_state = await flow.execute_async("a")
            assert await job_state.wait_async()
            with pytest.raises(JobFailedError, match="ZeroDivisionError"):
                await job_state.wait_async(raise_on_failure=True)
            with pytest.raises(JobStateError):
                await flow.pause_async(job_state)

    asyncio.run(program())


# Shutting down.


def test_a_with_statement_waits_for_async_handlers() -> None:
    async def work(self: Routine, value: int) -> None:
        await asyncio.to_thread(leaving.wait, PATIENCE)
        self.emit("out", value=value)

    leaving = threading.Event()
    with flow_of(links=("a.out>b",), execution_strategy="concurrent", a=sending(50), b=routine(work, "out")) as flow:
        job_state = flow.execute("a")
        threading.Thread(target=lambda: (until(lambda: flow._engine.closed), leaving.set())).start()
    assert job_state.status == "completed"


def test_a_shutdown_without_waiting_lets_async_handlers_finish_and_then_pauses(
    caplog: pytest.LogCaptureFixture,
) -> None:
    entered, release = threading.Event(), []

    async def work(self: Routine) -> None:
        release.append((asyncio.get_running_loop(), asyncio.Event()))
        entered.set()
        await release[0][1].wait()
        self.emit("out")

    flow = flow_of(
        flow_id="ending-loop",
        links=("start.out>a", "a.out>b"),
        start=routine(lambda self: self.emit("out"), "out"),
        a=routine(work, "out"),
        b=routine(lambda self: None),
    )
    job_state = flow.execute("start")
    assert entered.wait(PATIENCE)
    loop, event = release[0]
    try:
        with caplog.at_level(logging.DEBUG):
            flow.shutdown(wait=False)
            assert job_state.status == "running"
            loop.call_soon_threadsafe(event.set)
            until(lambda: job_state.status != "running")
        assert (job_state.status, [task["routine_id"] for task in job_state.pending_tasks]) == ("paused", ["b"])
        wait_for_threads("routilux-loop-ending-loop")
        assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    finally:
        if not loop.is_closed():
            loop.call_soon_threadsafe(event.set)


def test_what_handlers_left_running_on_the_loop_is_cancelled_when_the_flow_ends() -> None:
    ended = threading.Event()
    left: list[asyncio.Task[None]] = []

    async def background(begun: asyncio.Event) -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def work(self: Routine) -> None:
        begun = asyncio.Event()
        left.append(asyncio.create_task(background(begun)))
        await begun.wait()

    with flow_of(a=routine(work)) as flow:
        assert flow.execute("a").wait(PATIENCE, raise_on_failure=True)
        assert not ended.is_set()
    assert ended.wait(PATIENCE)


def test_a_handler_that_swallows_its_cancellation_commits_nothing() -> None:
    entered, swallowed = threading.Event(), threading.Event()

    async def work(self: Routine) -> None:
        entered.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed.set()
        self.emit("out", value="late")

    start = routine(lambda self: self.emit("out"), "out")
    flow = flow_of(links=("start.out>a",), start=start, a=routine(work, "out"))
    with running(flow):
        job_state = flow.execute("start")
        assert entered.wait(PATIENCE)
        flow.cancel(job_state)
        before = job_state.serialize()
        assert swallowed.wait(PATIENCE)
        assert flow.execute("start").status == "running"
        assert job_state.serialize() == before


def test_a_loop_that_was_closed_before_its_first_coroutine_ends_with_that() -> None:
    loop, ran = LazyLoopThread("closed-early"), threading.Event()

    async def run() -> None:
        ran.set()

    loop.close()
    loop.start(run())
    assert ran.wait(PATIENCE)
    wait_for_threads("closed-early")


@pytest.mark.parametrize("torn", ["succeed", "take", "Activation"])
def test_a_job_of_coroutines_that_is_torn_is_let_go_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, torn: str
) -> None:
    """Who waits for it would wait for ever."""

    async def go(self: Routine, left: int) -> None:
        if left == 2:
            broken = interrupted(getattr(running_job, torn), before=False, kind=MemoryError)
            monkeypatch.setattr(running_job, torn, broken)
        self.emit("out", left=left - 1)

    flow = flow_of(flow_id="torn", a=routine(go, "out"), links=("a.out>a",))
    with pytest.raises(RoutiluxError, match="was being changed, and nothing of it runs any more"):
        flow.execute("a", {"left": 3}).wait(PATIENCE)
    flow.shutdown()
    wait_for_threads("routilux-loop-torn")
    gc.collect()  # then asyncio tells of the error, and in no later test
    assert "MemoryError" in caplog.text
