"""Laws 1 to 4: what a job does is what the oracle says, however often it is cut, wherever."""

import json

from hypothesis import given
from hypothesis import strategies as st

from routilux import Flow, JobState
from routilux.testing import StepRunner
from tests.laws.effort import examples
from tests.laws.random_flows import FlowPlan, Oracle, build, flow_plans, observed

CUTS = st.lists(st.sampled_from(["none", "direct", "pause", "in flight"]), min_size=1, max_size=12)


def start(runner: StepRunner, plan: FlowPlan) -> tuple[Flow, JobState]:
    flow = build(plan, engine_factory=runner.engine)
    return flow, runner.start(flow, "a", {"ttl": plan.ttl, "value": plan.value})


def cut(runner: StepRunner, flow: Flow, job_state: JobState, kind: str) -> tuple[Flow, JobState]:
    """Move a running job to another host, as it were."""
    if job_state.status != "running" or kind == "none":
        return flow, job_state
    if kind == "in flight" and (attempt := runner.begin(job_state)) is not None:
        attempt.run()
    if job_state.status != "running":
        return flow, job_state
    if kind == "pause" and job_state._job.closing is None:
        flow.pause(job_state, reason="cut")
        return reload_paused(runner, flow, job_state)
    return runner.reload(flow, job_state)


def reload_paused(runner: StepRunner, flow: Flow, job_state: JobState) -> tuple[Flow, JobState]:
    assert job_state.status == "paused"
    before = len(job_state.pending_tasks)
    flow, job_state = runner.reload(flow, job_state)
    assert before == len(job_state._job.pending())
    return flow, job_state


def run_with_cuts(plan: FlowPlan, cuts: list[str]) -> tuple[JobState, Flow]:
    runner = StepRunner()
    flow, job_state = start(runner, plan)
    turn = 0
    while True:
        flow, job_state = cut(runner, flow, job_state, cuts[turn % len(cuts)])
        turn += 1
        if not runner.step():
            break
    while runner.step() or runner.clock.advance_to_next_timer():
        if turn < 200 and runner._queue:
            flow, job_state = cut(runner, flow, job_state, cuts[turn % len(cuts)])
            turn += 1
    return job_state, flow


@examples(200)
@given(flow_plans())
def test_an_uncut_run_does_what_the_oracle_says(plan: FlowPlan) -> None:
    predicted = Oracle(plan).predict()
    runner = StepRunner()
    _, job_state = start(runner, plan)
    runner.run()
    assert observed(job_state) == predicted


@examples(400)
@given(flow_plans(), CUTS)
def test_a_run_cut_anywhere_any_number_of_times_does_the_same(plan: FlowPlan, cuts: list[str]) -> None:
    predicted = Oracle(plan).predict()
    job_state, _ = run_with_cuts(plan, cuts)
    assert observed(job_state) == predicted


@examples(100)
@given(flow_plans(), CUTS)
def test_the_text_of_a_job_read_and_written_again_is_the_same_text(plan: FlowPlan, cuts: list[str]) -> None:
    Oracle(plan).predict()
    job_state, flow = run_with_cuts(plan, cuts)
    text = json.dumps(job_state.serialize(), allow_nan=False)
    again = JobState()
    again.deserialize(json.loads(text))
    assert json.dumps(again.serialize(), allow_nan=False) == text
    flow_text = json.dumps(flow.serialize(), allow_nan=False)
    flow_again = Flow()
    flow_again.deserialize(json.loads(flow_text))
    assert json.dumps(flow_again.serialize(), allow_nan=False) == flow_text
