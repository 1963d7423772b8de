"""Law 7: a job that goes on by a plan in a flow of other names does what it would have done, under those names."""

import json
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routilux import Flow, JobState, Plan, ResumeError, SlotKey
from routilux.testing import StepRunner
from tests.laws.effort import examples
from tests.laws.random_flows import SLOTS, FlowPlan, Oracle, Prediction, build, flow_plans, observed


class Names(NamedTuple):
    """What routines are called now, and slots, by the routine's former id."""

    routines: dict[str, str]
    slots: dict[tuple[str, str], str]

    def routine(self, name: str) -> str:
        return self.routines.get(name, name)

    def key(self, routine_id: str, slot: str) -> SlotKey:
        return SlotKey(self.routine(routine_id), self.slots.get((routine_id, slot), slot))

    def plan(self, reason: str = "") -> Plan:
        return Plan(routines=self.routines, slots=self.slots, reason=reason)


def permutations_of(names: list[str]) -> st.SearchStrategy[dict[str, str]]:
    """New names, each of which is another's, a fresh one or the same."""
    return st.permutations([*names, *(f"{name}{name}" for name in names)]).map(
        lambda new: {old: name for old, name in zip(names, new, strict=False) if old != name}
    )


@st.composite
def names_for(draw: st.DrawFn, plan: FlowPlan) -> Names:
    routines = draw(permutations_of(sorted(plan.nodes)))
    renamed = {name: draw(permutations_of(list(SLOTS))) for name in plan.nodes}
    return Names(routines, {(name, old): new for name, slots in renamed.items() for old, new in slots.items()})


def under(names: Names, predicted: Prediction, records: int, entries: int) -> Prediction:
    """What is predicted, with other names; the first records of history and the log were written before."""
    return replace(
        predicted,
        history=[*predicted.history[:records], *(renamed(names, *record) for record in predicted.history[records:])],
        outcomes={names.routine(name): outcome for name, outcome in predicted.outcomes.items()},
        states={names.routine(name): state for name, state in predicted.states.items()},
        slot_data={tuple(names.key(*key)): data for key, data in predicted.slot_data.items()},
        log=[*predicted.log[:entries], *([names.routine(name), number] for name, number in predicted.log[entries:])],
    )


def renamed(names: Names, routine_id: str, event: str, data: Any) -> tuple[str, str, Any]:
    content = {"slot": names.key(routine_id, data["slot"]).slot} if event == "start" else data
    return names.routine(routine_id), event, content


def start(runner: StepRunner, plan: FlowPlan, steps: int) -> tuple[Flow, JobState]:
    flow = build(plan, engine_factory=runner.engine)
    job_state = runner.start(flow, "a", {"ttl": plan.ttl, "value": plan.value})
    for _ in range(steps):
        runner.step()
    return flow, job_state


def sent(runner: StepRunner, job_state: JobState) -> JobState:
    runner.abandon(job_state)
    read = JobState()
    read.deserialize(json.loads(json.dumps(job_state.serialize(), allow_nan=False)))
    return read


@examples(100)
@given(flow_plans(), st.integers(0, 12), st.booleans(), st.data())
def test_a_job_goes_on_under_other_names(plan: FlowPlan, steps: int, in_flight: bool, data: st.DataObject) -> None:
    predicted = Oracle(plan).predict()
    names, runner = data.draw(names_for(plan)), StepRunner()
    _, job_state = start(runner, plan, steps)
    if in_flight and (attempt := runner.begin(job_state)) is not None:
        attempt.run()  # and its process dies before it commits
    if job_state.status != "running":
        return
    records, entries = len(job_state.execution_history), len(job_state.shared_log)
    job_state = sent(runner, job_state)
    flow = build(plan, names.routines, names.slots, engine_factory=runner.engine)
    before = json.dumps(job_state.serialize())
    if not all(
        SlotKey(task["routine_id"], task["slot"]) in flow._compile()[0].slots for task in job_state.pending_tasks
    ):
        with pytest.raises(ResumeError):
            flow.resume(job_state)
    assert flow.check(job_state, plan=names.plan()) == []
    assert json.dumps(job_state.serialize()) == before
    job_state = flow.resume(job_state, plan=names.plan())
    runner.run()
    assert observed(job_state) == under(names, predicted, records, entries)


@examples(50)
@given(flow_plans(), st.integers(0, 12), st.data())
def test_and_back_again(plan: FlowPlan, steps: int, data: st.DataObject) -> None:
    """A plan, and the one that takes it back, leave a job as it was, but for the record of both."""
    Oracle(plan).predict()
    names, runner = data.draw(names_for(plan)), StepRunner()
    flow, job_state = start(runner, plan, steps)
    if job_state.status != "running":
        return
    flow.pause(job_state)
    before = job_state.serialize()
    back = Names(
        {new: old for old, new in names.routines.items()},
        {(names.routine(of), new): old for (of, old), new in names.slots.items()},
    )
    other = build(plan, names.routines, names.slots, engine_factory=runner.engine)
    for there, plan_of in ((other, names.plan("there")), (flow, back.plan("back"))):  # one may be the other's twin
        there.resume(job_state, plan=plan_of)
        there.pause(job_state)
    after = job_state.serialize()
    same = ("pending_tasks", "failed_tasks", "slot_data", "routine_states", "execution_history", "shared_data")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
