"""What processes do that let a job go on in a flow whose routine has another name by now."""

from threading import Event
from typing import Any

from routilux import Flow, Plan, Routine, recover
from routilux.stores import open_store
from serilux import register_serializable
from tests.crashes.hosts import Announce
from tests.crashes.millers import End, ending

COUNT = 12
STOPS_AT = 5
PLAN = Plan(routines={"worker": "laborer"}, slots={"worker.input": "arrivals"}, drop=["worker.second"], reason="1.1")

_waiting: list[Announce] = []


@register_serializable
class PlanningSource(Routine):
    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.start)
        self.define_event("out")

    def start(self) -> None:
        for n in range(COUNT):
            self.emit("out", n=n)


@register_serializable
class PlanningWorker(Routine):
    """Works through what comes; at one of them it waits to be killed, if it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.define_event("did")

    def work(self, n: int) -> None:
        if n == self.get_config("stops_at"):
            for tell in _waiting:
                tell("waits to be killed")
            Event().wait()
        context: Any = self.get_execution_context()
        context.state["sum"] = context.state.get("sum", 0) + n
        context.job_state.append_to_shared_log([context.routine_id, n])

    def other(self, n: int) -> None:
        Event().wait()


def flow_of(name: str, *slots: str, stops_at: int | None = None) -> Flow:
    flow = Flow("planning")
    flow.add_routine(PlanningSource(), "source")
    worker = PlanningWorker()
    worker.set_config(stops_at=stops_at)
    for slot in slots:
        worker.define_slot(slot, worker.other if slot == "second" else worker.work)
    flow.add_routine(worker, name)
    for priority, slot in enumerate(slots):
        flow.connect("source", "out", name, slot, priority=-priority)
    return flow


def begin(announce: Announce, url: str) -> None:
    """Run a job until it waits to be killed."""
    _waiting.append(announce)
    with open_store(url) as store:
        job_state = flow_of("worker", "input", "second", stops_at=STOPS_AT).execute(
            "source", store=store, durability="strict"
        )
        announce(f"executed {job_state.job_id}")
        Event().wait()


def go_on(announce: Announce, url: str, end: End | None = None) -> None:
    """Let the job go on in the flow of now, by a plan, to its end."""
    with open_store(url, window=0.002, max_lost_attempts=10**6) as store:
        if end is not None:
            store.ledger.reached = ending(end)
        for job_state in recover(store, flows=[flow_of("laborer", "arrivals")], plans=[PLAN]):
            assert job_state.wait(60), job_state.explain()
    announce("finished")


def go_on_as_stored(announce: Announce, url: str) -> None:
    """Let the job go on by what is stored of its flow: who knows nothing of a plan needs none any more."""
    with open_store(url) as store:
        for job_state in recover(store):
            assert job_state.wait(60), job_state.explain()
    announce("finished")
