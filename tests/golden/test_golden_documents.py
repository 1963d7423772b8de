"""Documents of every format that was ever written are read, and what they tell is brought to its end."""

import json
from pathlib import Path
from typing import Any

import pytest

from routilux import Flow, JobState
from routilux._migrations import CURRENT_FORMAT
from routilux.stores import open_store
from serilux import construct, lookup_class
from tests.golden import flows  # noqa: F401  # whose classes the documents name
from tests.golden.finishing import Stage, finish, finish_stored, outcome
from tests.golden.golden import BY_HAND, FORMATS, Golden, folders, named

CURRENT = Path(__file__).parent / f"format_{CURRENT_FORMAT}"
JOBS = folders("jobs")
TRANSFERS = folders("transfers")
FLOWS = [path for root in FORMATS for path in sorted((root / "flows").glob("*.json"))]


def read_flow(document: Any) -> Flow:
    flow: Flow = construct(lookup_class(document["_type"], ""), "")
    flow.deserialize(document)
    return flow


def read_job(document: Any) -> JobState:
    job_state = JobState()
    job_state.deserialize(document)
    return job_state


@pytest.mark.parametrize("golden", JOBS, ids=named)
def test_a_job_comes_to_its_end(golden: Golden) -> None:
    story = golden.story
    stage = Stage(story["at"])
    flow, job_state = stage.flow(), read_job(golden.read("job.json"))
    flow.deserialize(golden.read("flow.json"))
    finish(stage, flow, job_state, story["steps"])
    assert outcome(job_state) == story["end"]


@pytest.mark.parametrize("golden", TRANSFERS, ids=named)
def test_an_exported_job_comes_to_its_end(golden: Golden) -> None:
    story = golden.story
    with open_store("memory:") as store:
        job_id = store.admit(golden.read("transfer.json"))
        job_state = finish_stored(store, job_id, story["at"], story["steps"])
        assert outcome(job_state) == story["end"]


@pytest.mark.parametrize(
    "path", [*FLOWS, *(golden.folder / "flow.json" for golden in JOBS)], ids=lambda path: "-".join(path.parts[-3:])
)
def test_a_flow_is_read(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    text = json.dumps(document)
    written = read_flow(document).serialize()
    assert json.dumps(document) == text
    assert read_flow(written).serialize() == written
    if CURRENT in path.parents and path.parent.name != BY_HAND:
        assert json.dumps(written) == text


@pytest.mark.parametrize("golden", JOBS, ids=named)
def test_a_job_is_read(golden: Golden) -> None:
    document = golden.read("job.json")
    text = json.dumps(document)
    written = read_job(document).serialize()
    assert json.dumps(document) == text
    assert read_job(written).serialize() == written
    if CURRENT in golden.folder.parents and golden.folder.name != BY_HAND:
        assert json.dumps(written) == json.dumps(nothing_in_flight(document))


def nothing_in_flight(document: Any) -> Any:
    """What of a document is no more so once it has been read: nothing runs in the process that has read it."""
    states = document["routine_states"]
    waiting = {name: state | {"status": "pending"} for name, state in states.items() if state["status"] == "running"}
    return document | {"routine_states": states | waiting}


@pytest.mark.parametrize("golden", [each for each in TRANSFERS if CURRENT in each.folder.parents], ids=named)
def test_what_was_exported_is_exported_again(golden: Golden) -> None:
    transfer = golden.read("transfer.json")
    with open_store("memory:") as store:
        exported = store.export(store.admit(transfer))
    transfer["job"]["epoch"] += 1
    assert json.dumps(exported) == json.dumps(transfer)
