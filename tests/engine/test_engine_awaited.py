"""What comes true once wakes all who wait for it, wherever they wait."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from routilux._engine.awaited import Awaited
from routilux._engine.event_loop import until_true


def test_who_waits_goes_on_when_it_comes_true() -> None:
    awaited, waiting = Awaited(), threading.Barrier(4)

    def wait() -> str:
        waiting.wait(10)
        awaited.wait(10)
        return "gone on"

    with ThreadPoolExecutor(3) as pool:
        waiters = [pool.submit(wait) for _ in range(3)]
        waiting.wait(10)
        awaited.come_true()
        assert [waiter.result(10) for waiter in waiters] == ["gone on"] * 3


def test_what_has_come_true_is_not_waited_for() -> None:
    awaited = Awaited()
    awaited.come_true()
    awaited.wait(0)
    awaited.wait(0)
    assert awaited.is_done


@pytest.mark.parametrize("timeout", [0.0, 0.001, -1.0])
def test_waiting_ends_at_its_timeout(timeout: float) -> None:
    with pytest.raises(TimeoutError):
        Awaited().wait(timeout)


def test_a_failure_is_raised_wherever_somebody_waits() -> None:
    awaited = Awaited()
    awaited.come_true(LookupError("gone"))
    for _ in range(2):
        with pytest.raises(LookupError, match="gone"):
            awaited.wait()


def test_the_first_time_counts() -> None:
    awaited = Awaited()
    awaited.come_true()
    awaited.come_true(LookupError("too late"))
    awaited.wait(0)


def test_listeners_are_told_once_before_and_after() -> None:
    awaited, told = Awaited(), list[str]()
    awaited.tell(lambda: told.append("before"))
    assert told == []
    awaited.come_true()
    awaited.tell(lambda: told.append("after"))
    assert told == ["before", "after"]


def test_a_listener_that_comes_just_then_is_told_once() -> None:
    for _ in range(100):
        awaited, start, told = Awaited(), threading.Barrier(2), list[int]()

        def listen(awaited: Awaited = awaited, start: threading.Barrier = start, told: list[int] = told) -> None:
            start.wait(10)
            awaited.tell(lambda: told.append(1))

        listening = threading.Thread(target=listen)
        listening.start()
        start.wait(10)
        awaited.come_true()
        listening.join(10)
        assert told == [1]


def test_a_coroutine_goes_on_when_it_comes_true() -> None:
    awaited = Awaited()

    async def wait() -> None:
        waiting = asyncio.create_task(until_true(awaited))
        await asyncio.sleep(0)
        threading.Thread(target=awaited.come_true).start()
        await asyncio.wait_for(waiting, 10)

    asyncio.run(wait())


def test_a_failure_is_raised_in_a_coroutine() -> None:
    awaited = Awaited()
    awaited.come_true(LookupError("gone"))
    with pytest.raises(LookupError, match="gone"):
        asyncio.run(until_true(awaited, 10))


def test_a_coroutine_waits_no_longer_than_its_timeout() -> None:
    with pytest.raises(TimeoutError):
        asyncio.run(until_true(Awaited(), 0.001))


def test_a_coroutine_that_gave_up_is_in_nobodys_way() -> None:
    awaited = Awaited()

    async def give_up() -> None:
        waiting, patient = asyncio.create_task(until_true(awaited)), asyncio.create_task(until_true(awaited))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        awaited.come_true()
        await asyncio.wait_for(patient, 10)

    asyncio.run(give_up())


def test_a_loop_that_was_closed_is_in_nobodys_way() -> None:
    awaited = Awaited()
    with pytest.raises(TimeoutError):
        asyncio.run(until_true(awaited, 0.001))
    awaited.come_true()
    awaited.wait(0)
