"""Ctrl-C in the middle of a write, a store that is put back to what it was, and requests that nobody can read."""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import pytest

from routilux import JobState, JobStateError, OwnershipLost, StoreError
from routilux._backends.backend import Batch
from routilux._backends.memory import MemoryBackend
from routilux._engine import keeper, ledger, trying_again
from routilux._engine.hands import Hands
from routilux._engine.owner import said_to_be_gone
from routilux._engine.requests import delivery_of, write_request
from routilux._haste import seconds_left
from routilux._model import SlotKey
from routilux._records import Addressee
from routilux.errors import RecoveryError, RoutiluxError, StoreUnavailableError
from routilux.stores import Store
from serilux import SeriluxError, register_serializable
from tests.crashes.failing_backend import FailingBackend, Failure
from tests.patience import PATIENCE, until
from tests.stores.patients import orphans, patient

LONG = 60.0


@register_serializable(name="InterruptedKnown")
@dataclass
class Known:
    """Something that may be delivered."""

    number: int = 1


class Interrupted(MemoryBackend):
    """Somebody presses Ctrl-C in the middle of the next write, when it is `done`, or not."""

    done: bool | None = None

    def write(self, batches: Sequence[Batch]) -> frozenset[str]:
        done, self.done = self.done, None
        refused = frozenset() if done is False else super().write(batches)
        if done is not None:
            raise KeyboardInterrupt
        return refused


@pytest.mark.parametrize("done", [False, True])
def test_who_is_interrupted_takes_nothing_from_others(done: bool) -> None:
    backend = Interrupted()
    flow = patient()
    with Store(backend, window=LONG) as store:
        mine, others = [flow.execute("patient", store=store) for _ in range(2)]
        others.update_shared_data("before", 1)
        backend.done = done
        with pytest.raises(KeyboardInterrupt):
            mine.update_shared_data("mine", 1)
        for job_state in (others, mine):
            flow.deliver(job_state, "patient", "answer", {"text": "late"})
            assert job_state.wait(LONG)
        stored = [store.load(job_state.job_id)[1] for job_state in (mine, others)]
    assert [job_state.shared_data for job_state in stored] == [{"mine": 1}, {"before": 1}]
    assert [job_state.shared_log for job_state in stored] == [["late"], ["late"]]


def test_who_writes_next_writes_what_an_interrupted_write_was_to(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = Interrupted()
    flow = patient()
    with Store(backend, window=LONG) as store:
        mine, others = [flow.execute("patient", store=store) for _ in range(2)]
        backend.done = False
        with pytest.raises(KeyboardInterrupt):
            mine.update_shared_data("mine", 1)
        others.update_shared_data("others", 1)
        assert store.load(mine.job_id)[1].shared_data == {"mine": 1}
        for job_state in (mine, others):
            flow.cancel(job_state)


def test_a_store_that_is_an_older_copy_of_itself_is_no_other_owners() -> None:
    backend = MemoryBackend()
    flow = patient()
    job_state = flow.execute("patient", store=Store(backend))
    older = {job_id: copy(job) for job_id, job in backend._jobs.items()}
    job_state.update_shared_data("since", 1)
    backend._jobs = older
    with pytest.raises(StoreError, match=r"its last one is \d, .* an older copy of the store"):
        job_state.update_shared_data("later", 1)
    with pytest.raises(StoreError, match="an older copy"):
        job_state.wait(LONG)


def test_an_owner_that_could_not_show_itself_does_so_the_next_time() -> None:
    backend = MemoryBackend()
    keeps = keeper.Keeper(FailingBackend(backend, ["beat"], [Failure(done=False)]), "me", Hands(), 0.0)
    with pytest.raises(StoreUnavailableError, match="the connection was lost"):
        keeps.show()
    assert backend.silences() == {}
    keeps.show()
    assert list(backend.silences()) == ["me"]


@pytest.fixture
def looked_for_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "ROUND", 0.001)


