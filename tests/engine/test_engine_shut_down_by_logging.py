"""A flow is shut down in the middle of what is logged: that comes to its end, and so does the flow.

Programs of their own: who waits for himself there has the lock of a handler, and a process that ends waits for that.
"""

import logging
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from routilux import ErrorHandler, Flow, Routine
from routilux._engine import apart
from routilux._engine.engine import Engine
from routilux._logging import logger
from routilux.errors import FlowShutDownError, StoreError
from routilux.stores import open_store
from routilux.testing import StepRunner
from serilux import register_serializable
from tests.engine.engine_parts import EngineAsker, flow_of, routine
from tests.patience import PATIENCE, until, wait_for_threads

ROOT = Path(__file__).parents[2]
PATHS = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(ROOT)]))
PROGRAM = """
import logging, signal, sys, threading
from routilux import ErrorHandler, Flow, Routine
from routilux._engine.job_lock import is_free
from routilux.stores import open_store
from serilux import register_serializable
from tests.patience import until

class Part(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", self.act)
        self.define_event("out")
        self.set_error_handler(ErrorHandler("continue"))

class Failing(Part):
    def act(self):
        raise ValueError("as it should")

class Operators(logging.Handler):
    told = False

    def emit(self, record):
        if record.name == "routilux" and not self.told:
            self.told = True
            before()
            act()
            returned.set()

def before():
    pass

def act():
    flow.shutdown()

def flow_of(name, **routines):
    flow = Flow(name)
    for routine_id, part in routines.items():
        flow.add_routine(part, routine_id)
    return flow

returned = threading.Event()
logging.getLogger().addHandler(Operators())
"""

STORED = """
register_serializable(Failing)
flow = flow_of("f", failing=Failing())
job = flow.execute("failing", store=open_store("memory:"))
returned.wait()
until(lambda: job.status != "running")
print(job.status)
"""

TWO_JOBS = """
together, jobs = threading.Barrier(3), []

class Together(Failing):
    def act(self):
        together.wait()
        super().act()

def before():  # the other job's worker comes to its own record
    until(lambda: not all(job._live.noted is None or is_free(job._live.noted._lock) for job in jobs))

flow = flow_of("f", failing=Together())
jobs += [flow.start("failing"), flow.start("failing")]
together.wait()
returned.wait()
until(lambda: [job.status for job in jobs] == ["completed"] * 2)
print("completed")
"""

PREDICATE = """
failed, looks = threading.Event(), threading.Event()

def looking(data):
    looks.set()
    failed.wait()
    logging.getLogger("app").warning("it looks")
    return True

class Looking(Part):
    def __init__(self):
        Routine.__init__(self)
        self.define_slot("trigger", self.act, when=looking)

    def act(self):
        pass

def before():
    looks.wait()
    failed.set()
    until(lambda: not is_free(looked._live.lock))

flow = flow_of("f", failing=Failing(), looking=Looking())
looked = flow.start("looking")
looks.wait()
job = flow.start("failing")
returned.wait()
until(lambda: (job.status, looked.status) == ("completed", "completed"))
print("completed")
"""

SIGNAL = """
class Last(Part):
    def act(self):
        print(job.status)

class First(Part):
    def act(self):
        begun.set()
        threading.main_thread().join()  # the process ends
        self.emit("out")

def act():
    signal.raise_signal(signal.SIGTERM)

begun = threading.Event()
flow, other = flow_of("f", first=First(), last=Last()), flow_of("g", failing=Failing())
flow.connect("first", "out", "last", "trigger")
job = flow.start("first")
begun.wait()
signal.signal(signal.SIGTERM, lambda *_: flow.shutdown())
other.execute("failing").wait()
"""


