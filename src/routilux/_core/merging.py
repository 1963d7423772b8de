"""Arriving data and the data of its slot: merged once per task, when the task is first taken (law 1)."""

from typing import assert_never

from routilux._core.job import Job
from routilux._graph import SlotNode
from routilux._model import MergeKind
from routilux._records import Data, Task


def merge(job: Job, node: SlotNode, task: Task, arrived: Data, computed: Data | None = None) -> None:
    """Merge what arrived into the slot; `computed` is what the slot's own merge function made of it, if it has one."""
    if node.merge is MergeKind.OVERRIDE:
        task.merged = job.slot_data[node.key] = arrived
    elif node.merge is MergeKind.APPEND:
        task.merged = _append(job.slot_data.setdefault(node.key, {}), arrived)
    elif node.merge is MergeKind.FUNCTION:
        assert computed is not None
        task.merged = job.slot_data[node.key] = computed
    else:
        assert_never(node.merge)


def _append(values: Data, arrived: Data) -> Data:
    for name, value in arrived.items():
        values.setdefault(name, []).append(value)
    return {name: len(seen) for name, seen in values.items()}


def adopt(job: Job, node: SlotNode, task: Task) -> None:
    """Take up data that waited in the flow's own slot: for a slot that appends these are lists already."""
    if node.merge is not MergeKind.APPEND or task.data is None:
        return
    values = job.slot_data.setdefault(node.key, {})
    for name, seen in task.data.items():
        values.setdefault(name, []).extend(seen if isinstance(seen, list) else [seen])
    task.merged = {name: len(seen) for name, seen in values.items()}


def given(job: Job, node: SlotNode, task: Task) -> Data:
    """What a taken task's handler is to see: not yet a copy."""
    merged = task.merged
    assert merged is not None
    if node.merge is not MergeKind.APPEND:
        return merged
    values = job.slot_data[node.key]
    return {name: values[name][:count] for name, count in merged.items()}
