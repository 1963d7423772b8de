"""Coroutines as a port; asyncio, a third of what importing this library costs, is loaded with the first of them."""

import threading
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Protocol, TypeVar

from routilux._engine.awaited import Awaited
from routilux._forks import renew_after_fork

T = TypeVar("T")


class Cancellable(Protocol):
    """A coroutine that runs somewhere."""

    def cancel(self) -> None:
        """Have it raise CancelledError where it waits. Any thread may call this."""


class Coroutines(Protocol):
    """Whatever it is that runs coroutines."""

    def start(self, coroutine: Coroutine[Any, Any, None]) -> Cancellable:
        """Run a coroutine. Any thread may call this. NoThreadError where there is nothing to run it."""

    def close(self) -> None:
        """Run nothing more."""


class LazyLoopThread:
    """A `LoopThread` that comes into being with the first coroutine."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._closed = False
        self._begin_anew()
        renew_after_fork(self)

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        self._loop_thread: Coroutines | None = None

    def start(self, coroutine: Coroutine[Any, Any, None]) -> Cancellable:
        """Run a coroutine on the loop's thread; NoThreadError where that cannot be started."""
        with self._lock:
            if self._loop_thread is None:
                from routilux._engine.event_loop import LoopThread  # noqa: PLC0415 - see the module's docstring

                self._loop_thread = LoopThread(self._name)
            running = self._loop_thread.start(coroutine)
            if self._closed:
                self._loop_thread.close()
            return running

    def close(self) -> None:
        """Stop the loop and its thread."""
        with self._lock:
            self._closed = True
            if self._loop_thread is not None:
                self._loop_thread.close()


async def until_true(awaited: Awaited, timeout: float | None = None) -> None:
    """Wait, in the caller's event loop, until it has come true; TimeoutError after `timeout` seconds."""
    from routilux._engine import event_loop  # noqa: PLC0415 - see the module's docstring

    await event_loop.until_true(awaited, timeout)


async def call_in_thread(call: Callable[[], T]) -> T:
    """Wait, in the caller's event loop, for what a call that blocks gives."""
    from routilux._engine import event_loop  # noqa: PLC0415 - see the module's docstring

    return await event_loop.call_in_thread(call)


@types.coroutine
def breathe() -> Generator[None, None, None]:
    """Let the other coroutines of the loop have a turn."""
    yield
