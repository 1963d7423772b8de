"""Waiting for a person: `expect` and `deliver`, running, paused, reloaded, with timeouts and retries."""

from typing import Any

import pytest

from routilux import BindingError, DefinitionError, ErrorHandler, Flow, JobState, JobStateError, Routine
from routilux.testing import StepRunner
from routilux.testing.step_runner import StuckError
from tests.engine.engine_parts import EngineAsker, emitted, events_of, flow_of, retrying, routine


def asking(
    runner: StepRunner, patience: float | None = None, policy: ErrorHandler | None = None
) -> tuple[Flow, JobState]:
    asker = EngineAsker()
    asker.set_error_handler(policy)
    flow = flow_of(runner, ask=asker)
    return flow, flow.execute("ask", {"patience": patience})


def test_a_job_that_expects_something_is_not_completed() -> None:
    runner = StepRunner()
    _, job_state = asking(runner)
    runner.run()
    assert job_state.status == "running"
    assert not job_state.wait(timeout=1e6)
    with pytest.raises(StuckError):
        job_state.wait()


def test_what_is_delivered_activates_the_handler() -> None:
    flow, job_state = asking(StepRunner())
    flow.deliver(job_state, "ask", "answer", {"text": "yes"})
    assert job_state.wait()
    assert emitted(job_state, "told") == [{"text": "yes"}]
    assert events_of(job_state) == [("ask", "start"), ("ask", "start"), ("ask", "told")]


def test_what_is_delivered_is_copied() -> None:
    flow, job_state = asking(StepRunner())
    data: dict[str, Any] = {"text": ["yes"]}
    flow.deliver(job_state, "ask", "answer", data)
    data["text"].append("no")
    job_state.wait()
    assert emitted(job_state, "told") == [{"text": ["yes"]}]


def test_each_expectation_is_delivered_to_once_and_the_oldest_first() -> None:
    runner = StepRunner()
    part = routine(lambda self: [self.expect("answer", 10.0), self.expect("answer", 20.0)], "told")
    part.define_slot("answer", lambda text: part.emit("told", text=text))
    flow = flow_of(runner, a=part)
    job_state = flow.execute("a")
    flow.deliver(job_state, "a", "answer", {"text": "first"})
    assert [note.until is not None for note in job_state.explain().waiting_for_delivery] == [True]
    flow.deliver(job_state, "a", "answer", {"text": "second"})
    with pytest.raises(JobStateError, match=r"waits for nothing on a\.answer"):
        flow.deliver(job_state, "a", "answer", {"text": "third"})
    assert job_state.wait()
    assert emitted(job_state, "told") == [{"text": "first"}, {"text": "second"}]


def asking_of_two(runner: StepRunner) -> tuple[Flow, JobState, list[str]]:
    """A job that waits for two answers on one slot, and the ids of the tasks; for the second one not as long."""
    part = routine(lambda self: [self.expect("answer", 100.0), self.expect("answer", 10.0)], "told")
    part.define_slot("answer", lambda text: part.emit("told", text=text, task=part.get_execution_context().task_id))
    part.set_error_handler(ErrorHandler("continue"))
    flow = flow_of(runner, a=part)
    job_state = flow.execute("a")
    return flow, job_state, waiting_in(job_state)


def waiting_in(job_state: JobState) -> list[str]:
    return [note.task_id for note in job_state.explain().waiting_for_delivery]


def test_the_task_that_is_named_is_delivered_to_and_the_others_keep_their_time() -> None:
    runner = StepRunner()
    flow, job_state, (first, second) = asking_of_two(runner)
    flow.deliver(job_state, "a", "answer", {"text": "urgent"}, task_id=second)
    assert waiting_in(job_state) == [first]
    runner.clock.advance(99.0)
    flow.deliver(job_state, "a", "answer", {"text": "in time"}, task_id=first)
    assert job_state.wait(raise_on_failure=True)
    assert emitted(job_state, "told") == [{"text": "urgent", "task": second}, {"text": "in time", "task": first}]
    assert emitted(job_state, "error") == []


def test_the_task_that_is_named_is_delivered_to_in_a_paused_job() -> None:
    flow, job_state, (first, second) = asking_of_two(StepRunner())
    flow.pause(job_state)
    flow.deliver(job_state, "a", "answer", {"text": "yes"}, task_id=second)
    assert [(task["task_id"], task["data"]) for task in job_state.pending_tasks] == [
        (second, {"text": "yes"}),
        (first, None),
    ]


