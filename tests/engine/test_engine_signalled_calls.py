"""Signals that come as a call begins: it is made once, or not at all, and what they raise comes out."""

import _thread
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from routilux import JobState
from routilux._engine import shutting_down, threads
from routilux._engine.awaited import TimeIsUp
from routilux._engine.event_loop import LoopThread
from routilux._engine.patience import within
from routilux._engine.threads import start_nameless, start_thread
from routilux._haste import LEAST
from routilux.testing import StepRunner
from tests.engine.engine_parts import EngineAsker, flow_of
from tests.patience import PATIENCE, until

pytestmark = pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="signals are raised in the main thread"
)

SIGNALLED = """
import gc, signal, sys
from time import sleep

class Limit({kind}):
    pass

came, caught = [], []

def limit(*_):
    came.append(Limit())
    raise came[-1]

def catch(error):  # and the one into whose handling it came: a signal may be late, and the next one soon
    while error is not None:
        caught.append(error)
        error = error.__context__

signal.signal(signal.SIGALRM, limit)
gc.disable()  # what is raised in a finalizer is lost

def signalled(after, call, then):
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, after)
            call()
            signal.setitimer(signal.ITIMER_REAL, 0)
        except Limit as error:
            catch(error)
            then()
    except Limit as error:
        catch(error)
"""

CALLS = """
from _thread import _count
from routilux._engine.patience import within

begun, ended, early = [], [], []

def call():
    begun.append(True)
    sleep(0.0002)
    ended.append(True)

def check():
    if len(begun) != len(ended):
        early.append(True)

for number in range(600):
    before = len(begun)
    signalled(0.00002 + number % 60 * 0.00001, lambda: within(None, call), check)
    if len(begun) > before + 1:
        early.append("twice")
while _count():  # all that was begun has ended
    sleep(0.0005)
print({*map(id, caught)} == {*map(id, came)} != set(), early, len(begun) == len(ended))
"""

MARKS = """
import logging
from routilux._logging import logger
from routilux._midst import is_in_the_middle

logging.getLogger("routilux").addHandler(logging.NullHandler())
marked = []

def check():
    if is_in_the_middle():
        marked.append(True)

def tell():
    for _ in range(3):
        logger.warning("x", extra={"action": "a"})

for number in range(4000):
    signalled(0.000012 + number % 40 * 0.0000008, tell, check)
    check()
print(len(came) > 0, marked)
"""


def printed(tmp_path: Path, program: str, kind: str) -> str:
    path = tmp_path / "signalled.py"
    path.write_text(SIGNALLED.replace("{kind}", kind) + program, encoding="utf-8")
    run = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert run.stderr == ""
    return run.stdout.strip()


@pytest.mark.parametrize("kind", ["KeyboardInterrupt", "TimeoutError", "RuntimeError", "MemoryError"])
def test_a_call_is_made_once_and_over_before_what_a_signal_raises(tmp_path: Path, kind: str) -> None:
    assert printed(tmp_path, CALLS, kind) == "True [] True"


def test_no_thread_is_left_marked_as_in_the_middle_of_something(tmp_path: Path) -> None:
    assert printed(tmp_path, MARKS, "KeyboardInterrupt") == "True []"


class Limit(RuntimeError):
    """What a signal's handler may raise."""


def test_a_call_that_a_signal_forestalls_is_not_made_by_a_thread_that_comes_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[bool] = []
    late: list[Callable[[], object]] = []

    def interrupted(run: Callable[..., object], given: Any) -> int:
        late.append(lambda: run(*given))
        raise Limit

    monkeypatch.setattr(_thread, "start_new_thread", interrupted)
    with pytest.raises(Limit) as raised:
        within(None, lambda: made.append(True))
    late.pop()()
    assert made == []
    (note,) = raised.value.__notes__
    assert note.endswith("was not begun)")


