"""Random flows whose handlers are functions of their input, and an oracle that says what they must do.

A plan is plain data. `build` makes a Flow of it; `predict` interprets it directly, in the simplest way that the page
and the laws allow, with none of the engine's code.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from types import MappingProxyType
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from routilux import ErrorHandler, Flow, Routine
from routilux.testing import StepRunner
from serilux import register_serializable

SAME: Mapping[str, str] = MappingProxyType({})
SLOTS = ("trigger", "left", "right")
EVENTS = ("out", "more")
MOST = 150
"""Activations of a random flow: each copies what all those before it have left."""


def summed(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """A merge function: the sum of all values."""
    return {"ttl": new["ttl"], "value": old.get("value", 0) + new["value"]}


def is_even_count(merged: dict[str, Any]) -> bool:
    """A predicate for slots that append."""
    return len(merged["value"]) % 2 == 0


def latest(data: Any) -> int:
    """A parameter's newest value, whether its slot appends or not."""
    return data[-1] if isinstance(data, list) else data


@register_serializable
class Node(Routine):
    """Does what its configuration says."""

    def __init__(self) -> None:
        super().__init__()
        for event in EVENTS:
            self.define_event(event, ["ttl", "value"])

    def shape(self, plan: "NodePlan", names: Mapping[str, str] = SAME) -> None:
        """Define the slots, under other names where there are such, and take over the plan."""
        for slot in SLOTS:
            merge = plan.merges.get(slot, "override")
            self.define_slot(
                names.get(slot, slot),
                handler=self.handle,
                merge_strategy=summed if merge == "function" else merge.removesuffix("-guarded"),
                when=is_even_count if merge.endswith("guarded") else None,
            )
        self.set_config(emits=plan.emits, fails=plan.fails, modulus=plan.modulus, shares=plan.shares, later=plan.later)

    def handle(self, ttl: Any, value: Any) -> None:
        context = self.get_execution_context()
        number, left = latest(value), latest(ttl)
        if left > 0:
            for offset, event in enumerate(self.get_config("emits")):
                data = {"ttl": left - 1, "value": number + offset}
                if event == "more" and self.get_config("later"):
                    self.emit_with(event, data, delay=self.get_config("later"))
                else:
                    self.emit(event, **data)
        if self.get_config("shares"):
            context.state["seen"] = [*context.state.get("seen", []), value]
            shared = context.job_state.shared_data
            shared["total"] = shared.get("total", 0) + number
            context.job_state.update_shared_data("count", lambda count: (count or 0) + 1)
            context.job_state.append_to_shared_log([context.routine_id, number])
        if number % self.get_config("modulus") == 0 and context.attempt <= self.get_config("fails"):
            raise ArithmeticError(f"{number} at attempt {context.attempt}")


@dataclass(frozen=True)
class NodePlan:
    """One node: how its slots merge, what it emits, how often and for which values it fails, its policy.

    What it emits as `more` comes `later` seconds.
    """

    merges: dict[str, str]
    emits: list[str]
    fails: int
    modulus: int
    shares: bool
    strategy: str | None
    max_retries: int
    delay: float
    later: float


@dataclass(frozen=True)
class FlowPlan:
    """Nodes by id, connections as (source, event, target, slot, priority), and the entry's parameters."""

    nodes: dict[str, NodePlan]
    connections: list[tuple[str, str, str, str, int]]
    ttl: int
    value: int


POLICIES = (None, "stop", "continue", "skip", "retry", "retry", "retry")


def node_plans(
    merges: tuple[str, ...],
    policies: tuple[str | None, ...],
    shares: st.SearchStrategy[bool],
    delays: st.SearchStrategy[float],
) -> st.SearchStrategy[NodePlan]:
    """Plans of one node."""
    return st.builds(
        NodePlan,
        merges=st.fixed_dictionaries({slot: st.sampled_from(merges) for slot in SLOTS[1:]}),
        emits=st.lists(st.sampled_from(EVENTS), max_size=2),
        fails=st.integers(0, 3),
        modulus=st.integers(1, 4),
        shares=shares,
        strategy=st.sampled_from(policies),
        max_retries=st.integers(0, 3),
        delay=delays,
        later=delays,
    )