def test_a_task_that_waits_no_more_is_not_delivered_to_and_nor_is_another() -> None:
    runner = StepRunner()
    flow, job_state, (first, second) = asking_of_two(runner)
    runner.clock.advance(10.0)
    before = job_state.serialize()
    with pytest.raises(JobStateError, match=f"has no task '{second}' that waits on a.answer; there waits '{first}'"):
        flow.deliver(job_state, "a", "answer", {"text": "late"}, task_id=second)
    assert job_state.serialize() == before


@pytest.mark.parametrize("task_id", [2, b"x", ["x"], "\ud800"])
def test_what_can_be_no_id_of_a_task_is_refused(task_id: Any) -> None:
    flow, job_state, _ = asking_of_two(StepRunner())
    with pytest.raises(DefinitionError, match="a task_id"):
        flow.deliver(job_state, "a", "answer", {"text": "yes"}, task_id=task_id)


def test_an_expectation_of_an_attempt_that_fails_is_none() -> None:
    def ask(self: Routine) -> None:
        self.expect("answer")
        raise ValueError

    part = routine(ask)
    part.define_slot("answer", lambda text: None)
    part.set_error_handler(ErrorHandler("skip"))
    assert flow_of(StepRunner(), a=part).execute("a").status == "completed"


def test_a_paused_job_is_delivered_to() -> None:
    runner = StepRunner()
    flow, job_state = asking(runner)
    flow.pause(job_state)
    assert [task["data"] for task in job_state.pending_tasks] == [None]
    flow.deliver(job_state, "ask", "answer", {"text": "yes"})
    assert [task["data"] for task in job_state.pending_tasks] == [{"text": "yes"}]
    runner.run()
    assert job_state.status == "paused"
    flow.resume(job_state)
    assert job_state.wait()
    assert emitted(job_state, "told") == [{"text": "yes"}]


def test_a_job_read_on_another_host_is_delivered_to_before_it_is_resumed() -> None:
    runner = StepRunner()
    flow, job_state = asking(runner)
    other_flow, copy = Flow(engine_factory=runner.engine), JobState()
    other_flow.deserialize(flow.serialize())
    copy.deserialize(job_state.serialize())
    other_flow.deliver(copy, "ask", "answer", {"text": "there"})
    other_flow.resume(copy)
    assert copy.wait()
    assert emitted(copy, "told") == [{"text": "there"}]
    assert job_state.status == "running"


def test_a_reloaded_job_is_delivered_to() -> None:
    runner = StepRunner()
    flow, job_state = runner.reload(*asking(runner, 10.0))
    flow.deliver(job_state, "ask", "answer", {"text": "yes"})
    assert job_state.wait()
    assert emitted(job_state, "told") == [{"text": "yes"}]


def test_nobody_delivering_in_time_is_a_failure() -> None:
    runner = StepRunner()
    _, job_state = asking(runner, 10.0)
    runner.clock.advance(9.99)
    assert job_state.status == "running"
    runner.clock.advance(0.01)
    assert job_state.status == "failed"
    assert job_state.error is not None
    assert job_state.error.type == "routilux.errors.DeliveryTimeout"
    assert job_state.error.message == "nobody delivered to ask.answer within 10.0 s"


@pytest.mark.parametrize(("strategy", "status"), [("continue", "error_continued"), ("skip", "skipped")])
def test_a_missed_delivery_is_decided_on_by_the_policy(strategy: str, status: str) -> None:
    runner = StepRunner()
    _, job_state = asking(runner, 10.0, ErrorHandler(strategy))
    assert job_state.wait()
    assert job_state.status == "completed"
    assert job_state.get_routine_state("ask")["status"] == status


def test_a_retried_expectation_waits_its_time_again_after_the_delay() -> None:
    runner = StepRunner()
    start = runner.clock.now()
    _, job_state = asking(runner, 10.0, retrying(2, 1.0, 2.0))
    job_state.wait()
    assert job_state.status == "failed"
    assert runner.clock.now() == start + 10 + (1 + 10) + (2 + 10)
    assert [data["attempt"] for data in emitted(job_state, "error")] == [1, 2, 3]


def test_a_retried_expectation_is_delivered_to_and_keeps_its_count() -> None:
    runner = StepRunner()
    flow, job_state = asking(runner, 10.0, retrying(2, 1.0))
    runner.clock.advance(10.0)
    assert [note.retry_count for note in job_state.explain().waiting_for_delivery] == [1]
    flow.deliver(job_state, "ask", "answer", {"text": "late"})
    assert job_state.wait()
    assert emitted(job_state, "told") == [{"text": "late"}]


