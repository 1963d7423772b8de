"""Jobs that are moved from one store to another, and documents that are no exported job."""

import json
from typing import Any

import pytest

from routilux import (
    JobState,
    JobStateError,
)
from routilux.errors import (
    UnknownJobError,
)
from routilux.stores import Store, open_store
from serilux.errors import CombinedError, DocumentError, SeriluxError
from tests.stores.stored_flows import LONG, counting, finished, open_another, store

__all__ = ["open_another", "store"]  # fixtures


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


def test_a_running_job_may_be_copied_and_both_come_to_their_end(store: Store) -> None:
    flow = counting()
    job_state = flow.execute("counter", {"n": 2, "ask": True}, store=store)
    copy_id = store.admit(store.export(job_state.job_id, copy=True))
    store.deliver(job_state.job_id, "counter", "answer", {"text": "first"})
    assert job_state.wait(LONG)
    _, copy = store.load(copy_id)
    flow.resume(copy)
    store.deliver(copy_id, "counter", "answer", {"text": "copy"})
    assert copy.wait(LONG)
    told = [(job.status.value, job.shared_data, job.shared_log) for job in (job_state, copy)]
    assert told == [("completed", {"count": 3}, ["first"]), ("completed", {"count": 3}, ["copy"])]


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
