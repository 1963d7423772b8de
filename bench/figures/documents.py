"""What saving and restoring a job costs: paused, 10,000 history records, 10,000 pending tasks, no garbage collector."""

import json
from typing import Any

from bench.effort import Effort
from bench.outcome import Outcome, at_most_times
from bench.pairs import in_pairs, seconds, without_garbage_collector
from bench.workloads import paused_with
from routilux import JobState

ITEMS = 10_000


def serialize_flat(effort: Effort) -> Outcome:
    """`serialize` of the big job, its data four plain fields; floor: `json.dumps` of the document."""
    return _serialize("flat", effort)


def serialize_nested(effort: Effort) -> Outcome:
    """`serialize` of the big job, its data a list and a dict; floor: `json.dumps` of the document."""
    return _serialize("nested", effort)


def serialize_objects(effort: Effort) -> Outcome:
    """`serialize` of the big job, its data objects of a class; floor: `json.dumps` of the document."""
    return _serialize("objects", effort, goal=6)


def deserialize_flat(effort: Effort) -> Outcome:
    """`json.loads` and `deserialize` of the big job, its data four plain fields; floor: `json.loads`."""
    return _deserialize("flat", effort)


def deserialize_nested(effort: Effort) -> Outcome:
    """`json.loads` and `deserialize` of the big job, its data a list and a dict; floor: `json.loads`."""
    return _deserialize("nested", effort)


def deserialize_objects(effort: Effort) -> Outcome:
    """`json.loads` and `deserialize` of the big job, its data objects of a class; floor: `json.loads`."""
    return _deserialize("objects", effort, goal=9)


def _serialize(shape: str, effort: Effort, goal: float = 1) -> Outcome:
    job = paused_with(effort.sized(ITEMS), shape)
    document = job.serialize()
    with without_garbage_collector():
        pairs = in_pairs(
            lambda: seconds(lambda: json.dumps(document)), lambda: seconds(job.serialize), 2 * effort.pairs
        )
    return at_most_times(pairs, goal, "ms")


def _deserialize(shape: str, effort: Effort, goal: float = 2) -> Outcome:
    text = json.dumps(paused_with(effort.sized(ITEMS), shape).serialize())
    with without_garbage_collector():
        pairs = in_pairs(
            lambda: seconds(lambda: json.loads(text)), lambda: seconds(lambda: _read(text)), 2 * effort.pairs
        )
    return at_most_times(pairs, goal, "ms")


def _read(text: str) -> tuple[Any, JobState]:
    """The job and its document, which nobody frees while the clock runs."""
    document = json.loads(text)
    job = JobState()
    job.deserialize(document)
    return document, job


DOCUMENTS = {
    "serialize_flat": serialize_flat,
    "serialize_nested": serialize_nested,
    "serialize_objects": serialize_objects,
    "deserialize_flat": deserialize_flat,
    "deserialize_nested": deserialize_nested,
    "deserialize_objects": deserialize_objects,
}
