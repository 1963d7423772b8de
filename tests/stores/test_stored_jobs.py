"""Jobs that are kept in a store: what is on disk when, who owns them, and what becomes of them after a crash."""

import asyncio
import json
import os
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from routilux import (
    ErrorHandler,
    Flow,
    JobState,
    JobStateError,
    OwnershipLost,
    ResumeError,
    Routine,
    SecretError,
    recover,
)
from routilux._backends.backend import Backend
from routilux._backends.memory import MemoryBackend
from routilux._backends.sqlite import SQLiteBackend
from routilux._core.crashes import SOLITUDE
from routilux._engine import job_log, ledger
from routilux.errors import (
    BindingError,
    DefinitionError,
    RecoveryError,
    StoreError,
    StoreUnavailableError,
    UnknownJobError,
)
from routilux.stores import Store, open_store
from serilux import register_serializable
from serilux.errors import CombinedError, DocumentError, SeriluxError, UnsupportedValueError

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


# What is kept.


def test_a_job_that_is_done_is_in_the_store_as_it_is(store: Store, open_another: Callable[..., Store]) -> None:
    job_state = finished(store)
    _, loaded = open_another().load(job_state.job_id)
    assert loaded.serialize() == job_state.serialize()
    assert loaded.shared_data == {"count": 6}
    assert loaded.get_routine_state("counter")["seen"] == [4, 3, 2, 1, 0]


def test_the_flow_that_is_loaded_is_the_flow(store: Store) -> None:
    flow = counting()
    flow.routines["counter"].set_config(size=3)
    loaded, _ = store.load(finished(store, flow).job_id)
    assert loaded.serialize() == flow.serialize()


def test_jobs_are_listed(store: Store) -> None:
    first, second = finished(store), finished(store)
    assert [(job.job_id, job.status, job.owner) for job in store.jobs(flow_id="counting")] == [
        (first.job_id, "completed", None),
        (second.job_id, "completed", None),
    ]
    assert store.jobs(status="running") == []
    assert store.jobs()[0].created_at == first.created_at


def test_a_job_that_is_deleted_is_known_no_more(store: Store) -> None:
    job_state = finished(store)
    assert store.delete(job_state.job_id)
    assert not store.delete(job_state.job_id)
    with pytest.raises(UnknownJobError, match=job_state.job_id):
        store.load(job_state.job_id)


def test_jobs_that_settled_long_ago_are_pruned(store: Store) -> None:
    finished(store)
    paused = counting()
    job_state = paused.execute("counter", {"n": 0, "ask": True}, store=store)
    paused.pause(job_state)
    assert store.prune(older_than=3600) == 0
    assert store.prune(older_than=0) == 1
    assert [job.job_id for job in store.jobs()] == [job_state.job_id]


def test_when_execute_returns_the_job_is_on_disk(store: Store, open_another: Callable[..., Store]) -> None:
    flow = counting()
    job_state = flow.execute("counter", {"n": 0, "ask": True}, store=store)
    _, seen = open_another(window=LONG).load(job_state.job_id)
    assert [record.event_name for record in seen.execution_history] == ["start"]
    assert seen.shared_data == {"count": 1}


@pytest.fixture
def short_journals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_log, "SMALLEST_JOURNAL", 2000)


@pytest.mark.usefixtures("short_journals")
def test_a_bounded_history_stays_bounded(store: Store, open_another: Callable[..., Store]) -> None:
    flow = counting()
    job_state = flow.execute("counter", {"n": 150}, store=store, history_limit=4, durability="strict")
    assert job_state.wait(LONG)
    _, loaded = open_another().load(job_state.job_id)
    assert loaded.serialize() == job_state.serialize()
    assert len(loaded.execution_history) == 4


@pytest.mark.usefixtures("short_journals")
def test_a_long_job_is_read_from_its_snapshot(store: Store, open_another: Callable[..., Store]) -> None:
    job_state = counting().execute("counter", {"n": 150}, store=store, durability="strict")
    assert job_state.wait(LONG)
    stored = open_another()._backend.read(job_state.job_id)
    assert len(stored.segments) > 1
    _, loaded = open_another().load(job_state.job_id)
    assert loaded.execution_history == job_state.execution_history


