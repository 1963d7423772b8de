"""What the process that runs a job refuses comes back to whoever asked for it, by way of the store."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from routilux import BindingError, Flow, JobState, JobStateError, OwnershipLost, Routine
from routilux._engine import keeper
from routilux._engine.requests import Answer, key_of, read_answer, write_answer
from routilux.errors import DamagedRecordError, RoutiluxError, StoreError, StoreUnavailableError
from routilux.stores import Store, open_store
from serilux import SeriluxError, register_serializable
from tests.crashes.failing_backend import FailingBackend, Failure
from tests.patience import until
from tests.stores.patients import patient

LONG = 60.0
NO = "not while the doctor is here"


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def stores(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Store]]:
    """A store, as its owner and as another process have it."""
    monkeypatch.setattr(keeper, "ROUND", 0.001)
    if request.param == "memory":
        with open_store("memory:") as store:
            yield [store, Store(store._backend)]
        return
    url = f"sqlite:///{tmp_path}/jobs.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    with open_store(url) as store, open_store(url) as other:
        yield [store, other]


@pytest.fixture
def run(stores: list[Store]) -> Iterator[tuple[Flow, JobState]]:
    """A job that its owner runs, and a flow that is closed."""
    with patient() as flow:
        yield flow, flow.execute("patient", store=stores[0])


def refusing(job_state: JobState, *errors: Exception) -> None:
    """Have the job refuse what it is asked for, so many times; then it obeys."""
    left, obey = list(errors), job_state._live.obey

    def refuse(request: bytes, patience: float) -> Answer | None:
        if left:
            raise left.pop(0)
        return obey(request, patience)

    job_state._live.obey = refuse  # type: ignore[method-assign]


ASKED = {
    "pause": lambda store, job_id: store.pause(job_id, timeout=LONG),
    "cancel": lambda store, job_id: store.cancel(job_id, timeout=LONG),
    "deliver": lambda store, job_id: store.deliver(job_id, "patient", "answer", {"text": "x"}, timeout=LONG),
}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("kind", [RoutiluxError, BindingError, SeriluxError])
def test_who_asks_is_told_what_the_owner_says(stores: list[Store], run: Any, asked: str, kind: type[Exception]) -> None:
    _, job_state = run
    refusing(job_state, kind(NO))
    with pytest.raises(JobStateError, match=f"is run by process [0-9]+ on .*, which refuses: .*{NO}") as refusal:
        ASKED[asked](stores[1], job_state.job_id)
    assert (refusal.value.job_id, job_state.status) == (job_state.job_id, "running")
    ASKED[asked](stores[1], job_state.job_id)


@pytest.mark.parametrize("asked", ASKED)
def test_what_nobody_looked_at_is_asked_again(stores: list[Store], run: Any, asked: str) -> None:
    """As where a thread is just about to run the job, or has lost it."""
    _, job_state = run
    refusing(job_state, OwnershipLost("just now"), OwnershipLost("and again"))
    ASKED[asked](stores[1], job_state.job_id)
    status = {"pause": "paused", "cancel": "cancelled", "deliver": "completed"}[asked]
    until(lambda: job_state.status == status)


@pytest.mark.parametrize("asked", ASKED)
def test_an_owner_that_loses_its_store_in_any_way_does_not_refuse(
    stores: list[Store], run: Any, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, job_state = run
    hole = FailingBackend(stores[0].ledger.backend, ["write"], [Failure(done=False, kind=StoreError)])
    monkeypatch.setattr(stores[0].ledger, "backend", hole)
    ASKED[asked](stores[1], job_state.job_id)
    assert isinstance(job_state._live.lost, StoreError)


@pytest.mark.parametrize("asked", ASKED)
def test_one_who_is_faster_while_a_job_that_nobody_runs_is_changed_is_asked(
    stores: list[Store], run: Any, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow, job_state = run
    if asked == "pause":
        job_state._live.sync()
        job_state._live.abandon()
        stores[0].ledger.backend.leave(stores[0].ledger.owner)
    else:
        flow.pause(job_state)
    backend, other = stores[1].ledger.backend, patient()
    acquire = backend.acquire

    def overtaken(record: Any, owner: str) -> Any:
        stored = acquire(record, owner)
        if not taken:
            taken.append(other.resume(stores[0].load_job(job_state.job_id)))
        return stored

    taken: list[JobState] = []
    monkeypatch.setattr(backend, "acquire", overtaken)
    ASKED[asked](stores[1], job_state.job_id)
    status = {"pause": "paused", "cancel": "cancelled", "deliver": "completed"}[asked]
    until(lambda: taken[0].status == status)


@register_serializable(name="RefusalsVisited")
class Visited(Routine):
    """Waits for one answer, and for a visitor besides."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.ask)
        self.define_slot("answer", self.hear)
        self.define_slot("visitor", self.hear)

    def ask(self) -> None:
        self.expect("answer")
        self.expect("visitor")

    def hear(self, text: str) -> None:
        self.get_execution_context().job_state.append_to_shared_log(text)


@pytest.fixture
def visited(stores: list[Store]) -> Iterator[JobState]:
    with Flow("visited") as flow:
        flow.add_routine(Visited(), "patient")
        yield flow.execute("patient", store=stores[0])


def test_of_two_who_deliver_to_one_task_one_is_refused(stores: list[Store], visited: JobState) -> None:
    job_state, together = visited, Barrier(2)

    with ThreadPoolExecutor(2) as threads:
        said = sorted(threads.map(lambda store: delivered(store, job_state.job_id, together), stores))
    assert said == ["delivered", "refused"]
    assert (job_state.status, job_state.shared_log) == ("running", ["x"])


def delivered(store: Store, job_id: str, together: Barrier) -> str:
    """Deliver when both have seen the task that waits."""
    asking = store._asking.until

    def both(*args: Any, **kwargs: Any) -> str:
        together.wait(LONG)
        return asking(*args, **kwargs)

    store._asking.until = both  # type: ignore[method-assign]
    try:
        store.deliver(job_id, "patient", "answer", {"text": "x"}, timeout=LONG)
    except JobStateError:
        return "refused"
    return "delivered"


def test_an_answer_that_cannot_be_left_is_left_later(stores: list[Store], monkeypatch: pytest.MonkeyPatch) -> None:
    owner, other = stores
    lost = [Failure(done=False, kind=StoreUnavailableError), Failure(done=True, kind=StoreUnavailableError)]
    owner.ledger.keeper._backend = FailingBackend(owner._backend, ["answer"], lost)  # type: ignore[assignment]
    with patient() as flow:
        job_state = flow.execute("patient", store=owner)
        refusing(job_state, RoutiluxError(NO))
        with pytest.raises(JobStateError, match=NO):
            other.pause(job_state.job_id, timeout=LONG)


def test_who_did_not_ask_under_a_key_is_not_answered(stores: list[Store], run: Any) -> None:
    _, job_state = run
    owner, other = stores
    refusing(job_state, RoutiluxError(NO))
    other._backend.ask(job_state.job_id, "", b'{"type": "pause", "reason": ""}')
    other.pause(job_state.job_id, timeout=LONG)
    assert owner.ledger.keeper._unsent == []


def test_an_answer_that_is_none_is_said_to_be_damaged() -> None:
    with pytest.raises(DamagedRecordError, match="an answer cannot be read") as refusal:
        read_answer(b"[")
    assert refusal.value.kind == "answer"
    assert read_answer(write_answer(Answer(refusal=NO))) == Answer(refusal=NO)
    assert (key_of(b"\xff"), key_of(b'{"type": "sing", "key": "k", "more": 1}')) == ("", "k")
