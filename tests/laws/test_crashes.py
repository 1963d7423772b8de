"""Laws 2, 3 and 6 for stored jobs: what is read back is what was written, and a crash costs nothing but time."""

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import cycle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routilux import Durability, Flow, JobState, OwnershipLost
from routilux._backends.backend import Backend
from routilux._backends.memory import MemoryBackend
from routilux._core.document import write_history, write_job
from routilux._core.job import Job
from routilux._engine.custody import Custody
from routilux.stores import Store
from routilux.testing import StepRunner, VirtualClock
from tests.laws.effort import examples
from tests.laws.random_flows import FlowPlan, Oracle, build, flow_plans, observed

NEVER = float("inf")
FINEST = math.ulp(1_700_000_000.0)
"""Seconds: of two times of our days that differ, one is at least this much later; a quarter of a microsecond."""

WHAT_COMES = st.sampled_from(["go on", "write", "write in flight", "crash", "crash in flight", "die in flight", "lose"])
WHAT_LEAVES_IT = st.sampled_from(["go on", "write", "write in flight", "crash in flight"])

TIMELESS = flow_plans(delays=st.just(0.0))
"""What was lost in a crash is done again, but later: were there delays, they would end in another order."""


class Host:
    """A process with a store, which dies when it is told to; all hosts have one disk."""

    def __init__(self, backend: Backend, runner: StepRunner) -> None:
        self.backend = backend
        self.runner = runner
        self.store = Store(backend, window=NEVER)

    def flow(self) -> Flow:
        return Flow(engine_factory=self.runner.engine)

    def start(self, plan: FlowPlan, durability: Durability, **settings: Any) -> JobState:
        flow = build(plan, engine_factory=self.runner.engine, **settings)
        params = {"ttl": plan.ttl, "value": plan.value}
        return self.runner.start(flow, "a", params, store=self.store, durability=durability)

    def dies(self, job_state: JobState) -> JobState:
        """What another host makes of the job after this one has died."""
        self.runner.abandon(job_state)
        self.store.ledger.abandon()
        return self.taken_over(job_state)

    def taken_over(self, job_state: JobState) -> JobState:
        self.store = Store(self.backend, window=NEVER)
        flow, loaded = self.store.load(job_state.job_id, flow=self.flow)
        return loaded if loaded._job.settled else flow.resume(loaded)


def with_timers(plan: FlowPlan) -> FlowPlan:
    """That flow, in which some tasks come later, two at a time."""
    connections = {("a", "more", "a", "left", 0): None} | dict.fromkeys(plan.connections)
    nodes = plan.nodes | {"a": replace(plan.nodes["a"], emits=["more", "more"])}
    return replace(plan, nodes=nodes, connections=list(connections), ttl=max(plan.ttl, 1))


class FineClock(VirtualClock):
    """A clock that is looked at in the course of time: it goes on by the next of its ticks each time."""

    def __init__(self, ticks: list[int]) -> None:
        super().__init__()
        self._ticks = cycle(ticks)

    def now(self) -> float:
        self._now += next(self._ticks) * FINEST
        return self._now


def whole(job: Job, now: float) -> dict[str, Any]:
    document = write_job(job, now) | {"execution_history": write_history(list(job.records()))}
    due = [(number, moment) for moment, number, _ in sorted(job.delayed)]
    in_flight = list(job.active)
    return document | {"due": due, "in flight": in_flight, "closing": repr(job.closing), "held until": job.hold_until}


def stored(host: Host, job_state: JobState) -> Job:
    read, _ = Custody(host.store.ledger).read(host.backend.read(job_state.job_id))
    return read


def is_what_is_stored(host: Host, job_state: JobState) -> None:
    now = host.runner.clock.now()
    assert whole(stored(host, job_state), now) == whole(job_state._job, now)


def nothing(host: Host, job_state: JobState) -> None:
    pass