UNREADABLE: dict[str, bytes] = {
    "no JSON": b"\xff",
    "cut off": b'{"type": "pau',
    "of a key that is no text": b'{"type": "pause", "reason": "", "key": "\xff"}',
    "of a newer version": b'{"type": "sing"}',
    "of a class that is not known here": write_request(
        delivery_of(Addressee(SlotKey("patient", "answer")), {"text": Known()})
    ).replace(b"InterruptedKnown", b"InterruptedStranger"),
    "for nobody": write_request(delivery_of(Addressee(SlotKey("patient", "other")), {"text": "x"})),
}


@pytest.mark.parametrize("request_", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.usefixtures("looked_for_often")
def test_a_request_that_cannot_be_met_does_not_keep_later_ones_from_it(
    request_: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    backend = MemoryBackend()
    job_state: JobState = patient().execute("patient", store=Store(backend))
    backend.ask(job_state.job_id, "", request_)
    Store(backend).pause(job_state.job_id, timeout=LONG)
    assert (job_state.status, list(backend.asked(""))) == ("paused", [])
    assert f"job {job_state.job_id} cannot do what it was asked for" in caplog.text


class Failing(MemoryBackend):
    """Fails in a way of its own, so many times."""

    def __init__(self, call: str, times: int, error: BaseException) -> None:
        super().__init__()
        self._left = times
        method = getattr(self, call)

        def fails(*arguments: object, **named: object) -> object:
            self._left -= 1
            if self._left >= 0:
                raise error
            return method(*arguments, **named)

        setattr(self, call, fails)


@pytest.mark.parametrize("error", [ZeroDivisionError("its own"), SeriluxError("read wrongly"), RoutiluxError("ours")])
@pytest.mark.parametrize("call", ["asked", "records", "dismiss"])
@pytest.mark.usefixtures("looked_for_often")
def test_nothing_that_a_backend_raises_ends_a_thread(
    error: Exception, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "BEAT", 0.0)
    backend = Failing(call, 3, error)
    job_state: JobState = patient().execute("patient", store=Store(backend))
    Store(backend).pause(job_state.job_id, timeout=LONG)
    until(lambda: backend._left < 0)
    assert job_state.status == "paused"


@pytest.mark.usefixtures("looked_for_often")
def test_an_answer_that_a_store_does_not_take_keeps_no_other_request_waiting(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    backend = Failing("answer", 1, StoreError("a key with a NUL"))
    with patient() as flow:
        job_state = flow.execute("patient", store=Store(backend))
        other = Store(backend)
        backend.ask(
            job_state.job_id, "odd", write_request(delivery_of(Addressee(SlotKey("patient", "other")), {}), "odd")
        )
        other.pause(job_state.job_id, timeout=LONG)
    assert (job_state.status, backend._left < 1) == ("paused", True)
    assert f"who asked something of job {job_state.job_id} cannot be answered: a key with a NUL" in caplog.text


@pytest.mark.parametrize("call", ["beat", "acquire"])
def test_a_store_that_is_away_as_a_job_begins_or_is_claimed_is_waited_for(call: str) -> None:
    backend = Failing(call, 4, StoreUnavailableError("locked"))
    with Store(backend) as store, patient() as flow:
        job_state = flow.execute("patient", store=store)
        flow.pause(job_state)
        flow.resume(job_state)
        assert (job_state.status, backend._left < 0) == ("running", True)
        flow.cancel(job_state)


def test_it_is_waited_for_until_its_patience_is_over_and_no_shorter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last try is at the end of it."""
    now, delays = [0.0], list[float]()

    def away() -> None:
        raise StoreUnavailableError("locked")

    def wait(seconds: float) -> bool:
        delays.append(seconds)
        now[0] += seconds
        return False

    monkeypatch.setattr(trying_again, "monotonic", lambda: now[0])
    with pytest.raises(StoreUnavailableError):
        trying_again.tried_again(away, 1.0, is_over=wait, action="write")
    assert (sum(delays), delays[:3]) == (pytest.approx(1.0), [0.01, 0.02, 0.04])


def test_recover_waits_once_for_a_store_that_takes_no_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    backend, patiences = MemoryBackend(), list[float]()
    orphans(backend, 3)
    failing = FailingBackend(backend, ["acquire"], repeat(Failure(done=False)))
    real = trying_again.tried_again

    def tried(call: Callable[[], object], patience: float, **how: Any) -> object:
        patiences.append(patience)
        return real(call, 0.0, **how)

    with Store(failing, patience=50.0) as store:
        monkeypatch.setattr(ledger, "tried_again", tried)
        with pytest.raises(RecoveryError):
            store.recover()
    assert [round(patience, 1) for patience in patiences] == [50.0, 0.5, 0.5]


def test_recover_waits_as_ever_for_a_store_that_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    backend, patiences = MemoryBackend(), list[float | None]()
    orphans(backend, 3)
    failing = FailingBackend(backend, ["acquire"], [Failure(done=False)] * 2)
    with Store(failing, patience=0.0) as store:
        claim = store.ledger.claim

        def claimed(*asked: Any, **how: Any) -> Any:
            patiences.append(seconds_left())
            return claim(*asked, **how)

        monkeypatch.setattr(store.ledger, "claim", claimed)
        with pytest.raises(RecoveryError) as caught:
            store.recover()
        assert (len(caught.value.problems), len(caught.value.recovered)) == (1, 2)
    assert [None if left is None else round(left, 1) for left in patiences] == [None, 0.5, None]


def test_a_pause_that_has_to_claim_its_job_waits_no_longer_than_it_was_given() -> None:
    backend = MemoryBackend()
    failing = FailingBackend(backend, ["acquire"], repeat(Failure(done=False)))
    (job_id,) = orphans(backend, 1)
    with Store(failing, patience=PATIENCE) as store:
        flow, job_state = store.load(job_id)
        with pytest.raises(StoreUnavailableError, match="the connection was lost"):
            flow.pause(job_state, timeout=0.2)
        with job_state._live.taken(0.0) as is_free:
            assert is_free


def test_a_delivery_waits_for_a_store_that_is_away_at_first() -> None:
    backend = MemoryBackend()
    with Store(backend) as owner, patient() as flow:
        job_state = flow.execute("patient", store=owner)
        asker = Store(FailingBackend(backend, ["read"], [Failure(done=False)] * 2))
        flow.pause(job_state)
        asker.deliver(job_state.job_id, "patient", "answer", {"text": "heard"}, timeout=PATIENCE)
        (task,) = owner.load_job(job_state.job_id).pending_tasks
        assert task["data"] == {"text": "heard"}


def test_a_fork_takes_no_job_of_its_parents_for_an_orphan(monkeypatch: pytest.MonkeyPatch) -> None:
    with Store(MemoryBackend()) as store, patient() as flow:
        job_state = flow.execute("patient", store=store)
        store.ledger.flush()
        with monkeypatch.context() as patch:
            patch.setattr(store.ledger, "_pid", -1)
            patch.setattr(store.ledger.keeper, "_held", {})  # the parent holds it
            assert store.orphans() == []
            with pytest.raises(JobStateError, match="is being run"):
                store.delete(job_state.job_id)
        flow.cancel(job_state)


def test_who_was_taken_for_dead_is_not_told_that_it_has_its_job_itself() -> None:
    backend = MemoryBackend()
    store = Store(backend)
    job_state = patient().execute("patient", store=store)
    store.ledger.flush()
    record = backend.record(job_state.job_id)
    assert record is not None
    backend.acquire(record, said_to_be_gone(store.ledger.owner))
    with pytest.raises(OwnershipLost, match="was taken over by another, which has let it go since"):
        job_state.update_shared_data("key", 1)
