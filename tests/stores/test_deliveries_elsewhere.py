"""Whose data a task got is known for certain to whoever delivers by way of a store, whatever becomes of its owner."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, Semaphore
from typing import Any, NoReturn

import pytest

from routilux import Flow, JobState, JobStateError, Routine
from routilux._backends.backend import Backend, Batch, JobRecord
from routilux._backends.memory import MemoryBackend
from routilux._engine import ledger, live_job
from routilux._engine.custody import Custody
from routilux._engine.fault_points import FaultPoint
from routilux.errors import DamagedRecordError, StoreError, StoreUnavailableError
from routilux.stores import Store
from routilux.testing import StepRunner
from serilux import register_serializable
from tests.patience import PATIENCE, until
from tests.stores.stored_flows import open_another

__all__ = ["open_another"]  # a fixture


@register_serializable(name="DeliveriesOne")
class One(Routine):
    """Waits for one order."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.open)
        self.define_slot("order", self.take)

    def open(self) -> None:
        self.expect("order")

    def take(self, text: str) -> None:
        self.get_execution_context().job_state.append_to_shared_log(text)


@register_serializable(name="DeliveriesTwo")
class Two(One):
    """Waits for two."""

    def open(self) -> None:
        super().open()
        super().open()


@register_serializable(name="DeliveriesWithin")
class Within(One):
    """Waits for an hour."""

    def open(self) -> None:
        self.expect("order", 3600.0)


def shop(kind: type[One] = One, **settings: Any) -> Flow:
    flow = Flow("shop", **settings)
    flow.add_routine(kind(), "shop")
    return flow


class Host:
    """One process, as far as the store knows: what others ask of it, it looks at when it is told to."""

    def __init__(self, store: Store, kind: type[One] = One) -> None:
        self.store = store
        self.flow = shop(kind)
        self.keeper = store.ledger.keeper
        self.look, self.keeper._look = self.keeper._look, _no_look  # type: ignore[method-assign]

    def run(self) -> JobState:
        return self.flow.execute("shop", store=self.store)

    def take_over(self, job_state: JobState) -> JobState:
        return self.flow.resume(self.store.load_job(job_state.job_id))


def _no_look() -> None:
    """Nobody looks by himself."""


@pytest.fixture
def host(open_another: Callable[..., Store]) -> Iterator[Callable[..., Host]]:
    hosts: list[Host] = []

    def opened(kind: type[One] = One, **settings: Any) -> Host:
        hosts.append(Host(open_another(**settings), kind))
        return hosts[-1]

    yield opened
    for each in hosts:
        for job in list(each.flow._engine.jobs):
            job.abandon()


class Asker:
    """Somebody who delivers by way of a store of his own, on a thread; he can be kept from looking what came of it."""

    def __init__(self, store: Store) -> None:
        self.ledger = store.ledger
        self.may_look = Event()
        self.may_look.set()
        self.asked = Semaphore(0)
        self._store = store
        self._threads = ThreadPoolExecutor(1)
        store.ledger.backend = Told(store.ledger.backend, self)  # type: ignore[assignment]

    def begin(self, job_state: JobState, text: str = "A") -> "Future[None]":
        """Begin to deliver."""
        return self._threads.submit(
            self._store.deliver, job_state.job_id, "shop", "order", {"text": text}, timeout=PATIENCE
        )

    def deliver(self, job_state: JobState, text: str = "A") -> "Future[None]":
        """Begin to deliver, and return when the owner has been asked."""
        delivery = self.begin(job_state, text)
        self.wait_until_asked()
        return delivery

    def wait_until_asked(self) -> None:
        """Return when he has asked once more."""
        assert self.asked.acquire(timeout=PATIENCE)


class Told:
    """A store that tells when somebody is asked, and lets nobody look at a job who may not."""

    def __init__(self, backend: Backend, asker: Asker) -> None:
        self._backend = backend
        self._asker = asker

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def ask(self, job_id: str, key: str, request: bytes) -> None:
        self._backend.ask(job_id, key, request)
        self._asker.asked.release()

    def record(self, job_id: str) -> JobRecord | None:
        assert self._asker.may_look.wait(PATIENCE)
        return self._backend.record(job_id)


