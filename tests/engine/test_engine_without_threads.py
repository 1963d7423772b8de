"""Where the system gives no thread for a moment; and threads that come to grief."""

import asyncio
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from routilux import Flow, Routine
from routilux._engine import engine as engines
from routilux._engine.clock import SystemClock
from routilux._engine.event_loop import LoopThread, call_in_thread
from routilux._engine.threads import start_thread, tell_of
from routilux._engine.workers import OthersWait, WorkerThreads
from routilux.errors import NoThreadError
from tests.engine.engine_parts import EngineAsker, flow_of, retrying, routine
from tests.engine.test_engine_threads import running
from tests.interruptions import interrupted
from tests.patience import PATIENCE, until, wait_for_threads


class Limit:
    """How many threads of some name cannot be started."""

    def __init__(self) -> None:
        self.name = ""
        self.missing = 0
        self.start = threading.Thread.start

    def of(self, name: str, missing: int = 1) -> None:
        self.name, self.missing = name, missing

    def __call__(self, thread: threading.Thread) -> None:
        if self.missing and self.name in thread.name:
            self.missing -= 1
            raise RuntimeError("can't start new thread")
        self.start(thread)


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Limit:
    made = Limit()
    monkeypatch.setattr(threading.Thread, "start", lambda thread: made(thread))  # noqa: PLW0108 - a function, so that it is bound
    return made


