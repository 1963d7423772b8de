"""Ctrl-C, and whatever else a signal raises, leaves nothing half done: it may come at any moment of the main thread."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, ClassVar, NoReturn

import pytest

from routilux import Flow, JobState, Routine, recover
from routilux._core import transition
from routilux._core.facts import SharedDataSet
from routilux._engine.awaited import Awaited
from routilux._engine.live_job import LiveJob
from routilux._engine.patience import within
from routilux._records import Changes
from routilux.errors import StoreError
from routilux.stores import Store, open_store
from serilux import register_serializable
from tests.patience import PATIENCE, until
from tests.stores.patients import patient
from tests.stores.stored_flows import Gate, gate, gated

__all__ = ["gate"]  # a fixture

pytestmark = pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="signals are raised in the main thread"
)


class Interruption(BaseException):
    """What the signal of these tests raises."""


class TimeLimit(TimeoutError):
    """What it may raise, too: handlers that put an end to what takes too long raise an Exception."""


class Signals:
    """Sends signals to the main thread, each of which raises."""

    def __init__(self) -> None:
        self._raised = SimpleQueue[int]()  # into which a signal may come while another is put there
        self.raises: type[BaseException] = Interruption

    def raise_one(self, signum: int, frame: object) -> None:
        self._raised.put(signum)
        raise self.raises

    def send(self) -> None:
        """Interrupt the main thread when it waits for a call, or whatever else comes true."""
        main = threading.main_thread().ident
        assert main is not None
        until(lambda: sys._current_frames()[main].f_code is Awaited.wait.__code__)
        self._send(main)

    def _send(self, thread: int) -> None:
        """One that comes just before the thread falls asleep wakes nobody (so Python's locks are): then once more."""
        deadline = monotonic() + PATIENCE
        while monotonic() < deadline:
            signal.pthread_kill(thread, signal.SIGUSR1)
            with suppress(Empty):
                self._raised.get(timeout=1.0)
                return
        raise AssertionError("the main thread was not interrupted")


@pytest.fixture
def signals() -> Iterator[Signals]:
    signals = Signals()
    former = signal.signal(signal.SIGUSR1, signals.raise_one)
    yield signals
    signal.signal(signal.SIGUSR1, former)


class Stepper(Routine):
    """Hands on what it is given, as long as something is left."""

    begun: ClassVar[list[JobState]] = []

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.step)
        self.define_event("out", ["left"])

    def step(self, left: int) -> None:
        self.begun.append(self.get_execution_context().job_state)
        if left:
            self.emit("out", left=left - 1)


register_serializable(Stepper, name="InterruptedStepper")


@pytest.mark.parametrize("job_id", ["torn", None])
def test_a_job_in_the_middle_of_whose_change_a_signal_came_goes_on_as_it_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job_id: str | None
) -> None:
    """By its own handle, too: that went on with what there was, and lost a task."""
    flow = Flow("stepping")
    flow.add_routine(Stepper(), "step")
    flow.connect("step", "out", "step", "trigger")
    Stepper.begun.clear()

    def interrupted(*_: object) -> NoReturn:
        raise Interruption

    with open_store(f"sqlite:///{tmp_path}/jobs.db") as store, flow:
        with monkeypatch.context() as patch:
            patch.setattr(LiveJob, "run_here", then(LiveJob.run_here, patch.setattr, transition, "Task", interrupted))
            with pytest.raises(Interruption):
                flow.execute("step", {"left": 1}, store=store, job_id=job_id)
        (job_state,) = Stepper.begun
        with pytest.raises(StoreError, match="take it up as it is stored"):
            job_state.serialize()
        flow.resume(job_state)
        assert job_state.wait(PATIENCE)
    assert [record.event_name for record in job_state.execution_history] == ["start", "out", "start"]
    assert len(Stepper.begun) == 3


def then(call: Callable[..., Any], first: Callable[..., object], *given: Any) -> Callable[..., Any]:
    """A call before which another one is made."""

    def made(*args: Any) -> Any:
        first(*given)
        return call(*args)

    return made


@pytest.mark.parametrize("raises", [Interruption, TimeLimit])
@pytest.mark.parametrize("patience", [None, PATIENCE])
def test_a_call_comes_to_its_end_before_what_a_signal_raises(
    signals: Signals, raises: type[BaseException], patience: float | None
) -> None:
    ended = []
    signals.raises = raises

    def call() -> None:
        signals.send()
        ended.append(True)

    with pytest.raises(raises):
        within(patience, call)
    assert ended == [True]


def test_the_second_signal_does_not_wait_for_the_call_which_goes_on_by_itself(signals: Signals) -> None:
    may_end, ended = threading.Event(), threading.Event()

    def call() -> None:
        for _ in range(2):
            signals.send()
        assert may_end.wait(PATIENCE)
        ended.set()

    with pytest.raises(Interruption):
        within(None, call)
    assert not ended.is_set()
    may_end.set()
    assert ended.wait(PATIENCE)


