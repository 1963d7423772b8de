"""Law 5: jobs of one flow do not see each other, and running them leaves the definition as it was."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from routilux.testing import StepRunner
from tests.laws.effort import examples
from tests.laws.random_flows import FlowPlan, Oracle, build, flow_plans, observed


def without_mirrored_counts(document: dict[str, Any]) -> dict[str, Any]:
    for routine in document["routines"].values():
        if routine["_error_handler"] is not None:
            routine["_error_handler"]["retry_count"] = 0
    return document


@examples(100)
@given(flow_plans(), st.lists(st.integers(0, 5), min_size=2, max_size=3))
def test_jobs_in_turn_each_do_what_they_do_alone(plan: FlowPlan, values: list[int]) -> None:
    plans = [FlowPlan(plan.nodes, plan.connections, plan.ttl, value) for value in values]
    predicted = [Oracle(each).predict() for each in plans]
    runner = StepRunner()
    flow = build(plan, engine_factory=runner.engine)
    definition = without_mirrored_counts(flow.serialize())
    job_states = [runner.start(flow, "a", {"ttl": plan.ttl, "value": value}) for value in values]
    runner.run()
    assert [observed(job_state) for job_state in job_states] == predicted
    assert without_mirrored_counts(flow.serialize()) == definition