def run(
    plan: FlowPlan,
    turns: list[str],
    durability: Durability,
    *,
    each: Callable[[Host, JobState], None] = nothing,
    backend: Backend | None = None,
    clock: VirtualClock | None = None,
) -> JobState:
    """Run a job to its end, through all that comes; `each` is called whenever all of it is written."""
    runner = StepRunner(clock)
    host = Host(backend or MemoryBackend(), runner)
    job_state = host.start(plan, durability)
    turn = 0
    while job_state.status == "running":
        kind = turns[turn % len(turns)] if turn < 100 else "go on"
        turn += 1
        if kind == "write":
            job_state._live.sync()
            each(host, job_state)
        elif kind == "snapshot":
            job_state._live.sync()
            job_state._live.log.compact(runner.clock.now())
        elif kind == "write in flight" and (attempt := runner.begin(job_state)) is not None:
            job_state._live.sync()
            each(host, job_state)
            attempt.run().commit()
        elif kind.endswith("in flight") and (attempt := runner.begin(job_state)) is not None:
            if kind == "die in flight":
                job_state._live.sync()
            attempt.run()
            job_state = host.dies(job_state)
        elif kind == "crash":
            job_state = host.dies(job_state)
        elif kind == "lose":
            job_state = loses(host, job_state)
        goes_on = runner.step() or runner.clock.advance_to_next_timer()
        assert goes_on or job_state.status != "running", "nothing is left to run, and no timer to wait for"
    host.store.ledger.abandon()
    return job_state


def loses(host: Host, job_state: JobState) -> JobState:
    """Another host takes the job over; what this one does after that is not part of it, and it is told so."""
    attempt = host.runner.begin(job_state)
    ledger = host.store.ledger
    taken = host.taken_over(job_state)
    if attempt is not None:
        attempt.run().commit()
        with pytest.raises(OwnershipLost, match="was taken over"):
            job_state._live.sync()
    host.runner.abandon(job_state)
    ledger.abandon()
    return taken


@examples(60)
@given(TIMELESS, st.lists(WHAT_COMES, min_size=1, max_size=12), st.sampled_from(Durability))
def test_a_job_that_is_killed_over_and_over_does_what_the_oracle_says(
    plan: FlowPlan, turns: list[str], durability: Durability
) -> None:
    predicted = Oracle(plan).predict()
    assert observed(run(plan, turns, durability)) == predicted


@examples(60)
@given(
    flow_plans(),
    st.lists(st.sampled_from(["go on", "write", "write in flight", "crash in flight"]), min_size=1, max_size=8),
)
def test_what_is_stored_is_the_job(plan: FlowPlan, turns: list[str]) -> None:
    Oracle(plan).predict()
    run(plan, turns, Durability.GROUP, each=is_what_is_stored)


@examples(200)
@given(
    flow_plans(delays=st.integers(1, 12).map(lambda ticks: ticks * FINEST)).map(with_timers),
    st.lists(st.sampled_from(["write", "write in flight", "snapshot"]), min_size=2, max_size=8),
    st.lists(st.integers(0, 3), min_size=1, max_size=4),
)
def test_what_is_stored_is_the_job_however_close_its_times_are(
    plan: FlowPlan, turns: list[str], ticks: list[int]
) -> None:
    """A snapshot that knew no more than the microseconds of its document made the journal behind it one of another."""
    Oracle(plan).predict()
    run(plan, turns, Durability.GROUP, each=is_what_is_stored, clock=FineClock(ticks))


@examples(60)
@given(flow_plans(), st.integers(0, 20))
def test_a_strict_job_loses_nothing_that_has_ended(plan: FlowPlan, steps: int) -> None:
    Oracle(plan).predict()
    runner = StepRunner()
    host = Host(MemoryBackend(), runner)
    job_state = host.start(plan, Durability.STRICT)
    for _ in range(steps):
        runner.step()
    assert whole(stored(host, job_state), 0.0)["execution_history"] == whole(job_state._job, 0.0)["execution_history"]
    host.store.ledger.abandon()
