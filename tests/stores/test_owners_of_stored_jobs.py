"""Who owns a stored job: one process at a time, and when that is dead, whoever recovers it."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from routilux import (
    Flow,
    JobState,
    JobStateError,
    OwnershipLost,
    recover,
)
from routilux.errors import (
    RecoveryError,
    StoreError,
)
from routilux.stores import Store
from tests.stores.stored_flows import (
    LONG,
    Gate,
    counting,
    dies_in_the_middle,
    dying,
    gate,
    gated,
    open_another,
    run_in_background,
    store,
)

__all__ = ["dying", "gate", "open_another", "store"]  # fixtures


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


def test_what_happens_to_ownership_is_logged_with_the_job(
    dying: Callable[..., Store], store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    job_state = counting().execute("counter", {"n": 0, "ask": True}, store=dying())
    with caplog.at_level("INFO", "routilux"):
        recover(store)
        with job_state._live.telling():
            job_state._live.lose(OwnershipLost("gone"))
    told = [(record.levelname, record.action, record.job_id) for record in caplog.records]
    assert told == [("INFO", "recover", job_state.job_id), ("WARNING", "lose", job_state.job_id)]


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


def test_a_job_whose_next_owner_dies_while_it_is_recovered_is_recovered_all_the_same(
    store: Store, dying: Callable[..., Store], gate: type[Gate], monkeypatch: pytest.MonkeyPatch
) -> None:
    job_state = dies_in_the_middle(gated(), dying())
    claim, other = store.ledger.claim, dying()

    def too_late(job_id: str, *, created_at: float, take_over: bool) -> Any:
        monkeypatch.setattr(store.ledger, "claim", claim)
        other.ledger.claim(job_id, created_at=created_at, take_over=True)
        raise JobStateError(f"job {job_id!r} is run by another")

    monkeypatch.setattr(store.ledger, "claim", too_late)
    (recovered,) = recover(store)
    gate.opened.set()
    assert (recovered.job_id, recovered.wait(LONG)) == (job_state.job_id, True)