@pytest.fixture
def asker(open_another: Callable[..., Store]) -> Iterator[Asker]:
    asker = Asker(open_another())
    yield asker
    asker.may_look.set()
    asker._threads.shutdown()


def test_what_another_has_delivered_to_the_next_owner_is_not_taken_for_ones_own(
    host: Callable[..., Host], asker: Asker
) -> None:
    first, second = host(), host()
    job_state = first.run()
    delivery = asker.deliver(job_state)
    taken = second.take_over(job_state)
    second.flow.deliver(taken, "shop", "order", {"text": "B"})
    with pytest.raises(JobStateError, match="somebody else was faster"):
        delivery.result(PATIENCE)
    assert taken.wait(PATIENCE) and taken.shared_log == ["B"]


def test_the_next_owner_is_asked_anew_for_what_was_dropped(host: Callable[..., Host], asker: Asker) -> None:
    first, second = host(Two), host(Two)
    job_state = first.run()
    delivery = asker.deliver(job_state)
    taken = second.take_over(job_state)
    asker.wait_until_asked()
    second.look()
    delivery.result(PATIENCE)
    first.look()
    until(lambda: taken.shared_log == ["A"])


def test_what_the_last_owner_has_done_was_done(host: Callable[..., Host], asker: Asker) -> None:
    first, second = host(Two), host(Two)
    job_state = first.run()
    delivery = asker.deliver(job_state)
    asker.may_look.clear()
    first.look()
    taken = second.take_over(job_state)
    second.flow.deliver(taken, "shop", "order", {"text": "B"})
    asker.may_look.set()
    delivery.result(PATIENCE)
    assert taken.wait(PATIENCE) and sorted(taken.shared_log) == ["A", "B"]


def test_what_the_last_owner_has_refused_the_next_one_may_do(host: Callable[..., Host], asker: Asker) -> None:
    first, second = host(), host()
    job_state = first.run()
    delivery = asker.deliver(job_state)
    asker.may_look.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job_state._live, "_check_delivery", fails)
        first.look()
    taken = second.take_over(job_state)
    asker.may_look.set()
    asker.wait_until_asked()
    second.look()
    delivery.result(PATIENCE)
    assert taken.wait(PATIENCE) and taken.shared_log == ["A"]


def fails(*given: Any) -> NoReturn:
    raise RuntimeError("no more threads")


def test_no_value_of_a_job_that_somebody_runs_is_decoded(host: Callable[..., Host], asker: Asker) -> None:
    """Their classes need not be known to whoever delivers."""
    owner = host()
    job_state = owner.run()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Custody, "read", fails)
        delivery = asker.deliver(job_state)
        owner.look()
        delivery.result(PATIENCE)
    assert job_state.wait(PATIENCE) and job_state.shared_log == ["A"]


def test_a_failure_after_the_delivery_does_not_make_it_a_refusal(host: Callable[..., Host], asker: Asker) -> None:
    owner = host(Two)
    job_state = owner.run()
    delivery = asker.deliver(job_state)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner.flow._engine.workers, "submit", fails)
        owner.look()
    delivery.result(PATIENCE)
    owner.flow.deliver(job_state, "shop", "order", {"text": "B"})
    assert job_state.wait(PATIENCE) and job_state.shared_log == ["A", "B"]


def test_an_answer_is_left_with_one_record_and_only_if_there_is_one(host: Callable[..., Host]) -> None:
    owner = host(Two)
    job_state = owner.run()
    log, backend = job_state._live.log, owner.store.ledger.backend
    with pytest.raises(RuntimeError), log.answering("in vain", b"{}"):
        fails()
    job_state.update_shared_data("a", lambda value: 1)
    with log.answering("done", b"{}"):
        job_state.update_shared_data("a", lambda value: 2)
        assert backend.answered(job_state.job_id, "done") == b"{}"
        backend.acknowledge(job_state.job_id, "done")
        job_state.update_shared_data("a", lambda value: 3)
    assert [backend.answered(job_state.job_id, key) for key in ("done", "in vain")] == [None, None]


