"""The JSON Schemas of the documents: generated, shipped, true of all that is written, and as strict as they can be."""

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import routilux.schemas
from routilux import Flow
from routilux._migrations import CURRENT_FORMAT
from routilux.schemas import flow_schema, job_schema, transfer_schema
from routilux.schemas.documents import SCHEMAS
from routilux.stores import open_store
from routilux.testing import StepRunner
from serilux import SeriluxError
from tests.core.rich_job import rich_document
from tests.golden.golden import FORMATS
from tests.golden.test_golden_documents import read_job
from tests.laws.effort import examples
from tests.laws.random_flows import FlowPlan, build, flow_plans
from tests.schemas.mutations import Mutant, mutants

SHIPPED = Path(routilux.schemas.__file__).parent
GOLDEN = next(root for root in FORMATS if root.name == f"format_{CURRENT_FORMAT}")
KINDS = {
    "flow": [*GOLDEN.glob("flows/*.json"), *GOLDEN.glob("jobs/*/flow.json")],
    "job": [*GOLDEN.glob("jobs/*/job.json")],
    "transfer": [*GOLDEN.glob("transfers/*/transfer.json")],
}
FLOW, JOB = Draft202012Validator(flow_schema()), Draft202012Validator(job_schema())
TRANSFER = Draft202012Validator(transfer_schema())
VALIDATORS = {"flow": FLOW, "job": JOB, "transfer": TRANSFER}


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_is_shipped_is_what_the_code_says(name: str) -> None:
    assert json.loads((SHIPPED / f"{name}.json").read_text(encoding="utf-8")) == SCHEMAS[name]()


def test_nothing_else_is_shipped() -> None:
    assert {path.stem for path in SHIPPED.glob("*.json")} == set(SCHEMAS)


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name]())


@pytest.mark.parametrize(
    ("name", "path"),
    [(name, path) for name, paths in KINDS.items() for path in sorted(paths)],
    ids=lambda each: "-".join(each.parts[-2:]) if isinstance(each, Path) else each,
)
def test_golden_documents_are_what_the_schema_says(name: str, path: Path) -> None:
    VALIDATORS[name].validate(json.loads(path.read_text(encoding="utf-8")))


@examples(60)
@given(flow_plans(), st.integers(0, 12), st.booleans())
def test_documents_of_any_flow_and_job_are_what_the_schema_says(plan: FlowPlan, steps: int, in_flight: bool) -> None:
    runner = StepRunner()
    flow = build(plan, engine_factory=runner.engine)
    job_state = runner.start(flow, "a", {"ttl": plan.ttl, "value": plan.value})
    for _ in range(steps):
        _ = runner.step() or runner.clock.advance_to_next_timer()
    if in_flight:
        runner.begin(job_state)
    FLOW.validate(json.loads(json.dumps(flow.serialize())))
    JOB.validate(json.loads(json.dumps(job_state.serialize())))


# What the schema refuses, compared with what the reader does.

NOT_OF_SHAPE = re.compile(
    "|".join(
        [
            r"is not registered here|but 'Flow' is read here",  # which classes there are
            r"unknown is unknown",  # which fields a class has registered
            r"routes are|a route is|a condition is|the router has no event",  # what it makes of them
            r"has no routine|unknown (event|slot)|its handler has no parameter",  # names that have to be elsewhere
            r"has no handler to take what would come",  # which of them are there
            r"a task of this job has an id like|two tasks have the id",
            r"has merged nothing yet",  # fields that have to do with each other
            r"the same key or member twice",  # what equals what
        ]
    )
)
"""Why a document may be refused though its shape is right: a schema cannot say it."""


def read_transfer(document: Any) -> None:
    """Take a job in, and load it: its flow is read only then, where its classes are known."""
    with open_store("memory:") as store:
        store.load(store.admit(document))


def refusal(read: Callable[[Any], Any], document: Any) -> SeriluxError | None:
    try:
        read(document)
    except SeriluxError as error:
        return error
    return None


def agree(validator: Draft202012Validator, read: Callable[[Any], Any], mutant: Mutant) -> None:
    error, valid = refusal(read, mutant.document), validator.is_valid(mutant.document)
    if error is None:
        assert valid, f"{mutant.what} at {mutant.path} is read, but refused by the schema"
    elif valid:
        assert NOT_OF_SHAPE.search(str(error)), f"{mutant.what} at {mutant.path} is refused by the reader only: {error}"


def flow_of(document: Any) -> Flow:
    flow = Flow()
    flow.deserialize(document)
    return flow


READERS: dict[str, Callable[[Any], Any]] = {"flow": flow_of, "job": read_job, "transfer": read_transfer}
BY_HAND = {name: json.loads((GOLDEN / "jobs" / "by_hand" / f"{name}.json").read_text()) for name in ("flow", "job")}
RICH = {
    "flow": json.loads((GOLDEN / "flows" / "shop.json").read_text()),
    "job": rich_document(),
    "transfer": json.loads((GOLDEN / "transfers" / "moved" / "transfer.json").read_text()),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_whatever_is_wrong_with_a_small_document_both_refuse_it(name: str) -> None:
    for mutant in mutants(BY_HAND[name]):
        agree(VALIDATORS[name], READERS[name], mutant)


@pytest.mark.parametrize("name", READERS)
def test_most_of_what_is_wrong_with_a_rich_document_both_refuse(name: str) -> None:
    wrong = list(mutants(RICH[name]))
    for mutant in random.Random(0).sample(wrong, 300):
        agree(VALIDATORS[name], READERS[name], mutant)
