"""What is asked by way of a store is done, and once, whichever call fails: before it has done its work, or after."""

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any, NoReturn

import pytest

from routilux import Flow, JobState, JobStateError
from routilux._backends.backend import Batch, JobRecord
from routilux._backends.memory import MemoryBackend
from routilux._engine import keeper, owner
from routilux._engine.requests import Answer
from routilux.errors import StoreUnavailableError
from routilux.stores import Store, asking
from tests.crashes.failing_backend import LOST, FailingBackend, Failure
from tests.patience import PATIENCE, until
from tests.stores.answering import twice

UNKNOWN = "it is not known whether it was delivered"


@pytest.fixture(autouse=True)
def without_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "ROUND", 0.001)
    monkeypatch.setattr(asking, "FIRST_LOOK", 0.001)


@pytest.fixture
def backend() -> MemoryBackend:
    return MemoryBackend()


@pytest.fixture
def flow() -> Iterator[Flow]:
    with twice() as flow:
        yield flow


@pytest.fixture
def store(backend: MemoryBackend) -> Store:
    """The store, as the job's owner has it."""
    return Store(backend)


@pytest.fixture
def job_state(flow: Flow, store: Store) -> JobState:
    return flow.execute("twice", store=store)


def lost(*done: bool | None) -> list[Failure | None]:
    return [None if each is None else Failure(done=each) for each in done]


FAILURES = {
    "before": lost(False),
    "only its answer": lost(True),
    "first its answer": lost(True, False, True),
    "first it": lost(False, True, True, False),
    "later its answer": lost(None, True, None, True),
}
failures = pytest.mark.parametrize("failures", FAILURES.values(), ids=FAILURES)
ASKED = {
    "pause": lambda store, job_id: store.pause(job_id, timeout=PATIENCE),
    "cancel": lambda store, job_id: store.cancel(job_id, timeout=PATIENCE),
    "deliver": lambda store, job_id: deliver(store, job_id, "A"),
}
OUTCOME = {"pause": ("paused", []), "cancel": ("cancelled", []), "deliver": ("running", ["A"])}


def deliver(store: Store, job_id: str, text: str, timeout: float | None = PATIENCE) -> None:
    store.deliver(job_id, "twice", "answer", {"text": text}, timeout=timeout)


def is_done_once(asked: str, job_state: JobState, store: Store) -> None:
    """Nothing more comes of it: of two tasks that wait, what was delivered once has come to one."""
    status, log = OUTCOME[asked]
    until(lambda: (job_state.status, job_state.shared_log) == (status, log))
    if asked == "deliver":
        deliver(store, job_state.job_id, "B")
        assert job_state.wait(PATIENCE) and job_state.shared_log == ["A", "B"]


@failures
@pytest.mark.parametrize("method", ["asked", "dismiss"])
@pytest.mark.parametrize("asked", ASKED)
def test_the_owner_gets_what_is_asked_of_it(
    backend: MemoryBackend,
    store: Store,
    job_state: JobState,
    asked: str,
    method: str,
    failures: Sequence[Failure | None],
) -> None:
    store.ledger.keeper._backend = FailingBackend(backend, [method], failures)  # type: ignore[assignment]
    ASKED[asked](Store(backend), job_state.job_id)
    is_done_once(asked, job_state, Store(backend))


@failures
@pytest.mark.parametrize("method", ["record", "ask", "answered", "acknowledge"])
@pytest.mark.parametrize("asked", ASKED)
def test_who_asks_looks_again(
    backend: MemoryBackend, job_state: JobState, asked: str, method: str, failures: Sequence[Failure | None]
) -> None:
    other = Store(backend)
    other.ledger.backend = FailingBackend(backend, [method], failures)  # type: ignore[assignment]
    ASKED[asked](other, job_state.job_id)
    is_done_once(asked, job_state, Store(backend))


@failures
@pytest.mark.parametrize("asked", ASKED)
def test_nor_is_it_lost_where_nobody_runs_the_job(
    backend: MemoryBackend, flow: Flow, job_state: JobState, asked: str, failures: Sequence[Failure | None]
) -> None:
    flow.pause(job_state)
    other = Store(FailingBackend(backend, ["acquire"], failures))  # type: ignore[arg-type]
    ASKED[asked](other, job_state.job_id)
    assert backend.records()[0].status == ("cancelled" if asked == "cancel" else "paused")
    assert other.load(job_state.job_id)[1].status == backend.records()[0].status


class Silent(MemoryBackend):
    """Its owner is asked, and never looks."""

    def asked(self, owner: str) -> list[tuple[str, bytes]]:
        return []


