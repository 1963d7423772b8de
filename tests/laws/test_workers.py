"""Laws 1 to 4 as workers run jobs, many activations in one go and with fewer steps than one by one."""

from hypothesis import given
from hypothesis import strategies as st

from routilux import JobState
from routilux.testing import StepRunner
from tests.laws.effort import examples
from tests.laws.random_flows import FlowPlan, Oracle, build, flow_plans, observed

PLANS = flow_plans() | flow_plans(merges=("override",), shares=st.just(False), delays=st.sampled_from([0.0, 1.0]))
"""Of any kind, and such as do little else than emit: for those a worker has a way that is written out."""


def serve(runner: StepRunner, turns: int) -> None:
    """Do what a worker does for so many of its turns, moving the clock on where there is nothing to do."""
    for _ in range(turns):
        if runner._queue:
            job = runner._queue.popleft()
            job.queued = None
            job.serve(lambda: False)
        elif not runner.clock.advance_to_next_timer():
            break


def begun(runner: StepRunner, plan: FlowPlan) -> JobState:
    flow = build(plan, engine_factory=runner.engine)
    return runner.start(flow, "a", {"ttl": plan.ttl, "value": plan.value})


@examples(100)
@given(PLANS)
def test_a_run_on_a_worker_does_what_the_oracle_says(plan: FlowPlan) -> None:
    predicted = Oracle(plan).predict()
    runner = StepRunner()
    job_state = begun(runner, plan)
    serve(runner, 100_000)
    assert observed(job_state) == predicted


@examples(100)
@given(PLANS, st.integers(1, 6))
def test_a_run_on_workers_that_is_cut_between_two_turns_does_the_same(plan: FlowPlan, turns: int) -> None:
    predicted = Oracle(plan).predict()
    runner = StepRunner()
    job_state = begun(runner, plan)
    serve(runner, turns)
    if job_state.status == "running":
        _, job_state = runner.reload(job_state._live.flow, job_state)
    serve(runner, 100_000)
    assert observed(job_state) == predicted


@examples(50)
@given(PLANS)
def test_a_run_on_a_worker_leaves_the_document_of_a_run_by_steps(plan: FlowPlan) -> None:
    Oracle(plan).predict()
    by_steps, on_a_worker = StepRunner(), StepRunner()
    stepped, served = begun(by_steps, plan), begun(on_a_worker, plan)
    by_steps.run()
    serve(on_a_worker, 100_000)
    assert served.serialize() == stepped.serialize()
