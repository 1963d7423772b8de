"""What a newcomer may give in place of a store, a job's id or flows: each is refused in words that help."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from routilux import DefinitionError, Flow, JobState, recover
from routilux.errors import StoreError
from routilux.stores import Store, open_store
from tests.stores.patients import patient

WRONG: dict[str, tuple[Callable[[Any, Flow, JobState], object], type[Exception], str]] = {
    "a path": (
        lambda store, flow, job: open_store(Path("jobs.db")),
        StoreError,
        r"named by the text of a URL like 'sq",
    ),  # type: ignore[arg-type]
    "a URL for a store": (
        lambda store, flow, job: recover("memory:"),
        DefinitionError,
        "recovered from a store, as open_",
    ),  # type: ignore[arg-type]
    "a flow for flows": (
        lambda store, flow, job: recover(store, flows=flow),  # type: ignore[arg-type]
        DefinitionError,
        r"flows are a list of Flow objects, as flows=\[flow\], not <Flow",
    ),
    "a function for a flow": (
        lambda store, flow, job: recover(store, flows=[patient]),  # type: ignore[list-item]
        DefinitionError,
        r"flows are a list of Flow objects, as flows=\[flow\], not <function",
    ),
    "a job for its id": (
        lambda store, flow, job: store.load(job),
        DefinitionError,
        r"a job is named by its id, as job_state\.job_id is, not by <JobState",
    ),
    "a promise without a store": (
        lambda store, flow, job: flow.execute("patient", durability="strict"),
        DefinitionError,
        "durability='strict' is of a job that a store keeps: give store=",
    ),
    "a routine for its id": (
        lambda store, flow, job: flow.deliver(job, flow.routines["patient"], "answer", {"text": "x"}),  # type: ignore[arg-type]
        DefinitionError,
        r"a routine is named by its id, as add_routine gives it, not by <Patient",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_it_is_refused_in_words_that_help(what: str) -> None:
    ask, error, words = WRONG[what]
    with Store(open_store("memory:")._backend) as store, patient() as flow:
        job_state = flow.execute("patient", store=store)
        with pytest.raises(error, match=words):
            ask(store, flow, job_state)
        assert [record.status for record in store.jobs()] == ["running"]
        flow.cancel(job_state)
