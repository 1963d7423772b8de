"""Tasks that may run now, in the order in which they will."""

from collections import deque
from collections.abc import Iterator
from heapq import heappop, heappush

from routilux._records import Task


class ReadyQueue:
    """Highest priority first, and in order of arrival within one priority.

    Priority 0, which nearly every task has, is a plain queue; the others share a heap.
    """

    __slots__ = ("_arrivals", "_plain", "_ranked")

    def __init__(self) -> None:
        self._plain: deque[Task] = deque()
        self._ranked: list[tuple[int, int, Task]] = []
        self._arrivals = 0

    def __len__(self) -> int:
        return len(self._plain) + len(self._ranked)

    def __iter__(self) -> Iterator[Task]:
        ranked = [(rank, task) for rank, _, task in sorted(self._ranked)]
        yield from (task for rank, task in ranked if rank < 0)
        yield from self._plain
        yield from (task for rank, task in ranked if rank > 0)

    def push(self, task: Task) -> None:
        """Put a task behind all that have its priority."""
        if task.priority == 0:
            self._plain.append(task)
        else:
            self._arrivals += 1
            heappush(self._ranked, (-task.priority, self._arrivals, task))

    def peek(self) -> Task:
        """The task that runs next; IndexError when there is none."""
        if self._ranked and (self._ranked[0][0] < 0 or not self._plain):
            return self._ranked[0][2]
        return self._plain[0]

    def pop(self) -> Task:
        """Take the task that runs next; IndexError when there is none."""
        if self._ranked and (self._ranked[0][0] < 0 or not self._plain):
            return heappop(self._ranked)[2]
        return self._plain.popleft()
