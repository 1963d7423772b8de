"""How often the threads of a store are woken: it must not depend on how much there is to do."""

import threading
from typing import Any

import pytest

from routilux import Flow, Routine
from routilux._backends.memory import MemoryBackend
from routilux._engine import keeper
from routilux.stores import Store
from serilux import register_serializable

LONG = 60.0


@register_serializable(name="ThreadsOfAStoreStep")
class Step(Routine):
    """Goes on for a while, and then waits for somebody."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.step)
        self.define_slot("answer", self.hear)
        self.define_event("next", ["left"])

    def step(self, left: int) -> None:
        if left:
            self.emit("next", left=left - 1)
        else:
            self.expect("answer")

    def hear(self) -> None:
        pass


def stepping() -> Flow:
    flow = Flow("stepping")
    flow.add_routine(Step(), "step")
    flow.connect("step", "next", "step", "trigger")
    return flow


class Counting(threading.Condition):
    """A condition that counts how often somebody is woken."""

    woken = 0

    def notify(self, n: int = 1) -> None:
        self.woken += 1
        super().notify(n)


@pytest.mark.parametrize("jobs", [1, 30])
def test_the_thread_that_writes_is_woken_once_in_a_window(jobs: int) -> None:
    store = Store(MemoryBackend(), window=LONG)
    store.ledger._changed = changed = Counting()
    flow = stepping()
    for _ in range(jobs):
        flow.execute("step", {"left": 30}, store=store)
    assert changed.woken <= 1
    store.close()


@pytest.mark.parametrize("jobs", [1, 30])
def test_others_requests_are_looked_for_once_in_a_round_however_many_jobs_run(
    monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    class Looked(MemoryBackend):
        looks, looked = 0, threading.Semaphore(0)

        def asked(self, owner: str) -> Any:
            self.looks += 1
            self.looked.release()
            return super().asked(owner)

    monkeypatch.setattr(keeper, "ROUND", LONG)
    backend = Looked()
    store = Store(backend)
    flow = stepping()
    for _ in range(jobs):
        flow.execute("step", {"left": 3}, store=store)
    assert backend.looked.acquire(timeout=LONG)
    names = [thread.name for thread in threading.enumerate()]
    assert (backend.looks, names.count("routilux-keeper") >= 1) == (1, True)
    store.close()


def test_there_is_another_look_in_each_round(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = threading.Semaphore(0)

    class Looked(MemoryBackend):
        def asked(self, owner: str) -> Any:
            looked.release()
            return super().asked(owner)

    monkeypatch.setattr(keeper, "ROUND", 0.001)
    store = Store(Looked())
    stepping().execute("step", {"left": 0}, store=store)
    assert all(looked.acquire(timeout=LONG) for _ in range(5))
    store.close()
