"""What is read lies in memory no more often than it has to, however many small things are in a document (law 8)."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.fuzz.targets import TARGETS, Reader

MANY = 4_000
"""So many that one copy of them more than is allowed would be seen beside what is always spared."""
DENSE = [{"a": []}, {"$set": [1]}]


def into_log(job: Any, values: list[Any]) -> None:
    job["shared_log"] = values


def into_state(job: Any, values: list[Any]) -> None:
    next(iter(job["routine_states"].values()))["state"] = {"many": values}


def into_history(job: Any, values: list[Any]) -> None:
    job["execution_history"][0]["data"] = {"many": values}


def into_task(job: Any, values: list[Any]) -> None:
    job["pending_tasks"][0]["data"] = {"many": values}


PLACES = [("job", put) for put in (into_log, into_state, into_history, into_task)] + [("transfer", into_state)]


@pytest.mark.parametrize("value", DENSE, ids=json.dumps)
@pytest.mark.parametrize(("name", "put"), PLACES, ids=lambda each: getattr(each, "__name__", each))
def test_many_small_values_in_a_job(name: str, put: Callable[[Any, list[Any]], None], value: Any) -> None:
    document = next(read for read in map(json.loads, TARGETS[name].corpus()) if is_busy(read.get("job", read)))
    put(document.get("job", document), [value] * MANY)
    reader = Reader(name)
    reader.examine(json.dumps(document))
    assert reader.accepted == 1


def is_busy(job: Any) -> bool:
    return all(job.get(name) for name in ("routine_states", "execution_history", "pending_tasks"))


@pytest.mark.parametrize("value", DENSE, ids=json.dumps)
@pytest.mark.parametrize("name", ["flow", "transfer"])
def test_many_small_values_in_a_configuration(name: str, value: Any) -> None:
    document = json.loads(TARGETS[name].corpus()[0])
    routine = next(iter(document.get("flow", document)["routines"].values()))
    routine["_config"] = {"many": [value] * MANY}
    reader = Reader(name)
    reader.examine(json.dumps(document))
    assert reader.accepted == 1
