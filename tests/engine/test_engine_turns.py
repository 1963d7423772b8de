"""What a worker sees to with each activation, though it takes the shortest way with those that only emit."""

from typing import Any

import pytest

from routilux import JobState, Routine
from routilux._engine import running_job
from routilux._engine.workers import OthersWait
from routilux.stores import open_store
from routilux.testing import StepRunner
from serilux import register_serializable
from tests.engine.engine_parts import emitted, events_of, flow_of, retrying, routine

KEY = "a key that is told nobody"


@register_serializable
class EngineStep(Routine):
    """Passes a number on, with nothing else to do."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.step)
        self.define_event("out", ["n"])

    def step(self, n: int) -> None:
        self.emit("out", n=n)


def served(runner: StepRunner, first: Routine, /, entry: dict[str, Any] | None = None, **options: Any) -> JobState:
    """A job of three steps that a worker has run, all in one turn; the last step is of `first`'s making."""
    flow = flow_of(runner, a=EngineStep(), b=EngineStep(), c=first, links=("a.out>b", "b.out>c"))
    job_state = runner.start(flow, "a", {"n": 3} if entry is None else entry, **options)
    job_state._live.serve(lambda: False)
    return job_state


def is_left(runner: StepRunner, job_state: JobState, others_wait: OthersWait) -> bool:
    """Whether a worker that has taken a job out of its queue submits it again, when it has had its turn."""
    runner._queue.clear()
    job_state._live.queued = None
    job_state._live.serve(others_wait)
    return bool(runner._queue)


def test_what_a_worker_has_run_is_in_the_store() -> None:
    with open_store("memory:") as store:
        job_state = served(StepRunner(), EngineStep(), store=store)
        store.ledger.flush()
        _, stored = store.load(job_state.job_id)
        assert events_of(stored) == events_of(job_state)
        assert len(events_of(stored)) == 6


def test_a_secret_is_not_emitted_on_a_worker() -> None:
    part = routine(lambda self, n: self.emit("out", told=self.get_config("key")), "out")
    part.declare_secret("key")
    part.set_config(key=KEY)
    job_state = served(StepRunner(), part)
    assert job_state.error is not None
    assert (job_state.error.type, emitted(job_state, "out")) == ("routilux.errors.SecretError", [{"n": 3}] * 2)


@pytest.mark.filterwarnings("ignore:attribute '_:routilux.errors.RoutineStateWarning")
def test_a_secret_that_comes_to_be_known_while_a_worker_runs_the_job_is_not_emitted() -> None:
    def learn(self: Routine, n: int) -> None:
        self.declare_secret("key")
        self.set_config(key=KEY)
        self.emit("out", n=n)

    runner, tell = StepRunner(), routine(lambda self, n: self.emit("out", told=KEY), "out")
    flow = flow_of(runner, a=EngineStep(), b=routine(learn, "out"), c=tell, links=("a.out>b", "b.out>c"))
    job_state = runner.start(flow, "a", {"n": 3})
    job_state._live.serve(lambda: False)
    assert job_state.error is not None
    assert job_state.error.type == "routilux.errors.SecretError"


def test_whoever_waits_for_an_attempt_is_told_by_the_worker() -> None:
    runner = StepRunner()
    flow = flow_of(runner, a=EngineStep(), b=EngineStep(), c=EngineStep(), links=("a.out>b", "b.out>c"))
    job_state = runner.start(flow, "a", {"n": 1})
    runner.step()
    attempted = job_state._live.when_attempted(job_state._job.ready.peek())
    told = []
    attempted.tell(lambda: told.append(events_of(job_state)[-1]))
    job_state._live.serve(lambda: False)
    assert (told, events_of(job_state)[-1]) == ([("b", "out")], ("c", "out"))


def test_a_worker_goes_on_with_no_job_that_was_let_go_of_meanwhile() -> None:
    def let_go(self: Routine, n: int) -> None:
        context_of(self).job_state._live.abandon()
        self.emit("out", n=n)

    runner = StepRunner()
    flow = flow_of(runner, a=EngineStep(), b=routine(let_go, "out"), c=EngineStep(), links=("a.out>b", "b.out>c"))
    job_state = runner.start(flow, "a", {"n": 1})
    job_state._live.serve(lambda: False)
    assert ("b", "start") in events_of(job_state)
    assert ("c", "start") not in events_of(job_state)


