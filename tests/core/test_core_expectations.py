"""Which task is delivered to, and which has waited for too long."""

import pytest

from routilux._core.expectations import Expectations
from routilux._records import Task
from tests.core.hand_made import ANSWER, EARLIER, LATER, NOW, WORKER, expectation


def waiting(*entries: object) -> Expectations:
    expectations = Expectations()
    for entry in entries:
        expectations.add(entry)
    return expectations


def test_the_task_that_began_to_wait_first_is_the_oldest_whatever_its_number() -> None:
    first, second = expectation(2), expectation(1)
    assert waiting(first, second).oldest(ANSWER) is first


def test_the_next_one_is_the_oldest_when_the_oldest_has_gone() -> None:
    first, second = expectation(1), expectation(2)
    expectations = waiting(first, second)
    expectations.discard(first)
    assert expectations.oldest(ANSWER) is second


def test_nothing_waits_on_another_slot() -> None:
    assert waiting(expectation(1)).oldest(WORKER) is None


def test_what_does_not_wait_may_be_discarded() -> None:
    expectations = waiting(expectation(1))
    expectations.discard(expectation(2))
    assert list(expectations.tasks) == [1]


def test_the_overdue_come_by_deadline_and_stay_overdue_until_they_are_discarded() -> None:
    late, later, never = expectation(1, deadline=NOW), expectation(2, deadline=EARLIER), expectation(3)
    expectations = waiting(late, later, never, expectation(4, deadline=LATER))
    assert [expectations.overdue(NOW) for _ in range(2)] == [[later, late], [later, late]]


def test_of_those_with_one_deadline_the_first_to_wait_is_the_first_to_be_overdue() -> None:
    first, second = expectation(2, deadline=EARLIER), expectation(1, deadline=EARLIER)
    assert waiting(first, second).overdue(NOW) == [first, second]


def test_a_task_that_waits_anew_until_the_same_moment_is_overdue_once() -> None:
    entry, again = expectation(1, deadline=NOW), expectation(1, deadline=NOW, retry_count=1)
    expectations = waiting(entry)
    expectations.discard(entry)
    expectations.add(again)
    assert expectations.overdue(NOW) == [again]


@pytest.mark.parametrize("deadline", [NOW, None])
def test_the_deadline_of_a_task_that_has_gone_is_not_the_next(deadline: float | None) -> None:
    gone = expectation(1, deadline=EARLIER)
    expectations = waiting(gone, expectation(2, deadline=deadline))
    expectations.discard(gone)
    assert expectations.next_deadline() == deadline


@pytest.mark.parametrize("others", [[], [expectation(0, deadline=EARLIER)]])
def test_deadlines_of_tasks_that_have_gone_do_not_pile_up(others: list[Task]) -> None:
    expectations = waiting(*others)
    for number in range(1, 1000):
        entry = expectation(number, deadline=LATER)
        expectations.add(entry)
        expectations.discard(entry)
    assert len(expectations._deadlines) < 100
