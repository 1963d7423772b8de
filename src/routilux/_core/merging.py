"""Arriving data and the data of its slot: merged once per task, when the task is first taken (law 1)."""

from routilux._core.job import Job
from routilux._graph import SlotNode
from routilux._model import MergeKind
from routilux._records import Data, Task, values_seen


def merge(job: Job, node: SlotNode, task: Task) -> None:
    """Merge a taken task's data into its slot, unless the slot has a function of its own for that."""
    if node.merge is MergeKind.OVERRIDE:
        override(job, task)
    elif node.merge is MergeKind.APPEND:
        append(job, node, task)


def override(job: Job, task: Task) -> None:
    """Let a task's data replace that of its slot; `RunningJob._run_in_turn` has a copy of this."""
    if task.merged is None:
        task.merged = job.slot_data[task.target] = task.data or {}


def append(job: Job, node: SlotNode, task: Task) -> None:
    """Append a task's data to that of its slot, parameter by parameter."""
    if task.seen is not None or task.merged is not None:
        return
    values = job.slot_data.setdefault(node.key, {})
    for name, value in (task.data or {}).items():
        values.setdefault(name, []).append(value)
    task.seen = {name: len(seen) for name, seen in values.items()}


def put_merged(job: Job, task: Task, merged: Data) -> None:
    """Put what a slot's own function made of its old data and the task's into the slot."""
    task.merged = job.slot_data[task.target] = merged


def adopt(job: Job, node: SlotNode, task: Task) -> None:
    """Take up data that waited in the flow's own slot: for a slot that appends these are lists already."""
    if node.merge is not MergeKind.APPEND or task.data is None:
        return
    values = job.slot_data.setdefault(node.key, {})
    for name, seen in task.data.items():
        values.setdefault(name, []).extend(values_seen(seen))
    task.seen = {name: len(seen) for name, seen in values.items()}


def given(job: Job, node: SlotNode, task: Task) -> Data:
    """What a taken task's handler is to see: lists are its own, what is in them is not yet a copy."""
    if task.seen is None:
        return task.merged or {}
    values = job.slot_data[node.key]
    return {name: values[name][:count] for name, count in task.seen.items()}


def shown(job: Job, node: SlotNode, task: Task) -> Data:
    """The same for a predicate, which only looks: a list that has not grown since is not copied (law 10)."""
    if task.seen is None:
        return dict(task.merged or {})
    values = job.slot_data[node.key]
    return {
        name: values[name] if len(values[name]) == count else values[name][:count] for name, count in task.seen.items()
    }
