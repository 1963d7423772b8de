"""What a process whose store has been closed does with its jobs, which others may have by then: it begins nothing."""

import threading
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from routilux import ErrorHandler, ErrorStrategy, Flow, JobState, Routine, StoreError
from routilux._backends.memory import MemoryBackend
from routilux._current import get_current
from routilux._engine import keeper
from routilux.stores import Store
from routilux.testing import StepRunner
from serilux import register_serializable
from tests.patience import PATIENCE


@register_serializable(name="ClosedBeginner")
class Beginner(Routine):
    """Notes what begins: something goes on from here at once, or later, by each of the ways in which that is so."""

    begun: ClassVar[list[str]] = []
    entered, opened = threading.Event(), threading.Event()

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.begin)
        self.define_slot("next", self.go_on)
        self.define_event("out")

    def begin(self, how: str) -> None:
        self.begun.append(how)
        if how == "later":
            self.emit_with("out", {}, delay=1.0)
        elif how == "in vain":
            self.expect("next", timeout=1.0)
        elif how == "again":
            raise ValueError
        else:
            self.entered.set()
            if how == "after this":
                assert self.opened.wait(PATIENCE)
            self.emit("out")

    def go_on(self) -> None:
        self.begun.append("it went on")


def beginning(**settings: Any) -> Flow:
    flow, beginner = Flow("beginning", **settings), Beginner()
    beginner.set_error_handler(ErrorHandler(ErrorStrategy.RETRY, max_retries=3, retry_delay=1.0))
    flow.add_routine(beginner, "beginner")
    flow.connect("beginner", "out", "beginner", "next")
    return flow


class Shared(MemoryBackend):
    """A backend that others have, too: who closes his store leaves it open."""

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def nothing_begun() -> None:
    Beginner.begun.clear()
    Beginner.entered, Beginner.opened = threading.Event(), threading.Event()


@pytest.fixture
def backend() -> Shared:
    return Shared()


@pytest.fixture(params=["sequential", "concurrent"])
def strategy(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("how", ["at once", "later", "in vain", "again"])
def test_nothing_of_a_job_begins_once_its_store_is_closed(
    backend: Shared, strategy: str, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    runner, store = StepRunner(), Store(backend)
    flow = beginning(engine_factory=runner.engine, execution_strategy=strategy)
    job_state = flow.execute("beginner", {"how": how}, store=store)
    caplog.clear()
    store.close()
    runner.run()
    assert Beginner.begun == [how]
    job_state._live.tell_news()
    assert [getattr(record, "action", None) for record in caplog.records] == ["lose"]
    with pytest.raises(StoreError, match="has been closed") as caught:
        flow.shutdown()
    assert caught.value is job_state._live.lost


def test_nothing_of_it_begins_while_it_is_just_being_left(backend: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    """From then on it may be another's."""
    runner, store = StepRunner(), Store(backend)
    beginning(engine_factory=runner.engine).execute("beginner", {"how": "later"}, store=store)
    leave, elsewhere = backend.leave, StepRunner(runner.clock)
    monkeypatch.setattr(keeper, "BEAT", float("inf"))  # who finds out now has the job, and waits for who leaves

    def leave_and_run(owner: str) -> None:
        leave(owner)
        assert get_current() is None
        runner.run()

    monkeypatch.setattr(backend, "leave", leave_and_run)
    store.close()
    assert Beginner.begun == ["later"]
    monkeypatch.undo()
    with Store(backend) as another:
        [job_state] = another.recover(flows=[beginning(engine_factory=elsewhere.engine)])
        assert job_state.wait(PATIENCE)
    assert Beginner.begun == ["later", "it went on"]


def test_nor_does_what_was_queued_behind_a_handler_that_runs_meanwhile(backend: Shared, strategy: str) -> None:
    flow, store = beginning(execution_strategy=strategy), Store(backend)
    job_state = flow.start("beginner", {"how": "after this"}, store=store)
    assert Beginner.entered.wait(PATIENCE)
    store.close()
    Beginner.opened.set()
    with pytest.raises(StoreError, match="has been closed"):
        flow.shutdown()
    assert (Beginner.begun, job_state.status) == (["after this"], "running")


WAYS: dict[str, Callable[[Flow, JobState], object]] = {
    "resume": lambda flow, job_state: flow.resume(job_state),
    "pause": lambda flow, job_state: flow.pause(job_state),
    "deliver": lambda flow, job_state: flow.deliver(job_state, "beginner", "next", {}),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_is_asked_of_it_here_is_refused_since_its_store_is_closed(backend: Shared, way: str) -> None:
    flow, store = beginning(), Store(backend)
    job_state = flow.execute("beginner", {"how": "in vain"}, store=store)
    store.close()
    with pytest.raises(StoreError, match="store has been closed"):
        WAYS[way](flow, job_state)


def test_who_has_opened_the_store_again_is_told_to_load_the_job(backend: Shared) -> None:
    flow, store = beginning(), Store(backend)
    job_state = flow.execute("beginner", {"how": "in vain"}, store=store)
    store.close()
    job_id = job_state.job_id
    with (
        Store(backend) as again,
        pytest.raises(StoreError, match=rf"has been closed.* get the job with store.load\('{job_id}'\)"),
    ):
        flow.resume(job_state, store=again)