def test_nobody_waits_for_a_call_for_longer_than_its_caller_said_since_a_signal_came(signals: Signals) -> None:
    may_end = threading.Event()

    def call() -> None:
        signals.send()
        assert may_end.wait(PATIENCE)

    with pytest.raises(Interruption):
        within(1.0, call)
    may_end.set()


def test_a_call_gives_and_raises_what_it_would_without_a_thread_of_its_own() -> None:
    def refuse() -> None:
        raise SystemExit(3)

    assert within(None, threading.get_ident) != threading.get_ident()
    with pytest.raises(SystemExit, match="3"):
        within(None, refuse)


def test_whoever_is_interrupted_learns_that_the_call_has_failed(signals: Signals) -> None:
    def fail() -> None:
        signals.send()
        raise StoreError("the disk is full")

    with pytest.raises(Interruption) as raised:
        within(None, fail)
    (note,) = raised.value.__notes__
    assert note.endswith("has failed: routilux.errors.StoreError: the disk is full)")


def test_or_goes_on_by_itself_but_not_that_all_is_well(signals: Signals) -> None:
    may_end = threading.Event()

    def call() -> None:
        signals.send()
        assert may_end.wait(PATIENCE)

    with pytest.raises(Interruption) as raised:
        within(1.0, call)
    (note,) = raised.value.__notes__
    assert note.endswith("goes on by itself)")
    may_end.set()
    with pytest.raises(Interruption) as raised:
        within(None, call)
    assert not hasattr(raised.value, "__notes__")


def test_who_is_interrupted_while_he_waits_keeps_nobody_else_waiting(signals: Signals) -> None:
    awaited = Awaited()
    sender = threading.Thread(target=signals.send)
    sender.start()
    with pytest.raises(Interruption):
        awaited.wait(PATIENCE)
    sender.join(PATIENCE)
    awaited.come_true()
    awaited.wait(PATIENCE)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/jobs.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_store(url) as store:
        yield store


@pytest.fixture
def flow() -> Iterator[Flow]:
    with patient() as flow:
        yield flow


