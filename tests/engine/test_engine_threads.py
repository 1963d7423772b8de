"""Real threads: interleavings forced by events and barriers, released in `finally`."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from routilux import Flow, JobState, JobStateError, Routine
from routilux._engine import held_job
from routilux.testing import StepRunner
from tests.engine.engine_parts import EngineAsker, emitted, flow_of, pipeline, retrying, routine
from tests.patience import PATIENCE, until, wait_for_threads


@contextmanager
def running(flow: Flow, *released: threading.Event) -> Iterator[Flow]:
    """Whatever happens, stuck handlers are let go and the flow's threads end."""
    try:
        yield flow
    finally:
        for event in released:
            event.set()
        flow.shutdown(wait=False)


def sending(count: int) -> Routine:
    def send(self: Routine) -> None:
        for value in range(count):
            self.emit("out", value=value)

    return routine(send, "out")


def stuck(entered: threading.Event, release: threading.Event, **options: Any) -> Routine:
    """Says that it has begun, and returns when it is let go."""

    def work(self: Routine) -> None:
        self.emit("out", value=1)
        entered.set()
        assert release.wait(PATIENCE)

    return routine(work, "out", **options)


def in_background(call: Any, *args: Any) -> tuple[threading.Thread, list[Any]]:
    outcome: list[Any] = []

    def work() -> None:
        try:
            outcome.append(call(*args))
        except Exception as error:  # noqa: BLE001 - told to the test
            outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    return thread, outcome


def test_concurrent_runs_as_many_handlers_at_once_as_there_are_workers() -> None:
    barrier = threading.Barrier(4)
    target = routine(lambda self, value: barrier.wait(PATIENCE) and None)
    flow = flow_of(links=("a.out>b",), execution_strategy="concurrent", max_workers=4, a=sending(12), b=target)
    with running(flow):
        job_state = flow.execute("a")
        assert job_state.wait(PATIENCE, raise_on_failure=True)


@pytest.mark.parametrize(
    ("strategy", "workers", "most"), [("concurrent", 3, 3), ("sequential", 3, 1), ("concurrent", 1, 1)]
)
def test_never_more_than_that(strategy: str, workers: int, most: int) -> None:
    lock = threading.Lock()
    now: list[int] = [0, 0]

    def take(self: Routine, value: int) -> None:
        with lock:
            now[0] += 1
            now[1] = max(now)
        threading.Event().wait(0.001)
        with lock:
            now[0] -= 1

    flow = flow_of(links=("a.out>b",), execution_strategy=strategy, max_workers=workers, a=sending(20), b=routine(take))
    with running(flow):
        assert flow.execute("a").wait(PATIENCE, raise_on_failure=True)
    assert now[1] <= most


def test_two_sequential_jobs_on_one_worker_both_advance() -> None:
    turns: list[int] = []
    met = threading.Event()

    def loop(self: Routine, value: int) -> None:
        turns.append(value)
        if len(set(turns)) == 2:
            met.set()
        elif not met.is_set():
            threading.Event().wait(0.001)
        if not met.is_set():
            self.emit("again", value=value)

    flow = flow_of(
        links=("start.out>a", "a.again>a"),
        max_workers=1,
        start=routine(lambda self, value: self.emit("out", value=value), "out"),
        a=routine(loop, "again"),
    )
    with running(flow, met):
        jobs = [flow.execute("start", {"value": value}) for value in (1, 2)]
        assert met.wait(PATIENCE)
        assert [job.wait(PATIENCE, raise_on_failure=True) for job in jobs] == [True, True]


def test_the_entry_runs_on_the_callers_thread_and_the_rest_does_not() -> None:
    threads: list[int] = []
    flow = flow_of(
        links=("a.out>b",),
        a=routine(lambda self: [threads.append(threading.get_ident()), self.emit("out")], "out"),
        b=routine(lambda self: threads.append(threading.get_ident())),
    )
    with running(flow):
        flow.execute("a").wait(PATIENCE)
    assert threads[0] == threading.get_ident()
    assert threads[1] != threading.get_ident()


def test_a_job_completes_by_itself() -> None:
    done = threading.Event()
    flow = flow_of(links=("a.out>b",), a=sending(1), b=routine(lambda self, value: done.set()))
    with running(flow):
        job_state = flow.execute("a")
        assert done.wait(PATIENCE)
        until(lambda: job_state.status == "completed")


def test_execute_returns_when_its_entry_waits_for_a_retry() -> None:
    part = routine(lambda self: 1 / 0)
    part.set_error_handler(retrying(1, 3600.0))
    flow = flow_of(a=part)
    with running(flow):
        job_state = flow.execute("a", timeout=7200.0)
        assert (job_state.status, len(emitted(job_state, "error"))) == ("running", 1)