def test_an_attempt_that_has_ended_on_a_worker_does_not_expire() -> None:
    runner = StepRunner()
    job_state = served(runner, routine(lambda self, n: None, timeout=5.0))
    assert (job_state._live._alarms.expiries, runner.clock.next_timer) == ({}, None)


def test_state_that_a_handler_changes_on_a_worker_is_committed() -> None:
    def keep(self: Routine, n: int) -> None:
        context = self.get_execution_context()
        assert context is not None
        context.state["n"] = n

    assert served(StepRunner(), routine(keep)).get_routine_state("c") == {"status": "completed", "error": None, "n": 3}


def test_a_failure_on_a_worker_is_decided_on() -> None:
    part = routine(lambda self, n: n / 0)
    part.set_error_handler(retrying(1, delay=7.0))
    runner = StepRunner()
    job_state = served(runner, part)
    assert (job_state.status, runner.clock.next_timer) == ("running", runner.clock.now() + 7.0)


def test_an_attempt_that_was_given_up_commits_nothing_on_a_worker() -> None:
    runner = StepRunner()
    part = routine(lambda self, n: context_of(self).flow.cancel(context_of(self).job_state))
    job_state = served(runner, part)
    assert (job_state.status, events_of(job_state)[-1]) == ("cancelled", ("b", "out"))


def test_a_pause_within_a_turn_takes_effect_with_its_own_commit() -> None:
    runner = StepRunner()
    part = routine(lambda self, n: context_of(self).flow.pause(context_of(self).job_state))
    flow = flow_of(runner, a=EngineStep(), b=part, c=EngineStep(), links=("a.out>b", "a.out>c"))
    job_state = runner.start(flow, "a", {"n": 3})
    job_state._live.serve(lambda: False)
    assert (job_state.status, [task["routine_id"] for task in job_state.pending_tasks]) == ("paused", ["c"])


def context_of(routine: Routine) -> Any:
    return routine.get_execution_context()


@pytest.mark.parametrize("others_wait", [True, False])
def test_a_worker_leaves_a_job_that_keeps_others_waiting(others_wait: bool) -> None:
    runner = StepRunner()
    slow = [routine(lambda self, n: runner.clock.advance(1.0)) for _ in "bc"]
    flow = flow_of(runner, a=EngineStep(), b=slow[0], c=slow[1], links=("a.out>b", "a.out>c"))
    job_state = runner.start(flow, "a", {"n": 3})
    assert is_left(runner, job_state, lambda: others_wait) is others_wait
    assert events_of(job_state)[-1] == (("b", "start") if others_wait else ("c", "start"))


def test_a_worker_that_keeps_nobody_waiting_has_a_new_turn() -> None:
    runner = StepRunner()
    slow = routine(lambda self, n: runner.clock.advance(1.0) or self.emit("out", n=n), "out")
    flow = flow_of(runner, a=slow, b=EngineStep(), c=EngineStep(), links=("a.out>b", "b.out>c"))
    job_state = runner.start(flow, "a", {"n": 3})
    asked: list[tuple[str, str]] = []

    def others_wait() -> bool:
        asked.append(events_of(job_state)[-1])
        return False

    assert not is_left(runner, job_state, others_wait)
    assert (asked, job_state.status) == ([("a", "out")], "completed")


def test_a_worker_leaves_a_job_that_waits_for_what_is_due_later() -> None:
    def act(self: Routine) -> None:
        self.emit("out", n=1)
        self.emit_with("late", {"n": 2}, delay=7.0)

    runner = StepRunner()
    flow = flow_of(runner, a=routine(act, "out", "late"), b=EngineStep(), links=("a.out>b", "a.late>b"))
    job_state = runner.start(flow, "a")
    assert not is_left(runner, job_state, lambda: False)
    assert events_of(job_state)[-1] == ("b", "out")
    runner.run()
    assert job_state.status == "completed"


def test_nothing_more_begins_of_a_job_that_a_finalizer_has_cancelled_in_the_middle_of_a_commit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The garbage collector may come after any call."""

    def collected(*given: Any) -> Any:
        effects = succeed(*given)
        job_state._live.cancel("it is not wanted any more")
        return effects

    runner = StepRunner()
    flow = flow_of(runner, a=EngineStep(), b=EngineStep(), links=("a.out>b",))
    job_state = runner.start(flow, "a", {"n": 1})
    succeed = running_job.succeed
    monkeypatch.setattr(running_job, "succeed", collected)
    job_state._live.serve(lambda: False)
    assert (job_state.status, events_of(job_state)) == ("cancelled", [("a", "start"), ("a", "out")])
    assert not job_state._live.job.active