def interrupting(store: Store, signals: Signals, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Have a signal come whenever the store's backend is called by one of these names, in the middle of that."""
    backend: Any = store._backend

    def interrupted(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **keywords: Any) -> Any:
            if threading.current_thread().name.startswith("Dummy"):  # one that the main thread has call it
                signals.send()
            return method(*args, **keywords)

        return call

    for name in names:
        monkeypatch.setattr(backend._called, name, interrupted(getattr(backend._called, name)))


VERBS: dict[str, Callable[[Flow, Any], object]] = {
    "pause": lambda flow, job: flow.pause(job),
    "cancel": lambda flow, job: flow.cancel(job),
    "deliver": lambda flow, job: flow.deliver(job, "patient", "answer", {"text": "heard"}),
    "append_to_shared_log": lambda flow, job: job.append_to_shared_log("said"),
}


def seen(job_state: JobState) -> tuple[str, list[Any]]:
    return str(job_state.status), job_state.shared_log


@pytest.mark.parametrize("verb", VERBS)
def test_what_is_asked_of_a_job_is_done_and_on_disk(
    url: str, store: Store, flow: Flow, signals: Signals, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    job_state = flow.execute("patient", store=store)
    with monkeypatch.context() as patch:
        interrupting(store, signals, patch, "write")
        with pytest.raises(Interruption):
            VERBS[verb](flow, job_state)
    with open_store(url) as other:
        until(lambda: seen(other.load(job_state.job_id)[1]) == seen(job_state) != ("running", []))
    if verb != "cancel":
        job_state.append_to_shared_log("later")
        assert job_state.shared_log == store.load(job_state.job_id)[1].shared_log


@pytest.mark.parametrize("verb", ["cancel", "append_to_shared_log"])
def test_a_job_that_was_claimed_to_be_changed_is_let_go_again(
    store: Store, flow: Flow, signals: Signals, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    job_state = flow.execute("patient", store=store)
    flow.pause(job_state)
    for name in ("acquire", "write"):
        with monkeypatch.context() as patch:
            interrupting(store, signals, patch, name)
            with pytest.raises(Interruption):
                VERBS["append_to_shared_log"](flow, job_state)
        until(lambda: store.summary(job_state.job_id).owner is None)
    VERBS[verb](flow, job_state)
    assert store.load(job_state.job_id)[1].shared_log[:2] == ["said", "said"]


def test_a_job_that_was_begun_runs_although_its_caller_has_nothing_of_it(
    store: Store, flow: Flow, signals: Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupting(store, signals, patch, "record")
        with pytest.raises(Interruption):
            flow.execute("patient", store=store, job_id="begun")
    until(lambda: "patient.answer" in str(store.peek("begun").explanation))
    store.deliver("begun", "patient", "answer", {"text": "heard"}, timeout=PATIENCE)
    until(lambda: store.summary("begun").status == "completed")


def test_a_job_that_was_resumed_runs(
    store: Store, flow: Flow, signals: Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_state = flow.execute("patient", store=store)
    flow.pause(job_state)
    with monkeypatch.context() as patch:
        interrupting(store, signals, patch, "acquire")
        with pytest.raises(Interruption):
            flow.resume(job_state)
    flow.deliver(job_state, "patient", "answer", {"text": "heard"})
    assert job_state.wait(PATIENCE)
    assert store.load(job_state.job_id)[1].shared_log == ["heard"]


@pytest.mark.parametrize("name", ["record", "records", "read", "prune", "acknowledge"])
def test_what_a_signal_raises_is_no_error_of_the_store(
    store: Store, signals: Signals, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    signals.raises = TimeLimit
    calls = {
        "record": lambda: store.summary("a"),
        "records": store.jobs,
        "read": lambda: store.peek("a"),
        "prune": lambda: store.prune(older_than=0.0),
        "acknowledge": lambda: store._ledger.backend.acknowledge("a", "key"),
    }
    interrupting(store, signals, monkeypatch, name)
    with pytest.raises(TimeLimit):
        calls[name]()


def test_nor_a_problem_of_the_job_that_is_just_being_recovered(
    url: str, store: Store, flow: Flow, signals: Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(url) as owner:
        job_state = flow.execute("patient", store=owner)
        owner.ledger.flush()
        job_state._live.abandon()
    signals.raises, problems = TimeLimit, dict[str, Exception]()
    with monkeypatch.context() as patch:
        interrupting(store, signals, patch, "read")
        with pytest.raises(TimeLimit):
            recover(store, flows=[flow], on_problem=problems.__setitem__)
    assert problems == {}
    (recovered,) = recover(store, flows=[flow])
    flow.cancel(recovered)


WAITS: dict[str, Callable[[Flow, JobState], object]] = {
    "wait": lambda flow, job: job.wait(PATIENCE),
    "pause": lambda flow, job: flow.pause(job, timeout=PATIENCE),
    "shutdown": lambda flow, job: flow.shutdown(timeout=PATIENCE),
}


@pytest.mark.parametrize("waits", WAITS)
def test_nor_that_somebody_has_waited_for_as_long_as_he_would(gate: type[Gate], signals: Signals, waits: str) -> None:
    signals.raises, flow = TimeLimit, gated(gate)
    job_state = flow.start("gate")
    assert gate.entered.acquire(timeout=PATIENCE)
    sender = threading.Thread(target=signals.send)
    sender.start()
    with pytest.raises(TimeLimit):
        WAITS[waits](flow, job_state)
    sender.join(PATIENCE)
    gate.opened.set()
    flow.shutdown()


@pytest.mark.parametrize("name", ["record", "records", "read", "silences"])
def test_the_store_can_be_used_afterwards(
    store: Store, flow: Flow, signals: Signals, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    job_state = flow.execute("patient", store=store)
    looks = {
        "record": lambda: store.summary(job_state.job_id),
        "records": store.jobs,
        "read": lambda: store.load(job_state.job_id),
        "silences": lambda: store._ledger.backend.silences(),  # noqa: PLW0108 - what is called then
    }
    with monkeypatch.context() as patch:
        interrupting(store, signals, patch, name)
        with pytest.raises(Interruption):
            looks[name]()
    looks[name]()
    flow.cancel(job_state)
    assert store.summary(job_state.job_id).status == "cancelled"


@pytest.mark.parametrize("name", ["write", "leave"])
def test_a_store_that_is_closed_is_left_and_closed(
    url: str, signals: Signals, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    store = open_store(url, window=PATIENCE)
    job_state = patient().execute("patient", store=store)
    job_state._live.apply(SharedDataSet(Changes({"key": 1})))
    with monkeypatch.context() as patch:
        interrupting(store, signals, patch, name)
        with pytest.raises(Interruption):
            store.close()
    store.close()
    with open_store(url) as other:
        summary = other.summary(job_state.job_id)
        assert (summary.owner, other.load_job(job_state.job_id).shared_data) == (None, {"key": 1})
    assert store.ledger.keeper._closed.is_set()


def test_a_job_in_the_middle_of_whose_change_a_signal_came_is_let_go_and_whole_in_the_store(
    url: str, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the change in memory and its line in the journal: nobody could tell which of them is right."""
    with open_store(url) as store:
        job_state, other = [flow.execute("patient", store=store) for _ in range(2)]
        log = job_state._live.log

        def interrupt(*_: object) -> None:
            raise Interruption

        monkeypatch.setattr(log, "record", interrupt)
        with pytest.raises(Interruption):
            job_state.append_to_shared_log("half")
        with pytest.raises(
            StoreError, match=r"Interruption came while job .* was being changed.*take it up as it is st"
        ):
            job_state.append_to_shared_log("later")
        (again,) = recover(store, flows=[flow])
        again.append_to_shared_log("whole")
        other.append_to_shared_log("as before")
        assert store.load(job_state.job_id)[1].shared_log == ["whole"]
        assert store.load(other.job_id)[1].shared_log == ["as before"]
        for job in (again, other):
            flow.cancel(job)