def test_a_request_is_obeyed_under_the_epoch_that_it_was_left_for(host: Callable[..., Host], asker: Asker) -> None:
    """Not when the process that has read it in the store has had the job taken from it, and has it again."""
    first, second = host(Two), host(Two)
    job_state = first.run()
    delivery = asker.deliver(job_state)
    seen = first.store.ledger.backend.asked(first.store.ledger.owner)
    taken = second.take_over(job_state)
    asker.wait_until_asked()
    second.look()
    delivery.result(PATIENCE)
    second.flow.pause(taken)
    back = first.take_over(taken)
    first.keeper._hand_on(seen)
    first.flow.deliver(back, "shop", "order", {"text": "B"})
    assert back.wait(PATIENCE) and back.shared_log == ["A", "B"]


def test_nor_is_one_that_comes_when_the_job_has_changed_hands(host: Callable[..., Host], asker: Asker) -> None:
    """Whoever asks has seen the last owner, and his request lies with the next one."""
    first, second = host(Two), host(Two)
    job_state = first.run()
    backend = asker.ledger.backend
    ask, asked = backend.ask, list[JobState]()

    def asks_too_late(job_id: str, key: str, request: bytes) -> None:
        if not asked:
            asked.append(second.take_over(job_state))
        ask(job_id, key, request)

    backend.ask = asks_too_late  # type: ignore[method-assign]
    delivery = asker.deliver(job_state)
    asker.wait_until_asked()
    second.look()
    delivery.result(PATIENCE)
    (taken,) = asked
    second.flow.deliver(taken, "shop", "order", {"text": "B"})
    assert taken.wait(PATIENCE) and taken.shared_log == ["A", "B"]