def test_retries_run_by_real_timers() -> None:
    def work(self: Routine) -> None:
        if self.get_execution_context().attempt < 4:
            raise ValueError

    part = routine(work)
    part.set_error_handler(retrying(3, 0.002))
    flow = flow_of(a=part)
    with running(flow):
        assert flow.execute("a").wait(PATIENCE, raise_on_failure=True)


# Waiting.


def test_all_who_wait_are_told() -> None:
    entered, release = threading.Event(), threading.Event()
    flow = flow_of(links=("a.out>b",), a=sending(1), b=routine(lambda self, value: release.wait(PATIENCE) and None))
    with running(flow, entered, release):
        job_state = flow.execute("a")
        waiters = [in_background(job_state.wait, PATIENCE) for _ in range(5)]
        assert job_state.wait(timeout=0.001) is False
        release.set()
        for thread, _ in waiters:
            thread.join(PATIENCE)
    assert [outcome for _, outcome in waiters] == [[True]] * 5


def test_a_waiter_of_a_paused_job_is_told_after_its_resume() -> None:
    flow = pipeline()
    with running(flow):
        job_state = flow.execute("source")
        flow.pause(job_state)
        thread, outcome = in_background(job_state.wait, PATIENCE)
        flow.resume(job_state)
        thread.join(PATIENCE)
    assert outcome == [True]


# Timeouts.


def test_a_stuck_handler_fails_its_activation_and_its_worker_is_replaced() -> None:
    entered, release = threading.Event(), threading.Event()
    flow = flow_of(
        max_workers=1, a=stuck(entered, release, timeout=0.01), free=routine(lambda self: None, timeout=PATIENCE)
    )
    with running(flow, release):
        job_state = flow.execute("a")
        assert (job_state.status, entered.is_set()) == ("failed", True)
        assert job_state.error is not None
        assert job_state.error.type == "routilux.errors.ActivationTimeout"
        other = flow.execute("free")
        assert other.wait(PATIENCE, raise_on_failure=True)
        before = job_state.serialize()
        release.set()
        for _ in range(3):
            assert flow.execute("free").wait(PATIENCE, raise_on_failure=True)
        assert job_state.serialize() == before


def test_the_worker_that_was_stuck_is_one_too_many_when_it_returns() -> None:
    releases = [threading.Event() for _ in range(4)]
    entered = [threading.Event() for _ in range(4)]
    parts = {f"s{i}": stuck(entered[i], releases[i], timeout=0.005) for i in range(4)}
    flow = flow_of(flow_id="stuck-workers", max_workers=1, free=routine(lambda self: None, timeout=PATIENCE), **parts)

    def threads() -> int:
        return sum(thread.name == "routilux-stuck-workers" for thread in threading.enumerate())

    with running(flow, *releases):
        for name in parts:
            assert flow.execute(name).status == "failed"
        assert threads() >= 4
        for release in releases:
            release.set()
        while threads() > 1:
            flow.execute("free")
        assert flow.execute("free").wait(PATIENCE, raise_on_failure=True)


def test_a_job_with_a_stuck_handler_fails_at_its_timeout() -> None:
    entered, release = threading.Event(), threading.Event()
    flow = flow_of(max_workers=1, execution_timeout=0.02, a=stuck(entered, release), free=routine(lambda self: None))
    with running(flow, release):
        job_state = flow.execute("a")
        assert job_state.status == "failed"
        assert job_state.error is not None and job_state.error.type == "routilux.errors.JobTimeout"
        assert len(job_state.serialize()["pending_tasks"]) == 1
        assert flow.execute("free", timeout=PATIENCE).wait(PATIENCE, raise_on_failure=True)


@pytest.mark.parametrize("timeout", [1e-9, 1e-6, 1e-5, 1e-4])
def test_execute_returns_however_short_the_timeout(timeout: float) -> None:
    flow = flow_of(a=routine(lambda self: None))
    with running(flow):
        for _ in range(20):
            thread, outcome = in_background(lambda: flow.execute("a", timeout=timeout))
            thread.join(PATIENCE)
            (job_state,) = outcome
            assert job_state.wait(PATIENCE)


def test_execute_returns_when_its_job_is_cancelled() -> None:
    started: list[JobState] = []
    entered, release = threading.Event(), threading.Event()

    def work(self: Routine) -> None:
        started.append(self.get_execution_context().job_state)
        entered.set()
        release.wait(PATIENCE)

    flow = flow_of(a=routine(work))
    with running(flow, release):
        thread, outcome = in_background(lambda: flow.execute("a", timeout=PATIENCE))
        assert entered.wait(PATIENCE)
        flow.cancel(started[0])
        thread.join(PATIENCE)
        assert outcome == started