@pytest.mark.parametrize(
    ("program", "printed"),
    [(STORED, "completed"), (TWO_JOBS, "completed"), (PREDICATE, "completed"), (SIGNAL, "running")],
    ids=["stored, on the main thread", "as another is told", "as a predicate logs", "by a signal, as the process ends"],
)
def test_nobody_waits_for_himself_and_jobs_are_given_their_time(tmp_path: Path, program: str, printed: str) -> None:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM + program, encoding="utf-8")
    settings = {**os.environ, "PYTHONPATH": PATHS}
    run = subprocess.run(
        [sys.executable, path], env=settings, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (run.stdout.strip(), run.stderr) == (printed, "")


@pytest.mark.parametrize("workers", [1, 4])
def test_a_handler_of_what_is_logged_may_shut_a_flow_down(workers: int) -> None:
    """It waited for the job whose worker told it, and so did the flow, for ever."""
    flow = failing_flow(fail, max_workers=workers)
    with operators_that(flow.shutdown) as told:
        job_state = flow.start("spread")
        assert job_state.wait(PATIENCE)
        wait_for_threads("routilux-shutdown")
    assert told == ["job %s: attempt %d of %s failed%s: %s"] * 10
    assert flow._engine is not None and flow._engine.is_at_rest


def test_its_jobs_pause_where_they_are_not_to_be_waited_for() -> None:
    asked = threading.Event()

    def fail_late(self: Routine) -> None:
        if told:
            assert asked.wait(PATIENCE)
        raise ValueError("as it should")

    flow = failing_flow(fail_late)
    with operators_that(lambda: flow.shutdown(wait=False)) as told:
        job_state = flow.start("spread")
        until(lambda: told and job_state._live.job.closing is not None)
        asked.set()
        until(lambda: job_state.status == "paused")
        wait_for_threads("routilux-shutdown")


@pytest.mark.parametrize("asks_there", [True, False])
def test_it_holds_up_nobody_who_has_more_haste(asks_there: bool) -> None:
    """Neither him nor his process, which waits for the thread that does it."""
    entered, release, asked = threading.Event(), threading.Event(), threading.Event()

    def block(self: Routine) -> None:
        entered.set()
        assert release.wait(PATIENCE)

    def shut_down() -> None:
        flow.shutdown()
        if asks_there:
            flow.shutdown(timeout=0)
        asked.set()

    flow = flow_of(fail=routine(fail), block=routine(block))
    blocked = flow.start("block")
    assert entered.wait(PATIENCE)
    with operators_that(shut_down):
        flow.start("fail")
        assert asked.wait(PATIENCE)
    if not asks_there:
        flow.shutdown(timeout=0)
    wait_for_threads("routilux-shutdown")
    assert blocked.status == "running"
    release.set()


def test_no_job_begins_as_it_comes_to_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    flow, refused = failing_flow(fail), list[bool]()

    def at_once(self: Engine, call: Callable[[], None], *_: object) -> None:
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()
        with pytest.raises(FlowShutDownError):
            flow.start("spread")
        refused.append(True)

    monkeypatch.setattr(Engine, "shut_down_apart", at_once)
    with operators_that(lambda: flow.shutdown(wait=False)):
        assert flow.execute("fail").status == "completed"
    assert refused == [True]


def test_a_store_is_closed_after_the_flow_that_was_shut_down_before(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'jobs.db'}"
    store, flow = open_store(url), flow_of(ask=EngineAsker())
    for _ in range(10):
        flow.execute("ask", store=store)
    with operators_that(lambda: (flow.shutdown(wait=False), store.close())):
        flow.execute("ask", {"what it does not take": 1}, store=store)
        wait_for_threads("routilux-closing")
    with open_store(url) as opened:
        assert Counter(info.status for info in opened.jobs()) == {"paused": 10, "failed": 1}


@register_serializable(name="EngineClosing")
class Closing(Routine):
    """Closes what it is told to, when it is told to."""

    act: ClassVar[Callable[[], object]]

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", handler=self.close)

    def close(self) -> None:
        type(self).act()


def test_a_handler_that_closes_its_store_meanwhile_waits_for_nobody_who_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = list[threading.ExceptHookArgs]()
    monkeypatch.setattr(threading, "excepthook", shown.append)
    entered, asked, closed = threading.Event(), threading.Event(), threading.Event()
    store, flow = open_store("memory:"), flow_of(close=Closing(), ask=EngineAsker())

    def close() -> None:
        entered.set()
        assert asked.wait(PATIENCE)
        store.close()
        closed.set()

    Closing.act = staticmethod(close)
    flow.start("close", store=store)
    assert entered.wait(PATIENCE)
    with operators_that(lambda: (flow.shutdown(), asked.set())):
        flow.start("ask", {"what it does not take": 1}, store=store)
        assert closed.wait(PATIENCE)
    wait_for_threads("routilux-shutdown")
    assert [args.exc_type for args in shown] == [StoreError]


def test_one_that_does_so_with_each_record_has_no_thread_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    started, shut = list[str](), list[bool]()
    start = apart.start_thread

    def noted(name: str, *given: Any, **named: Any) -> threading.Thread:
        started.append(name)
        return start(name, *given, **named)

    def shut_down() -> None:
        flow.shutdown()
        shut.append(True)

    monkeypatch.setattr(apart, "start_thread", noted)
    flow = failing_flow(fail)
    with operators_that(shut_down, often=True):
        job_state = flow.start("spread")
        assert job_state.wait(PATIENCE)
        wait_for_threads("routilux-shutdown")
    assert (started, len(shut)) == (["routilux-shutdown"], 10)


def test_what_comes_of_it_that_somebody_should_know_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = list[threading.ExceptHookArgs]()
    store, flow = open_store("memory:"), Flow("asking")
    flow.add_routine(EngineAsker(), "ask")
    flow.execute("ask", store=store)
    store.close()
    monkeypatch.setattr(threading, "excepthook", shown.append)
    with operators_that(flow.shutdown):
        logger.warning("anything", extra={"action": "a"})
        wait_for_threads("routilux-shutdown")
    assert [args.exc_type for args in shown] == [StoreError]


def test_a_step_runner_does_it_by_its_next_step() -> None:
    runner = StepRunner()
    flow = failing_flow(fail, runner)
    with operators_that(lambda: flow.shutdown(wait=False)) as told:
        job_state = runner.start(flow, "spread")
        runner.run()
    assert (job_state.status, len(told)) == ("paused", 1)


def fail(self: Routine) -> None:
    raise ValueError("as it should")


def spread(self: Routine) -> None:
    for _ in range(10):
        self.emit("out")


def failing_flow(fail: Callable[[Routine], None], runner: StepRunner | None = None, **parts: Any) -> Flow:
    failing = routine(fail)
    failing.set_error_handler(ErrorHandler("continue"))
    return flow_of(runner, spread=routine(spread, "out"), fail=failing, links=("spread.out>fail",), **parts)


@contextmanager
def operators_that(act: Callable[[], object], *, often: bool = False) -> Iterator[list[str]]:
    """A handler of what this library logs that does something at the first record, or each; the records it has seen."""
    told: list[str] = []

    class Operators(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if often or not told:
                act()
            told.append(record.msg)

    operators = Operators()
    logging.getLogger("routilux").addHandler(operators)
    try:
        yield told
    finally:
        logging.getLogger("routilux").removeHandler(operators)
