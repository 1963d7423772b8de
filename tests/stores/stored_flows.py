"""Flows of stored jobs, the stores that keep them, and processes that die in the middle."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from routilux import (
    Flow,
    JobState,
    OwnershipLost,
    Routine,
)
from routilux._backends.memory import MemoryBackend
from routilux._backends.sqlite import SQLiteBackend
from routilux._engine import ledger
from routilux.stores import Store
from serilux import register_serializable

LONG = 60.0


@register_serializable
class Counter(Routine):
    """Counts down through its own event; a slot collects what has passed, and another waits for a person."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.count)
        self.define_slot("seen", self.see, merge_strategy="append")
        self.define_slot("answer", self.hear)
        self.define_event("next", ["n"])

    def count(self, n: int, ask: bool = False) -> None:
        context = self.get_execution_context()
        context.job_state.update_shared_data("count", lambda count: (count or 0) + 1)
        if ask:
            self.expect("answer")
        if n:
            self.emit("next", n=n - 1)

    def see(self, n: list[int]) -> None:
        self.get_execution_context().state["seen"] = n

    def hear(self, text: str, loud: bool = False) -> None:
        self.get_execution_context().job_state.append_to_shared_log(text)


@register_serializable
class Gate(Routine):
    """A handler that is in the middle of its work until a test lets it go on."""

    entered = threading.Semaphore(0)
    opened = threading.Event()

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.enter)
        self.define_event("through")

    def enter(self) -> None:
        self.emit("through")
        Gate.entered.release()
        assert Gate.opened.wait(LONG)


@register_serializable
class Payment(Gate):
    """What must not be repeated."""

    def __init__(self) -> None:
        super().__init__()
        self.set_effects("at_most_once")


def counting() -> Flow:
    flow = Flow("counting")
    flow.add_routine(Counter(), "counter")
    flow.connect("counter", "next", "counter", "trigger")
    flow.connect("counter", "next", "counter", "seen")
    return flow


def gated(kind: type[Gate] = Gate) -> Flow:
    flow = Flow("gated", max_workers=2)
    gate = kind()
    flow.add_routine(gate, "gate")
    flow.add_routine(Counter(), "after")
    return flow


@pytest.fixture
def gate() -> Iterator[type[Gate]]:
    Gate.entered, Gate.opened = threading.Semaphore(0), threading.Event()
    yield Gate
    Gate.opened.set()


@pytest.fixture(params=["memory", "sqlite"])
def open_another(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Store]]:
    """Opens stores of the same jobs: each is a process of its own, as far as ownership goes."""
    memory, stores = MemoryBackend(), list[Store]()

    def opened(**settings: Any) -> Store:
        backend = memory if request.param == "memory" else SQLiteBackend(tmp_path / "jobs.db")
        stores.append(Store(backend, **settings))
        return stores[-1]

    yield opened
    for store in stores:
        store.ledger.abandon()


@pytest.fixture
def store(open_another: Callable[..., Store]) -> Store:
    return open_another()


@pytest.fixture
def dying(open_another: Callable[..., Store], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Store]:
    """Opens stores for processes that are dead by the time anybody looks."""
    alive = ledger.this_process

    def dead() -> str:
        return json.dumps(json.loads(alive()) | {"pid": 2**22 + 1})

    def opened(**settings: Any) -> Store:
        with monkeypatch.context() as patch:
            patch.setattr(ledger, "this_process", dead)
            return open_another(**settings)

    return opened


def finished(store: Store, flow: Flow | None = None, **params: Any) -> JobState:
    job_state = (flow or counting()).execute("counter", {"n": 5, **params}, store=store)
    assert job_state.wait(LONG)
    return job_state


def run_in_background(flow: Flow, store: Store) -> JobState:
    """A job of the gated flow, whose handler is in the middle of its work."""
    started: list[JobState] = []
    entry = Task(flow, store, started)
    entry.start()
    assert Gate.entered.acquire(timeout=LONG)
    (job_state,) = store_jobs(flow)
    job_state._live.sync()
    return job_state


class Task(threading.Thread):
    def __init__(self, flow: Flow, store: Store, started: list[JobState]) -> None:
        super().__init__(daemon=True)
        self.flow, self.store, self.started = flow, store, started

    def run(self) -> None:
        try:
            self.started.append(self.flow.execute("gate", store=self.store))
        except OwnershipLost:
            return


def store_jobs(flow: Flow) -> list[JobState]:
    assert flow._engine is not None
    return [live.job_state for live in flow._engine.jobs]


def dies_in_the_middle(flow: Flow, store: Store) -> JobState:
    job_state = run_in_background(flow, store)
    job_state._live.abandon()
    return job_state


def in_flight(store: Store, job_state: JobState) -> list[int]:
    return list(store._look(job_state.job_id)._job.active)
