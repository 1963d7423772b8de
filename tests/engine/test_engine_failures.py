"""What a failure means: every strategy at routine and flow level, and when retries run."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from routilux import ErrorHandler, Flow, JobFailedError, JobState, Routine
from routilux.testing import StepRunner
from tests.engine.engine_parts import emitted, events_of, flow_of, retrying, routine


class Trouble(ValueError):
    """A failure of our own."""


class MoreTrouble(Trouble):
    """A kind of it."""


def failing(error: BaseException | type[BaseException] = Trouble, times: int = 99) -> Routine:
    """Emits, writes and fails its first `times` attempts."""

    def work(self: Routine) -> None:
        context = self.get_execution_context()
        assert context is not None
        self.emit("out", value=context.attempt)
        context.state["attempt"] = context.attempt
        context.job_state.shared_data["attempt"] = context.attempt
        if context.attempt <= times:
            raise error

    return routine(work, "out")


def run(part: Routine, policy: ErrorHandler | None = None, flow_policy: ErrorHandler | None = None) -> JobState:
    part.set_error_handler(policy)
    runner = StepRunner()
    flow = flow_of(runner, links=("a.out>b",), a=part, b=routine(lambda self, value: None))
    flow.set_error_handler(flow_policy)
    job_state = flow.execute("a")
    job_state.wait()
    return job_state


@pytest.mark.parametrize("policy", [None, ErrorHandler(), ErrorHandler("stop")])
def test_stop_is_the_default_and_discards_what_the_attempt_did(policy: ErrorHandler | None) -> None:
    job_state = run(failing(), policy)
    assert job_state.status == "failed"
    assert events_of(job_state) == [("a", "start"), ("a", "error")]
    assert job_state.shared_data == {}
    state = job_state.get_routine_state("a")
    assert state is not None and state["status"] == "failed" and "attempt" not in state
    assert job_state.get_routine_state("b") is None


def test_continue_keeps_what_the_attempt_did() -> None:
    job_state = run(failing(), ErrorHandler("continue"))
    assert job_state.status == "completed"
    assert events_of(job_state) == [
        ("a", "start"),
        ("a", "out"),
        ("a", "error"),
        ("a", "error_continued"),
        ("b", "start"),
    ]
    assert job_state.shared_data == {"attempt": 1}
    state = job_state.get_routine_state("a")
    assert state is not None
    assert (state["status"], state["attempt"]) == ("error_continued", 1)


def test_skip_discards_what_the_attempt_did() -> None:
    job_state = run(failing(), ErrorHandler("skip"))
    assert job_state.status == "completed"
    assert events_of(job_state) == [("a", "start"), ("a", "error"), ("a", "skipped")]
    assert job_state.shared_data == {}
    state = job_state.get_routine_state("a")
    assert state is not None and state["status"] == "skipped" and "attempt" not in state


def test_retry_leaves_start_and_error_of_each_attempt_that_failed() -> None:
    job_state = run(failing(times=2), retrying(2))
    assert job_state.status == "completed"
    assert events_of(job_state) == [("a", name) for name in ("start", "error", "start", "error", "start", "out")] + [
        ("b", "start")
    ]
    assert emitted(job_state, "out") == [{"value": 3}]
    assert [data["attempt"] for data in emitted(job_state, "error")] == [1, 2]
    assert job_state.shared_data == {"attempt": 3}


def test_exhausted_retries_stop_the_job() -> None:
    job_state = run(failing(), retrying(2))
    assert job_state.status == "failed"
    assert [event for _, event in events_of(job_state)] == ["start", "error"] * 3


def test_no_retries_at_all_is_stop() -> None:
    assert [event for _, event in events_of(run(failing(), retrying(0)))] == ["start", "error"]


def test_the_routines_policy_comes_before_the_flows() -> None:
    assert run(failing(), ErrorHandler("skip"), ErrorHandler("continue")).get_routine_state("a")["status"] == "skipped"


@pytest.mark.parametrize(
    ("strategy", "status"), [("continue", "error_continued"), ("skip", "skipped"), ("stop", "failed")]
)
def test_the_flows_policy_counts_where_the_routine_has_none(strategy: str, status: str) -> None:
    assert run(failing(), None, ErrorHandler(strategy)).get_routine_state("a")["status"] == status


def test_the_flows_retries_count_per_task() -> None:
    job_state = run(failing(times=2), None, retrying(2))
    assert job_state.status == "completed"


def test_optional_routines_let_the_job_go_on() -> None:
    part = failing()
    part.set_as_optional()
    policy = part.get_error_handler()
    assert run(part, policy).status == "completed"


def test_critical_routines_are_retried_and_then_fail_the_job() -> None:
    part = failing()
    part.set_as_critical(max_retries=2, retry_delay=0.5)
    policy = part.get_error_handler()
    job_state = run(part, policy, ErrorHandler("continue"))
    assert job_state.status == "failed"
    assert len(emitted(job_state, "error")) == 3


@pytest.mark.parametrize("strategy", ["continue", "skip"])
def test_a_critical_routine_never_lets_a_failure_pass(strategy: str) -> None:
    assert run(failing(), ErrorHandler(strategy, is_critical=True)).status == "failed"


RETRYABLE: list[tuple[Any, BaseException, bool]] = [
    ((Trouble,), Trouble(), True),
    ((Trouble,), MoreTrouble(), True),
    ((ValueError,), Trouble(), True),
    ((MoreTrouble,), Trouble(), False),
    ((KeyError, Trouble), Trouble(), True),
    ((f"{Trouble.__module__}.Trouble",), MoreTrouble(), True),
    (("builtins.ValueError",), Trouble(), True),
    (("somewhere.else.Trouble",), Trouble(), False),
    ((), Trouble(), False),
    ((Exception,), KeyboardInterrupt(), False),
    ((BaseException,), KeyboardInterrupt(), True),
    ((KeyboardInterrupt,), KeyboardInterrupt(), True),
    ((OSError,), TimeoutError(), True),
]


@pytest.mark.parametrize(("exceptions", "error", "expected"), RETRYABLE)
def test_which_exceptions_are_retried(exceptions: Any, error: BaseException, expected: bool) -> None:
    job_state = run(failing(error, times=1), retrying(1, retryable_exceptions=exceptions))
    assert job_state.status == ("completed" if expected else "failed")


def test_retryable_exceptions_survive_the_document() -> None:
    policy = ErrorHandler()
    policy.deserialize(retrying(1, retryable_exceptions=(Trouble, "some.where.Else")).serialize())
    assert policy.retryable_exceptions == (f"{Trouble.__module__}.Trouble", "some.where.Else")
    assert run(failing(MoreTrouble(), times=1), policy).status == "completed"


@pytest.mark.parametrize(
    ("delay", "backoff", "expected"),
    [(1.0, 2.0, [1, 2, 4, 8]), (0.5, 1.0, [0.5] * 4), (2.0, 0.5, [2, 1, 0.5, 0.25]), (0.0, 2.0, [0] * 4)],
)
def test_retries_run_when_their_time_has_come(delay: float, backoff: float, expected: list[float]) -> None:
    runner = StepRunner()
    part = failing()
    part.set_error_handler(retrying(4, delay, backoff))
    begun: list[float] = []
    flow = flow_of(runner, a=part)
    job_state = flow.execute("a")
    job_state.wait()
    begun = [r.timestamp.timestamp() for r in job_state.execution_history if r.event_name == "start"]
    assert [after - before for before, after in pairwise(begun)] == expected


def test_a_backoff_beyond_all_bounds_is_a_year() -> None:
    assert retrying(2000, 10.0, 10.0).delay_before(1999) == 365 * 24 * 3600


def test_a_retry_does_not_run_before_its_time() -> None:
    runner = StepRunner()
    part = failing(times=1)
    part.set_error_handler(retrying(1, 10.0))
    job_state = flow_of(runner, a=part).execute("a")
    runner.clock.advance(9.999)
    assert not runner.step()
    assert job_state.status == "running"
    runner.clock.advance(0.001)
    assert runner.step()
    assert job_state.status == "completed"


def test_other_tasks_run_while_one_waits_for_its_retry() -> None:
    runner = StepRunner()
    order: list[str] = []

    def take(self: Routine, value: int) -> None:
        context = self.get_execution_context()
        assert context is not None
        order.append(f"{value}.{context.attempt}")
        if value == 0 and context.attempt == 1:
            raise Trouble

    def send(self: Routine) -> None:
        for value in range(3):
            self.emit("out", value=value)

    target = routine(take)
    target.set_error_handler(retrying())
    flow_of(runner, links=("a.out>b",), a=routine(send, "out"), b=target).execute("a").wait()
    assert order == ["0.1", "1.1", "2.1", "0.2"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, asyncio.CancelledError, GeneratorExit])
def test_what_ends_a_program_elsewhere_is_a_failed_attempt_in_a_handler(error: type[BaseException]) -> None:
    job_state = run(failing(error), None)
    assert job_state.status == "failed"
    assert job_state.error is not None and job_state.error.type.endswith(error.__name__)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_an_async_handler_may_fail_with_them_too(error: type[BaseException]) -> None:
    async def work(self: Routine) -> None:
        raise error

    flow = flow_of(StepRunner(), a=routine(work))
    job_state = flow.execute("a")
    assert job_state.status == "failed"
    assert job_state.error is not None and job_state.error.type.endswith(error.__name__)


def test_the_error_of_a_failed_job_says_what_where_and_how() -> None:
    job_state = run(failing(Trouble("no \ud800 luck")))
    error = job_state.error
    assert error is not None
    assert (error.type, error.message) == (f"{Trouble.__module__}.Trouble", "no \\ud800 luck")
    assert (error.routine_id, error.task_id) == ("a", f"{job_state.job_id}:1")
    assert "raise error" in error.traceback and __file__.rsplit("/", 1)[1] in error.traceback
    copy = JobState()
    copy.deserialize(job_state.serialize())
    assert copy.error == error


def test_an_exception_that_cannot_be_printed_is_a_failure_all_the_same() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    job_state = run(failing(Mute()))
    assert job_state.error is not None and job_state.error.message == ""


def test_a_failed_job_keeps_its_unstarted_tasks_and_starts_nothing_more() -> None:
    def send(self: Routine) -> None:
        self.emit("out", value=1)
        self.emit("out", value=2)

    taken: list[int] = []

    def take(self: Routine, value: int) -> None:
        taken.append(value)
        raise Trouble

    runner = StepRunner()
    flow = flow_of(runner, links=("a.out>b",), a=routine(send, "out"), b=routine(take))
    job_state = flow.execute("a")
    assert job_state.wait()
    runner.run()
    assert taken == [1]
    document = job_state.serialize()
    assert [task["data"] for task in document["failed_tasks"]] == [{"value": 1}]
    assert [task["data"] for task in document["pending_tasks"]] == [{"value": 2}]
    assert job_state.pending_tasks == []


def test_activations_in_flight_commit_when_another_fails_and_what_they_emit_stays_pending() -> None:
    runner = StepRunner()

    def take(self: Routine, value: int) -> None:
        if value == 0:
            raise Trouble
        self.emit("more", value=10 + value)

    def send(self: Routine) -> None:
        for value in range(3):
            self.emit("out", value=value)

    flow = flow_of(
        runner,
        links=("a.out>b", "b.more>c"),
        execution_strategy="concurrent",
        a=routine(send, "out"),
        b=routine(take, "more"),
        c=routine(lambda self, value: None),
    )
    job_state = runner.start(flow, "a")
    runner.step()
    first, second = runner.begin(job_state), runner.begin(job_state)
    assert first is not None and second is not None
    first.run().commit()
    assert job_state.status == "running"
    assert runner.begin(job_state) is None
    assert job_state.explain().note == "it fails when what runs has finished"
    assert job_state.explain().error is not None
    second.run().commit()
    assert job_state.status == "failed"
    assert emitted(job_state, "more") == [{"value": 11}]
    pending = job_state.serialize()["pending_tasks"]
    assert [(task["routine_id"], task["data"]) for task in pending] == [("b", {"value": 2}), ("c", {"value": 11})]


def test_the_first_of_two_failures_is_the_jobs_error() -> None:
    runner = StepRunner()

    def take(self: Routine, value: int) -> None:
        raise Trouble(value)

    def send(self: Routine) -> None:
        self.emit("out", value=1)
        self.emit("out", value=2)

    flow = flow_of(runner, links=("a.out>b",), execution_strategy="concurrent", a=routine(send, "out"), b=routine(take))
    job_state = runner.start(flow, "a")
    runner.step()
    first, second = runner.begin(job_state), runner.begin(job_state)
    assert first is not None and second is not None
    second.run().commit()
    first.run().commit()
    assert job_state.error is not None and job_state.error.message == "2"
    assert len(job_state.serialize()["failed_tasks"]) == 2


def test_the_worst_of_a_routines_tasks_is_its_status() -> None:
    def policy_flow(outcomes: list[str]) -> JobState:
        def take(self: Routine, outcome: str) -> None:
            if outcome != "fine":
                self.set_error_handler_quietly(outcome)
                raise Trouble

        class Switching(Routine):
            def set_error_handler_quietly(self, strategy: str) -> None:
                handler.strategy = strategy

        handler = ErrorHandler("continue")
        target = Switching()
        target.define_slot("trigger", lambda outcome: take(target, outcome))
        target.set_error_handler(handler)

        def send(self: Routine) -> None:
            for outcome in outcomes:
                self.emit("out", outcome=outcome)

        job_state = flow_of(StepRunner(), links=("a.out>b",), a=routine(send, "out"), b=target).execute("a")
        job_state.wait()
        return job_state

    def status(*outcomes: str) -> str:
        return policy_flow(list(outcomes)).get_routine_state("b")["status"]

    assert status("fine", "fine") == "completed"
    assert status("fine", "skip", "fine") == "skipped"
    assert status("skip", "continue", "fine") == "error_continued"
    assert status("continue", "skip", "stop") == "failed"


def test_wait_raises_for_a_failed_job_only_if_asked_to() -> None:
    job_state = run(failing(Trouble("no luck")))
    assert job_state.wait()
    with pytest.raises(JobFailedError, match="no luck"):
        job_state.wait(raise_on_failure=True)
    with pytest.raises(JobFailedError, match="Traceback"):
        JobState.wait_for_completion(Flow("flow"), job_state, raise_on_failure=True)


@pytest.mark.parametrize(
    "break_it", [lambda h: setattr(h, "strategy", "bogus"), lambda h: setattr(h, "max_retries", "x")]
)
def test_a_broken_policy_fails_the_job(break_it: Callable[[ErrorHandler], None]) -> None:
    policy = retrying()
    break_it(policy)
    job_state = run(failing(), policy)
    assert job_state.status == "failed"


def test_two_jobs_have_retries_of_their_own() -> None:
    runner = StepRunner()
    part = failing(times=2)
    part.set_error_handler(retrying(2))
    flow = flow_of(runner, a=part)
    jobs = [flow.execute("a") for _ in range(3)]
    runner.run()
    assert [job.status for job in jobs] == ["completed"] * 3
    assert [len(emitted(job, "error")) for job in jobs] == [2, 2, 2]


def test_execute_returns_when_its_entry_waits_for_a_retry() -> None:
    runner = StepRunner()
    part = failing(times=1)
    part.set_error_handler(retrying(1, 3600.0))
    before = runner.clock.now()
    job_state = flow_of(runner, a=part).execute("a")
    assert (job_state.status, runner.clock.now()) == ("running", before)
    assert job_state.wait()
    assert runner.clock.now() == before + 3600
