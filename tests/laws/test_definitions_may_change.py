"""Law 7: what does not fit the flow at hand is listed, all of it, and nothing is skipped, dropped or changed."""

import json
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from routilux import Fit, Flow, JobState, ResumeError
from routilux.testing import StepRunner
from tests.laws.effort import examples
from tests.laws.random_flows import FlowPlan, Oracle, build, flow_plans, run_to_the_end

KEPT = ("append", "append-guarded", "function")
"""How slots merge whose data matters to what comes next."""


def paused_job(plan: FlowPlan, steps: int) -> tuple[StepRunner, Flow, JobState]:
    runner = StepRunner()
    flow = build(plan, engine_factory=runner.engine)
    job_state = runner.start(flow, "a", {"ttl": plan.ttl, "value": plan.value})
    for _ in range(steps):
        runner.step()
    if job_state.status != "failed":
        flow.pause(job_state)
    return runner, flow, job_state


def without(flow: Flow, routine_id: str) -> dict[str, Any]:
    document = flow.serialize()
    del document["routines"][routine_id]
    document["connections"] = [
        connection
        for connection in document["connections"]
        if routine_id not in (connection["source_routine_id"], connection["target_routine_id"])
    ]
    return document


@examples(100)
@given(flow_plans(), st.integers(0, 20), st.data())
def test_a_job_that_needs_a_missing_routine_is_refused_with_the_whole_list(
    plan: FlowPlan, steps: int, data: st.DataObject
) -> None:
    Oracle(plan).predict()
    runner, flow, job_state = paused_job(plan, steps)
    gone = data.draw(st.sampled_from(sorted(plan.nodes)))
    changed = Flow(engine_factory=runner.engine)
    changed.deserialize(without(flow, gone))
    before = job_state.serialize()
    unfinished = [*before["pending_tasks"], *before["failed_tasks"]]
    tasks = [task for task in unfinished if task["routine_id"] == gone]
    slots = [slot for slot in before["slot_data"].get(gone, {}) if plan.nodes[gone].merges.get(slot) in KEPT]
    assert len(changed.check(job_state)) == len(tasks) + len(slots)
    if job_state.status == "paused" and (tasks or slots):
        with pytest.raises(ResumeError) as refusal:
            changed.resume(job_state)
        assert len(refusal.value.problems) == len(tasks) + len(slots)
        assert job_state.serialize() == before


@examples(100)
@given(flow_plans(), flow_plans(), st.integers(0, 12), st.booleans())
def test_a_job_that_fits_another_flow_comes_to_an_end_there_and_any_other_is_refused(
    plan: FlowPlan, other: FlowPlan, steps: int, through_a_document: bool
) -> None:
    Oracle(plan).predict()
    runner, _, job_state = paused_job(plan, steps)
    if through_a_document:
        runner.abandon(job_state)
        document, job_state = json.loads(json.dumps(job_state.serialize())), JobState()
        job_state.deserialize(document)
    if job_state.status != "paused":
        return
    flow, before = build(other, engine_factory=runner.engine), job_state.serialize()
    verdict = flow.check(job_state)
    event(verdict.fit)
    if verdict:
        with pytest.raises(ResumeError) as refusal:
            flow.resume(job_state)
        assert (refusal.value.problems, job_state.serialize()) == (tuple(verdict), before)
        assert verdict.fit is not Fit.FITS
    else:
        flow.resume(job_state)
        run_to_the_end(runner)
        assert job_state.serialize()["pending_tasks"] == [] or job_state.error is not None


@examples(50)
@given(flow_plans())
def test_a_fingerprint_names_the_shape_and_nothing_else(plan: FlowPlan) -> None:
    flow = build(plan)
    fingerprint = flow._compile()[0].fingerprint
    document = flow.serialize()
    document["max_workers"] = 99
    for connection in document["connections"]:
        connection["priority"] += 1
    for routine in document["routines"].values():
        routine["_config"]["more"] = 1
        routine["_slots"]["trigger"]["_data"] = {"ttl": 1, "value": 1}
    same = Flow()
    same.deserialize(document)
    assert same._compile()[0].fingerprint == fingerprint
    document["routines"]["a"]["_slots"]["trigger"]["merge_strategy"] = "append"
    other = Flow()
    other.deserialize(document)
    assert other._compile()[0].fingerprint != fingerprint
