"""Pause, resume, cancel, wait and shutdown, step by step."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import pytest

from routilux import (
    BlockingCallError,
    ErrorHandler,
    Flow,
    FlowShutDownError,
    JobState,
    JobStateError,
    ResumeError,
    RoutiluxError,
    Routine,
    SharedDataConflict,
    StoreUnavailableError,
)
from routilux._engine import held_job, running_job
from routilux._engine.awaited import Awaited
from routilux._engine.keeping import Log
from routilux._engine.live_job import LiveJob
from routilux._engine.watchers import is_settled
from routilux._engine.workers import WorkerThreads
from routilux._records import Task
from routilux.stores import open_store
from routilux.testing import StepRunner
from routilux.testing.step_runner import StuckError
from tests.engine.engine_parts import (
    EngineAsker,
    emitted,
    events_of,
    flow_of,
    pipeline,
    retrying,
    routine,
)
from tests.interruptions import interrupted
from tests.patience import PATIENCE, until


def sums(job_state: JobState) -> tuple[str, Any, list[Any]]:
    return job_state.status, job_state.shared_data.get("sum"), job_state.shared_log


EXPECTED = ("completed", 9, [0, 0, 1, 2, 2, 4])


# Pausing.


def test_pausing_moves_what_is_queued_to_pending_tasks() -> None:
    runner = StepRunner()
    flow = pipeline(runner)
    job_state = flow.execute("source")
    assert job_state.pending_tasks == []
    flow.pause(job_state, "lunch", {"at": [1]})
    assert job_state.status == "paused"
    assert [(task["routine_id"], task["data"]) for task in job_state.pending_tasks] == [
        ("double", {"value": value}) for value in range(3)
    ]
    (point,) = job_state.pause_points
    assert (point["reason"], point["checkpoint"]) == ("lunch", {"at": [1]})
    assert point["timestamp"].timestamp() == runner.clock.now()
    point["checkpoint"]["at"].append(2)
    assert job_state.pause_points[0]["checkpoint"] == {"at": [1]}
    assert not runner.step()


def test_the_checkpoint_is_a_copy() -> None:
    flow = pipeline(StepRunner())
    job_state = flow.execute("source")
    checkpoint = {"at": [1]}
    flow.pause(job_state, checkpoint=checkpoint)
    checkpoint["at"].append(2)
    assert job_state.pause_points[0]["checkpoint"] == {"at": [1]}


@pytest.mark.parametrize("steps", range(12))
def test_a_paused_job_goes_on_where_it_stood(steps: int) -> None:
    runner = StepRunner()
    flow = pipeline(runner)
    job_state = flow.execute("source")
    for _ in range(steps):
        runner.step()
    flow.pause(job_state)
    assert flow.resume(job_state) is job_state
    assert job_state.status == "running"
    assert job_state.wait()
    assert sums(job_state) == EXPECTED


def test_activations_in_flight_finish_before_the_job_is_paused() -> None:
    runner = StepRunner()
    flow = pipeline(runner, execution_strategy="concurrent")
    job_state = flow.execute("source")
    attempts = [runner.begin(job_state), runner.begin(job_state)]
    with pytest.raises(StuckError):
        flow.pause(job_state, "first")
    assert (job_state.status, job_state.explain().note) == ("running", "it pauses when what runs has finished")
    assert runner.begin(job_state) is None
    for attempt in attempts:
        assert (attempt is not None, job_state.status) == (True, "running")
        attempt.run().commit()
    assert job_state.status == "paused"
    assert len(job_state.pending_tasks) == 1 + 4
    assert [point["reason"] for point in job_state.pause_points] == ["first"]


def test_pausing_a_paused_job_adds_a_pause_point() -> None:
    flow = pipeline(StepRunner())
    job_state = flow.execute("source")
    flow.pause(job_state, "one")
    before = job_state.pending_tasks
    flow.pause(job_state, "two")
    assert [point["reason"] for point in job_state.pause_points] == ["one", "two"]
    assert job_state.pending_tasks == before


def test_pausing_a_job_whose_work_has_run_out_gives_paused_with_nothing_pending() -> None:
    runner = StepRunner()
    flow = pipeline(runner)
    job_state = flow.execute("source")
    assert job_state.wait()
    history = len(job_state.execution_history)
    flow.pause(job_state, "too late")
    assert (job_state.status, job_state.pending_tasks) == ("paused", [])
    flow.resume(job_state)
    assert job_state.status == "running"
    assert job_state.wait()
    assert (job_state.status, len(job_state.execution_history)) == ("completed", history)


def test_a_pause_takes_timers_along() -> None:
    runner = StepRunner()
    start = runner.clock.now()
    part = routine(lambda self: 1 / 0)
    part.set_error_handler(retrying(1, 10.0))
    flow = flow_of(runner, a=part)
    job_state = flow.execute("a")
    flow.pause(job_state)
    runner.clock.advance(4.0)
    flow.resume(job_state)
    job_state.wait()
    assert (job_state.status, runner.clock.now()) == ("failed", start + 10)


def test_a_retry_that_came_due_while_paused_runs_at_once() -> None:
    runner = StepRunner()
    part = routine(lambda self: 1 / 0)
    part.set_error_handler(retrying(1, 10.0))
    flow = flow_of(runner, a=part)
    job_state = flow.execute("a")
    flow.pause(job_state)
    runner.clock.advance(100.0)
    flow.resume(job_state)
    now = runner.clock.now()
    job_state.wait()
    assert (job_state.status, runner.clock.now()) == ("failed", now)


def pausing_inside(flow_job: list[Any], verb: str) -> Routine:
    def work(self: Routine) -> None:
        context = self.get_execution_context()
        assert context is not None
        self.emit("out", value=1)
        context.flow.pause(context.job_state, "from inside")
        flow_job.append(context.job_state.status)
        self.emit("out", value=2)
        if verb == "fail":
            raise ValueError

    return routine(work, "out")


def test_a_pause_from_inside_takes_effect_when_the_activation_has_committed() -> None:
    seen: list[Any] = []
    taken: list[int] = []
    flow = flow_of(
        StepRunner(),
        links=("a.out>b",),
        a=pausing_inside(seen, "return"),
        b=routine(lambda self, value: taken.append(value)),
    )
    job_state = flow.execute("a")
    assert (seen, job_state.status, taken) == (["running"], "paused", [])
    assert emitted(job_state, "out") == [{"value": 1}, {"value": 2}]
    assert [task["data"] for task in job_state.pending_tasks] == [{"value": 1}, {"value": 2}]
    flow.resume(job_state).wait(raise_on_failure=True)
    assert taken == [1, 2]


@pytest.mark.parametrize(
    ("policy", "status", "pending"),
    [
        (None, "failed", 0),
        (ErrorHandler("skip"), "paused", 0),
        (ErrorHandler("continue"), "paused", 2),
        (retrying(1), "paused", 1),
    ],
)
def test_a_pause_from_inside_a_handler_that_then_fails(policy: ErrorHandler | None, status: str, pending: int) -> None:
    part = pausing_inside([], "fail")
    part.set_error_handler(policy)
    flow = flow_of(StepRunner(), links=("a.out>b",), a=part, b=routine(lambda self, value: None))
    job_state = flow.execute("a")
    assert (job_state.status, len(job_state.pending_tasks)) == (status, pending)


def test_pausing_a_job_that_is_about_to_fail_is_an_error() -> None:
    runner = StepRunner()

    def take(self: Routine, value: int) -> None:
        if value == 0:
            raise ValueError
        context = self.get_execution_context()
        assert context is not None
        context.flow.pause(context.job_state)

    def send(self: Routine) -> None:
        self.emit("out", value=0)
        self.emit("out", value=1)

    flow = flow_of(runner, links=("a.out>b",), execution_strategy="concurrent", a=routine(send, "out"), b=routine(take))
    job_state = runner.start(flow, "a")
    runner.step()
    failing, other = runner.begin(job_state), runner.begin(job_state)
    assert failing is not None and other is not None
    failing.run().commit()
    other.run().commit()
    assert (job_state.status, job_state.pause_points) == ("failed", [])
    with pytest.raises(JobStateError, match="is failed: it cannot be paused"):
        flow.pause(job_state)


def test_a_failure_during_a_pause_decides() -> None:
    runner = StepRunner()

    def take(self: Routine, value: int) -> None:
        if value == 0:
            raise ValueError

    def send(self: Routine) -> None:
        self.emit("out", value=0)
        self.emit("out", value=1)

    flow = flow_of(runner, links=("a.out>b",), execution_strategy="concurrent", a=routine(send, "out"), b=routine(take))
    job_state = runner.start(flow, "a")
    runner.step()
    failing, other = runner.begin(job_state), runner.begin(job_state)
    assert failing is not None and other is not None
    with pytest.raises(StuckError):
        flow.pause(job_state)
    failing.run().commit()
    other.run().commit()
    assert job_state.status == "failed"


def test_pausing_one_job_lets_the_others_run() -> None:
    runner = StepRunner()
    flow = pipeline(runner)
    first, second = flow.execute("source"), flow.execute("source")
    flow.pause(first)
    runner.run()
    assert (first.status, sums(second)) == ("paused", EXPECTED)
    flow.resume(first).wait()
    assert sums(first) == EXPECTED


# Resuming.


def test_a_resumed_job_is_running_on_return_even_when_its_work_is_over() -> None:
    runner = StepRunner()
    flow = pipeline(runner)
    job_state = flow.execute("source", {"count": 0})
    for _ in range(300):
        flow.pause(job_state)
        flow.resume(job_state)
        assert job_state.status == "running"
        runner.clock.advance(0.0199)
        assert job_state.status == "running"
        runner.clock.advance(0.0001)
        assert job_state.status == "completed"


def test_a_resumed_job_that_is_waited_for_settles_at_once() -> None:
    runner = StepRunner()
    flow = pipeline(runner)
    job_state = flow.execute("source", {"count": 0})
    flow.pause(job_state)
    flow.resume(job_state)
    now = runner.clock.now()
    assert job_state.wait(timeout=0)
    assert (job_state.status, runner.clock.now()) == ("completed", now)


def test_a_resumed_job_that_fails_at_once_is_running_first() -> None:
    runner = StepRunner()
    part = routine(lambda self: 1 / 0)
    part.set_error_handler(retrying(1, 10.0))
    flow = flow_of(runner, a=part)
    job_state = flow.execute("a")
    flow.pause(job_state)
    runner.clock.advance(10.0)
    flow.resume(job_state)
    runner.clock.advance(0.0)
    assert runner.step()
    assert job_state.status == "running"
    runner.clock.advance(0.02)
    assert job_state.status == "failed"


def test_a_held_job_may_be_paused_and_cancelled() -> None:
    runner = StepRunner()
    flow = pipeline(runner)
    job_state = flow.execute("source", {"count": 0})
    flow.pause(job_state)
    flow.resume(job_state)
    flow.pause(job_state)
    assert job_state.status == "paused"
    flow.resume(job_state)
    flow.cancel(job_state)
    assert job_state.status == "cancelled"
    runner.run()
    assert job_state.status == "cancelled"


def test_resuming_a_running_job_is_an_error_that_changes_nothing() -> None:
    runner = StepRunner()
    flow = pipeline(runner)
    job_state = flow.execute("source")
    with pytest.raises(ResumeError, match="running here already"):
        flow.resume(job_state)
    job_state.wait()
    assert sums(job_state) == EXPECTED


def test_a_job_may_go_on_in_another_flow_object_of_the_same_definition() -> None:
    runner = StepRunner()
    flow = pipeline(runner)
    job_state = flow.execute("source")
    flow.pause(job_state)
    other = pipeline(runner)
    other.resume(job_state)
    assert job_state.wait()
    assert sums(job_state) == EXPECTED


def test_all_that_does_not_fit_is_listed_and_nothing_is_changed() -> None:
    runner = StepRunner()
    flow = pipeline(runner)
    job_state = flow.execute("source")
    flow.pause(job_state)
    before = job_state.serialize()
    other = Flow("flow", engine_factory=runner.engine)
    with pytest.raises(ResumeError) as caught:
        other.resume(job_state)
    assert len(caught.value.problems) >= 3
    assert all(problem in str(caught.value) for problem in caught.value.problems)
    assert other.check(job_state) == list(caught.value.problems)
    assert job_state.serialize() == before
    flow.resume(job_state).wait()
    assert sums(job_state) == EXPECTED


# Cancelling.


def test_cancelling_settles_the_job_at_once() -> None:
    runner = StepRunner()
    flow = pipeline(runner)
    job_state = flow.execute("source")
    flow.cancel(job_state, "enough")
    assert (job_state.status, job_state.pending_tasks) == ("cancelled", [])
    assert job_state.get_routine_state("double")["status"] == "cancelled"
    assert job_state.get_routine_state("source")["status"] == "completed"
    assert job_state.wait(timeout=0)
    assert not runner.step()
    assert job_state.explain().note == "it was cancelled (enough)"


def test_what_a_running_handler_does_after_a_cancel_is_discarded() -> None:
    runner = StepRunner()
    flow = pipeline(runner)
    job_state = runner.start(flow, "source")
    attempt = runner.begin(job_state)
    assert attempt is not None
    flow.cancel(job_state)
    before = job_state.serialize()
    attempt.run().commit()
    assert job_state.serialize() == before
    assert events_of(job_state) == []


def test_a_handler_may_cancel_its_own_job() -> None:
    def work(self: Routine) -> None:
        context = self.get_execution_context()
        assert context is not None
        self.emit("out", value=1)
        context.job_state.shared_data["n"] = 1
        context.flow.cancel(context.job_state, "from inside")
        assert context.job_state.status == "cancelled"
        self.emit("out", value=2)

    job_state = flow_of(StepRunner(), a=routine(work, "out")).execute("a")
    assert (job_state.status, events_of(job_state), job_state.shared_data) == ("cancelled", [], {})


def test_a_paused_job_may_be_cancelled_and_is_then_settled() -> None:
    flow = pipeline(StepRunner())
    job_state = flow.execute("source")
    flow.pause(job_state)
    flow.cancel(job_state)
    assert job_state.status == "cancelled"
    with pytest.raises(ResumeError, match="is cancelled"):
        flow.resume(job_state)


def test_a_job_read_from_a_document_may_be_cancelled() -> None:
    flow = pipeline(StepRunner())
    job_state = flow.execute("source")
    copy = JobState()
    copy.deserialize(job_state.serialize())
    flow.cancel(copy)
    assert (copy.status, job_state.status) == ("cancelled", "running")


def test_a_cancelled_job_is_cancelled_after_a_reload() -> None:
    flow = pipeline(StepRunner())
    job_state = flow.execute("source")
    flow.cancel(job_state, "enough")
    copy = JobState()
    copy.deserialize(job_state.serialize())
    assert (copy.status, copy.explain().note) == ("cancelled", "it was cancelled (enough)")
    assert copy.wait()


# Waiting.


def test_wait_says_whether_the_job_has_settled_in_time() -> None:
    runner = StepRunner()
    start = runner.clock.now()
    part = routine(lambda self: 1 / 0)
    part.set_error_handler(retrying(1, 10.0))
    flow = flow_of(runner, a=part)
    job_state = flow.execute("a")
    assert job_state.wait(timeout=9.0) is False
    assert runner.clock.now() == start + 9
    assert JobState.wait_for_completion(flow, job_state, timeout=0) is False
    assert JobState.wait_for_completion(flow, job_state, 5.0) is True
    assert runner.clock.now() == start + 10
    assert job_state.wait(timeout=0) is True


def test_waiting_for_a_paused_job_is_waiting_for_its_resume() -> None:
    flow = pipeline(StepRunner())
    job_state = flow.execute("source")
    flow.pause(job_state)
    assert job_state.wait(timeout=100.0) is False
    assert job_state.status == "paused"
    with pytest.raises(StuckError):
        job_state.wait()


def test_a_timeout_below_zero_is_none_at_all() -> None:
    flow = pipeline(StepRunner())
    job_state = flow.execute("source")
    flow.pause(job_state)
    assert job_state.wait(timeout=-5) is False


@pytest.mark.parametrize("timeout", [1e12, float("inf")])
def test_a_timeout_beyond_what_threads_can_wait_is_for_ever(timeout: float) -> None:
    flow = pipeline(StepRunner())
    assert flow.execute("source").wait(timeout)


INSIDE: dict[str, Any] = {
    "wait for itself": lambda flow, job, other: job.wait(0),
    "wait for another": lambda flow, job, other: other.wait(0),
    "wait for completion": lambda flow, job, other: JobState.wait_for_completion(flow, other),
    "execute": lambda flow, job, other: flow.execute("a"),
    "pause another": lambda flow, job, other: flow.pause(other),
    "shutdown": lambda flow, job, other: flow.shutdown(),
    "shutdown without waiting": lambda flow, job, other: flow.shutdown(wait=False),
}


@pytest.mark.parametrize("name", INSIDE)
def test_blocking_calls_on_a_flow_from_inside_its_handlers_are_refused(name: str) -> None:
    runner = StepRunner()

    def work(self: Routine, value: int) -> None:
        context = self.get_execution_context()
        assert context is not None
        with pytest.raises(BlockingCallError):
            INSIDE[name](context.flow, context.job_state, other)
        self.emit("out")

    flow = flow_of(runner, a=routine(work, "out"), ask=EngineAsker())
    other = flow.execute("ask")
    job_state = flow.execute("a", {"value": 1})
    job_state.wait(raise_on_failure=True)
    assert emitted(job_state, "out") == [{}]
    assert other.status == "running"


def test_a_handler_may_cancel_and_resume_another_job() -> None:
    runner = StepRunner()
    flow = pipeline(runner)
    first, second = flow.execute("source"), flow.execute("source")
    flow.pause(second)

    def work(self: Routine) -> None:
        flow.cancel(first)
        flow.resume(second)

    flow.add_routine(routine(work), "boss")
    flow.execute("boss").wait(raise_on_failure=True)
    runner.run()
    assert (first.status, sums(second)) == ("cancelled", EXPECTED)


# The time a job may take.


def test_a_job_that_runs_too_long_fails() -> None:
    runner = StepRunner()
    start = runner.clock.now()
    flow = flow_of(runner, execution_timeout=10.0, ask=EngineAsker())
    job_state = flow.execute("ask")
    assert job_state.wait()
    assert (job_state.status, runner.clock.now()) == ("failed", start + 10)
    assert job_state.error is not None
    assert (job_state.error.type, job_state.error.routine_id) == ("routilux.errors.JobTimeout", None)


def test_the_timeout_of_an_execute_replaces_the_flows() -> None:
    runner = StepRunner()
    start = runner.clock.now()
    flow = flow_of(runner, execution_timeout=10.0, ask=EngineAsker())
    assert flow.execute("ask", timeout=20.0).wait()
    assert runner.clock.now() == start + 20


def test_pauses_do_not_count_and_a_reload_goes_on_counting() -> None:
    runner = StepRunner()
    flow = flow_of(runner, execution_timeout=10.0, ask=EngineAsker())
    job_state = flow.execute("ask")
    runner.clock.advance(4.0)
    flow.pause(job_state)
    runner.clock.advance(1000.0)
    flow.resume(job_state)
    runner.clock.advance(3.0)
    flow, job_state = runner.reload(flow, job_state)
    now = runner.clock.now()
    job_state.wait()
    assert (job_state.status, runner.clock.now()) == ("failed", now + 3.0)


def test_an_attempt_in_flight_when_the_job_times_out_commits_nothing() -> None:
    runner = StepRunner()
    flow = flow_of(runner, execution_timeout=10.0, a=routine(lambda self: self.emit("out"), "out"))
    job_state = runner.start(flow, "a")
    attempt = runner.begin(job_state)
    assert attempt is not None
    runner.clock.advance(10.0)
    assert job_state.status == "failed"
    before = job_state.serialize()
    attempt.run().commit()
    assert (job_state.serialize(), events_of(job_state)) == (before, [])
    assert [task["routine_id"] for task in before["pending_tasks"]] == ["a"]


def test_a_job_that_settles_in_time_is_left_alone() -> None:
    runner = StepRunner()
    job_state = pipeline(runner, execution_timeout=10.0).execute("source")
    assert job_state.wait()
    runner.clock.advance(100.0)
    assert sums(job_state) == EXPECTED


def slow(runner: StepRunner, seconds: list[float], **options: Any) -> Routine:
    """Takes as long as is said, attempt by attempt."""

    def work(self: Routine) -> None:
        context = self.get_execution_context()
        assert context is not None
        self.emit("out", attempt=context.attempt)
        runner.clock.advance(seconds[context.attempt - 1])

    return routine(work, "out", **options)


def test_an_activation_that_takes_too_long_has_failed_and_commits_nothing() -> None:
    runner = StepRunner()
    flow = flow_of(runner, a=slow(runner, [5.0], timeout=5.0))
    job_state = flow.execute("a")
    assert job_state.status == "failed"
    assert job_state.error is not None
    assert job_state.error.type == "routilux.errors.ActivationTimeout"
    assert emitted(job_state, "out") == []


def test_an_activation_that_takes_just_long_enough_succeeds() -> None:
    runner = StepRunner()
    job_state = flow_of(runner, a=slow(runner, [4.99], timeout=5.0)).execute("a")
    runner.clock.advance(100.0)
    assert (job_state.status, emitted(job_state, "out")) == ("completed", [{"attempt": 1}])


def test_an_activation_that_took_too_long_may_be_retried() -> None:
    runner = StepRunner()
    part = slow(runner, [9.0, 1.0], timeout=5.0)
    part.set_error_handler(retrying(1, 1.0))
    job_state = flow_of(runner, a=part).execute("a")
    job_state.wait()
    assert (job_state.status, emitted(job_state, "out")) == ("completed", [{"attempt": 2}])
    assert [event for _, event in events_of(job_state)] == ["start", "error", "start", "out"]


def test_the_retry_of_an_attempt_that_is_still_running_counts_and_the_old_one_does_not() -> None:
    runner = StepRunner()
    part = routine(lambda self: self.emit("out", attempt=self.get_execution_context().attempt), "out", timeout=5.0)
    part.set_error_handler(retrying(1, 1.0))
    job_state = runner.start(flow_of(runner, a=part), "a")
    old = runner.begin(job_state)
    runner.clock.advance(6.0)
    new = runner.begin(job_state)
    assert old is not None and new is not None
    old.run().commit()
    assert (job_state.status, emitted(job_state, "out")) == ("running", [])
    new.run().commit()
    assert (job_state.status, emitted(job_state, "out")) == ("completed", [{"attempt": 2}])


# Shutting down.


def test_a_with_statement_waits_for_its_jobs() -> None:
    with pipeline(StepRunner()) as flow:
        job_state = flow.execute("source")
    assert sums(job_state) == EXPECTED


def test_a_with_statement_left_by_an_error_pauses_its_jobs() -> None:
    runner = StepRunner()
    started: list[JobState] = []

    def fail() -> None:
        with pipeline(runner) as flow:
            started.append(flow.execute("source"))
            raise SharedDataConflict

    with pytest.raises(SharedDataConflict):
        fail()
    (job_state,) = started
    assert (job_state.status, len(job_state.pending_tasks)) == ("paused", 3)
    assert [point["reason"] for point in job_state.pause_points] == ["shutdown"]
    pipeline(runner).resume(job_state).wait()
    assert sums(job_state) == EXPECTED


def test_shutdown_pauses_what_waits_for_a_delivery() -> None:
    runner = StepRunner()
    flow = flow_of(runner, ask=EngineAsker())
    job_state = flow.execute("ask")
    flow.shutdown()
    assert (job_state.status, len(job_state.pending_tasks)) == ("paused", 1)


def test_a_shutdown_that_was_broken_off_is_made_by_who_calls_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    flow = flow_of(StepRunner(), a=EngineAsker())
    job_state = flow.execute("a", {"patience": None})

    def interrupted(*given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(LiveJob, "wait_until", interrupted)
        with pytest.raises(KeyboardInterrupt):
            flow.shutdown()
    assert job_state.status == "running"
    flow.shutdown()
    assert job_state.status == "paused"


class Limit(Exception):
    """What a signal's handler may raise, on the thread that has executed a job."""


