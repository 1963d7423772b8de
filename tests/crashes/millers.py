"""What processes do that run mills in a store. Nothing that takes long to import is imported here."""

from threading import Event

from routilux import recover
from routilux._engine import job_log
from routilux.stores import Store, open_store
from tests.crashes.hosts import Announce
from tests.crashes.mill import Order, listen_with, mill

ORDER = Order()
JOBS = 3
WINDOW = 0.002


def open_busy(url: str) -> Store:
    """A store in which all that happens happens often."""
    job_log.SMALLEST_JOURNAL = 4096
    return open_store(url, window=WINDOW, max_lost_attempts=10**6)  # killed from outside, and that often


def grind(announce: Announce, url: str, kind: str, durability: str, effects: str) -> None:
    """Let what the last process has left go on, then run new jobs, until this one is killed, too."""
    listen_with(effects, lambda _: announce("ran"))
    store = open_busy(url)
    jobs = recover(store)
    while True:
        for job_state in jobs:
            assert job_state.wait(60), job_state.explain()
        flow = mill(kind)
        jobs = []
        for _ in range(JOBS):
            jobs.append(flow.execute("source", ORDER._asdict(), store=store, durability=durability))
            announce(f"executed {jobs[-1].job_id}")


def execute(announce: Announce, url: str, kind: str, durability: str, effects: str) -> None:
    """Run one new job, then wait to be killed."""
    listen_with(effects, announce)
    mill(kind).execute("source", ORDER._asdict(), store=open_busy(url), durability=durability)
    Event().wait()


def finish(announce: Announce, url: str, effects: str) -> None:
    """Let what the last process has left come to its end."""
    listen_with(effects, announce)
    with open_busy(url) as store:
        for job_state in recover(store):
            assert job_state.wait(60), job_state.explain()
    announce("finished")
