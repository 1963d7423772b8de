"""What a signal is while jobs are followed, and after that."""

import signal
from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from routilux.cli.signals import News, signals_to

BOTH = [signal.SIGINT, signal.SIGTERM]


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    former = {number: signal.signal(number, lambda number, frame: None) for number in BOTH}
    yield
    for number, handler in former.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("first", BOTH)
@pytest.mark.parametrize("second", BOTH)
def test_after_one_that_was_heard_the_next_has_the_process_leave(first: signal.Signals, second: signal.Signals) -> None:
    news: SimpleQueue[News] = SimpleQueue()
    left: list[bool] = []
    with signals_to(news, lambda: left.append(True)):
        signal.raise_signal(first)
        signal.raise_signal(second)
        assert (left, [news.get_nowait(), news.get_nowait()]) == ([], [first, second])
    signal.raise_signal(second)
    assert (left, news.empty()) == ([True], True)


def test_where_none_was_heard_they_are_what_they_were() -> None:
    former = {number: signal.getsignal(number) for number in BOTH}
    with signals_to(SimpleQueue(), lambda: pytest.fail("it left")):
        assert {number: signal.getsignal(number) for number in BOTH} != former
    assert {number: signal.getsignal(number) for number in BOTH} == former