@pytest.mark.parametrize("kind", [Limit, RoutiluxError])
@pytest.mark.parametrize("place", [(held_job, "transition"), (running_job, "take"), (running_job, "succeed")])
def test_a_time_limit_in_the_middle_of_a_change_leaves_no_job_that_would_be_waited_for(
    monkeypatch: pytest.MonkeyPatch, kind: type[Exception], place: tuple[Any, str]
) -> None:
    change = getattr(*place)

    def interrupted(*given: object) -> None:
        change(*given)
        raise kind("the time is up")

    flow = flow_of(a=routine(lambda self: None))
    with monkeypatch.context() as patch:
        patch.setattr(*place, interrupted)
        with pytest.raises(kind, match="up"):
            flow.execute("a")
    assert flow._engine is not None and not flow._engine.jobs
    flow.shutdown()


def test_operators_are_told_of_a_job_that_is_lost_by_that(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def interrupted(*given: object) -> None:
        raise Limit

    monkeypatch.setattr(running_job, "succeed", interrupted)
    with flow_of(a=routine(lambda self: None)) as flow, pytest.raises(Limit):
        flow.execute("a")
    (record,) = caplog.records
    assert record.message.endswith("was being changed, and nothing of it runs any more; start another")


@pytest.mark.parametrize("durability", ["strict", "group"])
def test_a_job_that_is_lost_is_so_altogether_although_a_signal_comes_meanwhile(
    monkeypatch: pytest.MonkeyPatch, durability: str
) -> None:
    """As one comes on the caller's thread while the job is just being let go, its store away."""
    store = open_store("memory:", patience=0.01)
    flow, waiting = Flow("asking"), list[Awaited]()
    flow.add_routine(EngineAsker(), "ask")

    def fail(*_: object) -> NoReturn:
        raise StoreUnavailableError("the store is away")

    def asked(live: LiveJob, task: Task) -> Any:
        waiting.append(live.wait_until(is_settled))
        monkeypatch.setattr(store.ledger.backend, "write", fail)
        return begin(live, task)

    def told_later(live: LiveJob, log: Log) -> bool:
        assert is_interrupted.wait(PATIENCE)
        return told(live, log)

    begin, told, is_interrupted = LiveJob.may_run_here, LiveJob._told_failure, threading.Event()
    monkeypatch.setattr(LiveJob, "may_run_here", asked)
    monkeypatch.setattr(LiveJob, "_told_failure", told_later)
    monkeypatch.setattr(LiveJob, "_give_up_all", interrupted(LiveJob._give_up_all, before=False))
    with pytest.raises(KeyboardInterrupt):
        flow.execute("ask", store=store, durability=durability, job_id="first")
    is_interrupted.set()
    with pytest.raises(StoreUnavailableError):
        waiting[0].wait(PATIENCE)
    until(lambda: flow._engine is not None and not flow._engine.jobs and not store.ledger.keeper._held)
    flow.shutdown()


def test_threads_that_a_signal_has_kept_from_ending_end_with_the_next_shutdown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flow = flow_of(a=routine(lambda self: None))
    assert flow.execute("a").wait(PATIENCE)

    def interrupted(workers: WorkerThreads) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(WorkerThreads, "close", interrupted)
        with pytest.raises(KeyboardInterrupt):
            flow.shutdown()
    flow.shutdown()
    assert flow._engine is not None
    workers: Any = flow._engine.workers
    until(lambda: not workers._threads)


def test_who_shuts_a_flow_down_meanwhile_returns_when_that_is_over() -> None:
    entered, release = threading.Event(), threading.Event()

    def block(self: Routine) -> None:
        entered.set()
        assert release.wait(PATIENCE)

    flow = flow_of(a=routine(block))
    job_state = flow.start("a")
    assert entered.wait(PATIENCE)
    with ThreadPoolExecutor(2) as executor:
        first = executor.submit(flow.shutdown)
        until(lambda: flow._engine is not None and flow._engine.closed)
        second = executor.submit(flow.shutdown)
        until(lambda: len(job_state._live._watchers._conditions) == 2)
        assert not second.done()
        release.set()
        assert (first.result(PATIENCE), second.result(PATIENCE)) == (None, None)
    assert job_state.status == "completed"


@pytest.mark.parametrize("how", [{"timeout": 0}, {"wait": False}])
def test_who_has_less_time_than_another_who_shuts_a_flow_down_has_its_jobs_pause(how: dict[str, Any]) -> None:
    entered, release = threading.Event(), threading.Event()
    taken: list[int] = []

    def block(self: Routine) -> None:
        entered.set()
        assert release.wait(PATIENCE)
        self.emit("out", value=1)

    flow = flow_of(links=("a.out>b",), a=routine(block, "out"), b=routine(lambda self, value: taken.append(value)))
    job_state = flow.start("a")
    assert entered.wait(PATIENCE)
    with ThreadPoolExecutor(1) as executor:
        first = executor.submit(flow.shutdown)
        until(lambda: job_state._live._watchers._conditions)
        flow.shutdown(**how)
        release.set()
        first.result(PATIENCE)
    until(lambda: job_state.status == "paused")
    assert taken == []


def test_shutdown_waits_for_retries_unless_a_timeout_comes_first() -> None:
    runner = StepRunner()
    part = routine(lambda self: 1 / 0)
    part.set_error_handler(retrying(1, 10.0))
    first_flow, second_flow = flow_of(runner, flow_id="first", a=part), None
    first = first_flow.execute("a")
    first_flow.shutdown(timeout=5.0)
    assert first.status == "paused"
    other = routine(lambda self: 1 / 0)
    other.set_error_handler(retrying(1, 10.0))
    second_flow = flow_of(runner, flow_id="second", a=other)
    second = second_flow.execute("a")
    second_flow.shutdown()
    assert second.status == "failed"


def test_a_pause_that_somebody_has_asked_for_stays_his_in_a_shutdown() -> None:
    entered, release = threading.Event(), threading.Event()

    def block(self: Routine) -> None:
        entered.set()
        assert release.wait(PATIENCE)

    with flow_of(a=routine(block)) as flow:
        job_state = flow.start("a")
        assert entered.wait(PATIENCE)
        with pytest.raises(TimeoutError):
            flow.pause(job_state, "lunch", timeout=0)
        flow.shutdown(wait=False)
        release.set()
        until(lambda: job_state.status == "paused")
    assert [point["reason"] for point in job_state.pause_points] == ["lunch"]


def test_after_a_shutdown_nothing_runs_any_more() -> None:
    flow = pipeline(StepRunner())
    paused = flow.execute("source")
    flow.pause(paused)
    flow.shutdown()
    with pytest.raises(FlowShutDownError):
        flow.execute("source")
    with pytest.raises(FlowShutDownError):
        flow.resume(paused)
    flow.shutdown()
    assert paused.status == "paused"


def test_shutting_down_a_flow_that_never_ran_does_nothing() -> None:
    flow = pipeline(StepRunner())
    flow.shutdown()
    assert flow.execute("source").wait()


def test_a_flow_that_was_shut_down_can_still_be_written_and_its_jobs_read() -> None:
    runner = StepRunner()
    flow = pipeline(runner)
    job_state = flow.execute("source")
    flow.shutdown(wait=False)
    other, copy = Flow(engine_factory=runner.engine), JobState()
    other.deserialize(flow.serialize())
    copy.deserialize(job_state.serialize())
    other.resume(copy).wait()
    assert sums(copy) == EXPECTED


# The history.


@pytest.mark.parametrize(("limit", "expected"), [(0, 0), (1, 1), (5, 5), (1000, 25)])
def test_history_limit_keeps_the_newest_records(limit: int, expected: int) -> None:
    runner = StepRunner()
    whole = pipeline(runner).execute("source")
    whole.wait()
    flow = pipeline(runner)
    job_state = flow.execute("source", history_limit=limit)
    flow, job_state = runner.reload(flow, job_state)
    job_state.wait()
    assert len(whole.execution_history) == 25
    assert events_of(job_state) == events_of(whole)[25 - expected :]
    assert sums(job_state) == EXPECTED


def test_two_jobs_each_have_a_turn() -> None:
    runner = StepRunner()
    flow = pipeline(runner)
    first, second = flow.execute("source"), flow.execute("source")
    for _ in range(4):
        runner.step()
    assert abs(len(first.execution_history) - len(second.execution_history)) <= 3
    runner.run()
    assert (sums(first), sums(second)) == (EXPECTED, EXPECTED)