@pytest.fixture
def untold(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What ended a thread, or would have."""
    told: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: told.append(args.exc_type))
    return told


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SystemClock:
    """A clock none of whose threads has been started."""
    clock = SystemClock()
    monkeypatch.setattr(engines, "_SYSTEM_CLOCK", clock)
    return clock


@pytest.fixture(autouse=True)
def threads_end() -> Iterator[None]:
    yield
    for name in ("routilux-few", "few-loop"):
        wait_for_threads(name)


def few(**parts: Any) -> Flow:
    return flow_of(flow_id="few", max_workers=1, **parts)


@pytest.mark.parametrize("thread", ["routilux-few", "routilux-timers"])
def test_a_job_that_cannot_run_is_refused_before_it_begins(limit: Limit, clock: SystemClock, thread: str) -> None:
    flow = few(a=routine(lambda self: None))
    with running(flow):
        limit.of(thread, 3)
        for begin in (flow.execute, flow.start, lambda entry: asyncio.run(flow.execute_async(entry))):
            with pytest.raises(NoThreadError, match=f"'{thread}' cannot be started: can't start new thread; nothing"):
                begin("a")
        assert flow._engine is not None
        assert not flow._engine.jobs
        for begin in (flow.execute, flow.start):
            assert begin("a").wait(PATIENCE, raise_on_failure=True)


def test_a_job_that_cannot_go_on_stays_as_it_was(limit: Limit) -> None:
    flow, other = few(a=EngineAsker()), few(a=EngineAsker())
    with running(flow), running(other):
        job_state = flow.execute("a")
        flow.pause(job_state)
        before = job_state.serialize()
        limit.of("routilux-few")
        with pytest.raises(NoThreadError):
            other.resume(job_state)
        assert job_state.serialize() == before
        other.resume(job_state)
        other.deliver(job_state, "a", "answer", {"text": "yes"})
        assert job_state.wait(PATIENCE, raise_on_failure=True)


def test_where_one_thread_can_be_had_it_does_all_the_work(limit: Limit) -> None:
    def send(self: Routine) -> None:
        for value in range(5):
            self.emit("out", value=value)

    flow = flow_of(
        flow_id="few",
        execution_strategy="concurrent",
        a=routine(send, "out"),
        b=routine(lambda self, value: None),
        links=("a.out>b",),
    )
    with running(flow):
        assert flow.start("a").wait(PATIENCE)
        limit.of("routilux-few", sys.maxsize)
        assert flow.execute("a").wait(PATIENCE, raise_on_failure=True)


def test_a_stuck_worker_is_replaced_when_a_thread_can_be_had(limit: Limit) -> None:
    entered, release = threading.Event(), threading.Event()
    stuck = routine(lambda self: [entered.set(), release.wait(PATIENCE)], timeout=0.001)
    flow = few(a=stuck, b=routine(lambda self: None))
    with running(flow, release):
        assert flow.execute("b").wait(PATIENCE)
        limit.of("routilux-few")
        waiting = flow.start("a")
        assert entered.wait(PATIENCE)
        flow.start("b")  # is behind it in the queue
        assert waiting.wait(PATIENCE)
        until(lambda: not limit.missing)
        assert flow.start("b").wait(PATIENCE)


async def work(self: Routine) -> None:
    await asyncio.sleep(0)


def test_an_async_handler_without_a_loop_has_failed_and_may_be_tried_again(limit: Limit) -> None:
    flow = few(a=routine(work))
    with running(flow):
        limit.of("routilux-loop-few")
        job_state = flow.execute("a")
        assert job_state.wait(PATIENCE)
        assert job_state.error is not None
        assert job_state.error.type == "routilux.errors.NoThreadError"
        flow.retry(job_state)
        assert job_state.wait(PATIENCE, raise_on_failure=True)


def test_an_async_handler_without_a_loop_is_retried_by_its_policy(limit: Limit) -> None:
    part = routine(work)
    part.set_error_handler(retrying(delay=0.001))
    flow = few(a=part)
    with running(flow):
        limit.of("routilux-loop-few", 2)
        assert flow.execute("a").wait(PATIENCE, raise_on_failure=True)


def test_a_loop_that_cannot_be_started_leaves_none_behind(limit: Limit) -> None:
    loop, coroutine = LoopThread("few-loop"), asyncio.sleep(0)
    limit.of("few-loop")
    with pytest.raises(NoThreadError):
        loop.start(coroutine)
    assert loop._loop is None
    ended = threading.Event()

    async def end() -> None:
        await coroutine
        ended.set()

    loop.start(end())
    assert ended.wait(PATIENCE)
    loop.close()


def test_timers_go_off_without_threads_to_do_so_on(limit: Limit, clock: SystemClock) -> None:
    part = routine(lambda self: 1 / (self.get_execution_context().attempt - 1))
    part.set_error_handler(retrying(delay=0.001))
    flow = few(a=part)
    with running(flow):
        limit.of("routilux-alarms")
        assert flow.execute("a").wait(PATIENCE, raise_on_failure=True)
        assert not limit.missing


def test_a_timer_that_raises_costs_no_other_its_thread(
    limit: Limit, clock: SystemClock, untold: list[type[BaseException]]
) -> None:
    limit.of("routilux-alarms")
    gone_off = threading.Event()
    clock.call_at(0.0, sys.exit)
    clock.call_at(0.0, gone_off.set)
    assert gone_off.wait(PATIENCE)
    assert untold == [SystemExit]


def test_a_call_that_cannot_wait_in_a_thread_is_not_made(limit: Limit) -> None:
    made: list[int] = []

    async def ask() -> None:
        limit.of("asyncio", 1)
        with pytest.raises(NoThreadError, match="can't start new thread"):
            await call_in_thread(lambda: made.append(1))
        await call_in_thread(lambda: made.append(2))

    asyncio.run(ask())
    assert made == [2]


def test_what_is_not_a_matter_of_threads_is_raised_as_it_is() -> None:
    def fail() -> None:
        raise RuntimeError("of its own")

    with pytest.raises(RuntimeError, match="of its own"):
        asyncio.run(call_in_thread(fail))


def test_memory_may_be_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(thread: threading.Thread) -> None:
        raise MemoryError

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(NoThreadError, match="'any' cannot be started: MemoryError"):
        start_thread("any", print)


# Workers that die.


class Job:
    """Something to be served, by calling a function."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.call = call
        self.queued: object = None
        self.served = threading.Event()

    def serve(self, others_wait: OthersWait) -> None:
        try:
            self.call()
        finally:
            self.served.set()


@pytest.mark.parametrize("error", [KeyError, SystemExit, KeyboardInterrupt])
def test_a_worker_that_dies_is_replaced(error: type[BaseException], untold: list[Any]) -> None:
    workers = WorkerThreads(1, "routilux-few")
    go_on = threading.Event()

    def die() -> None:
        go_on.wait(PATIENCE)
        raise error

    for _ in range(3):
        go_on.clear()
        dying, waiting = Job(die), Job(lambda: None)
        workers.submit(dying)
        workers.submit(waiting)
        go_on.set()
        assert waiting.served.wait(PATIENCE)
        late = Job(lambda: None)
        workers.submit(late)
        assert late.served.wait(PATIENCE)
    until(lambda: (len(workers._threads), workers._idle) == (1, 1))
    workers.close()
    assert set(untold) <= {error}


def test_a_worker_that_dies_while_nobody_waits_is_replaced_by_the_next_job(untold: list[Any]) -> None:
    workers = WorkerThreads(1, "routilux-few")
    workers.submit(Job(sys.exit))
    until(lambda: not workers._threads)
    late = Job(lambda: None)
    workers.submit(late)
    assert late.served.wait(PATIENCE)
    workers.close()


def test_a_worker_whose_starter_is_interrupted_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    workers, start = WorkerThreads(1, "routilux-few"), threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        workers.stand_by()
    until(lambda: (len(workers._threads), workers._idle) == (1, 1))
    late = Job(lambda: None)
    workers.submit(late)
    assert late.served.wait(PATIENCE)
    until(lambda: workers._idle)
    assert (len(workers._threads), workers._idle) == (1, 1)
    workers.close()


def test_a_job_whose_submitter_is_interrupted_is_served() -> None:
    class Jobs(deque[Any]):
        """A queue that a signal may come behind."""

    workers, job = WorkerThreads(1, "routilux-few"), Job(lambda: None)
    workers.stand_by()
    until(lambda: workers._changed._waiters)  # type: ignore[attr-defined]
    jobs = Jobs()
    workers._jobs, jobs.append = jobs, interrupted(jobs.append, before=False)  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        workers.submit(job)
    assert job.served.wait(PATIENCE)
    workers.close()


def test_a_worker_is_counted_whose_starter_is_interrupted_as_he_counts_it() -> None:
    class Threads(set[threading.Thread]):
        """A set that a signal may come behind."""

    workers, threads = WorkerThreads(1, "routilux-few"), Threads()
    workers._threads, threads.add = threads, interrupted(threads.add, before=False)  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        workers.stand_by()
    until(lambda: (len(workers._threads), workers._idle) == (1, 1))
    late = Job(lambda: None)
    workers.submit(late)
    assert late.served.wait(PATIENCE)
    workers.close()


def test_a_signal_may_have_a_job_submitted_and_workers_closed_in_the_middle_of_a_submit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workers, job, other = WorkerThreads(1, "routilux-few"), Job(lambda: None), Job(lambda: None)

    def signalled() -> None:
        monkeypatch.undo()
        workers._find_worker()
        workers.submit(other)
        workers.close()

    workers.stand_by()
    monkeypatch.setattr(workers, "_find_worker", signalled)
    threading.Thread(target=workers.submit, args=(job,), daemon=True).start()
    assert job.served.wait(PATIENCE) and other.served.wait(PATIENCE)


def test_workers_that_cannot_be_had_leave_the_job_as_it_was(limit: Limit) -> None:
    workers, job = WorkerThreads(1, "routilux-few"), Job(lambda: None)
    limit.of("routilux-few")
    with pytest.raises(NoThreadError):
        workers.submit(job)
    assert (job.queued, len(workers._jobs)) == (None, 0)
    workers.submit(job)
    assert job.served.wait(PATIENCE)
    workers.close()


# Loops that are hit by what is raised around coroutines.


def test_a_loop_goes_on_although_asyncios_own_log_raises(untold: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise KeyError("request_id")

    monkeypatch.setattr(asyncio.log.logger, "error", refuse)

    def fail() -> None:
        raise ValueError("in a callback")

    async def leave_a_callback(self: Routine) -> None:
        asyncio.get_running_loop().call_soon(fail)

    flow = few(a=routine(leave_a_callback))
    with running(flow):
        for _ in range(2):
            assert flow.start("a").wait(PATIENCE, raise_on_failure=True)
        until(lambda: len(untold) == 2)
    assert untold == [KeyError, KeyError]


def test_a_hook_that_raises_is_not_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda args: sys.exit())
    tell_of(ValueError())


def test_a_job_is_served_by_the_workers_that_it_has_by_now_and_by_no_former_ones() -> None:
    former, own = WorkerThreads(1, "routilux-former"), WorkerThreads(1, "routilux-own")
    entered, release, threads = threading.Event(), threading.Event(), list[str]()

    def block() -> None:
        entered.set()
        assert release.wait(PATIENCE)

    job, last = Job(lambda: threads.append(threading.current_thread().name)), Job(lambda: None)
    former.submit(Job(block))
    assert entered.wait(PATIENCE)
    former.submit(job)
    own.submit(job)
    assert job.served.wait(PATIENCE)
    former.submit(last)
    release.set()
    assert last.served.wait(PATIENCE)
    assert threads == ["routilux-own"]
    former.close()
    own.close()