def test_a_call_that_has_begun_when_the_signal_comes_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, ended = threading.Event(), []
    start = _thread.start_new_thread

    def interrupted(run: Any, given: Any) -> int:
        start(run, given)
        assert begun.wait(PATIENCE)
        raise Limit

    def call() -> None:
        begun.set()
        ended.append(True)

    monkeypatch.setattr(_thread, "start_new_thread", interrupted)
    with pytest.raises(Limit):
        within(None, call)
    assert ended == [True]


def test_threads_that_were_asked_for_their_names_leave_none_behind() -> None:
    together, asked = threading.Barrier(9), []

    def ask() -> None:
        asked.append(threading.current_thread())
        together.wait(PATIENCE)

    for _ in range(8):
        start_nameless("asking", ask)
    together.wait(PATIENCE)
    until(lambda: not set(asked) & set(threading.enumerate()))


@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), MemoryError()])
def test_where_no_thread_can_be_had_the_caller_makes_the_call(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*_: object) -> int:
        raise error

    monkeypatch.setattr(_thread, "start_new_thread", refuse)
    assert within(None, threading.current_thread) is threading.main_thread()
    with pytest.raises(KeyError) as raised:
        within(None, lambda: {}["key"])
    assert raised.value.__context__ is None


def test_so_does_one_whose_interpreter_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads.sys, "is_finalizing", lambda: True)  # type: ignore[attr-defined]
    assert within(None, threading.current_thread) is threading.main_thread()


@pytest.mark.parametrize("error", [Limit("stop"), MemoryError("too much"), Limit()])
def test_what_a_signal_raises_does_not_say_that_no_thread_can_be_had(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def interrupted(thread: threading.Thread) -> None:
        raise error

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(type(error)) as raised:
        start_thread("any", print)
    assert raised.value is error


def test_a_loop_whose_starter_is_interrupted_is_not_taken_for_one_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, ended, start = LoopThread("signalled-loop"), threading.Event(), threading.Thread.start

    async def end() -> None:
        ended.set()

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", interrupted)
        coroutine = end()
        with pytest.raises(KeyboardInterrupt):
            loop.start(coroutine)
        coroutine.close()
    until(lambda: all(thread.name != "signalled-loop" for thread in threading.enumerate()))
    loop.start(end())
    assert ended.wait(PATIENCE)
    loop.close()
    until(lambda: all(thread.name != "signalled-loop" for thread in threading.enumerate()))


def test_who_has_no_patience_gets_what_waits_for_nobody() -> None:
    live = JobState()._live
    assert [live.uninterrupted(lambda: 5, patience=0.0) for _ in range(50)] == [5] * 50


def test_of_many_jobs_that_cannot_pause_in_time_the_first_have_their_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flow of a thousand jobs took a hundred seconds for that, whatever its timeout."""
    given = list[float]()
    runner = StepRunner()

    def too_late(patience: float, call: Callable[[], object]) -> None:
        given.append(patience)
        runner.clock.advance(patience)
        call()
        raise TimeIsUp

    monkeypatch.setattr(shutting_down, "within", too_late)
    flow = flow_of(runner, a=EngineAsker())
    for _ in range(8):
        flow.execute("a", {"patience": None})
    flow.shutdown(timeout=0)
    assert given == pytest.approx([LEAST] * 5 + [0.0] * 3, abs=1e-3)


def test_debuggers_see_a_call_and_profilers() -> None:
    seen: list[str] = []

    def trace(frame: Any, event: str, given: object) -> None:
        seen.append(f"{event} {frame.f_code.co_name}")

    def profile(frame: Any, event: str, given: object) -> None:
        seen.append(f"profiled {event} {frame.f_code.co_name}")

    def observed() -> None:
        """What they look for."""

    former = threading.gettrace(), threading.getprofile()
    threading.settrace(trace)
    threading.setprofile(profile)
    try:
        within(None, observed)
    finally:
        threading.settrace(former[0])  # type: ignore[arg-type]
        threading.setprofile(former[1])
    assert {"call observed", "profiled call observed"} <= set(seen)
