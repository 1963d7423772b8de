"""Law 7: what a check says fits, and a resume takes, fits that flow ever after, wherever it is cut."""

from collections.abc import Mapping
from contextlib import closing, suppress
from typing import NamedTuple

import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st

from routilux import Fit, Flow, JobState, JobStateError, Plan, Verdict, transfer
from routilux._backends.memory import MemoryBackend
from routilux.stores import Store
from routilux.testing import StepRunner
from tests.laws.effort import examples
from tests.laws.random_flows import SAME, FlowPlan, NodePlan, Oracle, build, flow_plans, run_to_the_end
from tests.laws.test_renamed_flows import names_for, sent, start

NEVER = float("inf")


class InProcess:
    """The job pauses, and stays where it is."""

    def __init__(self) -> None:
        self.runner = StepRunner()

    def resume(self, flow: Flow, job_state: JobState, plan: Plan | None) -> JobState:
        return flow.resume(job_state, plan=plan)

    def cut(self, flow: Flow, job_state: JobState) -> JobState:
        with suppress(JobStateError):  # it has settled meanwhile
            flow.pause(job_state)
        return job_state

    def verdicts(self, flow: Flow, job_state: JobState, plan: Plan) -> list[Verdict]:
        """What can be heard of it by now: with the plan that it went on by, and without."""
        return [flow.check(job_state), flow.check(job_state, plan=plan)]

    def close(self) -> None:
        """Let go of all that it has opened."""


class AsText(InProcess):
    """It is written as it stands, and goes through a pipe; of its flow nothing does."""

    def cut(self, flow: Flow, job_state: JobState) -> JobState:
        return sent(self.runner, job_state)


class AsFile(InProcess):
    """It pauses, and goes to another host as a file, together with its flow."""

    def cut(self, flow: Flow, job_state: JobState) -> JobState:
        job_state = super().cut(flow, job_state)
        content = transfer.dumps(flow, job_state)
        self.runner.abandon(job_state)
        return transfer.loads(content)[1]


class Crashed(InProcess):
    """It is kept in a store, and its process dies; the next one knows the definition that it ran with."""

    def __init__(self) -> None:
        super().__init__()
        self.backend = MemoryBackend()
        self.store = Store(self.backend, window=NEVER)

    def resume(self, flow: Flow, job_state: JobState, plan: Plan | None) -> JobState:
        return flow.resume(job_state, plan=plan, store=self.store)

    def cut(self, flow: Flow, job_state: JobState) -> JobState:
        self.runner.abandon(job_state)
        self.close()
        self.store = Store(self.backend, window=NEVER)
        return self.store.load_job(job_state.job_id)

    def verdicts(self, flow: Flow, job_state: JobState, plan: Plan) -> list[Verdict]:
        stored = [checked.verdict for given in ([flow], []) for checked in self.store.check(flows=given)]
        return [*super().verdicts(flow, job_state, plan), *stored]

    def close(self) -> None:
        self.store.ledger.abandon()


class Stored(Crashed):
    """It pauses in its store, from which another process takes it."""

    def cut(self, flow: Flow, job_state: JobState) -> JobState:
        InProcess.cut(self, flow, job_state)
        return super().cut(flow, job_state)


class Change(NamedTuple):
    """A flow whose job is cut after some `steps`, what has become of it, and what is said of that."""

    old: FlowPlan
    steps: int
    new: FlowPlan
    routines: Mapping[str, str]
    slots: Mapping[tuple[str, str], str]
    said: Plan

    def flow(self, runner: StepRunner) -> Flow:
        """The flow of now."""
        return build(self.new, self.routines, self.slots, engine_factory=runner.engine)


@st.composite
def changes(draw: st.DrawFn) -> Change:
    """Changes of which all is said, a part or nothing."""
    old = draw(flow_plans())
    names = draw(names_for(old))
    routines = draw(st.sampled_from([names.routines, SAME]))
    slots = draw(st.sampled_from([names.slots, {}]))
    said = draw(st.sampled_from([Plan(), Plan(routines=routines), Plan(routines=routines, slots=slots)]))
    return Change(old, draw(st.integers(0, 8)), draw(st.one_of(st.just(old), flow_plans())), routines, slots, said)


PLAIN = NodePlan({}, ["out", "more"], 0, 1, False, None, 0, 0.0, 0.0)
HALF_DONE = FlowPlan({"a": PLAIN, "b": PLAIN}, [("a", "out", "b", "left", 0), ("a", "more", "b", "right", 0)], 1, 1)
"""After two steps the work of b.left is done, and that of b.right is not."""


@pytest.mark.parametrize("way", [InProcess, AsText, AsFile, Crashed, Stored])
@examples(100)
@given(changes(), st.lists(st.integers(0, 3), min_size=1, max_size=3))
@example(Change(HALF_DONE, 2, HALF_DONE, SAME, {("b", "left"): "renamed"}, Plan()), [0, 0])
@example(Change(HALF_DONE, 2, HALF_DONE, {"a": "renamed"}, {}, Plan()), [0, 0])
@example(Change(HALF_DONE, 2, HALF_DONE, {"b": "c"}, {("b", "left"): "renamed"}, Plan(routines={"b": "c"})), [0, 0])
def test_what_has_gone_on_in_a_flow_can_always_go_on_there(
    way: type[InProcess], change: Change, cuts: list[int]
) -> None:
    Oracle(change.old).predict()
    with closing(way()) as host:
        old_flow, job_state = start(host.runner, change.old, change.steps)
        if job_state.status != "running":
            return
        old_flow.pause(job_state)
        flow = change.flow(host.runner)
        fit = flow.check(job_state, plan=change.said).fit
        event(fit)
        if fit is not Fit.FITS:
            return
        job_state = host.resume(flow, job_state, change.said)
        for steps in cuts:
            for _ in range(steps):
                host.runner.step()
            job_state = host.cut(flow, job_state)
            if job_state.status in ("completed", "failed"):
                return
            flow = change.flow(host.runner)
            assert [verdict for verdict in host.verdicts(flow, job_state, change.said) if verdict] == []
            job_state = host.resume(flow, job_state, change.said)
        run_to_the_end(host.runner)
        assert job_state.status in ("completed", "failed")


def test_and_where_it_came_from() -> None:
    """What it has had there is there still, although in between there was no slot for it, and is told of."""
    runner = StepRunner()
    old_flow, job_state = start(runner, HALF_DONE, 2)
    old_flow.pause(job_state)
    before = job_state.serialize()["slot_data"]
    new_flow = build(HALF_DONE, slots={("b", "left"): "renamed"}, engine_factory=runner.engine)
    new_flow.resume(job_state)
    new_flow.pause(job_state)
    assert job_state.serialize()["slot_data"] == before
    verdict = old_flow.check(job_state)
    assert (verdict.fit, [note.place for note in verdict.notes if note.slot]) == (Fit.FITS, ["slot_data.b.left"])
    old_flow.resume(job_state).wait()
    assert job_state.status == "completed"