# Pausing and cancelling while handlers run.


def test_a_pause_waits_for_the_handlers_in_flight() -> None:
    entered, release = threading.Event(), threading.Event()
    flow = flow_of(
        links=("a.out>b", "b.out>c"),
        a=sending(1),
        b=routine(lambda self, value: [entered.set(), release.wait(PATIENCE), self.emit("out")], "out"),
        c=routine(lambda self: None),
    )
    with running(flow, release):
        job_state = flow.execute("a")
        assert entered.wait(PATIENCE)
        thread, outcome = in_background(flow.pause, job_state)
        until(lambda: job_state.explain().note == "it pauses when what runs has finished")
        assert (thread.is_alive(), job_state.status) == (True, "running")
        release.set()
        thread.join(PATIENCE)
        assert (outcome, job_state.status) == ([None], "paused")
        assert [task["routine_id"] for task in job_state.pending_tasks] == ["c"]


def test_a_cancel_does_not_wait_and_frees_the_worker() -> None:
    entered, release = threading.Event(), threading.Event()
    flow = flow_of(
        links=("a.out>b",), max_workers=1, a=sending(1), b=routine(lambda self, value: hold(self)), free=sending(0)
    )

    def hold(self: Routine) -> None:
        entered.set()
        release.wait(PATIENCE)
        self.get_execution_context().job_state.append_to_shared_log("late")

    with running(flow, release):
        job_state = flow.execute("a")
        assert entered.wait(PATIENCE)
        flow.cancel(job_state)
        assert job_state.status == "cancelled"
        assert flow.execute("free", timeout=PATIENCE).wait(PATIENCE, raise_on_failure=True)
        release.set()
        assert flow.execute("free", timeout=PATIENCE).wait(PATIENCE, raise_on_failure=True)
        assert job_state.shared_log == []


def test_a_pause_of_a_job_that_is_cancelled_meanwhile_is_an_error() -> None:
    entered, release = threading.Event(), threading.Event()
    flow = flow_of(
        links=("a.out>b",),
        a=sending(1),
        b=routine(lambda self, value: [entered.set(), release.wait(PATIENCE)]),
    )
    with running(flow, release):
        job_state = flow.execute("a")
        assert entered.wait(PATIENCE)
        thread, outcome = in_background(flow.pause, job_state)
        until(lambda: "pauses" in job_state.explain().note)
        flow.cancel(job_state)
        thread.join(PATIENCE)
    assert len(outcome) == 1 and isinstance(outcome[0], JobStateError)


def test_a_resumed_job_is_seen_running_even_if_its_work_is_over_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_job, "HOLD", PATIENCE)  # a busy machine may stop this thread for longer than it is
    flow = pipeline()
    with running(flow):
        job_state = flow.execute("source", {"count": 0})
        flow.pause(job_state)
        for _ in range(300):
            flow.resume(job_state)
            status = job_state.status
            assert status == "running"
            assert job_state.wait(PATIENCE)
            assert job_state.status == "completed"
            flow.pause(job_state)


def test_a_resumed_job_settles_by_itself() -> None:
    flow = pipeline()
    with running(flow):
        job_state = flow.execute("source", {"count": 0})
        flow.pause(job_state)
        flow.resume(job_state)
        until(lambda: job_state.status == "completed")


def test_many_pauses_and_resumes_lose_nothing() -> None:
    flow = pipeline(execution_strategy="concurrent")
    with running(flow):
        job_state = flow.execute("source", {"count": 60})
        for _ in range(20):
            flow.pause(job_state)
            flow.resume(job_state)
        assert job_state.wait(PATIENCE, raise_on_failure=True)
    assert sorted(job_state.shared_log) == sorted([*range(60), *range(0, 120, 2)])


def test_a_delivery_wakes_a_running_job() -> None:
    flow = flow_of(ask=EngineAsker())
    with running(flow):
        job_state = flow.execute("ask")
        thread, outcome = in_background(job_state.wait, PATIENCE)
        flow.deliver(job_state, "ask", "answer", {"text": "yes"})
        thread.join(PATIENCE)
    assert (outcome, emitted(job_state, "told")) == ([True], [{"text": "yes"}])


# Shutdown.


def test_a_with_statement_loses_nothing() -> None:
    with pipeline(execution_strategy="concurrent") as flow:
        jobs = [flow.execute("source", {"count": 20}) for _ in range(10)]
    assert [job.status for job in jobs] == ["completed"] * 10
    assert [job.shared_data["sum"] for job in jobs] == [3 * sum(range(20))] * 10


