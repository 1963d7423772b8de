"""Texts in stores: what can be no id is in none, and all of them hold whatever JSON can."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from routilux import DefinitionError, Flow, JobState, Plan, Routine, UnknownJobError
from routilux.stores import Store, open_store
from routilux.transfer import pack
from serilux import register_serializable
from serilux.errors import DocumentError
from tests.stores.stored_flows import LONG

NO_IDS = ["a\x00b", "a\udcff", "a\nb", "x" * 256]


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    urls = {"memory": "memory:", "sqlite": f"sqlite:///{tmp_path}/jobs.db"}
    with open_store(urls.get(request.param) or request.getfixturevalue("postgres_url")) as store:
        yield store


@register_serializable
class Hearing(Routine):
    """Waits on a slot of the name that it is configured with, and keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.ask)

    def ask(self) -> None:
        self.expect(self.get_config("slot"))

    def hear(self, **data: Any) -> None:
        self.get_execution_context().job_state.update_shared_data("heard", data)


def asked_flow(name: str = "") -> tuple[Flow, JobState]:
    flow, hearing = Flow("asked"), Hearing()
    hearing.define_slot(name or "answer", hearing.hear)
    hearing.set_config(slot=name or "answer")
    flow.add_routine(hearing, name or "asker")
    return flow, flow.execute(name or "asker")


def kept_in(store: Store, flow: Flow, job_state: JobState) -> Any:
    """The job as it is exported from a store."""
    flow.pause(job_state)
    flow.resume(job_state, store=store)
    flow.pause(job_state)
    return store.export(job_state.job_id)


@pytest.mark.parametrize("flow_id", NO_IDS)
def test_what_can_be_no_id_of_a_flow_is_refused(store: Store, flow_id: str) -> None:
    with pytest.raises(DefinitionError, match="a flow_id has"):
        store.jobs(flow_id=flow_id)


@pytest.mark.parametrize("job_id", NO_IDS)
def test_no_store_has_a_job_whose_id_can_be_none(store: Store, job_id: str) -> None:
    asked: list[Callable[[str], Any]] = [
        store.load,
        store.load_job,
        store.summary,
        store.peek,
        store.pause,
        store.cancel,
    ]
    asked += [store.export, lambda job_id: store.deliver(job_id, "a", "b", {})]
    for ask in asked:
        with pytest.raises(UnknownJobError, match="the store has no job"):
            ask(job_id)
    assert not store.delete(job_id)


@pytest.mark.parametrize("field", ["job_id", "flow_id"])
@pytest.mark.parametrize("given", NO_IDS[::2])
def test_a_job_whose_ids_no_store_can_hold_is_not_admitted(store: Store, field: str, given: str) -> None:
    flow, job_state = asked_flow()
    with open_store("memory:") as other:
        transfer = kept_in(other, flow, job_state)
        transfer["job"][field] = given
        with pytest.raises(DocumentError, match=f"job.{field}: an id has printable characters only"):
            store.admit(transfer)
        with pytest.raises(DocumentError, match=f"job.{field}: an id has printable characters only"):
            store.admit_file(BytesIO(pack(transfer)))
    assert store.jobs() == []


def test_texts_may_hold_everything_else_that_json_can(store: Store) -> None:
    text = "a\x00b\n\x1b[2J\u2028\U0001f600"
    flow, job_state = asked_flow(text)
    flow.pause(job_state, reason=text, checkpoint={text: text})
    flow.resume(job_state, store=store, plan=Plan(reason=text))
    job_state.update_shared_data(text, text)
    flow.deliver(job_state, text, text, {text: text})
    assert job_state.wait(timeout=LONG)
    flow.cancel(kept := flow.start(text, store=store), text)
    flow.pause(paused := flow.execute(text, store=store), text)
    store.cancel(paused.job_id, text)
    read = store.load_job(job_state.job_id)
    assert read.shared_data == {text: text, "heard": {text: text}}
    assert (read.pause_points[0]["reason"], read.pause_points[0]["checkpoint"]) == (text, {text: text})
    assert read.plans[0]["plan"]["reason"] == text
    for job_id in (kept.job_id, paused.job_id):
        assert store.load_job(job_id).serialize()["cancel_reason"] == text


@pytest.mark.parametrize("verb", ["pause", "cancel"])
def test_a_reason_that_no_document_can_hold_changes_nothing(store: Store, verb: str) -> None:
    flow, _ = asked_flow()
    job_state = flow.execute("asker", store=store)
    stored = store._backend.read(job_state.job_id)
    for call in (partial(getattr(flow, verb), job_state), partial(getattr(store, verb), job_state.job_id)):
        with pytest.raises(DefinitionError, match="has a lone surrogate"):
            call(os.fsdecode(b"report-\xff.txt"))
        with pytest.raises(DefinitionError, match="a reason is a text, not 5"):
            call(5)
    assert store._backend.read(job_state.job_id) == stored
    assert (job_state.status, job_state.wait(timeout=0)) == ("running", False)
    flow.deliver(job_state, "asker", "answer", {})
    assert job_state.wait(timeout=LONG)
