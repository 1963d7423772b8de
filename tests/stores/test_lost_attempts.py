"""What becomes of tasks that were being handled when their process died."""

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest

from routilux import (
    Flow,
    Routine,
    recover,
)
from routilux._core.crashes import SOLITUDE
from routilux.stores import Store
from serilux import register_serializable
from tests.stores.stored_flows import (
    LONG,
    Gate,
    Task,
    dies_in_the_middle,
    dying,
    gate,
    gated,
    in_flight,
    open_another,
    store,
    store_jobs,
)

__all__ = ["dying", "gate", "open_another", "store"]  # fixtures


def test_a_task_whose_process_dies_again_and_again_fails_its_job(
    dying: Callable[..., Store], store: Store, gate: type[Gate]
) -> None:
    dies_in_the_middle(gated(), dying())
    for _ in range(2):
        (job_state,) = recover(dying())
        assert Gate.entered.acquire(timeout=LONG)
        assert job_state.status == "running"
        job_state._live.abandon()
    (job_state,) = recover(store)
    assert job_state.status == "failed"
    assert job_state.error is not None
    assert job_state.error.type == "routilux.errors.ProcessLost"
    assert "died 3 times while gate.trigger was being handled" in job_state.error.message
    assert store.jobs()[0].status == "failed"
    gate.opened.set()
    flow, again = store.load(job_state.job_id)
    assert flow.retry(again).wait(LONG)
    assert again.status == "completed"


@register_serializable
class Crowd(Routine):
    """Many that wait at one gate, on threads or as coroutines."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.send)
        self.define_slot("thread", self.enter)
        self.define_slot("coroutine", self.enter_async)
        self.define_event("thread")
        self.define_event("coroutine")

    def send(self, event: str) -> None:
        for number in range(3):
            self.emit(event, number=number)

    def enter(self, number: int) -> None:
        Gate.entered.release()
        assert Gate.opened.wait(LONG)

    async def enter_async(self, number: int) -> None:
        await asyncio.to_thread(self.enter, number)


def crowd() -> Flow:
    flow = Flow("crowd", "concurrent")
    flow.add_routine(Crowd(), "crowd")
    for event in ("thread", "coroutine"):
        flow.connect("crowd", event, "crowd", event)
    return flow


@pytest.mark.parametrize("event", ["thread", "coroutine"])
def test_what_was_in_flight_at_a_death_begins_again_one_by_one_and_the_last_comes_first(
    dying: Callable[..., Store], store: Store, gate: type[Gate], event: str
) -> None:
    job_state = crowd().execute("crowd", {"event": event}, store=dying())
    all_enter()
    job_state._live.sync()
    job_state._live.abandon()
    (recovered,) = recover(store)
    all_enter()
    active = list(recovered._job.active.values())
    assert [task.data["number"] for task in active] == [2, 1, 0]
    assert [later.since - task.since >= SOLITUDE for task, later in pairwise(active)] == [True, True]
    assert in_flight(store, recovered) == [task.number for task in active]
    gate.opened.set()
    assert recovered.wait(LONG)
    assert recovered.status == "completed"


def all_enter() -> None:
    for _ in range(3):
        assert Gate.entered.acquire(timeout=LONG)


def test_after_a_crash_an_attempt_is_on_disk_before_it_begins(
    dying: Callable[..., Store], open_another: Callable[..., Store], gate: type[Gate]
) -> None:
    job_state = dies_in_the_middle(gated(), dying())
    recover(open_another(window=LONG))
    assert Gate.entered.acquire(timeout=LONG)
    assert in_flight(open_another(), job_state) == [1]


def test_a_routine_may_ask_for_its_attempts_to_be_on_disk_first(
    open_another: Callable[..., Store], gate: type[Gate]
) -> None:
    flow = gated()
    flow.routines["gate"].set_effects("recorded")
    thread = Task(flow, open_another(window=LONG), [])
    thread.start()
    assert Gate.entered.acquire(timeout=LONG)
    (job_state,) = store_jobs(flow)
    assert in_flight(open_another(), job_state) == [1]


def test_a_routine_that_does_not_ask_is_tried_at_once(open_another: Callable[..., Store], gate: type[Gate]) -> None:
    flow = gated()
    Task(flow, open_another(window=LONG), []).start()
    assert Gate.entered.acquire(timeout=LONG)
    assert open_another().jobs() == []
