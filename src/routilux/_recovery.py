"""Data that waits in a flow's own slots becomes tasks, and policies show the retries of a resumed job.

Page: Automatic Task Recovery.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager

from routilux._core.job import Job
from routilux._engine.keeping import Custodian
from routilux._graph import Graph, SlotNode
from routilux._handler import policy_of
from routilux._model import RoutineStatus, SlotKey
from routilux._records import Data, Task
from routilux._verdict import Finding
from routilux.error_handler import ErrorHandler
from routilux.routine import Routine
from routilux.slot import Slot

_OVER = frozenset({RoutineStatus.COMPLETED, RoutineStatus.FAILED, RoutineStatus.CANCELLED, RoutineStatus.SKIPPED})


class Recovery:
    """What a resume makes of the data in a flow's slots; where the job does not go on, they get it back.

    Unless a store has the job with the tasks that were made of it, and only its answer was lost, or the job goes on and
    a signal has come before its caller knew: the data happens once.
    Where even that is not known, the slots get it back, as it may not be lost (law 2); the error says so.
    """

    def __init__(
        self,
        routines: Mapping[str, Routine],
        flow_policy: ErrorHandler | None,
        lock: AbstractContextManager[bool],
        custody: Custodian | None,
        is_at_work: Callable[[Job], bool],
    ) -> None:
        self._routines = routines
        self._flow_policy = flow_policy
        self._lock = lock
        self._custody = custody
        self._is_at_work = is_at_work
        self._job: Job | None = None
        self._taken: list[tuple[SlotKey, Slot, Data]] = []
        self._mirrored: list[tuple[ErrorHandler, int]] = []

    def tasks(self, job: Job, graph: Graph) -> list[Task]:
        """Tasks of the slots whose data has none pending, and whose routine is not over and may fail once more."""
        self._job = job
        with self._lock:
            slots = _slots_with_data(job, self._routines, self._flow_policy)
            recovered = [self._task(graph.slots[key], slot) for key, slot, reason in list(slots) if not reason]
        self._mirror_retries(job)
        return recovered

    def _task(self, node: SlotNode, slot: Slot) -> Task:
        """The task that takes a slot's data out of it; with the connection and its priority, if there is but one."""
        source, priority = node.sources[0] if len(node.sources) == 1 else (None, 0)
        policy = policy_of(self._routines[node.key.routine_id], self._flow_policy)
        data = slot.take_data()
        self._taken.append((node.key, slot, data))
        return Task(0, node.key, data, source, priority, retry_count=0 if policy is None else policy.retry_count)

    def __enter__(self) -> "Recovery":
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Have slots and policies as they were, slots with what they have received since, if anything is raised."""
        if error is None:
            return
        are_kept = self._are_kept()
        with self._lock:
            for _, slot, data in [] if are_kept else self._taken:
                slot.put_back(data)
            for policy, retry_count in reversed(self._mirrored):
                policy.retry_count = retry_count
        if are_kept is None and self._job is not None:
            slots = ", ".join(f"{key.routine_id}.{key.slot}" for key, *_ in self._taken)
            error.add_note(
                f"the data of {slots} waits in the flow again, and may be in the stored job {self._job.job_id!r}, too: "
                f"store.peek tells; empty the slots (slot.take_data()) if it is, or it will be worked on twice"
            )

    def _are_kept(self) -> bool | None:
        """Whether a store, or the job itself, has the tasks that were made of the data; None where it is not known."""
        if self._job is None:
            return False
        if self._custody is None:
            return self._is_at_work(self._job)
        targets = {key for key, *_ in self._taken}
        numbers = [task.number for task in self._job.pending() if task.target in targets]
        if not numbers:
            return False
        return self._custody.has_tasks(self._job, numbers)

    def _mirror_retries(self, job: Job) -> None:
        """Let policies show how often the pending tasks have been retried."""
        for task in job.pending():
            policy = policy_of(self._routines[task.target.routine_id], self._flow_policy)
            if policy is not None and task.retry_count:
                self._mirrored.append((policy, policy.retry_count))
                policy.retry_count = task.retry_count


def data_left(job: Job, routines: Mapping[str, Routine], flow_policy: ErrorHandler | None) -> Iterator[Finding]:
    """Say of each slot whose data a resume of this job leaves where it is, and why."""
    if job.settled:
        return
    for key, _, reason in _slots_with_data(job, routines, flow_policy):
        if reason:
            text = f"slot {key.slot!r} of routine {key.routine_id!r} holds data, which resume leaves there: {reason}"
            yield Finding(text, f"routines.{key.routine_id}._slots.{key.slot}._data", *key)


def _slots_with_data(
    job: Job, routines: Mapping[str, Routine], flow_policy: ErrorHandler | None
) -> Iterator[tuple[SlotKey, Slot, str]]:
    pending = {task.target for task in job.pending()}
    for routine_id, routine in routines.items():
        policy = policy_of(routine, flow_policy)
        for slot in routine.slots.values():
            if slot.holds_data:
                key = SlotKey(routine_id, slot.name)
                yield key, slot, _reason_to_leave(slot, key in pending, job.routine_status(routine_id), policy)


def _reason_to_leave(slot: Slot, has_task: bool, status: RoutineStatus | None, policy: ErrorHandler | None) -> str:
    if slot.handler is None:
        return "the slot has no handler"
    if has_task:
        return "the slot has a pending task already"
    if status in _OVER:
        return f"the routine is {status} in this job"
    if policy is not None and not policy.has_retries_left():
        return (
            f"its routine has no retries left (retry_count {policy.retry_count} of max_retries {policy.max_retries}); "
            f"set retry_count of its error handler to 0 to let it start anew"
        )
    return ""
