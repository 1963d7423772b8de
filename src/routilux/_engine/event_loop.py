"""Everything that needs asyncio: the loop thread of a flow's async handlers, and futures to be awaited."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any

from routilux._engine.coroutines import Cancellable


class _Running:
    __slots__ = ("_loop", "_wanted", "task")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._wanted = True
        self.task: asyncio.Task[None] | None = None

    def begin(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Start, on the loop's thread; a cancellation may have come before."""
        self.task = self._loop.create_task(coroutine)
        if not self._wanted:
            self.task.cancel()

    def cancel(self) -> None:
        """Cancel from any thread."""
        self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        self._wanted = False
        if self.task is not None:
            self.task.cancel()


class LoopThread:
    """An event loop that starts with the first coroutine."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, coroutine: Coroutine[Any, Any, None]) -> Cancellable:
        """Run a coroutine on the loop's thread."""
        loop = self._started_loop()
        running = _Running(loop)
        loop.call_soon_threadsafe(running.begin, coroutine)
        return running

    def close(self) -> None:
        """Stop the loop and its thread."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None:
            loop.call_soon_threadsafe(loop.stop)

    def _started_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_run, args=(self._loop,), name=self._name, daemon=True).start()
            return self._loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()


async def await_future(future: "Future[None]", timeout: float | None = None) -> None:
    """Wait, in the caller's event loop, until the future is done; TimeoutError after `timeout` seconds."""
    await asyncio.wait_for(asyncio.wrap_future(future), timeout)
