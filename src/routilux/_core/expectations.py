"""Tasks that wait to be delivered to."""

from collections import OrderedDict
from heapq import heapify, heappop

import msgspec

from routilux._core.heaps import Heap, pushed
from routilux._model import SlotKey
from routilux._records import Task


class Expectations(msgspec.Struct, eq=False, gc=False):
    """Waiting tasks by number, in the order in which they began to wait; found by slot and by deadline (law 10)."""

    tasks: dict[int, Task] = {}
    _slots: dict[SlotKey, OrderedDict[int, Task]] = {}
    _deadlines: Heap = ()
    _arrivals: int = 0
    _crowded: int = 64

    def add(self, task: Task) -> None:
        """Let a task wait behind the others."""
        self.tasks[task.number] = task
        self._slots.setdefault(task.target, OrderedDict())[task.number] = task
        if task.deadline is not None:
            self._arrivals += 1
            self._deadlines = pushed(self._deadlines, (task.deadline, self._arrivals, task))

    def discard(self, task: Task) -> None:
        """Let a task wait no longer, if it does."""
        if self.tasks.pop(task.number, None) is not None:
            del self._slots[task.target][task.number]
            if len(self._deadlines) > self._crowded:
                self._forget_deadlines()

    def oldest(self, key: SlotKey) -> Task | None:
        """The task that has waited longest on a slot."""
        return next(iter(self._slots.get(key, {}).values()), None)

    def on(self, key: SlotKey) -> list[Task]:
        """The tasks that wait on a slot, longest first."""
        return [*self._slots.get(key, {}).values()]

    def slots(self) -> list[SlotKey]:
        """Where tasks wait."""
        return sorted(key for key, tasks in self._slots.items() if tasks)

    def next_deadline(self) -> float | None:
        """When the first of them has waited for long enough."""
        deadlines = self._deadlines
        while deadlines and not self._waits(deadlines[0][2]):
            heappop(deadlines)
        return deadlines[0][0] if deadlines else None

    def overdue(self, now: float) -> list[Task]:
        """The tasks that have waited for longer than they may, by deadline."""
        heap, met = self._deadlines, []
        while heap and (deadline := self.next_deadline()) is not None and deadline <= now:
            met.append(heappop(heap))
        for entry in met:
            self._deadlines = pushed(self._deadlines, entry)
        return [task for _, _, task in met]

    def _waits(self, task: Task) -> bool:
        return self.tasks.get(task.number) is task

    def _forget_deadlines(self) -> None:
        """Keep deadlines of tasks that were delivered to long before from piling up."""
        self._deadlines = [entry for entry in self._deadlines if self._waits(entry[2])]
        heapify(self._deadlines)
        self._crowded = 64 + 2 * len(self._deadlines)
