"""Law 2 for whoever delivers by way of a store: what he is told is true, and nothing is delivered twice."""

import random
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from os import kill
from signal import SIGKILL
from threading import Event

import pytest

from routilux import JobStateError
from routilux._engine.fault_points import FaultPoint
from routilux.errors import StoreUnavailableError
from routilux.stores import Store, open_store
from tests.crashes.deliverers import deliver, own, stall, take_over
from tests.crashes.hosts import Host
from tests.crashes.millers import End
from tests.patience import PATIENCE

WHILE_WRITING = (FaultPoint.RECORDS_WAIT, FaultPoint.RECORDS_MADE, FaultPoint.RECORDS_WRITTEN)


@pytest.mark.parametrize("point", WHILE_WRITING)
def test_an_owner_that_dies_of_it_has_done_it_once(url: str, point: FaultPoint) -> None:
    owner = Host(own, url, End(point))
    (job_id,) = owner.hear(1)
    with open_store(url) as store:
        deliver(store, job_id, "first", timeout=PATIENCE)
        assert owner.exit() == -SIGKILL
        deliver(store, job_id, "second", timeout=PATIENCE)
        assert logged_at_last(store, job_id) == ["first", "second"]


def logged_at_last(store: Store, job_id: str) -> list[str]:
    """What the job has done when it has done all that was delivered to it."""
    with stall() as flow:
        flow.resume(store.load_job(job_id))
    return store.load_job(job_id).shared_log


DELIVERERS = 3
DELIVERIES = 8


@pytest.mark.parametrize("seed", range(2))
def test_of_many_deliveries_while_the_job_changes_hands_those_that_were_told_are_there_once(
    url: str, seed: int
) -> None:
    with open_store(url) as store:
        with stall() as flow:
            job_id = flow.execute("stall", store=store).job_id
        owners = [Host(take_over, url, job_id) for _ in range(2)]
        assert [owner.hear(1) for owner in owners] == [["begins"]] * 2
        with ThreadPoolExecutor(DELIVERERS) as threads, disturbed(owners, random.Random(seed)):
            told = list(threads.map(lambda number: deliveries(url, job_id, number), range(DELIVERERS)))
        for owner in owners:
            owner.kill()
        log = logged_at_last(store, job_id)
    done, unsure = {name for each in told for name in each[0]}, {name for each in told for name in each[1]}
    assert done != set()
    assert sorted(log) == sorted(set(log))
    assert (done - set(log), set(log) - done - unsure) == (set(), set())


@contextmanager
def disturbed(owners: list[Host], chance: random.Random) -> Iterator[None]:
    """Let owners stand still for a moment meanwhile, again and again, as if they were cut off."""
    over = Event()

    def disturb() -> None:
        while not over.is_set():
            pid = chance.choice(owners).process.pid
            assert pid is not None
            kill(pid, signal.SIGSTOP)
            over.wait(chance.uniform(0.0, 0.05))
            kill(pid, signal.SIGCONT)
            over.wait(chance.uniform(0.0, 0.05))

    with ThreadPoolExecutor(1) as thread:
        disturbance = thread.submit(disturb)
        try:
            yield
        finally:
            over.set()
        disturbance.result()


def deliveries(url: str, job_id: str, deliverer: int) -> tuple[list[str], list[str]]:
    """Deliver one after the other; those of which it was said that they are done, and those of which nothing was."""
    done, unsure = list[str](), list[str]()
    with open_store(url) as store:
        for number in range(DELIVERIES):
            name = f"{deliverer}-{number}"
            try:
                deliver(store, job_id, name, timeout=2.0)
                done.append(name)
            except JobStateError:
                pass
            except (TimeoutError, StoreUnavailableError):  # its lock is held by one who stands still
                unsure.append(name)
    return done, unsure
