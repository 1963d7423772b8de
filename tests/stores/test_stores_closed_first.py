"""A store that is closed before its flow: the jobs that still run there are told why they are lost, and what to do."""

import threading
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from routilux import Flow, JobState, Routine, StoreError
from routilux.stores import Store, open_store
from serilux import register_serializable

LONG = 60.0


@register_serializable
class ClosedFirstWaiter(Routine):
    """Its handlers wait until a test lets them go on; or it asks, and nobody answers."""

    opened = threading.Event()

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.wait)
        self.define_slot("answer", self.hear)

    def wait(self, ask: bool = False) -> None:
        if ask:
            self.expect("answer")
        else:
            assert self.opened.wait(LONG)

    def hear(self) -> None:
        pass


def waiting() -> Flow:
    flow = Flow("waiting", max_workers=2)
    flow.add_routine(ClosedFirstWaiter(), "waiter")
    return flow


@pytest.fixture(params=["memory", "sqlite"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    ClosedFirstWaiter.opened = threading.Event()
    return lambda: open_store("memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/jobs.db")


def refusal(job_state: JobState) -> str:
    return (
        f"the store has been closed while job {job_state.job_id!r} still ran here, and keeps no more of it; close it "
        f"after the flow: with open_store(...) as store, flow:"
    )


def test_the_wrong_order_says_what_the_right_one_is(opening: Callable[[], Store]) -> None:
    job_state = None
    with pytest.raises(StoreError) as caught, waiting() as flow, opening() as store:
        job_state = flow.execute("waiter", {"ask": True}, store=store)
    assert job_state is not None and str(caught.value) == refusal(job_state)
    assert [frame.name for frame in traceback.extract_tb(caught.tb)][1:] == ["__exit__", "shutdown", "shut_down"]


def test_so_does_a_job_that_ends_after_its_store(opening: Callable[[], Store]) -> None:
    flow, store = waiting(), opening()
    job_state = flow.start("waiter", store=store)
    store.close()
    ClosedFirstWaiter.opened.set()
    with pytest.raises(StoreError) as caught:
        flow.shutdown()
    assert str(caught.value) == refusal(job_state)


def test_a_job_of_another_store_comes_to_rest_all_the_same(opening: Callable[[], Store]) -> None:
    flow, store = waiting(), opening()
    lost = flow.execute("waiter", {"ask": True}, store=store)
    other = flow.execute("waiter", {"ask": True})
    store.close()
    with pytest.raises(StoreError, match=lost.job_id):
        flow.shutdown()
    assert other.status == "paused"
    assert flow._engine is not None and not flow._engine.jobs


def test_the_right_order_says_nothing(opening: Callable[[], Store]) -> None:
    with opening() as store, waiting() as flow:
        job_state = flow.execute("waiter", {"ask": True}, store=store)
    assert job_state.status == "paused"
