"""Tasks that may run now, in the order in which they will."""

from collections import deque
from collections.abc import Iterator
from heapq import heappop

import msgspec

from routilux._core.heaps import Heap, pushed
from routilux._records import Task


class ReadyQueue(msgspec.Struct, eq=False, gc=False):
    """Highest priority first, and in order of arrival within one priority.

    Priority 0, which nearly every task has, is the `plain` queue; the others share the heap `ranked`. While that is
    empty, `plain` may be used directly.
    """

    plain: deque[Task] = msgspec.field(default_factory=deque)
    ranked: Heap = ()
    _arrivals: int = 0

    def __len__(self) -> int:
        return len(self.plain) + len(self.ranked)

    def __iter__(self) -> Iterator[Task]:
        ranked = [(rank, task) for rank, _, task in sorted(self.ranked)]
        yield from (task for rank, task in ranked if rank < 0)
        yield from self.plain
        yield from (task for rank, task in ranked if rank > 0)

    def push(self, task: Task) -> None:
        """Put a task behind all that have its priority."""
        if task.priority == 0:
            self.plain.append(task)
        else:
            self._arrivals += 1
            self.ranked = pushed(self.ranked, (-task.priority, self._arrivals, task))

    def peek(self) -> Task:
        """The task that runs next; IndexError when there is none."""
        ranked = self.ranked
        return ranked[0][2] if ranked and (ranked[0][0] < 0 or not self.plain) else self.plain[0]

    def pop(self) -> Task:
        """Take the task that runs next; IndexError when there is none."""
        ranked = self.ranked
        return heappop(ranked)[2] if ranked and (ranked[0][0] < 0 or not self.plain) else self.plain.popleft()
