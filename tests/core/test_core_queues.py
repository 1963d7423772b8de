"""The ready queue against a sorted list, and the bounded history against a plain one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routilux._core.history import BoundedHistory
from routilux._core.ready_queue import ReadyQueue
from routilux._records import Task
from tests.core.hand_made import record, task


def queue_of(*priorities: int) -> ReadyQueue:
    queue = ReadyQueue()
    for number, priority in enumerate(priorities, 1):
        queue.push(task(number, priority=priority))
    return queue


def drained(queue: ReadyQueue) -> list[int]:
    return [queue.pop().number for _ in range(len(queue))]


ORDERS = {
    "in order of arrival": ([0, 0, 0], [1, 2, 3]),
    "higher first": ([1, 0, 2], [3, 1, 2]),
    "lower last": ([-1, 0, -2], [2, 1, 3]),
    "in order of arrival within a priority": ([5, -5, 0, 5, -5, 0], [1, 4, 3, 6, 2, 5]),
}


@pytest.mark.parametrize("how", ORDERS)
def test_tasks_come_out(how: str) -> None:
    priorities, order = ORDERS[how]
    assert drained(queue_of(*priorities)) == order


@pytest.mark.parametrize("how", ORDERS)
def test_tasks_are_listed_as_they_come_out(how: str) -> None:
    priorities, order = ORDERS[how]
    assert [entry.number for entry in queue_of(*priorities)] == order


def test_listing_a_queue_leaves_it_as_it_was() -> None:
    queue = queue_of(0, 1, -1)
    list(queue)
    assert len(queue) == 3


def test_peeking_takes_nothing() -> None:
    queue = queue_of(0, 1)
    assert (queue.peek().number, len(queue)) == (2, 2)


def test_peeking_sees_a_low_priority_where_there_is_nothing_else() -> None:
    assert queue_of(-3).peek().number == 1


def test_an_empty_queue_is_false() -> None:
    assert bool(ReadyQueue()) is False


def by_priority(model: list[Task]) -> list[Task]:
    return sorted(model, key=lambda entry: -entry.priority)


@given(st.lists(st.one_of(st.none(), st.integers(-2, 2)), max_size=40))
def test_a_queue_is_a_list_that_is_stably_sorted_by_priority(steps: list[int | None]) -> None:
    """A number pushes a task of that priority; None pops."""
    queue, model = ReadyQueue(), list[Task]()
    for number, step in enumerate(steps):
        if step is not None:
            queue.push(task(number, priority=step))
            model.append(task(number, priority=step))
        elif model:
            first = by_priority(model)[0]
            assert (queue.peek(), queue.pop()) == (first, first)
            model.remove(first)
        assert (list(queue), len(queue)) == (by_priority(model), len(model))


# History.


def history_of(limit: int, count: int, dropped: int = 0) -> BoundedHistory:
    return BoundedHistory([record("r", str(number)) for number in range(count)], limit, dropped)


def test_a_bounded_history_keeps_the_newest() -> None:
    assert [entry.event_name for entry in history_of(2, 5)] == ["3", "4"]


def test_a_bounded_history_counts_what_it_has_dropped() -> None:
    assert history_of(2, 5, dropped=10).dropped == 13


def test_a_history_within_its_bound_drops_nothing() -> None:
    assert history_of(5, 5).dropped == 0


def test_a_history_may_keep_nothing_at_all() -> None:
    history = history_of(0, 3)
    assert (list(history), history.dropped) == ([], 3)


@given(st.integers(0, 4), st.lists(st.integers(0, 3), max_size=6))
def test_what_is_kept_and_what_is_dropped_is_all_there_was(limit: int, batches: list[int]) -> None:
    history, whole = BoundedHistory([], limit), list[object]()
    for size in batches:
        batch = [record("r", str(len(whole) + index)) for index in range(size)]
        history.extend(batch)
        whole.extend(batch)
    assert (list(history), history.dropped) == (whole[max(len(whole) - limit, 0) :], max(len(whole) - limit, 0))
