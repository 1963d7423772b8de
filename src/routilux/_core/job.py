"""All the data of one job."""

from collections.abc import Iterator
from heapq import heappop
from itertools import chain
from typing import Any

import msgspec

from routilux._core.alike import SHOWN
from routilux._core.expectations import Expectations
from routilux._core.heaps import Heap, pushed
from routilux._core.history import BoundedHistory, UnreadRecords
from routilux._core.ready_queue import ReadyQueue
from routilux._model import SETTLED, Durability, JobStatus, RoutineStatus, SlotKey
from routilux._records import (
    Addressee,
    AppliedPlan,
    Data,
    ErrorInfo,
    HistoryRecord,
    PausePoint,
    RoutineState,
    Task,
    changed_often,
    task_id,
    task_number,
)
from routilux._texts import shown_text
from routilux.errors import listed


class PauseRequest(msgspec.Struct, frozen=True):
    """A pause that takes effect when the activations in flight have committed."""

    reason: str
    checkpoint: Data


@changed_often
class Job(msgspec.Struct, eq=False, gc=False):
    """One run of a flow.

    A task is in exactly one of `ready`, `delayed` (waits for its due time), `expecting` (waits to be delivered to),
    `active` (its handler runs) and `failed`; when it settles it is in none. `history` is what has come to the `unread`
    records of the document that the job was read from, until somebody looks at all `records`.
    """

    job_id: str
    flow_id: str
    created_at: float
    updated_at: float = 0.0
    fingerprint: str = ""
    epoch: int = 0
    status: JobStatus = JobStatus.PENDING

    next_number: int = 1
    ready: ReadyQueue = msgspec.field(default_factory=ReadyQueue)
    delayed: Heap = ()
    expecting: Expectations = msgspec.field(default_factory=Expectations)
    active: dict[int, Task] = {}
    failed: list[Task] | tuple[()] = ()

    routines: dict[str, RoutineState] = {}
    history: list[HistoryRecord] | BoundedHistory = []
    unread: tuple[UnreadRecords, ...] = ()
    slot_data: dict[SlotKey, Data] = {}
    shared_data: Data = {}
    shared_versions: dict[str, int] = {}
    shared_log: list[Any] | tuple[()] = ()
    pause_points: tuple[PausePoint, ...] = ()
    plans: tuple[AppliedPlan, ...] = ()
    error: ErrorInfo | None = None
    cancel_reason: str | None = None

    timeout: float | None = None
    durability: Durability = Durability.GROUP
    elapsed: float = 0.0
    running_since: float | None = None
    closing: PauseRequest | ErrorInfo | None = None
    hold_until: float | None = None

    def __post_init__(self) -> None:
        self.updated_at = self.updated_at or self.created_at

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do."""
        return self.status in SETTLED

    @property
    def idle(self) -> bool:
        """Whether no task runs, may run or waits."""
        ready = self.ready
        return not (self.active or ready.plain or ready.ranked or self.delayed or self.expecting.tasks)

    @property
    def stuck(self) -> bool:
        """Whether nothing goes on unless somebody delivers."""
        return bool(self.expecting.tasks) and not (self.ready or self.active or self.delayed)

    @property
    def coming_error(self) -> ErrorInfo | None:
        """Why it fails as soon as nothing of it runs any more."""
        return self.closing if isinstance(self.closing, ErrorInfo) else None

    def records(self) -> list[HistoryRecord] | BoundedHistory:
        """All of its history, oldest first."""
        if self.unread:
            earlier = chain.from_iterable(map(UnreadRecords.records, self.unread))
            self.history, self.unread = [*earlier, *self.history], ()
        return self.history

    def awaited(self, to: Addressee) -> Task | None:
        """The task that a delivery is for; None where it does not wait there, or nothing does."""
        if to.task_id is None:
            return self.expecting.oldest(to.slot)
        task = self.expecting.tasks.get(task_number(to.task_id))
        return task if task is not None and to == Addressee(task.target, self._name(task)) else None

    def _name(self, task: Task) -> str:
        return task_id(self.job_id, task.number)

    def unawaited(self, to: Addressee) -> str:
        """Say that it does not wait there, what does, and how many tasks have yet to begin."""
        slots = "" if self.settled else ", ".join(map(str, self.expecting.slots()))
        where = f"it waits on {slots or 'no slot'}{self._queued()}"
        if to.task_id is None:
            return f"waits for nothing on {to.slot}; {where}"
        return f"has no task {shown_text(to.task_id)} that waits on {to.slot}; {self._waiting_on(to.slot) or where}"

    def _waiting_on(self, key: SlotKey) -> str:
        """Which tasks wait on a slot, the first few of them; "" where none does."""
        names = [] if self.settled else [self._name(task) for task in self.expecting.on(key)]
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        return f"there {'wait' if len(names) > 1 else 'waits'} {listed(names[:SHOWN])}{more}" if names else ""

    def _queued(self) -> str:
        count = 0 if self.settled else len(self.ready)
        return f"; {count} {'task is' if count == 1 else 'tasks are'} queued" if count else ""

    def waiting(self) -> list[Task]:
        """Tasks that wait for their due time, then those that wait to be delivered to."""
        return [entry[2] for entry in sorted(self.delayed)] + list(self.expecting.tasks.values())

    def pending(self) -> list[Task]:
        """Every task that is not yet committed, in the order in which a resume takes them up (law 4)."""
        return [*self.active.values(), *self.ready, *self.waiting()]

    def unfinished(self) -> dict[str, Task]:
        """Every task that is pending or has failed, by its place in the job's document."""
        places = {f"pending_tasks[{index}]": task for index, task in enumerate(self.pending())}
        return places | {f"failed_tasks[{index}]": task for index, task in enumerate(self.failed)}

    def enlist(self, task: Task) -> None:
        """Put a task where its data says it belongs."""
        if task.data is None:
            self.expecting.add(task)
        elif task.due is not None:
            self.delayed = pushed(self.delayed, (task.due, task.number, task))
        else:
            self.ready.push(task)

    def add_failed(self, task: Task) -> None:
        """Keep a task for which the job fails."""
        self.failed = failed = self.failed or []
        failed.append(task)

    def add_logged(self, entries: list[Any]) -> None:
        """Write entries of the shared log."""
        if entries:
            self.shared_log = shared_log = self.shared_log or []
            shared_log.extend(entries)

    def enlist_all(self, tasks: list[Task]) -> None:
        """`enlist` each; nearly all there are, if they are many, are ready and of priority 0."""
        if not [task for task in tasks if task.data is None or task.due is not None or task.priority]:
            self.ready.plain.extend(tasks)
        else:
            for task in tasks:
                self.enlist(task)

    def pop_due(self, now: float) -> Iterator[Task]:
        """Take the tasks whose due time has come out of `delayed`, in order."""
        while self.delayed and self.delayed[0][0] <= now:
            yield heappop(self.delayed)[2]

    def overdue_expectations(self, now: float) -> list[Task]:
        """The tasks that have waited for a delivery for longer than they may; none while the job is closing."""
        return [] if self.closing is not None else self.expecting.overdue(now)

    def next_wake(self) -> float | None:
        """When something is due without anybody's doing, in seconds since the epoch."""
        times = [entry[0] for entry in self.delayed[:1]] if self.closing is None else []
        if self.closing is None and (deadline := self.expecting.next_deadline()) is not None:
            times.append(deadline)
        if self.hold_until is not None and (self.idle or self.closing is not None):
            times.append(self.hold_until)
        if self.running_since is not None and self.timeout is not None:
            times.append(self.running_since + self.timeout - self.elapsed)
        return min(times, default=None)

    def routine_status(self, routine_id: str) -> RoutineStatus | None:
        """A routine's status in this job, or None where it has had nothing to do yet."""
        return self.routine_statuses([routine_id])[routine_id]

    def routine_statuses(self, routine_ids: list[str]) -> dict[str, RoutineStatus | None]:
        """The status of each of these routines: what its tasks left make it, else the worst of its settled ones."""
        open_ids = {task.target.routine_id for task in self.pending()}
        active_ids = {task.target.routine_id for task in self.active.values()}
        return {routine_id: self._status(routine_id, open_ids, active_ids) for routine_id in routine_ids}

    def _status(self, routine_id: str, open_ids: set[str], active_ids: set[str]) -> RoutineStatus | None:
        if routine_id in open_ids:
            if self.status is JobStatus.CANCELLED:
                return RoutineStatus.CANCELLED
            return RoutineStatus.RUNNING if routine_id in active_ids else RoutineStatus.PENDING
        state = self.routines.get(routine_id)
        if state is None:
            return None
        return state.outcome or RoutineStatus.PENDING
