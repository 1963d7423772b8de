"""Tasks that must not be repeated, and may have been done: somebody says what became of them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from routilux import (
    Flow,
    JobState,
    JobStateError,
    ResumeError,
    SecretError,
    recover,
)
from routilux.errors import (
    DefinitionError,
)
from routilux.stores import Store
from serilux.errors import UnsupportedValueError
from tests.stores.stored_flows import (
    LONG,
    Gate,
    Payment,
    counting,
    dies_in_the_middle,
    dying,
    gate,
    gated,
    open_another,
    store,
)

__all__ = ["dying", "gate", "open_another", "store"]  # fixtures


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


def test_an_ambiguous_task_is_found_by_check(dying: Callable[..., Store], store: Store, gate: type[Gate]) -> None:
    dies_in_the_middle(gated(Payment), dying())
    (job_state,) = recover(store)
    flow, loaded = store.load(job_state.job_id)
    (finding,) = flow.check(loaded)
    assert "may not be repeated" in finding
    assert (finding.place, finding.routine_id, finding.slot) == ("pending_tasks[0]", "gate", "trigger")
