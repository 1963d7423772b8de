"""Jobs that are kept in a store: what is on disk when, what is listed, and what goes on from there."""

import copy
import json
import operator
import os
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from routilux import (
    JobState,
    JobStateError,
)
from routilux._engine import job_log
from routilux.errors import (
    DefinitionError,
    StoreError,
    UnknownJobError,
)
from routilux.stores import Store
from tests.stores.stored_flows import LONG, counting, finished, open_another, store

__all__ = ["open_another", "store"]  # fixtures


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


def test_what_is_shown_of_shared_data_is_a_copy_that_refuses_to_be_written_to(store: Store) -> None:
    """What was changed there would be in the handle, and not in the store."""
    job_state = finished(store)
    job_state.update_shared_data("notes", ["first"])
    shared = job_state.shared_data
    shared["notes"].append("nowhere")
    changes: list[Callable[[], object]] = [
        lambda: shared.update(note="lost"),
        lambda: operator.setitem(shared, "note", "lost"),
        lambda: operator.delitem(shared, "notes"),
        shared.clear,
    ]
    for change in changes:
        with pytest.raises(JobStateError, match="update_shared_data"):
            change()
    _, loaded = store.load(job_state.job_id)
    assert job_state.shared_data == loaded.shared_data == {"count": 6, "notes": ["first"]}
    for copied in (copy.copy(shared), copy.deepcopy(shared), pickle.loads(pickle.dumps(shared))):
        copied["note"] = "my own"
        assert type(copied) is dict


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


@pytest.mark.parametrize("wrong", ["sqlite:///x", 3])
def test_what_is_no_store_is_refused(wrong: Any) -> None:
    with pytest.raises(DefinitionError, match=r"a store is what open_store\(...\) gives, not"):
        counting().execute("counter", {"n": 0}, store=wrong)


def test_a_store_is_not_inherited_by_a_fork(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: pid + 1)
    with pytest.raises(StoreError, match="open it again after a fork"):
        counting().execute("counter", {"n": 0}, store=store)