def test_a_shutdown_without_waiting_pauses_what_runs_when_its_handlers_have_finished() -> None:
    entered, release, paused = threading.Event(), threading.Event(), threading.Event()
    flow = flow_of(
        links=("a.out>b", "b.out>c"),
        a=sending(2),
        b=routine(lambda self, value: [entered.set(), release.wait(PATIENCE), self.emit("out")], "out"),
        c=routine(lambda self: None),
    )
    try:
        job_state = flow.execute("a")
        assert entered.wait(PATIENCE)
        flow.shutdown(wait=False)
        assert job_state.status == "running"
        release.set()
        until(lambda: job_state.status != "running")
        assert job_state.status == "paused"
        assert [task["routine_id"] for task in job_state.pending_tasks] == ["b", "c"]
    finally:
        release.set()
        paused.set()


def test_the_threads_of_a_flow_end_with_it() -> None:
    with pipeline(flow_id="ending", execution_strategy="concurrent") as flow:
        flow.execute("source", {"count": 20})
    wait_for_threads("routilux-ending")


# Many at once.


def test_jobs_started_by_many_threads_do_not_see_each_other() -> None:
    flow = pipeline(execution_strategy="concurrent")
    barrier = threading.Barrier(8)

    def one(count: int) -> JobState:
        barrier.wait(PATIENCE)
        job_state = flow.execute("source", {"count": count})
        assert job_state.wait(PATIENCE, raise_on_failure=True)
        return job_state

    with running(flow):
        started = [in_background(one, count) for count in range(8)]
        for thread, _ in started:
            thread.join(PATIENCE)
    jobs = [outcome[0] for _, outcome in started]
    assert [sorted(job.shared_log) for job in jobs] == [
        sorted([*range(count), *range(0, 2 * count, 2)]) for count in range(8)
    ]


def test_a_snapshot_at_any_moment_is_a_consistent_cut() -> None:
    count = 80
    expected = sorted([*range(count), *range(0, 2 * count, 2)])
    flow = pipeline(execution_strategy="concurrent", max_workers=3)
    snapshots: list[dict[str, Any]] = []
    with running(flow):
        job_state = flow.execute("source", {"count": count})
        while len(snapshots) < 50:
            snapshots.append(job_state.serialize())
        assert job_state.wait(PATIENCE, raise_on_failure=True)
    assert sorted(job_state.shared_log) == expected
    runner = StepRunner()
    for snapshot in snapshots:
        if snapshot["status"] == "completed":
            continue
        copy = JobState()
        copy.deserialize(snapshot)
        pipeline(runner, execution_strategy="concurrent").resume(copy)
        assert copy.wait()
        assert (copy.status, sorted(copy.shared_log), copy.shared_data["sum"]) == ("completed", expected, sum(expected))
        assert sorted(data["value"] for data in emitted(copy, "done")) == expected


@pytest.mark.parametrize("strategy", ["sequential", "concurrent"])
def test_a_job_that_waits_for_a_timer_goes_on_although_nobody_has_it_or_its_flow(strategy: str) -> None:
    runner, ran = StepRunner(), list[int]()

    def begin() -> None:
        def fail_first(self: Routine) -> None:
            ran.append(1)
            if len(ran) == 1:
                raise ValueError

        part = routine(fail_first)
        part.set_error_handler(retrying(1, 8.0))
        flow_of(runner, a=part, execution_strategy=strategy).execute("a")

    begin()
    gc.collect()
    runner.clock.advance(8.0)
    runner.run_ready()
    assert ran == [1, 1]


@pytest.mark.parametrize("strategy", ["sequential", "concurrent"])
def test_a_worker_whose_attempt_was_given_up_runs_nothing_more_of_a_job_that_goes_on_elsewhere(strategy: str) -> None:
    entered, release, ran = threading.Event(), threading.Event(), list[str]()

    def go(self: Routine) -> None:
        self.emit("out")
        self.emit("out")

    def work(self: Routine) -> None:
        if not entered.is_set():
            entered.set()
            release.wait(PATIENCE)
        ran.append(threading.current_thread().name)

    runner = StepRunner()
    here, there = (
        flow_of(
            *who,
            flow_id="given-up",
            execution_strategy=strategy,
            max_workers=1,
            links=("a.out>b",),
            a=routine(go, "out"),
            b=routine(work, timeout=0.01),
        )
        for who in ((), (runner,))
    )
    job_state = here.execute("a")
    assert entered.wait(PATIENCE)
    assert job_state.wait(PATIENCE)
    there.retry(job_state)
    release.set()
    here.shutdown()
    wait_for_threads("routilux-given-up")
    assert (job_state.status, len(ran)) == ("running", 1)
    runner.run()
    assert (job_state.status, len(ran)) == ("completed", 3)