def test_one_who_seemed_dead_and_obeyed_in_the_last_moment_has_done_it(
    host: Callable[..., Host], asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    seems_dead = Event()
    monkeypatch.setattr(ledger, "is_gone", lambda owner, silence: seems_dead.is_set())
    owner = host(Two)
    delivery = asker.deliver(job_state := owner.run())
    asker.ledger.reached = lambda point: owner.look() if point is FaultPoint.OWNER_READ else None
    seems_dead.set()
    delivery.result(PATIENCE)
    back = owner.take_over(job_state)
    owner.flow.deliver(back, "shop", "order", {"text": "B"})
    assert back.wait(PATIENCE) and back.shared_log == ["A", "B"]


def test_one_who_is_dead_has_not(host: Callable[..., Host], asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    seems_dead = Event()
    monkeypatch.setattr(ledger, "is_gone", lambda owner, silence: seems_dead.is_set())
    owner = host(Two)
    delivery = asker.deliver(job_state := owner.run())
    seems_dead.set()
    delivery.result(PATIENCE)
    owner.look()
    back = owner.take_over(job_state)
    until(lambda: back.shared_log == ["A"])
    owner.flow.deliver(back, "shop", "order", {"text": "B"})
    assert back.wait(PATIENCE) and back.shared_log == ["A", "B"]


def test_of_an_answer_that_was_lost_and_an_owner_that_lost_its_job_the_delivery_counts(
    host: Callable[..., Host], asker: Asker
) -> None:
    """The owner wrote it, was not told so, and finds the job taken when it writes it once more."""
    first, second = host(Two, patience=PATIENCE), host(Two)
    job_state = first.run()
    delivery = asker.deliver(job_state)
    asker.may_look.clear()
    backend, taken = first.store.ledger.backend, list[JobState]()

    class LosesItsAnswer:
        def __getattr__(self, name: str) -> Any:
            return getattr(backend, name)

        def write(self, batches: Sequence[Batch]) -> frozenset[str]:
            written = backend.write(batches)
            if not taken:
                taken.append(second.take_over(job_state))
                raise StoreUnavailableError("the connection was lost")
            return written

    first.store.ledger.backend = LosesItsAnswer()  # type: ignore[assignment]
    first.look()
    asker.may_look.set()
    delivery.result(PATIENCE)
    second.flow.deliver(taken[0], "shop", "order", {"text": "B"})
    assert taken[0].wait(PATIENCE) and sorted(taken[0].shared_log) == ["A", "B"]


def test_what_an_owner_wrote_late_and_was_not_told_of_counts(
    host: Callable[..., Host], asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """He has given the job up, and lets others have it; then it turns out that he had done it."""
    owner = host(patience=0.0)
    job_state = owner.run()
    delivery = asker.deliver(job_state)
    asker.may_look.clear()
    write, late = owner.store.ledger.backend.write, list[Sequence[Batch]]()

    def later(batches: Sequence[Batch]) -> NoReturn:
        late.append(batches)
        raise StoreUnavailableError("the connection was lost")

    with monkeypatch.context() as patch:
        patch.setattr(owner.store.ledger.backend, "write", later)
        owner.look()
    assert write(late[0]) == frozenset()
    owner.look()
    asker.may_look.set()
    delivery.result(PATIENCE)
    (task,) = owner.store.load_job(job_state.job_id).pending_tasks
    assert task["data"] == {"text": "A"}


def test_a_delivery_is_done_although_its_answer_cannot_be_acknowledged(
    host: Callable[..., Host], asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where somebody closes the store just then."""
    owner = host(Two)
    job_state = owner.run()

    def fails(job_id: str, key: str) -> NoReturn:
        raise StoreError("it has been closed")

    monkeypatch.setattr(asker.ledger.backend._backend, "acknowledge", fails)
    delivery = asker.deliver(job_state)
    owner.look()
    delivery.result(PATIENCE)
    owner.flow.pause(job_state)
    asker.begin(job_state, "B").result(PATIENCE)
    back = owner.take_over(job_state)
    assert back.wait(PATIENCE) and sorted(back.shared_log) == ["A", "B"]


@pytest.mark.parametrize("is_done", [True, False])
def test_what_was_delivered_here_to_a_job_that_another_takes_over_just_then_counts(
    host: Callable[..., Host], asker: Asker, monkeypatch: pytest.MonkeyPatch, is_done: bool
) -> None:
    """It was written, which nobody was told, and is refused when it is written once more; or it was not."""
    first, second = host(Two), host(Two)
    job_state = first.run()
    first.flow.pause(job_state)
    write, taken = asker.ledger.backend.write, list[JobState]()

    def taken_over(batches: Sequence[Batch]) -> frozenset[str]:
        if taken:
            return write(batches)
        if is_done:
            write(batches)
        taken.append(second.take_over(job_state))
        raise StoreUnavailableError("the connection was lost")

    monkeypatch.setattr(asker.ledger.backend, "write", taken_over, raising=False)
    delivery = asker.begin(job_state)
    until(lambda: taken)
    if not is_done:
        asker.wait_until_asked()
        second.look()
    delivery.result(PATIENCE)
    second.flow.deliver(taken[0], "shop", "order", {"text": "B"})
    assert taken[0].wait(PATIENCE) and sorted(taken[0].shared_log) == ["A", "B"]


def test_after_that_too_a_store_that_is_away_is_waited_for(
    host: Callable[..., Host], asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = host(Two), host(Two)
    job_state = first.run()
    first.flow.pause(job_state)
    backend, taken = asker.ledger.backend._backend, list[JobState]()
    write, answered = backend.write, backend.answered

    def taken_over(batches: Sequence[Batch]) -> frozenset[str]:
        if not taken:
            taken.append(second.take_over(job_state))
            monkeypatch.setattr(backend, "answered", away_once)
        return write(batches)

    def away_once(job_id: str, key: str) -> NoReturn:
        monkeypatch.setattr(backend, "answered", answered)
        raise StoreUnavailableError("the connection was lost")

    monkeypatch.setattr(backend, "write", taken_over)
    delivery = asker.begin(job_state)
    asker.wait_until_asked()
    second.look()
    delivery.result(PATIENCE)
    second.flow.deliver(taken[0], "shop", "order", {"text": "B"})
    assert taken[0].wait(PATIENCE) and sorted(taken[0].shared_log) == ["A", "B"]


def test_what_the_last_owner_has_not_done_is_known_not_to_be_when_another_has_the_job(
    host: Callable[..., Host], asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = host(), host()
    job_state = first.run()
    delivery = asker.deliver(job_state)
    asker.may_look.clear()
    second.flow.pause(second.take_over(job_state))

    def away(job_id: str) -> NoReturn:
        raise StoreUnavailableError("the connection was lost")

    monkeypatch.setattr(asker.ledger, "patience", 0.0)
    monkeypatch.setattr(asker._store._asking, "_look", away)
    asker.may_look.set()
    with pytest.raises(StoreUnavailableError, match=r"^the connection was lost$"):
        delivery.result(PATIENCE)


def test_it_is_not_known_while_he_may_yet_do_it(
    host: Callable[..., Host], asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """He has left, in order, and what he wrote may be on its way."""
    owner = host()
    job_state = owner.run()
    delivery = asker.deliver(job_state)
    asker.may_look.clear()
    asker.ledger.backend._backend.leave(owner.store.ledger.owner)

    def away(job_id: str) -> NoReturn:
        raise StoreUnavailableError("the connection was lost")

    monkeypatch.setattr(asker.ledger, "patience", 0.0)
    monkeypatch.setattr(asker._store._asking, "_look", away)
    asker.may_look.set()
    with pytest.raises(StoreUnavailableError, match="it is not known whether it was delivered"):
        delivery.result(PATIENCE)


@pytest.mark.parametrize("kind", [StoreError, StoreUnavailableError, DamagedRecordError])
def test_where_it_is_not_known_whether_the_owner_has_obeyed_that_is_said(
    host: Callable[..., Host], asker: Asker, monkeypatch: pytest.MonkeyPatch, kind: type[StoreError]
) -> None:
    owner = host()
    job_state = owner.run()
    asker.may_look.clear()

    def fails(job_id: str, key: str) -> NoReturn:
        raise kind("the answer cannot be read")

    monkeypatch.setattr(asker.ledger, "patience", 0.0)
    monkeypatch.setattr(asker.ledger.backend._backend, "answered", fails)
    asker.may_look.set()
    delivery = asker.deliver(job_state)
    with pytest.raises(StoreError, match=r"it is not known whether it was delivered, .*: the answer cannot be read"):
        delivery.result(PATIENCE)


def test_a_job_that_was_moved_out_and_back_says_whose_data_it_got(host: Callable[..., Host], asker: Asker) -> None:
    owner = host(Two)
    job_state = owner.run()
    delivery = asker.deliver(job_state)
    asker.may_look.clear()
    owner.look()
    until(lambda: job_state.shared_log == ["A"])
    owner.flow.pause(job_state)
    with Store(MemoryBackend()) as elsewhere:
        elsewhere.admit(owner.store.export(job_state.job_id))
        owner.store.admit(elsewhere.export(job_state.job_id))
    asker.may_look.set()
    delivery.result(PATIENCE)
    assert owner.store.load_job(job_state.job_id).shared_log == ["A"]


def test_who_takes_a_job_up_while_it_is_delivered_to_is_asked(host: Callable[..., Host], asker: Asker) -> None:
    first, second = host(), host()
    job_state = first.run()
    first.flow.pause(job_state)
    taken: list[JobState] = []

    def take(point: FaultPoint) -> None:
        if point is FaultPoint.OWNER_READ and not taken:
            taken.append(second.take_over(job_state))

    asker.ledger.reached = take
    delivery = asker.deliver(job_state)
    second.look()
    delivery.result(PATIENCE)
    assert taken[0].wait(PATIENCE) and taken[0].shared_log == ["A"]


def test_one_who_takes_a_job_up_and_dies_of_it_keeps_nobody_from_it(
    host: Callable[..., Host], asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """He lives when the job is to be claimed for the delivery, and is dead when that was refused."""
    first, second = host(), host()
    job_state = first.run()
    first.flow.pause(job_state)
    record, taken = asker.ledger.backend.record, list[JobState]()

    def taken_up_at_the_second_look(job_id: str) -> JobRecord | None:
        looks.append(job_id)
        if len(looks) == 2:
            taken.append(second.take_over(job_state))
        return record(job_id)

    looks: list[str] = []
    asker.ledger.backend.record = taken_up_at_the_second_look  # type: ignore[method-assign]
    monkeypatch.setattr(ledger, "is_gone", lambda owner, silence: len(looks) > 2)
    asker.begin(job_state).result(PATIENCE)
    back = first.take_over(job_state)
    assert back.wait(PATIENCE) and back.shared_log == ["A"]


def test_of_two_who_deliver_to_a_job_that_nobody_runs_one_is_told_that_it_was_not_his(
    host: Callable[..., Host], asker: Asker
) -> None:
    """Although another task waits there, too: it is not the one that was seen to have waited longest."""
    owner = host(Two)
    job_state = owner.run()
    owner.flow.pause(job_state)
    seen: list[bool] = []

    def deliver_before(point: FaultPoint) -> None:
        if point is FaultPoint.OWNER_READ and not seen:
            seen.append(True)
            owner.store.deliver(job_state.job_id, "shop", "order", {"text": "B"})

    asker.ledger.reached = deliver_before
    with pytest.raises(JobStateError, match="somebody else was faster"):
        asker.begin(job_state).result(PATIENCE)
    back = owner.take_over(job_state)
    until(lambda: back.shared_log == ["B"])


# Deadlines.


@pytest.mark.parametrize("is_heard", [True, False])
def test_what_was_delivered_before_the_deadline_counts_although_nobody_has_looked_since(
    host: Callable[..., Host], open_another: Callable[..., Store], monkeypatch: pytest.MonkeyPatch, is_heard: bool
) -> None:
    """The job failed, and who had delivered was told that somebody else had been faster."""
    runner, owner, elsewhere = StepRunner(), host(Within), open_another()
    owner.flow = shop(Within, engine_factory=runner.engine)
    job_state = owner.run()
    runner.run_ready()
    if not is_heard:
        monkeypatch.setattr(owner.keeper, "hear", away)
    with ThreadPoolExecutor(1) as executor:
        delivered = executor.submit(
            elsewhere.deliver, job_state.job_id, "shop", "order", {"text": "in time"}, timeout=PATIENCE
        )
        until(lambda: owner.store.ledger.backend.asked(owner.store.ledger.owner))
        runner.clock.advance(3600.0)
        runner.run()
        if is_heard:
            assert delivered.result(PATIENCE) is None
            assert (job_state.status, job_state.shared_log) == ("completed", ["in time"])
        else:
            with pytest.raises(JobStateError, match=r"its deadline is over \(\d.*\), or somebody was faster"):
                delivered.result(PATIENCE)
            assert job_state.status == "failed"


def away(since: float) -> NoReturn:
    raise StoreUnavailableError("the store is away")


def test_a_deadline_is_over_soon_after_although_another_thread_is_looking(
    host: Callable[..., Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That may have to wait for a store that is away."""
    runner, owner = StepRunner(), host(Within)
    owner.flow = shop(Within, engine_factory=runner.engine)
    job_state = owner.run()
    runner.run_ready()
    monkeypatch.setattr(live_job, "GRACE", 0.0)
    with owner.keeper._hearing:
        runner.clock.advance(3600.0)
    assert job_state.status == "failed"


def test_who_has_looked_while_somebody_had_the_job_has_not_heard_all(
    host: Callable[..., Host], open_another: Callable[..., Store]
) -> None:
    """Whose deadline is over then looks once more."""
    owner, elsewhere = host(), open_another()
    job_state, before = owner.run(), owner.keeper._heard_at
    with ThreadPoolExecutor(2) as executor:
        delivered = executor.submit(
            elsewhere.deliver, job_state.job_id, "shop", "order", {"text": "in time"}, timeout=PATIENCE
        )
        until(lambda: owner.store.ledger.backend.asked(owner.store.ledger.owner))
        with job_state._live.lock:
            executor.submit(owner.look).result(PATIENCE)
        assert owner.keeper._heard_at == before
        owner.look()
        assert delivered.result(PATIENCE) is None
    assert owner.keeper._heard_at > before
