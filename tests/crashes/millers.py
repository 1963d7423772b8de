"""What processes do that run mills in a store. Nothing that takes long to import is imported here."""

from itertools import count
from signal import SIGKILL, pthread_kill
from threading import Event, get_ident
from typing import NamedTuple

from routilux import Flow, JobExistsError, JobState, OwnershipLost, recover
from routilux._context import Activation
from routilux._engine import job_log, live_job, running_job
from routilux._engine.attempt import Failure
from routilux._engine.fault_points import FaultPoint, Reached
from routilux.errors import RecoveryError
from routilux.stores import Store, open_store
from tests.crashes.hosts import Announce
from tests.crashes.mill import Order, listen_with, mill

ORDER = Order()
JOBS = 3
ASKED = "order-17"
WINDOW = 0.002


class End(NamedTuple):
    """How a process ends: by which signal, when it has come to a fault point for so many times."""

    point: FaultPoint
    count: int = 1
    signal: int = SIGKILL


def open_busy(url: str, end: End | None = None) -> Store:
    """A store in which all that happens happens often."""
    job_log.SMALLEST_JOURNAL = 4096
    store = open_store(url, window=WINDOW, max_lost_attempts=10**6)  # killed from outside, and that often
    if end is not None:
        store.ledger.reached = reached = ending(end)
        tell_of_handlers(reached)
    return store


def ending(end: End) -> Reached:
    left = count(end.count - 1, -1)

    def reached(point: FaultPoint) -> None:
        if point is end.point and next(left) == 0:
            pthread_kill(get_ident(), end.signal)  # sent to the process it would come when this thread has gone on

    return reached


def tell_of_handlers(reached: Reached) -> None:
    """Have `reached` told of each handler that has returned, in this process; no other pays for that."""
    run_handler, await_handler = running_job.run_handler, live_job.await_handler

    def run(activation: Activation) -> Failure:
        failure = run_handler(activation)
        reached(FaultPoint.HANDLER_RETURNED)
        return failure

    async def wait(activation: Activation) -> Failure:
        failure = await await_handler(activation)
        reached(FaultPoint.HANDLER_RETURNED)
        return failure

    running_job.run_handler, live_job.await_handler = run, wait


def grind(announce: Announce, url: str, kind: str, durability: str, effects: str, end: End | None = None) -> None:
    """Let what the last process has left go on, then run new jobs, until this one is killed, too."""
    listen_with(effects, lambda _: announce("ran"))
    store = open_busy(url, end)
    jobs = recover(store)
    while True:
        for job_state in jobs:
            assert job_state.wait(60), job_state.explain()
        flow = mill(kind)
        jobs = []
        for _ in range(JOBS):
            jobs.append(flow.execute("source", ORDER._asdict(), store=store, durability=durability))
            announce(f"executed {jobs[-1].job_id}")


def execute(announce: Announce, url: str, kind: str, durability: str, effects: str, end: End | None = None) -> None:
    """Run one new job, then wait to be killed."""
    listen_with(effects, announce)
    mill(kind).execute("source", ORDER._asdict(), store=open_busy(url, end), durability=durability)
    Event().wait()


def finish(announce: Announce, url: str, effects: str, end: End | None = None) -> None:
    """Let what the last process has left come to its end."""
    listen_with(effects, announce)
    with open_busy(url, end) as store:
        for job_state in recover(store):
            assert job_state.wait(60), job_state.explain()
    announce("finished")


def recover_once(announce: Announce, url: str, effects: str, end: End | None = None) -> None:
    """Let what others have left come to its end, while others do the same, and say what could not be recovered."""
    listen_with(effects, lambda _: None)
    with open_busy(url, end) as store:
        announce("recovering")
        try:
            jobs = recover(store)
        except RecoveryError as error:
            announce(f"problem {error}".replace("\n", " "))
            jobs = list(error.recovered)
        for job_state in jobs:
            assert job_state.wait(60), job_state.explain()
    announce("finished")


def run_share(announce: Announce, url: str, orders: list[Order], end: End | None = None) -> None:
    """Run so many jobs at once, and say what becomes of each, as far as this process knows."""
    flow = mill("sequential")
    with open_busy(url, end) as store:
        jobs = [job_state for order in orders if (job_state := begun(announce, flow, store, order)) is not None]
        for job_state in jobs:
            try:
                assert job_state.wait(60), job_state.explain()
            except OwnershipLost as error:
                announce(f"lost {error}")
    announce("finished")


def begun(announce: Announce, flow: Flow, store: Store, order: Order) -> JobState | None:
    try:
        job_state = flow.execute("source", order._asdict(), store=store)
    except OwnershipLost as error:
        announce(f"lost {error}")
        return None
    announce(f"executed {job_state.job_id}")
    return job_state


def ask(announce: Announce, url: str, effects: str, end: End | None = None) -> None:
    """Ask for one job by its id, as often as it takes until it has come to its end."""
    listen_with(effects, announce)
    with open_busy(url, end) as store:
        try:
            assert mill("sequential").start("source", ORDER._asdict(), store=store, job_id=ASKED).wait(60)
        except JobExistsError:
            announce("exists")
        while store.summary(ASKED).status != "completed":
            for job_state in recover(store):
                assert job_state.wait(60), job_state.explain()
    announce("finished")
