"""Data that waits in a flow's own slots becomes tasks, and policies show the retries of a resumed job.

Page: Automatic Task Recovery.
"""

from collections.abc import Mapping

from routilux._core.job import Job
from routilux._graph import SlotNode
from routilux._model import RoutineStatus, SlotKey
from routilux._records import Task
from routilux.error_handler import ErrorHandler
from routilux.routine import Routine
from routilux.slot import Slot

_OVER = frozenset({RoutineStatus.COMPLETED, RoutineStatus.FAILED, RoutineStatus.CANCELLED, RoutineStatus.SKIPPED})


def slots_to_recover(
    job: Job, routines: Mapping[str, Routine], flow_policy: ErrorHandler | None
) -> dict[SlotKey, Slot]:
    """The slots whose data has no pending task, and whose routine is not over and may fail once more."""
    pending = {task.target for task in job.pending()}
    return {
        SlotKey(routine_id, slot.name): slot
        for routine_id, routine in routines.items()
        for slot in routine.slots.values()
        if slot.holds_data and slot.handler is not None and SlotKey(routine_id, slot.name) not in pending
        if job.routine_status(routine_id) not in _OVER
        if _has_retries_left(routine.get_error_handler() or flow_policy)
    }


def _has_retries_left(policy: ErrorHandler | None) -> bool:
    return policy is None or policy.has_retries_left()


def recovered_task(node: SlotNode, slot: Slot, policy: ErrorHandler | None) -> Task:
    """The task that takes a slot's data out of it; with the connection and its priority, if there is but one."""
    source, priority = node.sources[0] if len(node.sources) == 1 else (None, 0)
    retry_count = 0 if policy is None else policy.retry_count
    return Task(0, node.key, slot.take_data(), source, priority, retry_count=retry_count)


def mirror_retries(task: Task, policy: ErrorHandler | None) -> None:
    """Let a policy show how often a task has been retried."""
    if policy is not None and task.retry_count:
        policy.retry_count = task.retry_count