@pytest.mark.parametrize(("timeout", "patience"), [(None, 0.05), (PATIENCE, 0.05), (0.05, 60 * PATIENCE)])
@pytest.mark.parametrize("done", [True, False])
def test_who_gives_up_is_told_that_it_is_not_known(
    flow: Flow, timeout: float | None, patience: float, done: bool
) -> None:
    backend = Silent()
    job_state = flow.execute("twice", store=Store(backend))
    other = Store(backend, patience=patience)
    other.ledger.backend = FailingBackend(backend, ["ask"], repeat(Failure(done)))  # type: ignore[assignment]
    with pytest.raises(StoreUnavailableError, match=f"^job '{job_state.job_id}': {UNKNOWN}.*{LOST}$"):
        deliver(other, job_state.job_id, "A", timeout)
    with pytest.raises(StoreUnavailableError, match=f"^{LOST}$"):
        other.pause(job_state.job_id, timeout=timeout)


class OftenAway(MemoryBackend):
    """Is away at every other look, each a long time after the last; its owner looks when that was so for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.looks = 0

    def record(self, job_id: str) -> JobRecord | None:
        self.looks += 1
        if self.looks % 2:
            raise StoreUnavailableError(LOST)
        self.now += 1000.0
        return super().record(job_id)

    def asked(self, owner: str) -> list[tuple[str, bytes]]:
        return super().asked(owner) if self.looks > 6 else []


def test_a_store_that_has_been_there_meanwhile_is_waited_for_anew(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = OftenAway()
    job_state = flow.execute("twice", store=Store(backend))
    monkeypatch.setattr(asking, "monotonic", lambda: backend.now)
    deliver(Store(backend, patience=10.0), job_state.job_id, "A", timeout=None)
    assert backend.looks > 6


def test_who_never_came_to_ask_is_told_that_the_store_is_away(backend: MemoryBackend, job_state: JobState) -> None:
    other = Store(backend, patience=0.0)
    other.ledger.backend = FailingBackend(backend, ["record"], repeat(Failure(False)))  # type: ignore[assignment]
    with pytest.raises(StoreUnavailableError, match=f"^{LOST}$"):
        deliver(other, job_state.job_id, "A")


def test_nor_is_it_unknown_where_the_owner_has_answered_that_nothing_was_done(
    backend: MemoryBackend, job_state: JobState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where it did not have the job just then."""
    other = Store(backend, patience=0.0)
    monkeypatch.setattr(job_state._live, "obey", lambda *asked: Answer())
    monkeypatch.setattr(backend, "acknowledge", lambda *answer: monkeypatch.setattr(other._asking, "_see", away))
    with pytest.raises(StoreUnavailableError, match=f"^{LOST}$"):
        deliver(other, job_state.job_id, "A")


def away(*given: Any) -> NoReturn:
    raise StoreUnavailableError(LOST)


class NotWritten(MemoryBackend):
    """Takes no more records where `done` says so: none, or only their answers are lost."""

    def __init__(self) -> None:
        super().__init__()
        self.done: bool | None = None

    def write(self, batches: Sequence[Batch]) -> frozenset[str]:
        if self.done is None:
            return super().write(batches)
        if self.done:
            super().write(batches)
        raise StoreUnavailableError(LOST)


@pytest.mark.parametrize("patience", [0.0, 0.1])
@pytest.mark.parametrize("done", [True, False])
def test_what_was_delivered_here_and_perhaps_not_written_is_not_delivered_again(
    flow: Flow, done: bool, patience: float
) -> None:
    backend = NotWritten()
    flow.pause(job_state := flow.execute("twice", store=Store(backend)))
    other = Store(backend, patience=patience)
    backend.done = done
    with pytest.raises(StoreUnavailableError, match=f"{UNKNOWN}.*{LOST}"):
        deliver(other, job_state.job_id, "A")
    backend.done = None
    waiting = other.load(job_state.job_id)[1].explain().waiting_for_delivery
    assert len(waiting) == (1 if done else 2)


def test_a_refusal_names_the_owner_that_was_asked_although_the_job_has_none_by_now(
    backend: MemoryBackend, store: Store, job_state: JobState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has let go of the job between refusing and being looked at."""
    answer = backend.answer

    def answer_and_let_go(job_id: str, key: str, content: bytes) -> None:
        answer(job_id, key, content)
        backend.leave(store.ledger.owner)

    monkeypatch.setattr(job_state._live, "_check_delivery", refuses)
    monkeypatch.setattr(backend, "answer", answer_and_let_go)
    with pytest.raises(JobStateError, match=f"is run by {owner.shown(store.ledger.owner)}, which refuses: .*no more"):
        deliver(Store(backend), job_state.job_id, "A")


def refuses(*given: Any) -> NoReturn:
    raise RuntimeError("no more")
