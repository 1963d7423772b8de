"""Laws 1 to 4 where activations of one job overlap: any interleaving, any cut, the same multiset of results."""

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from routilux import Flow, JobState
from routilux.testing import StepRunner
from routilux.testing.step_runner import Attempt
from tests.laws.effort import examples
from tests.laws.random_flows import FlowPlan, Oracle, build, flow_plans, observed

# Without data that depends on the order of arrival: handlers are functions of their input alone.
UNORDERED = flow_plans(merges=("override",), policies=("continue", "skip"), shares=st.just(False))


def frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple(sorted((name, frozen(item)) for name, item in value.items()))
    return value


def results(job_state: JobState) -> Counter[Any]:
    return Counter((routine, event, frozen(data)) for routine, event, data in observed(job_state).history)


def begun(runner: StepRunner, job_state: JobState, attempts: list[Attempt]) -> bool:
    attempt = runner.begin(job_state)
    if attempt is not None:
        attempts.append(attempt.run())
    return attempt is not None


@examples(75)
@given(UNORDERED, st.lists(st.integers(0, 9), min_size=1, max_size=30))
def test_any_interleaving_and_any_cut_gives_the_same_results(plan: FlowPlan, choices: list[int]) -> None:
    predicted = Oracle(plan).predict()
    runner = StepRunner()
    flow: Flow = build(plan, engine_factory=runner.engine, execution_strategy="concurrent")
    job_state = runner.start(flow, "a", {"ttl": plan.ttl, "value": plan.value})
    attempts: list[Attempt] = []
    turn = 0
    while job_state.status == "running":
        choice = choices[turn % len(choices)]
        turn += 1
        if choice == 0 and turn < 100:
            flow, job_state = runner.reload(flow, job_state)
            attempts.clear()
        elif choice < 5 and begun(runner, job_state, attempts):
            continue
        elif attempts:
            attempts.pop(choice % len(attempts)).commit()
        elif not begun(runner, job_state, attempts):
            runner.clock.advance_to_next_timer()
    assert job_state.status == "completed"
    assert results(job_state) == Counter((r, e, frozen(d)) for r, e, d in predicted.history)
