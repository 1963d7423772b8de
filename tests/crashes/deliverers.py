"""A job that takes what is delivered to it, one after the other, and processes that own it for a while."""

from threading import Event
from typing import Any

from routilux import Flow, JobState, Routine
from routilux._engine import keeper
from routilux.errors import RoutiluxError
from routilux.stores import Store, open_store
from serilux import register_serializable
from tests.crashes.hosts import Announce
from tests.crashes.millers import End, ending

AT_ONCE = 3
TENURE = 0.02


@register_serializable(name="DeliverersStall")
class Stall(Routine):
    """Waits for a few items at a time, and for one more with each that comes."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.open)
        self.define_slot("item", self.take)

    def open(self) -> None:
        for _ in range(AT_ONCE):
            self.expect("item")

    def take(self, name: str) -> None:
        self.get_execution_context().job_state.append_to_shared_log(name)
        self.expect("item")


def stall() -> Flow:
    flow = Flow("stall")
    flow.add_routine(Stall(), "stall")
    return flow


def deliver(store: Store, job_id: str, name: str, **settings: Any) -> None:
    store.deliver(job_id, "stall", "item", {"name": name}, **settings)


def own(announce: Announce, url: str, end: End) -> None:
    """Run the job, until what is delivered to it is at that moment."""
    keeper.ROUND = 0.001
    store, flow = open_store(url, window=60.0), stall()
    job_state = flow.execute("stall", store=store)
    job_state._live.sync()
    store.ledger.reached = ending(end)
    announce(job_state.job_id)
    Event().wait()


def take_over(announce: Announce, url: str, job_id: str) -> None:
    """Take the job from whoever has it, again and again, and have it for a moment each time."""
    keeper.ROUND = 0.001
    store, flow, held = open_store(url), stall(), list[JobState]()
    announce("begins")
    while True:
        try:
            held = [flow.resume(store.load_job(job_id))]
        except RoutiluxError as error:  # somebody else was faster
            announce(f"not taken: {error}")
        Event().wait(TENURE * len(held))