@st.composite
def flow_plans(
    draw: st.DrawFn,
    merges: tuple[str, ...] = ("override", "append", "append-guarded", "function"),
    policies: tuple[str | None, ...] = POLICIES,
    shares: st.SearchStrategy[bool] = st.booleans(),
    priorities: st.SearchStrategy[int] = st.sampled_from([0, 0, 0, 1, -1]),
    delays: st.SearchStrategy[float] = st.sampled_from([0.0, 1.0, 2.5]),
) -> FlowPlan:
    """Chains, diamonds, fan-ins, cycles: up to four nodes and five connections."""
    names = ["a", "b", "c", "d"][: draw(st.integers(1, 4))]
    nodes = {name: draw(node_plans(merges, policies, shares, delays)) for name in names}
    connections = draw(
        st.lists(
            st.tuples(
                st.sampled_from(names),
                st.sampled_from(EVENTS),
                st.sampled_from(names),
                st.sampled_from(SLOTS[1:]),
                priorities,
            ),
            max_size=5,
            unique=True,
        )
    )
    return FlowPlan(nodes, connections, draw(st.integers(0, 3)), draw(st.integers(0, 5)))


def build(
    plan: FlowPlan,
    routines: Mapping[str, str] = SAME,
    slots: Mapping[tuple[str, str], str] = MappingProxyType({}),
    **settings: Any,
) -> Flow:
    """The flow of a plan; its routines and slots may be called otherwise than there."""
    flow = Flow("random", **settings)
    for name, node in plan.nodes.items():
        routine = Node()
        routine.shape(node, {slot: new for (of, slot), new in slots.items() if of == name})
        if node.strategy is not None:
            routine.set_error_handler(
                ErrorHandler(node.strategy, max_retries=node.max_retries, retry_delay=node.delay, retry_backoff=1.0)
            )
        flow.add_routine(routine, routines.get(name, name))
    for source, event, target, slot, priority in plan.connections:
        names = routines.get(target, target), slots.get((target, slot), slot)
        flow.connect(routines.get(source, source), event, *names, priority=priority)
    return flow


def run_to_the_end(runner: StepRunner) -> None:
    """Run jobs of which no oracle says what becomes: in some flows, given the tasks of another, far too much does."""
    steps = 0
    while runner.step() or runner.clock.advance_to_next_timer():
        steps += 1
        assume(steps <= 2 * MOST)


@dataclass
class Prediction:
    """What a job of a plan must have done when nothing is left to do."""

    status: str = "completed"
    history: list[tuple[str, str, Any]] = field(default_factory=list)
    outcomes: dict[str, str | None] = field(default_factory=dict)
    states: dict[str, dict[str, Any]] = field(default_factory=dict)
    slot_data: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    shared: dict[str, Any] = field(default_factory=dict)
    log: list[Any] = field(default_factory=list)


@dataclass
class _Pending:
    target: str
    slot: str
    data: dict[str, Any]
    priority: int = 0
    number: int = 0
    attempt: int = 1
    given: dict[str, Any] | None = None


_SEVERITY = ["completed", "skipped", "error_continued", "failed"]