def test_a_paused_job_can_be_changed_and_that_is_kept(store: Store, open_another: Callable[..., Store]) -> None:
    flow = counting()
    job_state = flow.execute("counter", {"n": 0, "ask": True}, store=store)
    flow.pause(job_state, reason="lunch")
    job_state.update_shared_data("note", "hello")
    flow.deliver(job_state, "counter", "answer", {"text": "yes"})
    other, loaded = open_another().load(job_state.job_id)
    assert loaded.shared_data["note"] == "hello"
    assert other.resume(loaded).wait(LONG)
    assert loaded.shared_log == ["yes"]


def test_a_handle_that_is_behind_catches_up_before_it_goes_on(store: Store, open_another: Callable[..., Store]) -> None:
    flow = counting()
    job_state = flow.execute("counter", {"n": 0, "ask": True}, store=store)
    flow.pause(job_state)
    other, loaded = open_another().load(job_state.job_id)
    other.deliver(loaded, "counter", "answer", {"text": "from there"})
    assert flow.resume(job_state).wait(LONG)
    assert job_state.shared_log == ["from there"]
    assert job_state.epoch > loaded.epoch


def test_a_document_can_go_on_in_a_store(store: Store, open_another: Callable[..., Store]) -> None:
    flow = counting()
    job_state = flow.execute("counter", {"n": 0, "ask": True})
    flow.pause(job_state)
    again = JobState()
    again.deserialize(json.loads(json.dumps(job_state.serialize())))
    counting().resume(again, store=store, durability="strict")
    _, loaded = open_another().load(job_state.job_id)
    assert loaded.execution_history == again.execution_history
    assert loaded.serialize()["durability"] == "strict"


def test_a_copy_of_a_stored_job_cannot_go_on_in_its_store(store: Store) -> None:
    flow = counting()
    job_state = flow.execute("counter", {"n": 0, "ask": True}, store=store)
    flow.pause(job_state)
    copy = JobState()
    copy.deserialize(job_state.serialize())
    with pytest.raises(JobStateError, match=r"is in the store already.*store\.load"):
        counting().resume(copy, store=store)


def test_an_unknown_durability_is_refused(store: Store) -> None:
    with pytest.raises(DefinitionError, match="unknown durability 'sloppy'; there are: 'group', 'strict'"):
        counting().execute("counter", {"n": 1}, store=store, durability="sloppy")
    assert store.jobs() == []


# Who owns it.


def test_a_job_that_is_taken_over_is_lost_to_whoever_ran_it(
    store: Store, open_another: Callable[..., Store], gate: type[Gate]
) -> None:
    flow = gated()
    job_state = run_in_background(flow, store)
    other, loaded = open_another().load(job_state.job_id)
    other.resume(loaded)
    gate.opened.set()
    with pytest.raises(OwnershipLost, match=r"was taken over by (process \d+ on|another, which has let it go since)"):
        job_state.wait(LONG)
    assert loaded.wait(LONG)
    assert [record.event_name for record in loaded.execution_history] == ["start", "through"]
    with pytest.raises(OwnershipLost):
        flow.pause(job_state)


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


def test_a_job_with_a_live_owner_is_left_alone_if_asked_to(
    store: Store, open_another: Callable[..., Store], gate: type[Gate]
) -> None:
    job_state = run_in_background(gated(), store)
    another = open_another()
    other, loaded = another.load(job_state.job_id)
    with pytest.raises(JobStateError, match=f"is run by process {os.getpid()}"):
        other.resume(loaded, take_over=False)
    assert recover(another) == []
    with pytest.raises(JobStateError, match="is being run; cancel it first"):
        another.delete(job_state.job_id)
    gate.opened.set()
    assert job_state.wait(LONG)


def test_what_has_no_owner_any_more_is_recovered(dying: Callable[..., Store], store: Store) -> None:
    job_state = counting().execute("counter", {"n": 3, "ask": True}, store=dying())
    job_state._live.abandon()
    (recovered,) = recover(store)
    assert recovered.status == "running"
    store.deliver(recovered.job_id, "counter", "answer", {"text": "late"}, timeout=LONG)
    assert recovered.wait(LONG)
    assert recovered.shared_data == {"count": 4}
    assert recovered.shared_log == ["late"]
    assert recover(store) == []


