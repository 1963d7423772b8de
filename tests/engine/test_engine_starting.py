"""`Flow.start`, which waits for nothing, and ids that callers choose."""

import threading
from typing import Any

import pytest

from routilux import BlockingCallError, DefinitionError, JobState, Routine
from routilux._engine import engine
from routilux._engine.live_job import LiveJob
from routilux.testing import StepRunner
from tests.engine.engine_parts import flow_of, routine
from tests.patience import PATIENCE, until

TOO_LONG = "x" * 256


def test_the_entry_does_not_run_on_the_callers_thread() -> None:
    entered, threads = threading.Event(), list[int]()

    def work(self: Routine) -> None:
        assert entered.wait(60)
        threads.append(threading.get_ident())

    with flow_of(a=routine(work)) as flow:
        job_state = flow.start("a")
        assert job_state.status == "running"
        entered.set()
        assert job_state.wait(60)
    assert threads != [threading.get_ident()]


def test_a_handler_starts_a_job_of_its_own_flow() -> None:
    runner, started = StepRunner(), list[JobState]()

    def work(self: Routine, flows: int) -> None:
        context = self.get_execution_context()
        assert context is not None
        if flows:
            started.append(flow.start("a", {"flows": flows - 1}, job_id=f"{context.task_id}/next"))

    flow = flow_of(runner, a=routine(work))
    job_state = flow.start("a", {"flows": 2}, job_id="first")
    runner.run()
    assert [each.job_id for each in started] == ["first:1/next", "first:1/next:1/next"]
    assert {each.status for each in [job_state, *started]} == {"completed"}


def test_execute_returns_no_earlier_where_a_worker_has_its_first_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one may, where the flow is shut down in this moment."""
    entered, release, came, run_here = threading.Event(), threading.Event(), list[str](), LiveJob.run_here

    def block(self: Routine) -> None:
        entered.set()
        assert release.wait(PATIENCE)
        came.append("its end")

    def later(live: Any, task: Any) -> None:
        live.submit()
        assert entered.wait(PATIENCE)
        threading.Thread(target=let_go_as_somebody_waits, args=[live]).start()
        run_here(live, task)

    def let_go_as_somebody_waits(live: Any) -> None:
        until(lambda: live._watchers.tasks or came)
        release.set()

    monkeypatch.setattr(LiveJob, "run_here", later)
    with flow_of(a=routine(block)) as flow:
        job_state = flow.execute("a")
        came.append("its return")
        release.set()
        assert job_state.wait(PATIENCE)
    assert came == ["its end", "its return"]


def test_nothing_is_started_in_the_middle_of_a_commit() -> None:
    runner, refused = StepRunner(), list[str]()

    def holds(data: dict[str, Any]) -> bool:
        with pytest.raises(BlockingCallError) as refusal:
            flow.start("a")
        refused.append(str(refusal.value))
        return False

    flow = flow_of(runner, a=routine(lambda self: None, when=holds))
    assert flow.execute("a").status == "completed"
    assert [text.partition(":")[0] for text in refused] == [
        "a predicate, merge function, update or policy cannot start a job"
    ]


@pytest.mark.parametrize("job_id", ["a", "order 17/b:2", "Auftrag-ß", "x" * 255])
def test_a_job_has_the_id_that_was_chosen(job_id: str) -> None:
    flow = flow_of(StepRunner(), a=routine(lambda self: None))
    assert flow.execute("a", job_id=job_id).job_id == job_id


class Text(str):
    """No plain text."""


@pytest.mark.parametrize(
    ("job_id", "problem"),
    [
        ("", "not empty"),
        (17, "is a text"),
        (Text("a"), "is a text"),
        (b"a", "is a text"),
        (TOO_LONG, "at most 255 characters, not 256"),
        ("\ud800", "printable"),
        ("a\0", "printable"),
        ("a\nb", "printable"),
    ],
)
@pytest.mark.parametrize("verb", ["execute", "start"])
def test_an_id_that_cannot_be_kept_anywhere_is_refused(verb: str, job_id: Any, problem: str) -> None:
    runner = StepRunner()
    flow = flow_of(runner, a=routine(lambda self: None))
    with pytest.raises(DefinitionError, match=problem) as refusal:
        getattr(flow, verb)("a", job_id=job_id)
    str(refusal.value).encode()
    assert not flow._running_engine().jobs


def test_the_system_makes_each_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that were made of anything in this process would be made again by a copy of its memory."""
    made = iter([b"\1" * 16, b"\2" * 16])
    monkeypatch.setattr(engine, "_SYSTEM_RANDOM", lambda size: next(made))
    with flow_of(a=routine(lambda self: None)) as flow:
        assert [flow.execute("a").job_id for _ in range(2)] == ["01" * 16, "02" * 16]


def test_ids_are_all_different() -> None:
    with flow_of(a=routine(lambda self: None)) as first, flow_of(a=routine(lambda self: None)) as second:
        ids = [flow.execute("a").job_id for flow in (first, second) for _ in range(100)]
    assert (len(set(ids)), {len(each) for each in ids}) == (200, {32})