class Oracle:
    """Interprets a plan one task at a time."""

    def __init__(self, plan: FlowPlan) -> None:
        self.plan = plan
        self.done = Prediction()
        self.queue: list[tuple[int, int, _Pending]] = []
        self.timers: list[tuple[float, int, _Pending]] = []
        self.order = 0
        self.created = 0
        self.now = 0.0
        self.steps = 0

    def predict(self) -> Prediction:
        """Run to the end."""
        self.create("a", "trigger", {"ttl": self.plan.ttl, "value": self.plan.value}, 0)
        while self.queue or self.timers:
            if not self.queue:
                self.fire_timers()
            if not self.step(heappop(self.queue)[2]):
                self.done.status = "failed"
                break
        left = {entry[2].target for entry in [*self.queue, *self.timers]}
        for name in left:
            self.done.outcomes[name] = "pending"
        return self.done

    def fire_timers(self) -> None:
        self.now = max(self.now, self.timers[0][0])
        while self.timers and self.timers[0][0] <= self.now:
            self.push(heappop(self.timers)[2])

    def create(self, target: str, slot: str, data: dict[str, Any], priority: int, later: float = 0.0) -> None:
        self.created += 1
        task = _Pending(target, slot, data, priority, self.created)
        if later:
            heappush(self.timers, (self.now + later, task.number, task))
        else:
            self.push(task)

    def push(self, task: _Pending) -> None:
        self.order += 1
        heappush(self.queue, (-task.priority, self.order, task))

    def step(self, task: _Pending) -> bool:
        self.steps += 1
        assume(self.steps <= MOST)
        node = self.plan.nodes[task.target]
        merge = node.merges.get(task.slot, "override")
        if task.given is None:
            task.given = self.merged(task, merge)
        if merge.endswith("guarded") and not is_even_count(task.given):
            self.done.outcomes.setdefault(task.target, "pending")
            return True
        number, left = latest(task.given["value"]), latest(task.given["ttl"])
        emitted = [(event, left - 1, number + i) for i, event in enumerate(node.emits)] if left > 0 else []
        self.done.history.append((task.target, "start", {"slot": task.slot}))
        if number % node.modulus or task.attempt > node.fails:
            self.commit(task, node, emitted, number)
            self.settle(task.target, "completed")
            return True
        return self.fail(task, node, emitted, number)

    def merged(self, task: _Pending, merge: str) -> dict[str, Any]:
        key = (task.target, task.slot)
        old = self.done.slot_data.get(key, {})
        if merge == "override":
            new = dict(task.data)
        elif merge == "function":
            new = summed(old, task.data)
        else:
            new = {name: [*old.get(name, []), value] for name, value in task.data.items()}
        self.done.slot_data[key] = new
        return new

    def commit(self, task: _Pending, node: NodePlan, emitted: list[Any], number: int) -> None:
        for event, ttl, value in emitted:
            data = {"ttl": ttl, "value": value}
            self.done.history.append((task.target, event, data))
            for source, name, target, slot, priority in self.plan.connections:
                if (source, name) == (task.target, event):
                    self.create(target, slot, data, priority, node.later if event == "more" else 0.0)
        if node.shares:
            assert task.given is not None
            state = self.done.states.setdefault(task.target, {})
            state["seen"] = [*state.get("seen", []), task.given["value"]]
            self.done.shared["total"] = self.done.shared.get("total", 0) + number
            self.done.shared["count"] = self.done.shared.get("count", 0) + 1
            self.done.log.append([task.target, number])

    def fail(self, task: _Pending, node: NodePlan, emitted: list[Any], number: int) -> bool:
        strategy = node.strategy or "stop"
        retries = strategy == "retry" and task.attempt <= node.max_retries
        if strategy == "continue":
            self.commit(task, node, emitted, number)
        error = {
            "type": "ArithmeticError",
            "message": f"{number} at attempt {task.attempt}",
            "attempt": task.attempt,
        }
        self.done.history.append((task.target, "error", error))
        if retries:
            task.attempt += 1
            heappush(self.timers, (self.now + node.delay, task.number, task))
            self.done.outcomes.setdefault(task.target, "pending")
            return True
        if strategy in ("continue", "skip"):
            name = "error_continued" if strategy == "continue" else "skipped"
            self.done.history.append((task.target, name, error))
            self.settle(task.target, name)
            return True
        self.settle(task.target, "failed")
        return False

    def settle(self, name: str, outcome: str) -> None:
        old = self.done.outcomes.get(name)
        if old in (None, "pending") or _SEVERITY.index(outcome) > _SEVERITY.index(old):
            self.done.outcomes[name] = outcome


def observed(job_state: Any) -> Prediction:
    """What a job has done, in the words of a prediction."""
    states = job_state.routine_states
    own = {name: {k: v for k, v in state.items() if k not in ("status", "error")} for name, state in states.items()}
    return Prediction(
        status=str(job_state.status),
        history=[(record.routine_id, record.event_name, record.data) for record in job_state.execution_history],
        outcomes={name: str(state["status"]) for name, state in states.items()},
        states={name: state for name, state in own.items() if state},
        slot_data=_slot_data(job_state.serialize()),
        shared=dict(job_state.shared_data),
        log=job_state.shared_log,
    )


def _slot_data(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (routine_id, slot): data for routine_id, slots in document["slot_data"].items() for slot, data in slots.items()
    }
