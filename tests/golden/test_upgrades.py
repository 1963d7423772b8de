"""Documents and stores of older formats are upgraded, those of newer ones refused by name.

There is no older format yet. These tests make one up, format 0, whose documents are the golden ones turned back, and
upgrade it as a real one would be. Once there is a real one, its golden documents say the same.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec
import pytest

from routilux import Flow, JobState
from routilux._backends import postgres_schema, sqlite_schema
from routilux._backends.backend import Batch, NewJob
from routilux._backends.memory import MemoryBackend
from routilux._backends.opening import open_backend
from routilux._core.snapshot import read_snapshot
from routilux._engine.custody import definition_of
from routilux._migrations import CURRENT_FORMAT, TRANSFER_FORMAT, UPGRADES, Upgrade
from routilux.errors import DamagedRecordError, StoreError
from routilux.stores import Store, open_store
from serilux.errors import DocumentError
from tests.golden import flows  # noqa: F401  # whose classes the documents name
from tests.golden.finishing import Stage, finish, finish_stored, outcome
from tests.golden.golden import BY_HAND, FORMATS, Golden, folders, named
from tests.golden.test_golden_stores import WHOLE, filled

JOBS = [golden for golden in folders("jobs") if golden.folder.name != BY_HAND]
TRANSFERS = folders("transfers")

# Format 0: a job's tasks were its `queue`, each with one `target`; a flow's connections were rows.


def job_from_0(document: dict[str, Any]) -> dict[str, Any]:
    queue = [_task_from_0(task) for task in document["queue"]]
    rest = {name: part for name, part in document.items() if name != "queue"}
    return rest | {"format": 1, "pending_tasks": queue}


def _task_from_0(task: dict[str, Any]) -> dict[str, Any]:
    routine_id, slot = task["target"].split(".")
    return {name: part for name, part in task.items() if name != "target"} | {"routine_id": routine_id, "slot": slot}


ENDS = ("source_routine_id", "source_event", "target_routine_id", "target_slot")


def flow_from_0(document: dict[str, Any]) -> dict[str, Any]:
    connections = [dict(zip((*ENDS, "param_mapping", "priority"), row, strict=True)) for row in document["connections"]]
    return document | {"format": 1, "connections": connections}


def transfer_from_0(document: dict[str, Any]) -> dict[str, Any]:
    return {"format": 1, "flow": document["definition"], "graph": document["graph"], "job": document["run"]}


FROM_0: dict[tuple[str, int], Upgrade] = {
    ("JobState", 0): job_from_0,
    ("Flow", 0): flow_from_0,
    ("exported job", 0): transfer_from_0,
}


def job_to_0(document: dict[str, Any]) -> dict[str, Any]:
    queue = [_task_to_0(task) for task in document["pending_tasks"]]
    rest = {name: part for name, part in document.items() if name != "pending_tasks"}
    return rest | {"format": 0, "queue": queue}


def _task_to_0(task: dict[str, Any]) -> dict[str, Any]:
    rest = {name: part for name, part in task.items() if name not in ("routine_id", "slot")}
    return rest | {"target": f"{task['routine_id']}.{task['slot']}"}


def flow_to_0(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"format": 0, "connections": [list(each.values()) for each in document["connections"]]}


def transfer_to_0(document: dict[str, Any]) -> dict[str, Any]:
    flow, job = flow_to_0(document["flow"]), job_to_0(document["job"])
    return {"format": 0, "definition": flow, "graph": document["graph"], "run": job}


@pytest.fixture
def format_0(monkeypatch: pytest.MonkeyPatch) -> None:
    """There was a format 0, and this routilux knows how to upgrade it."""
    for key, upgrade in FROM_0.items():
        monkeypatch.setitem(UPGRADES, key, upgrade)


@pytest.mark.usefixtures("format_0")
@pytest.mark.parametrize("golden", JOBS, ids=named)
def test_a_job_of_an_older_format_comes_to_its_end(golden: Golden) -> None:
    story = golden.story
    stage, job_state = Stage(story["at"]), JobState()
    flow = stage.flow()
    flow.deserialize(flow_to_0(golden.read("flow.json")))
    job_state.deserialize(job_to_0(golden.read("job.json")))
    finish(stage, flow, job_state, story["steps"])
    assert outcome(job_state) == story["end"]


@pytest.mark.usefixtures("format_0")
@pytest.mark.parametrize("golden", JOBS, ids=named)
def test_what_is_read_of_an_older_format_is_written_in_the_newest(golden: Golden) -> None:
    flow, older, newest = Flow(), JobState(), JobState()
    flow.deserialize(flow_to_0(golden.read("flow.json")))
    older.deserialize(job_to_0(golden.read("job.json")))
    newest.deserialize(golden.read("job.json"))
    assert json.dumps(flow.serialize()) == json.dumps(golden.read("flow.json"))
    assert json.dumps(older.serialize()) == json.dumps(newest.serialize())


@pytest.mark.usefixtures("format_0")
@pytest.mark.parametrize("golden", TRANSFERS, ids=named)
def test_an_exported_job_of_an_older_format_comes_to_its_end(golden: Golden) -> None:
    story = golden.story
    with open_store("memory:") as store:
        job_id = store.admit(transfer_to_0(golden.read("transfer.json")))
        assert outcome(finish_stored(store, job_id, story["at"], story["steps"])) == story["end"]


@pytest.mark.usefixtures("format_0")
def test_a_stored_job_whose_snapshot_and_flow_are_of_an_older_format_comes_to_its_end(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    story = json.loads((FORMATS[0] / "stores" / "jobs" / "orphan.json").read_text())
    golden = open_backend(filled("sqlite", FORMATS[0], tmp_path, request))
    stored = golden.read("orphan")
    definition = json.loads(golden.definition(stored.record.definition))
    snapshot = json.loads(stored.snapshot)
    snapshot["document"] = job_to_0(snapshot["document"])
    definition["flow"] = flow_to_0(definition["flow"])
    golden.close()

    new = NewJob(
        stored.record.flow_id,
        definition_of(msgspec.json.encode(definition)),
        None,
        msgspec.json.encode(snapshot),
        *stored.segments,
    )
    first = stored.number - len(stored.journal) + 1
    backend, created_at, epoch = MemoryBackend(), stored.record.created_at, stored.record.epoch
    for number, content in enumerate(stored.journal, first):
        created = new if number == first else None
        batch = Batch("orphan", created_at, epoch, number, content, story["at"], "running", new=created)
        assert backend.write([batch]) == frozenset()
    job_state = finish_stored(Store(backend), "orphan", story["at"], story["steps"])
    assert outcome(job_state) == story["end"]


def test_each_step_is_one_function_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def from_minus_1(document: dict[str, Any]) -> dict[str, Any]:
        rest = {name: part for name, part in document.items() if name != "waiting"}
        return rest | {"format": 0, "queue": document["waiting"]}

    monkeypatch.setitem(UPGRADES, ("JobState", -1), from_minus_1)
    monkeypatch.setitem(UPGRADES, ("JobState", 0), job_from_0)
    golden = JOBS[0].read("job.json")
    older = job_to_0(golden)
    oldest = {name: part for name, part in older.items() if name != "queue"} | {"format": -1, "waiting": older["queue"]}
    job_state = JobState()
    job_state.deserialize(oldest)
    assert [task["task_id"] for task in job_state.pending_tasks] == [
        task["task_id"] for task in golden["pending_tasks"]
    ]


GOLDEN_OF = {
    "JobState": [golden.read("job.json") for golden in JOBS],
    "Flow": [golden.read("flow.json") for golden in JOBS],
    "exported job": [golden.read("transfer.json") for golden in TRANSFERS],
}
TO_0 = {"JobState": job_to_0, "Flow": flow_to_0, "exported job": transfer_to_0}


@pytest.mark.parametrize("kind", GOLDEN_OF)
def test_an_upgrade_changes_nothing_of_what_it_is_given(kind: str) -> None:
    for document in GOLDEN_OF[kind]:
        older = TO_0[kind](document)
        before = deepcopy(older)
        newer = FROM_0[kind, 0](older)
        assert (older, newer["format"]) == (before, 1)


@pytest.mark.usefixtures("format_0")
def test_an_older_format_with_something_wrong_is_refused_and_nothing_changed() -> None:
    job_state, document = JobState(), job_to_0(JOBS[0].read("job.json"))
    before = job_state.serialize()
    with pytest.raises(DocumentError, match="unknown field `more`"):
        job_state.deserialize(document | {"more": 1})
    assert job_state.serialize() == before


# What is newer, and what is older than all that is known.


def read_flow(document: Any) -> None:
    Flow().deserialize(document)


def read_job(document: Any) -> None:
    JobState().deserialize(document)


def admit(document: Any) -> None:
    with open_store("memory:") as store:
        store.admit(document)


READERS: dict[str, tuple[Callable[[Any], None], dict[str, Any]]] = {
    "Flow": (read_flow, {"_type": "Flow"}),
    "JobState": (read_job, {"_type": "JobState"}),
    "exported job": (admit, {}),
}


@pytest.mark.parametrize("kind", READERS)
def test_a_newer_format_is_refused_by_name_whatever_else_it_says(kind: str) -> None:
    read, head = READERS[kind]
    current = TRANSFER_FORMAT if kind == "exported job" else CURRENT_FORMAT
    words = f"format: {kind} format {current + 1} is newer than this routilux, which reads up to {current}"
    with pytest.raises(DocumentError, match=words):
        read(head | {"format": current + 1, "all": ["is", "otherwise"]})


@pytest.mark.parametrize("kind", READERS)
def test_a_format_that_never_was_is_refused(kind: str) -> None:
    read, head = READERS[kind]
    with pytest.raises(DocumentError, match="format: a format is a whole number from 1, not 0"):
        read(head | {"format": 0})


def test_a_newer_document_in_a_snapshot_is_refused_by_name() -> None:
    snapshot = {"format": 1, "document": {"_type": "JobState", "format": 2}, "active": [], "at": 0.0, "records": 0}
    with pytest.raises(DocumentError, match="JobState format 2 is newer"):
        read_snapshot(msgspec.json.encode(snapshot | {"hold_until": None, "pause": None}), [])
    with pytest.raises(DamagedRecordError, match="the snapshot's format is 2; this routilux reads 1"):
        read_snapshot(msgspec.json.encode({"format": 2}), [])


# Stores: a step for the tables of both databases.

STEP = {
    "sqlite": ("ALTER TABLE jobs ADD COLUMN note TEXT", "UPDATE jobs SET note = 'from ' || job_id"),
    "postgres": ("ALTER TABLE routilux_jobs ADD COLUMN note text", "UPDATE routilux_jobs SET note = 'from ' || job_id"),
}
SCHEMAS = {"sqlite": sqlite_schema, "postgres": postgres_schema}


@pytest.fixture(params=WHOLE)
def golden_store(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """The kind and the URL of a store of an older format."""
    kind, root = request.param
    return kind, filled(kind, root, tmp_path, request)


def test_an_older_store_is_brought_up_to_date_as_it_is_opened_and_its_jobs_go_on(
    golden_store: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, url = golden_store
    schema = SCHEMAS[kind]
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, STEP[kind]))
    for name in ("orphan", "paused_strictly", "failed"):
        story = json.loads((FORMATS[0] / "stores" / "jobs" / f"{name}.json").read_text())
        with open_store(url) as store:
            assert outcome(finish_stored(store, name, story["at"], story["steps"])) == story["end"]
    monkeypatch.setattr(schema, "STEPS", schema.STEPS[:-1])
    newest = len(schema.STEPS)
    words = f"format {newest + 1}, written by a newer routilux; this one knows formats up to {newest}"
    with pytest.raises(StoreError, match=words):
        open_store(url)


def test_a_step_that_cannot_be_taken_leaves_an_older_store_as_it_was(
    golden_store: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, url = golden_store
    schema = SCHEMAS[kind]
    broken = (*STEP[kind], "SELECT note FROM there_is_no_such_table")
    with monkeypatch.context() as patch:
        patch.setattr(schema, "STEPS", (*schema.STEPS, broken))
        with pytest.raises(StoreError, match="there_is_no_such_table"):
            open_store(url)
    with open_store(url) as store:
        assert len(store.jobs()) > 20
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, STEP[kind]))  # whose column would be there twice
    open_store(url).close()