def test_a_job_that_cannot_be_recovered_holds_up_no_other(
    dying: Callable[..., Store], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = counting().execute("counter", {"n": 0, "ask": True}, store=dying())
    second = counting().execute("counter", {"n": 0, "ask": True}, store=dying())
    first._live.abandon()
    second._live.abandon()
    load = store.load

    def broken(job_id: str, **options: object) -> tuple[Flow, JobState]:
        if job_id == first.job_id:
            raise StoreError("no")
        return load(job_id)

    monkeypatch.setattr(store, "load", broken)
    with pytest.raises(RecoveryError, match=f"{first.job_id}: no") as caught:
        recover(store)
    assert [job_state.job_id for job_state in caught.value.recovered] == [second.job_id]


# Attempts that are lost.


def dies_in_the_middle(flow: Flow, store: Store) -> JobState:
    job_state = run_in_background(flow, store)
    job_state._live.abandon()
    return job_state


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


def in_flight(store: Store, job_state: JobState) -> list[int]:
    return list(store._look(job_state.job_id)._job.active)


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


@pytest.mark.parametrize(("outcome", "events"), [("done", ["resolved"]), ("again", ["resolved", "start", "through"])])
def test_what_must_not_be_repeated_waits_for_somebody_who_knows(
    dying: Callable[..., Store], store: Store, gate: type[Gate], outcome: str, events: list[str]
) -> None:
    dies_in_the_middle(gated(Payment), dying())
    (job_state,) = recover(store)
    assert job_state.status == "paused"
    assert job_state.pause_points[0]["checkpoint"] == {"tasks": [1]}
    flow, loaded = store.load(job_state.job_id)
    (task,) = loaded.pending_tasks
    assert task["ambiguous"]
    with pytest.raises(ResumeError, match=f"say with Flow.resolve what became of task {task['task_id']}"):
        flow.resume(loaded)
    gate.opened.set()
    flow.resolve(loaded, task["task_id"], outcome)
    assert flow.resume(loaded).wait(LONG)
    assert [record.event_name for record in loaded.execution_history] == events
    assert loaded.get_routine_state("gate")["status"] == "completed"


def ambiguous(dying: Callable[..., Store], store: Store) -> tuple[Flow, JobState, str]:
    """A job that waits to be told what became of a task."""
    flow = gated(Payment)
    flow.connect("gate", "through", "after", "trigger", {"m": "n"})
    dies_in_the_middle(flow, dying())
    (job_state,) = recover(store)
    loaded_flow, loaded = store.load(job_state.job_id)
    (task,) = loaded.pending_tasks
    return loaded_flow, loaded, task["task_id"]


def test_what_a_task_has_emitted_that_is_done_goes_where_it_would_have_gone(
    dying: Callable[..., Store], store: Store, open_another: Callable[..., Store], gate: type[Gate]
) -> None:
    flow, job_state, task_id = ambiguous(dying, store)
    flow.resolve(job_state, task_id, "done", emitted=[("through", {"n": 2}), ("through", {"n": 0})])
    stored = open_another().load(job_state.job_id)[1]
    for each in (job_state, stored):
        assert [record.event_name for record in each.execution_history] == ["resolved", "through", "through"]
        assert [task["data"] for task in each.pending_tasks] == [{"n": 2}, {"n": 0}]
        assert [task["connection"]["source_event"] for task in each.pending_tasks] == ["through"] * 2
    assert flow.resume(job_state).wait(LONG)
    assert (job_state.status, job_state.shared_data) == ("completed", {"count": 2})


@pytest.mark.parametrize(
    ("emitted", "error", "problem"),
    [
        ([("thruogh", {})], DefinitionError, "unknown event 'thruogh' of routine 'gate'; it has: 'through'"),
        ([("through", {"n": object()})], UnsupportedValueError, r"emitted\[0\].through.n"),
        ([("through", {"n": 1}), ("through", 1)], DefinitionError, r"emitted\[1\] is an event's name and a dict"),
        (["through"], DefinitionError, r"emitted\[0\] is an event's name and a dict"),
        ([("through", {"n": 1, "m": 2})], DefinitionError, "two of them the same name"),
        ([("through", {"n": "sk-live"})], SecretError, r"emitted\[0\].n has the secret 'key'"),
    ],
)
def test_what_cannot_be_emitted_there_is_refused_and_nothing_changed(
    dying: Callable[..., Store],
    store: Store,
    gate: type[Gate],
    emitted: Any,
    error: type[Exception],
    problem: str,
) -> None:
    flow, job_state, task_id = ambiguous(dying, store)
    flow._secrecy.learn("gate", "key", "sk-live")
    before = store.peek(job_state.job_id).document | {"epoch": 0}
    with pytest.raises(error, match=problem):
        flow.resolve(job_state, task_id, "done", emitted=emitted)
    assert store.peek(job_state.job_id).document | {"epoch": 0} == before
    flow.resolve(job_state, task_id, "done")
    assert flow.resume(job_state).wait(LONG)


def test_what_is_tried_again_emits_by_itself(dying: Callable[..., Store], store: Store, gate: type[Gate]) -> None:
    flow, job_state, task_id = ambiguous(dying, store)
    with pytest.raises(DefinitionError, match="emits by itself"):
        flow.resolve(job_state, task_id, "again", emitted=[("through", {"n": 1})])


def test_where_no_store_keeps_a_job_the_flow_at_hand_says_where_emissions_go(
    dying: Callable[..., Store], store: Store, gate: type[Gate]
) -> None:
    _, job_state, task_id = ambiguous(dying, store)
    document = json.loads(json.dumps(job_state.serialize()))
    flow, copy = gated(Payment), JobState()
    flow.connect("gate", "through", "after", "trigger", {"m": "n"})
    copy.deserialize(document)
    flow.resolve(copy, task_id, "done", emitted=[("through", {"n": 1})])
    assert [task["data"] for task in copy.pending_tasks] == [{"n": 1}]
    assert flow.resume(copy).wait(LONG)
    assert copy.shared_data == {"count": 1}


def test_only_an_ambiguous_task_can_be_resolved(store: Store) -> None:
    flow = counting()
    job_state = flow.execute("counter", {"n": 0, "ask": True}, store=store)
    flow.pause(job_state)
    with pytest.raises(JobStateError, match=r"\(paused\) has no ambiguous task 'x'"):
        flow.resolve(job_state, "x", "done")
    with pytest.raises(DefinitionError, match="'done', or is tried 'again', not 'maybe'"):
        flow.resolve(job_state, "x", "maybe")


# Asked by way of the store.


def test_a_job_that_another_process_runs_is_paused_through_the_store(
    store: Store, open_another: Callable[..., Store], gate: type[Gate]
) -> None:
    job_state = run_in_background(gated(), store)
    gate.opened.set()
    waiting = counting().execute("counter", {"n": 0, "ask": True}, store=store)
    open_another().pause(waiting.job_id, "from afar", timeout=LONG)
    assert waiting.status == "paused"
    assert waiting.pause_points[0]["reason"] == "from afar"
    assert job_state.wait(LONG)


def test_a_job_that_another_process_runs_is_cancelled_through_the_store(
    store: Store, open_another: Callable[..., Store]
) -> None:
    waiting = counting().execute("counter", {"n": 0, "ask": True}, store=store)
    open_another().cancel(waiting.job_id, "enough", timeout=LONG)
    assert waiting.status == "cancelled"


def test_a_job_that_another_process_runs_is_delivered_to_through_the_store(
    store: Store, open_another: Callable[..., Store]
) -> None:
    waiting = counting().execute("counter", {"n": 0, "ask": True}, store=store)
    open_another().deliver(waiting.job_id, "counter", "answer", {"text": "hello"}, timeout=LONG)
    assert waiting.wait(LONG)
    assert waiting.shared_log == ["hello"]


def test_an_owner_that_does_not_answer_is_not_waited_for_for_ever(
    store: Store, open_another: Callable[..., Store], gate: type[Gate]
) -> None:
    job_state = run_in_background(gated(), store)
    with pytest.raises(TimeoutError, match="its owner has been asked"):
        open_another().pause(job_state.job_id, timeout=0.0)


def test_a_job_that_nobody_runs_is_paused_and_cancelled_here(
    dying: Callable[..., Store], store: Store, gate: type[Gate]
) -> None:
    job_state = dies_in_the_middle(gated(), dying())
    store.pause(job_state.job_id)
    assert store.jobs()[0].status == "paused"
    store.pause(job_state.job_id)
    store.cancel(job_state.job_id, "enough")
    assert store.jobs()[0].status == "cancelled"
    with pytest.raises(JobStateError, match="is cancelled: it cannot be paused"):
        store.pause(job_state.job_id)


def test_a_job_whose_work_has_run_out_is_paused_as_a_flow_does_it(store: Store) -> None:
    job_state = finished(store)
    store.pause(job_state.job_id, "just too late")
    assert store.summary(job_state.job_id).status == "paused"
    flow, loaded = store.load(job_state.job_id)
    assert (loaded.pending_tasks, [point["reason"] for point in loaded.pause_points]) == ([], ["just too late"])
    assert flow.resume(loaded).wait(LONG) and loaded.status == "completed"
    assert len(loaded.execution_history) == len(job_state.execution_history)


def test_what_is_asked_of_a_job_that_is_not_there_is_refused(store: Store) -> None:
    for ask in (store.pause, store.cancel, store.export, store.load):
        with pytest.raises(UnknownJobError, match="'gone'"):
            ask("gone")


def test_nothing_is_delivered_where_nothing_waits(store: Store) -> None:
    with pytest.raises(JobStateError, match=r"waits for nothing on counter\.answer"):
        store.deliver(finished(store).job_id, "counter", "answer", {"text": "?"})


# Moving.


def paused_job(store: Store) -> JobState:
    flow = counting()
    job_state = flow.execute("counter", {"n": 2, "ask": True}, store=store)
    flow.pause(job_state)
    return job_state


def test_a_job_that_is_moved_goes_on_in_another_store(store: Store) -> None:
    job_state = paused_job(store)
    transfer = json.loads(json.dumps(store.export(job_state.job_id)))
    with open_store("memory:") as elsewhere:
        assert elsewhere.admit(transfer) == job_state.job_id
        elsewhere.deliver(job_state.job_id, "counter", "answer", {"text": "moved"})
        flow, loaded = elsewhere.load(job_state.job_id)
        assert flow.resume(loaded).wait(LONG)
        assert loaded.shared_log == ["moved"]
        assert loaded.shared_data == {"count": 3}
        back = elsewhere.export(job_state.job_id)
    assert [job.status for job in store.jobs()] == ["moved"]
    assert store.admit(back) == job_state.job_id
    assert [job.status for job in store.jobs()] == ["completed"]


def test_only_one_copy_of_a_moved_job_goes_on(store: Store) -> None:
    job_state = paused_job(store)
    flow, loaded = store.load(job_state.job_id)
    transfer = store.export(job_state.job_id)
    with pytest.raises(UnknownJobError):
        flow.resume(loaded)
    with pytest.raises(UnknownJobError):
        store.export(job_state.job_id)
    with pytest.raises(JobStateError, match="was moved out of this store"):
        store.admit(transfer)
    with open_store("memory:") as elsewhere:
        elsewhere.admit(transfer)
        with pytest.raises(JobStateError, match="is in this store already"):
            elsewhere.admit(transfer)


def test_what_was_imported_nowhere_can_be_taken_back(store: Store) -> None:
    transfer = store.export(paused_job(store).job_id)
    assert store.admit(transfer, reclaim=True) == transfer["job"]["job_id"]
    assert [job.status for job in store.jobs()] == ["paused"]


def test_a_copy_is_another_job(store: Store) -> None:
    job_state = paused_job(store)
    transfer = store.export(job_state.job_id, copy=True)
    copy_id = store.admit(transfer)
    assert {job.job_id for job in store.jobs()} == {job_state.job_id, copy_id}
    _, copy = store.load(copy_id)
    assert [task["task_id"].split(":")[0] for task in copy.pending_tasks] == [copy_id] * len(copy.pending_tasks)


def test_a_running_job_is_not_moved(store: Store) -> None:
    job_state = counting().execute("counter", {"n": 0, "ask": True}, store=store)
    with pytest.raises(JobStateError, match="is running: pause it first"):
        store.export(job_state.job_id)


NOT_EXPORTED: dict[str, tuple[Any, str]] = {
    "nothing": ({}, "format: a format is a whole number from 1, not None"),
    "a list": ([], "this is no exported job"),
    "of a format in words": ({"format": "1"}, "format: a format is a whole number from 1, not '1'"),
    "of a newer format": ({"format": 2, "more": 1}, "format: exported job format 2 is newer than this routilux"),
    "without its parts": ({"format": 1}, "this is no exported job"),
}


@pytest.mark.parametrize("what", NOT_EXPORTED)
def test_what_is_no_exported_job_is_refused(store: Store, what: str) -> None:
    transfer, problem = NOT_EXPORTED[what]
    with pytest.raises(DocumentError, match=problem):
        store.admit(transfer)
    assert store.jobs() == []


def put(document: Any, *path: Any, value: Any) -> None:
    for step in path[:-1]:
        document = document[step]
    document[path[-1]] = value


COUNTER = ("flow", "routines", "counter")
SLOT = (*COUNTER, "_slots", "trigger")
DAMAGED: dict[str, tuple[tuple[Any, ...], Any, str]] = {
    "flow": (("flow",), {}, "flow._type: the document says it is None"),
    "routines": (("flow", "routines"), [], "flow.routines: Expected `object`"),
    "routine": (COUNTER, 5, "flow.routines.counter: expected an object"),
    "class": ((*COUNTER, "_type"), 5, "flow.routines.counter._type: Expected `str`"),
    "configuration": (
        ("flow", "routines", "counter", "_config"),
        5,
        "flow.routines.counter._config: Expected `object`",
    ),
    "needs": ((*COUNTER, "_requires"), [""], r"_requires\[0\]: Expected `str` of length"),
    "policy": ((*COUNTER, "_error_handler"), {}, "_error_handler._type is missing"),
    "policy of all": (("flow", "error_handler"), [], "flow.error_handler: expected an object"),
    "slots": ((*COUNTER, "_slots"), [], "slots are an object by name"),
    "slot": (SLOT, {"handle": 1}, "trigger.handle is unknown"),
    "timeout": ((*SLOT, "timeout"), 0, "trigger.timeout: Expected `float` > 0"),
    "data in a slot": ((*SLOT, "_data"), {"n": 1}, "trigger._data: an exported flow has no data in its slots"),
    "event": ((*COUNTER, "_events", "next"), {"more": 1}, "next.more is unknown"),
    "event without a name": ((*COUNTER, "_events", ""), {}, "each event needs a name"),
    "connection": (("flow", "connections", 0), {}, r"flow.connections\[0\].source_routine_id is missing"),
    "newer flow": (("flow", "format"), 2, "flow.format: Flow format 2 is newer"),
    "graph": (("graph", "more"), 1, "unknown field `more`"),
    "newer job": (("job", "format"), 2, "job.format: JobState format 2 is newer"),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_a_damaged_part_of_an_exported_job_is_refused_and_nothing_comes_in(store: Store, what: str) -> None:
    path, value, problem = DAMAGED[what]
    transfer = store.export(finished(store).job_id, copy=True)
    put(transfer, *path, value=value)
    before = store.jobs()
    with pytest.raises(SeriluxError, match=problem):
        store.admit(transfer)
    assert store.jobs() == before


def test_all_that_is_wrong_with_an_exported_flow_is_said_at_once(store: Store) -> None:
    transfer = store.export(finished(store).job_id, copy=True)
    put(transfer, *SLOT, "timeout", value=0)
    put(transfer, "flow", "connections", 1, "priority", value="high")
    with pytest.raises(CombinedError) as refusal:
        store.admit(transfer)
    assert [problem.path for problem in refusal.value.problems] == [
        "flow.routines.counter._slots.trigger.timeout",
        "flow.connections[1].priority",
    ]


# When the store is not there.


class Broken:
    """A backend whose writes fail as often as a test says."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.failures: list[StoreError] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def write(self, batches: Any) -> frozenset[str]:
        if self.failures:
            raise self.failures.pop()
        return self._backend.write(batches)


def test_a_job_waits_for_a_store_that_comes_back() -> None:
    broken = Broken(MemoryBackend())
    broken.failures = [StoreUnavailableError("busy")] * 3
    store = Store(broken, patience=LONG)
    assert finished(store).status == "completed"
    assert broken.failures == []
    store.close()


def test_a_job_is_let_go_when_its_store_stays_away() -> None:
    broken = Broken(MemoryBackend())
    store = Store(broken, patience=0.0)
    flow = counting()
    job_state = flow.execute("counter", {"n": 0, "ask": True}, store=store)
    broken.failures = [StoreUnavailableError("the disk is full")]
    with pytest.raises(StoreUnavailableError, match="the disk is full"):
        flow.deliver(job_state, "counter", "answer", {"text": "lost"})
    with pytest.raises(StoreUnavailableError, match="the disk is full"):
        job_state.wait(LONG)
    again = flow.resume(job_state)
    flow.deliver(again, "counter", "answer", {"text": "kept"})
    assert again.wait(LONG)
    assert again.shared_log == ["kept"]
    store.close()


def test_a_job_never_settles_before_that_is_on_disk() -> None:
    broken = Broken(MemoryBackend())
    store = Store(broken, patience=0.0, window=LONG)
    broken.failures = [StoreUnavailableError("the disk is full")]
    with pytest.raises(StoreUnavailableError):
        counting().execute("counter", {"n": 0}, store=store)
    assert store.jobs() == []
    store.close()


def test_one_jobs_fault_is_not_anothers() -> None:
    class Choosy(Broken):
        def write(self, batches: Any) -> frozenset[str]:
            if any(b"poison" in batch.content for batch in batches):
                raise StoreError("too much")
            return self._backend.write(batches)

    store = Store(Choosy(MemoryBackend()), window=LONG)
    flow = counting()
    flow.set_error_handler(ErrorHandler("stop"))
    jobs = [flow.execute("counter", {"n": 0, "ask": True}, store=store) for _ in range(2)]
    for job_state, text in zip(jobs, ["poison", "fine"], strict=True):
        live = job_state._live
        live.log.record(live.job.status, 0.0)
        assert live.log is not None
    with pytest.raises(StoreError, match="too much"):
        flow.deliver(jobs[0], "counter", "answer", {"text": "poison"})
    flow.deliver(jobs[1], "counter", "answer", {"text": "fine"})
    assert jobs[1].wait(LONG)
    store.close()


def test_what_happens_to_ownership_is_logged_with_the_job(
    dying: Callable[..., Store], store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    job_state = counting().execute("counter", {"n": 0, "ask": True}, store=dying())
    with caplog.at_level("INFO", "routilux"):
        recover(store)
        job_state._live.lose(OwnershipLost("gone"))
    told = [(record.levelname, record.action, record.job_id) for record in caplog.records]
    assert told == [("INFO", "recover", job_state.job_id), ("WARNING", "lose", job_state.job_id)]


def test_an_event_loop_is_not_held_up_by_a_store_that_is_away() -> None:
    broken, beats = Broken(MemoryBackend()), list[int]()
    store = Store(broken, patience=LONG)
    broken.failures = [StoreUnavailableError("busy")] * 4

    async def beat() -> None:
        while broken.failures:
            beats.append(len(broken.failures))
            await asyncio.sleep(0)

    async def both() -> JobState:
        beating = asyncio.create_task(beat())
        job_state = await counting().execute_async("counter", {"n": 0, "ask": True}, store=store)
        await beating
        return job_state

    assert asyncio.run(both()).status == "running"
    assert len(set(beats)) > 1
    store.close()


def test_another_handle_in_the_same_process_takes_a_job_over_like_another_process(
    store: Store, gate: type[Gate]
) -> None:
    job_state = run_in_background(gated(), store)
    flow, loaded = store.load(job_state.job_id)
    flow.resume(loaded)
    gate.opened.set()
    with pytest.raises(OwnershipLost, match="taken over by another handle in this process"):
        job_state.wait(LONG)
    assert recover(store) == []
    assert loaded.wait(LONG)
    assert [task["lost_attempts"] for task in loaded.serialize()["pending_tasks"]] == []


def test_what_a_handler_cannot_take_is_not_delivered_through_the_store_either(store: Store) -> None:
    waiting = counting().execute("counter", {"n": 0, "ask": True}, store=store)
    with pytest.raises(BindingError, match="text"):
        store.deliver(waiting.job_id, "counter", "answer", {"texxt": "typo"}, timeout=LONG)
    store.deliver(waiting.job_id, "counter", "answer", {"text": "right"}, timeout=LONG)
    assert waiting.wait(LONG)


def test_an_ambiguous_task_is_found_by_check(dying: Callable[..., Store], store: Store, gate: type[Gate]) -> None:
    dies_in_the_middle(gated(Payment), dying())
    (job_state,) = recover(store)
    flow, loaded = store.load(job_state.job_id)
    (finding,) = flow.check(loaded)
    assert "may not be repeated" in finding
    assert (finding.place, finding.routine_id, finding.slot) == ("pending_tasks[0]", "gate", "trigger")


@pytest.mark.parametrize("wrong", ["sqlite:///x", 3])
def test_what_is_no_store_is_refused(wrong: Any) -> None:
    with pytest.raises(DefinitionError, match=r"a store is what open_store\(...\) gives, not"):
        counting().execute("counter", {"n": 0}, store=wrong)


def test_a_store_is_not_inherited_by_a_fork(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: pid + 1)
    with pytest.raises(StoreError, match="open it again after a fork"):
        counting().execute("counter", {"n": 0}, store=store)
