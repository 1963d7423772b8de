"""Jobs that run in this process, seen to the end of their run here."""

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import NoReturn

from routilux._engine.awaited import Awaited
from routilux._engine.watchers import is_not_running
from routilux.cli.ctrl_c import INTERRUPTED
from routilux.cli.progress import Watched
from routilux.cli.signals import Heard
from routilux.cli.views import View
from routilux.errors import RoutiluxError
from routilux.job_state import JobState
from routilux.stores import Store

_PATIENCE = 1.0
_GRACE = 3.0
"""Seconds in which who is told to leave at once can say how the jobs go on, if anybody reads it."""
News = str | None
"""A remark to be shown, or None for a reason to look."""


class Run:
    """A job that this process runs; `lost` says why it does not any more, where the job itself cannot know.

    One that `is_let_go` is not lost by that.
    """

    def __init__(self, job_state: JobState) -> None:
        self.job_state = job_state
        self.watched = Watched(job_state)
        self.ended = Awaited()
        self.is_let_go = False
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        """See the job's end; users' code may keep this waiting, but not who hears signals."""
        ended = self.job_state._live.wait_until(is_not_running)
        ended.tell(lambda: self.ended.come_true(None if self.is_let_go else ended.error))

    @property
    def lost(self) -> BaseException | None:
        """Why the job is in other hands, or in none; None where it is not."""
        return self.ended.error


class Following:
    """Waits until no job runs any more. A signal pauses all of them, and so does a view that nobody can see any more.

    The next signal is not waited with. They are heard on a thread of their own: who shows something may have to wait
    for somebody who does not read it.
    """

    def __init__(self, runs: Sequence[Run], view: View) -> None:
        self._runs = runs
        self._view = view
        self._news: SimpleQueue[News] = SimpleQueue()
        self._pausing = False
        self.left = False

    def hear(self, signals: Heard, leave: Callable[[], object]) -> None:
        """Hear signals, on a thread, until no more of them are to come; with the second one `leave`."""
        threading.Thread(target=self._hear, args=[signals, leave], daemon=True).start()

    def _hear(self, signals: Heard, leave: Callable[[], object]) -> None:
        while (heard := signals.get()) is not None:
            if self._pausing:
                self.left = True
                self._news.put(None)
                leave()
            else:
                self._pause_all(f"interrupted by {heard.name}", f"{heard.name}: pausing; once more to leave at once")

    def until_none_runs(self) -> None:
        """Return when all jobs have paused or settled, or `left` says that this process is to end now."""
        for run in self._runs:
            self._view.say(f"job {run.job_state.job_id} of flow {run.job_state.flow_id!r} runs")
            run.ended.tell(lambda: self._news.put(None))
        while not self.left and not all(run.ended.is_done for run in self._runs):
            self._see_to_the_view()
            self._say(self._next())
            self._show()
        while not self._news.empty():
            self._say(self._news.get())
        for run in self._runs:
            run.is_let_go = self.left
        self._show()

    def _see_to_the_view(self) -> None:
        if self._view.problem is not None and not self._pausing:
            why = f"stdout: {self._view.problem.strerror}"
            self._pause_all(why, f"{why}; pausing, Ctrl-C leaves at once")

    def _show(self) -> None:
        self._view.show([run.watched.look() for run in self._runs])

    def _next(self) -> News:
        try:
            return self._news.get(timeout=self._view.pause)
        except Empty:
            return None

    def _say(self, news: News) -> None:
        if news is not None:
            self._view.say(news)

    def _pause_all(self, reason: str, said: str) -> None:
        self._pausing = True
        self._news.put(said)
        for run in self._runs:
            threading.Thread(target=self._pause, args=[run, reason], daemon=True).start()

    def _pause(self, run: Run, reason: str) -> None:
        """Have a job pause, unless it ends first; users' code may keep this waiting, but not who hears signals."""
        with suppress(RoutiluxError):  # `ended` and the job's status tell
            run.job_state._live.pause_if_running(reason)
            self._news.put(
                f"job {run.job_state.job_id} starts nothing more, and pauses when its handlers have returned"
            )


def let_go(store: Store) -> None:
    """Write what has been committed, and let others have the jobs; all that still runs is pending for them."""
    closing = threading.Thread(target=_close, args=[store], daemon=True)
    closing.start()
    closing.join(_PATIENCE)


def _close(store: Store) -> None:
    with suppress(RoutiluxError):  # what could not be written is run again
        store.close()


def leave_anyway(store: Store) -> None:
    """`let_go`, and end this process, unless its main thread has done so: nobody reads what that has to say."""
    time.sleep(_GRACE)
    let_go(store)
    os._exit(INTERRUPTED)


def leave() -> NoReturn:
    """End this process at once, whatever still runs in it, and whatever it is just saying."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(INTERRUPTED)