def test_a_deadline_stays_where_it_is_over_a_reload() -> None:
    runner = StepRunner()
    start = runner.clock.now()
    flow, job_state = asking(runner, 10.0)
    runner.clock.advance(4.0)
    _, job_state = runner.reload(flow, job_state)
    assert job_state.wait()
    assert (job_state.status, runner.clock.now()) == ("failed", start + 10)


def test_a_deadline_that_passes_while_the_job_is_paused_is_missed_at_the_resume() -> None:
    runner = StepRunner()
    flow, job_state = asking(runner, 10.0)
    flow.pause(job_state)
    runner.clock.advance(100.0)
    assert job_state.status == "paused"
    flow.resume(job_state)
    assert job_state.status == "running"
    assert job_state.wait()
    assert job_state.error is not None and job_state.error.type.endswith("DeliveryTimeout")


def test_a_delivery_to_a_paused_job_counts_even_after_its_deadline() -> None:
    runner = StepRunner()
    flow, job_state = asking(runner, 10.0)
    flow.pause(job_state)
    runner.clock.advance(100.0)
    flow.deliver(job_state, "ask", "answer", {"text": "late"})
    flow.resume(job_state)
    assert job_state.wait(raise_on_failure=True)
    assert emitted(job_state, "told") == [{"text": "late"}]


def test_data_that_does_not_fit_is_refused_and_the_task_goes_on_waiting() -> None:
    flow, job_state = asking(StepRunner(), None)
    before = job_state.serialize()
    with pytest.raises(BindingError, match="it has no place for 'more'"):
        flow.deliver(job_state, "ask", "answer", {"text": "yes", "more": 1})
    assert job_state.serialize() == before


def test_jobs_are_delivered_to_apart() -> None:
    runner = StepRunner()
    flow, first = asking(runner)
    second = flow.execute("ask")
    flow.deliver(second, "ask", "answer", {"text": "second"})
    runner.run()
    assert (first.status, second.status) == ("running", "completed")


def test_a_handler_may_deliver_to_another_job() -> None:
    runner = StepRunner()
    flow, first = asking(runner)
    flow.add_routine(routine(lambda self: flow.deliver(first, "ask", "answer", {"text": "from inside"})), "tell")
    flow.execute("tell").wait(raise_on_failure=True)
    assert first.wait()
    assert emitted(first, "told") == [{"text": "from inside"}]


def test_what_a_slot_has_gathered_is_merged_with_what_is_delivered() -> None:
    seen: list[Any] = []
    part = routine(lambda self: [self.expect("answer") for _ in range(2)])
    part.define_slot("answer", lambda text: seen.append(text) or None, "append", when=lambda m: len(m["text"]) == 2)
    flow = flow_of(StepRunner(), a=part)
    job_state = flow.execute("a")
    flow.deliver(job_state, "a", "answer", {"text": "one"})
    flow.deliver(job_state, "a", "answer", {"text": "two"})
    assert job_state.wait()
    assert seen == [["one", "two"]]


def test_a_flushed_expectation_stays() -> None:
    def ask(self: Routine) -> None:
        self.expect("answer")
        self.flush()
        raise ValueError

    part = routine(ask, "told")
    part.define_slot("answer", lambda text: part.emit("told", text=text))
    part.set_error_handler(ErrorHandler("skip"))
    flow = flow_of(StepRunner(), a=part)
    job_state = flow.execute("a")
    flow.deliver(job_state, "a", "answer", {"text": "yes"})
    assert job_state.wait()
    assert emitted(job_state, "told") == [{"text": "yes"}]


def test_a_slot_without_a_handler_cannot_be_expected_on() -> None:
    def ask(self: Routine) -> None:
        self.define_slot("silent")
        self.expect("silent")

    job_state = flow_of(StepRunner(), a=routine(ask)).execute("a")
    assert job_state.error is not None and job_state.error.type == "routilux.errors.DefinitionError"


def test_a_slot_defined_after_the_job_had_begun_cannot_be_expected_on() -> None:
    def ask(self: Routine) -> None:
        self.define_slot("late", lambda: None)
        self.expect("late")

    job_state = flow_of(StepRunner(), a=routine(ask)).execute("a")
    assert job_state.error is not None and job_state.error.type == "routilux.errors.DefinitionError"
    assert "after this job had begun" in job_state.error.message
