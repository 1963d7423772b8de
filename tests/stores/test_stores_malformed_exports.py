"""An exported job that is no proper one is refused as a document is: with its path, and nothing is taken in (law 8)."""

import json
from typing import Any

import pytest

from routilux.stores import open_store
from routilux.testing import StepRunner
from serilux.errors import SeriluxError
from tests.engine.engine_parts import pipeline


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("flow", "routines"), []),
        (("flow", "routines"), {"a": []}),
        (("flow", "routines"), {"a": {"_slots": {"trigger": 5}}}),
        (("flow", "routines"), {"a": {}}),
        (("flow", "flow_id"), "\ud800"),
        (("flow", "max_workers"), float("nan")),
        (("flow", "more"), {1: 2}),
        (("graph", "routines"), {}),
        (("job", "pending_tasks"), 5),
    ],
    ids=range(9),
)
def test_an_exported_job_that_is_malformed_is_refused_as_a_document(place: tuple[str, str], value: Any) -> None:
    with open_store("memory:") as store:
        runner = StepRunner()
        flow = pipeline(runner)
        job_state = runner.start(flow, "source", store=store)
        flow.pause(job_state)
        document = store.export(job_state.job_id)
        assert json.loads(json.dumps(document)) == document
        document[place[0]][place[1]] = value
        with pytest.raises(SeriluxError) as caught:
            store.admit(document)
        assert caught.value.path
        assert [summary.status for summary in store.jobs()] == ["moved"]
