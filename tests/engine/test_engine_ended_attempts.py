"""What a handler, or a thread of it, does after its attempt has ended is refused, and is no part of the job."""

import contextvars
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from routilux import ErrorHandler, Flow, OutsideActivationError, Routine
from routilux import _context as context_module
from routilux import routine as routine_module
from routilux._engine.live_job import LiveJob
from routilux.errors import RoutiluxError
from routilux.stores import open_store
from serilux import register_serializable
from tests.patience import PATIENCE, until

WRITES: dict[str, Callable[[Any], object]] = {
    "update_shared_data": lambda job: job.update_shared_data("key", 1),
    "append_to_shared_log": lambda job: job.append_to_shared_log("entry"),
    "shared_data": lambda job: job.shared_data.update(key=1),
}


@register_serializable(name="EngineLate")
class Late(Routine):
    """Does something when its attempt has been given up, and notes what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[RoutiluxError | None] = []
        self.act: Callable[[Any], object] = lambda job: None
        self.given_up = threading.Event()
        self.define_slot("trigger", self.go)
        self.define_slot("work", self.work, timeout=0.05)
        self.define_event("out")
        self.set_error_handler(ErrorHandler("stop"))

    def go(self) -> None:
        self.emit("out")

    def work(self) -> None:
        job_state = self.get_execution_context().job_state
        assert self.given_up.wait(PATIENCE)
        try:
            self.act(job_state)
        except RoutiluxError as error:
            self.told.append(error)
        else:
            self.told.append(None)


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("stored", [False, True])
def test_an_attempt_that_was_given_up_writes_nothing(name: str, stored: bool) -> None:
    """It was taken for somebody outside of the job, who may write at once."""
    flow, late = Flow("late"), Late()
    late.act = WRITES[name]
    flow.add_routine(late, "late")
    flow.connect("late", "out", "late", "work")
    with open_store("memory:") as store:
        job_state = flow.execute("late", store=store if stored else None)
        assert job_state.wait(PATIENCE)
        late.given_up.set()
        until(lambda: late.told)
        assert late.told[0] is not None
        assert (job_state.status, dict(job_state.shared_data), job_state.shared_log) == ("failed", {}, [])


@register_serializable(name="EngineHelped")
class Helped(Routine):
    """Has a thread emit that is not done when the handler returns."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[RoutiluxError | None] = []
        self.value: object = None
        self.define_slot("trigger", self.go)
        self.define_slot("heard", self.hear)
        self.define_event("out", ["value"])

    def go(self) -> None:
        threading.Thread(target=contextvars.copy_context().run, args=(self.help,)).start()
        assert Making.begun.wait(PATIENCE)

    def help(self) -> None:
        try:
            self.emit("out", value=self.value)
        except OutsideActivationError as error:
            self.told.append(error)
        else:
            self.told.append(None)

    def hear(self, value: str) -> None:
        raise AssertionError("it was not emitted")


class Making:
    """Holds up whoever has just made the record of what he emits."""

    begun = threading.Event()
    may_end = threading.Event()


@pytest.mark.parametrize(("value", "where"), [("plain", routine_module), (["a list"], context_module)])
def test_what_is_emitted_while_the_handler_returns_is_refused(
    monkeypatch: pytest.MonkeyPatch, value: object, where: Any
) -> None:
    """It was taken, and lost."""
    make = where.HistoryRecord
    Making.begun.clear()
    Making.may_end.clear()

    def slow(*args: Any) -> Any:
        record = make(*args)
        Making.begun.set()
        assert Making.may_end.wait(PATIENCE)
        return record

    monkeypatch.setattr(where, "HistoryRecord", slow)
    flow, helped = Flow("helped"), Helped()
    helped.value = value
    flow.add_routine(helped, "helped")
    flow.connect("helped", "out", "helped", "heard")
    job_state = flow.execute("helped")
    assert job_state.wait(PATIENCE)
    Making.may_end.set()
    until(lambda: helped.told)
    assert isinstance(helped.told[0], OutsideActivationError)
    assert [record.event_name for record in job_state.execution_history] == ["start"]


@register_serializable(name="EngineFlushing")
class Flushing(Routine):
    """Emits, and flushes."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.go)
        self.define_event("out", ["value"])

    def go(self) -> None:
        self.emit("out", value="before")
        self.flush()
        self.emit("out", value="after")


def test_what_is_emitted_while_a_flush_commits_is_committed_with_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread of the handler may do so; here it is the one that commits."""
    flow, flushing = Flow("flushing"), Flushing()
    flow.add_routine(flushing, "flushing")
    commit = LiveJob._commit

    def meanwhile(self: Any, fact: Any, now: float) -> None:
        commit(self, fact, now)
        if type(fact).__name__ == "TaskFlushed":
            flushing.emit("out", value="meanwhile")

    monkeypatch.setattr(LiveJob, "_commit", meanwhile)
    job_state = flow.execute("flushing")
    values = [record.data["value"] for record in job_state.execution_history if record.event_name == "out"]
    assert values == ["before", "meanwhile", "after"]


def test_a_pause_is_answered_in_time_although_users_code_holds_up_a_commit() -> None:
    flow, late = Flow("late"), Late()
    flow.add_routine(late, "late")
    job_state = flow.start("late")
    has, may_go = threading.Event(), threading.Event()

    def hold() -> None:
        with job_state._live.lock:
            has.set()
            assert may_go.wait(PATIENCE)

    holder = threading.Thread(target=hold)
    holder.start()
    assert has.wait(PATIENCE)
    for ask in (lambda: flow.pause(job_state, timeout=0.01), lambda: flow.shutdown(timeout=0.01)):
        began = time.monotonic()
        with suppress(TimeoutError):
            ask()
        assert time.monotonic() - began < PATIENCE / 2
    may_go.set()
    holder.join(PATIENCE)
