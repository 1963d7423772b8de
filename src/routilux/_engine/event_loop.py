"""Everything that needs asyncio: the loop thread of a flow's async handlers, and futures to be awaited."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import copy_context
from typing import Any, TypeVar, cast

from routilux._engine.awaited import Awaited
from routilux._engine.coroutines import Cancellable
from routilux._engine.threads import no_thread, start_thread, tell_of
from routilux.errors import NoThreadError

T = TypeVar("T")


class _Running:
    __slots__ = ("_loop", "_wanted", "task")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._wanted = True
        self.task: asyncio.Task[None] | None = None

    def begin(self, coroutine: Coroutine[Any, Any, None], ended: Callable[[Any], None]) -> None:
        """Start, on the loop's thread; a cancellation may have come before."""
        self.task = self._loop.create_task(coroutine)
        self.task.add_done_callback(ended)
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
    """An event loop that starts with the first coroutine and, when it has been closed, stops after the last."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unfinished = 0
        self._closed = False

    def start(self, coroutine: Coroutine[Any, Any, None]) -> Cancellable:
        """Run a coroutine on the loop's thread; NoThreadError where that cannot be started."""
        with self._lock:
            loop = self._started_loop()
            self._unfinished += 1
        running = _Running(loop)
        loop.call_soon_threadsafe(running.begin, coroutine, self._ended)
        return running

    def close(self) -> None:
        """Stop the loop and its thread when the coroutines have ended; tasks they left behind are cancelled."""
        with self._lock:
            self._closed = True
            self._stop_if_done()

    def _ended(self, task: Any) -> None:
        with self._lock:
            self._unfinished -= 1
            self._stop_if_done()

    def _stop_if_done(self) -> None:
        if self._closed and not self._unfinished and self._loop is not None:
            loop, self._loop = self._loop, None  # before it stops: a loop that stops while it is ours runs on
            loop.call_soon_threadsafe(loop.stop)

    def _started_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            loop = self._loop = asyncio.new_event_loop()  # before its thread, which ends where this is another
            try:
                start_thread(self._name, self._run, loop)
            except NoThreadError:
                self._loop = None
                loop.close()
                raise
            except BaseException:  # a signal: whether it runs is not known; if so it ends, and closes the loop
                self._loop = None
                with suppress(RuntimeError):  # it has ended
                    loop.call_soon_threadsafe(loop.stop)
                raise
        return self._loop

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run the loop until it is closed here; a task that stops it, or exits, ends only itself.

        So does what is raised where asyncio tells of errors, as by a filter of its logger.
        """
        asyncio.set_event_loop(loop)
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            while self._loop is loop:
                try:
                    runner.get_loop().run_forever()
                except (SystemExit, KeyboardInterrupt):
                    pass
                except BaseException as error:  # noqa: BLE001 - the other coroutines have to go on
                    tell_of(error)


async def until_true(awaited: Awaited, timeout: float | None = None) -> None:
    """Wait, in the caller's event loop, until it has come true; TimeoutError after `timeout` seconds."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()

    def tell() -> None:
        with suppress(RuntimeError):  # the loop has been closed: nobody waits there
            loop.call_soon_threadsafe(_finish, future)

    awaited.tell(tell)
    await asyncio.wait_for(future, timeout)
    awaited.wait()


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def call_in_thread(call: Callable[[], T]) -> T:
    """Wait, in the caller's event loop, for what a call that blocks gives; who waits no longer has it go on alone.

    NoThreadError where it cannot be begun.
    """
    taken = threading.Lock()

    def run() -> T | None:
        return call() if taken.acquire(blocking=False) else None

    try:
        given = asyncio.get_running_loop().run_in_executor(None, copy_context().run, run)
    except RuntimeError as error:
        if not taken.acquire(blocking=False):  # another thread of the pool was faster than the failure
            raise
        raise no_thread("asyncio", error) from error
    return cast("T", await given)
