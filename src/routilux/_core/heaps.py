"""Heaps of tasks. Most jobs need none: until something is pushed there is no list."""

from heapq import heappush

from routilux._records import Task

Heap = list[tuple[float, int, Task]] | tuple[()]
"""The least entry comes first; the second part, which differs, decides among those whose first part is the same."""


def pushed(heap: Heap, entry: tuple[float, int, Task]) -> Heap:
    """The heap with one entry more; it is the same list, where there is one."""
    entries = heap or []
    heappush(entries, entry)
    return entries
