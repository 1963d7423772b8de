"""Real documents, as texts: what the fuzzer makes its inputs of."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import cache
from pathlib import Path, PurePosixPath, PureWindowsPath
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from routilux import Flow, JobState
from routilux.stores import open_store
from routilux.testing import StepRunner
from serilux import encode
from tests.core.hand_made import document_of
from tests.core.rich_job import bounded_job, rich_document, rich_job
from tests.fuzz.probes import FuzzBox, FuzzColour, FuzzOwn, FuzzPair, FuzzPoint, FuzzRecord, probe_flow
from tests.golden import cast
from tests.laws.random_flows import EVENTS, SLOTS, FlowPlan, NodePlan, build

GOLDEN = Path(cast.__file__).parent / "format_1"
PLANS = 8
LONG = 20_000
VALUES: list[Any] = [
    {"a": 1, "b": [True, None, 2.5, "text"], "c": {"d": {"e": []}}},
    (1, (2, "x"), []),
    {1, 2.5, "three", (4,), frozenset({5})},
    {(1, 2): "pair", None: 0, 3: {"four": 5}, FuzzColour.RED: UUID(int=7)},
    {"$tuple": {"$dict": 1}, "$": {"$x": [{"$set": 1}]}},
    [float("nan"), float("inf"), -0.0, 2**70, -(2**64), 5 + 1j, complex("nan"), Decimal("-1.50"), Decimal("NaN")],
    [datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=ZoneInfo("Europe/Paris")), datetime(2024, 1, 2), time(1, 2, tzinfo=UTC)],
    [date(2024, 2, 29), timedelta(-1, 5, 7), datetime(2024, 1, 2, tzinfo=timezone(timedelta(hours=1), "X")), b"\x00ab"],
    [PurePosixPath("/a/b"), PureWindowsPath("C:\\a"), Path("rel"), FuzzColour.GREEN, UUID(int=2**127)],
    [FuzzPoint(1, [FuzzPoint((2,), None)]), FuzzPair(FuzzRecord("n", 1), {"k": FuzzPair(1, 2)}), {FuzzPair(1, 2)}],
]


def box() -> FuzzBox:
    made, own = FuzzBox(), FuzzOwn()
    own.items = [1, 2, 3]
    made.label, made.content, made.check = "outer", [own, FuzzBox()], made.accepts
    return made


@cache
def values() -> list[str]:
    """Documents of values of every kind."""
    return [json.dumps(encode(value)) for value in [*VALUES, VALUES, box()]]


@cache
def flows() -> list[str]:
    """Documents of flows."""
    made = [probe_flow(), *(build(plan) for plan in random_plans())]
    texts = [*map(json.dumps, (flow.serialize() for flow in made)), *golden("Flow")]
    return list(dict.fromkeys(texts))


@cache
def jobs() -> list[str]:
    """Documents of jobs, at rest and in the middle of things."""
    made = [rich_document(), document_of(rich_job()), document_of(bounded_job())]
    texts = [*map(json.dumps, made), *(text for plan in random_plans() for text in moments(plan)), *golden("JobState")]
    return list(dict.fromkeys(texts))


@cache
def transfers() -> list[str]:
    """What a store exports."""
    made, runner = [], StepRunner()
    with open_store("memory:") as store:
        for plan in random_plans()[:3]:
            flow = build(plan, engine_factory=runner.engine)
            job_state = flow.execute("a", {"ttl": plan.ttl, "value": plan.value}, store=store)
            if job_state.status == "running":
                flow.pause(job_state)
            made.append(json.dumps(store.export(job_state.job_id)))
    return [*made, *(json.dumps(document) for document in golden_documents() if "graph" in document)]


def golden(kind: str) -> list[str]:
    """Documents of one kind that were written by earlier versions."""
    found = [part for whole in golden_documents() for part in (whole, *whole.values()) if isinstance(part, dict)]
    return [json.dumps(part) for part in found if part.get("_type") == kind]


def golden_documents() -> list[dict[str, Any]]:
    """All that are not long."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(GOLDEN.rglob("*.json"))]
    return [json.loads(text) for text in texts if len(text) < LONG and text.startswith("{")]


@cache
def random_plans() -> list[FlowPlan]:
    """Plans of random flows, the same each time."""
    return [random_plan(Random(seed)) for seed in range(PLANS)]


def random_plan(random: Random) -> FlowPlan:
    names = ["a", "b", "c"][: random.randint(2, 3)]
    nodes = {name: random_node(random) for name in names}
    connections = {
        (
            random.choice(names),
            random.choice(EVENTS),
            random.choice(names),
            random.choice(SLOTS[1:]),
            random.randint(-1, 1),
        )
        for _ in range(4)
    }
    return FlowPlan(nodes, sorted(connections), 2, random.randint(0, 5))


def random_node(random: Random) -> NodePlan:
    merges = {slot: random.choice(["override", "append", "append-guarded", "function"]) for slot in SLOTS[1:]}
    strategy = random.choice([None, "continue", "skip", "retry"])
    later = random.choice([0.0, 2.0])
    return NodePlan(merges, random.choices(EVENTS, k=2), random.randint(0, 2), 2, True, strategy, 2, 1.0, later)


def moments(plan: FlowPlan) -> Iterator[str]:
    """A job of a plan as it is at its begin, in the middle, and at its end."""
    runner = StepRunner()
    flow = build(plan, engine_factory=runner.engine)
    job_state = runner.start(flow, "a", {"ttl": plan.ttl, "value": plan.value})
    for steps in (0, 4, 200):
        for _ in range(steps):
            runner.step()
        yield json.dumps(job_state.serialize())


def target_flow() -> Flow:
    """A small flow, to read documents into."""
    flow = Flow("small")
    flow.deserialize(json.loads(flows()[1]))
    return flow


def target_job() -> JobState:
    """A small job, to read documents into."""
    job_state = JobState()
    job_state.deserialize(json.loads(json.dumps(document_of(bounded_job()))))
    return job_state
