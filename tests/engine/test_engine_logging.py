"""What operators are told of jobs: each failure once, with what follows from it, and nothing of what goes well."""

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any

import pytest

from routilux import ErrorHandler, Flow, JobState, Routine
from routilux.testing import StepRunner
from tests.engine.engine_parts import EngineAsker, flow_of, retrying, routine
from tests.patience import until

LONG = 60.0
WARNING, ERROR = logging.WARNING, logging.ERROR


def fail(self: Routine, **_: Any) -> None:
    raise ValueError("no such order")


class Keeping(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def logged() -> Iterator[list[logging.LogRecord]]:
    handler, logger = Keeping(), logging.getLogger("routilux")
    logger.addHandler(handler)
    yield handler.records
    logger.removeHandler(handler)


def told(records: list[logging.LogRecord]) -> list[tuple[int, str]]:
    return [(record.levelno, record.action) for record in records]  # type: ignore[attr-defined]


def run(handler: Any, policy: ErrorHandler | None, **options: Any) -> JobState:
    part = routine(handler, **options)
    part.set_error_handler(policy)
    job_state = flow_of(StepRunner(), a=part).execute("a")
    job_state.wait()
    return job_state


def test_nothing_is_told_of_what_goes_well(logged: list[logging.LogRecord]) -> None:
    assert run(lambda self: None, None).status == "completed"
    assert logged == []


def test_no_name_and_no_message_forges_a_line(logged: list[logging.LogRecord]) -> None:
    forged = "\x1b[2J\njob forged"

    def fail(self: Routine, **_: Any) -> None:
        raise ValueError(forged)

    flow, asker = Flow("forging", engine_factory=StepRunner().engine), routine(fail)
    asker.set_error_handler(retrying(max_retries=1))
    flow.add_routine(asker, f"a{forged}")
    flow.execute(f"a{forged}").wait()
    retry, failure = (record.getMessage() for record in logged)
    assert r"attempt 1 of a\x1b[2J\njob forged.trigger failed" in retry
    assert r"ValueError: \x1b[2J\njob forged" in retry
    assert r"failed: ValueError: \x1b[2J\njob forged" in failure.splitlines()[0]
    assert [text.isprintable() for text in (retry, *failure.splitlines())].count(False) == 0


def test_each_retry_is_told_and_then_the_failure_of_the_job(logged: list[logging.LogRecord]) -> None:
    job_state = run(fail, retrying(2, 1.5))
    assert told(logged) == [(WARNING, "retry"), (WARNING, "retry"), (ERROR, "fail")]
    line = fail.__code__.co_firstlineno + 1
    what = f"ValueError: no such order, at {__file__}:{line}, in fail"
    job_id = job_state.job_id
    assert [record.getMessage().splitlines()[0] for record in logged] == [
        f"job {job_id}: attempt 1 of a.trigger failed and is tried again in 1.5 s: {what}",
        f"job {job_id}: attempt 2 of a.trigger failed and is tried again in 3 s: {what}",
        f"job {job_id} of flow 'flow' failed: {what}",
    ]
    assert job_state.error is not None and logged[-1].getMessage().endswith(job_state.error.traceback.rstrip())
    assert [(record.job_id, record.task_id) for record in logged] == [(job_id, f"{job_id}:1")] * 3  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("strategy", "words"), [("continue", "failed, and its job goes on: "), ("skip", "failed and is skipped: ")]
)
def test_a_failure_that_a_job_survives_is_a_warning(logged: list[logging.LogRecord], strategy: str, words: str) -> None:
    assert run(fail, ErrorHandler(strategy)).status == "completed"
    assert told(logged) == [(WARNING, strategy)]
    assert words in logged[0].getMessage()


def test_a_second_failure_of_a_job_that_fails_is_told_too(logged: list[logging.LogRecord]) -> None:
    runner = StepRunner()
    flow = flow_of(
        runner,
        links=("a.out>b", "a.out>c"),
        execution_strategy="concurrent",
        a=routine(lambda self: self.emit("out"), "out"),
        b=routine(fail),
        c=routine(fail),
    )
    job_state = runner.start(flow, "a")
    first = runner.begin(job_state)
    assert first is not None
    first.run().commit()
    attempts = [runner.begin(job_state), runner.begin(job_state)]
    for attempt in attempts:
        assert attempt is not None
        attempt.run().commit()
    assert told(logged) == [(WARNING, "stop"), (ERROR, "fail")]
    assert "attempt 1 of c.trigger failed, while its job fails already: " in logged[0].getMessage()


def test_a_join_that_never_filled_is_told_when_the_job_has_completed(logged: list[logging.LogRecord]) -> None:
    flow = flow_of(
        StepRunner(),
        links=("a.out>b",),
        a=routine(lambda self: self.emit("out", number=1), "out"),
        b=routine(fail, merge_strategy="append", when=lambda data: len(data["number"]) == 2),
    )
    job_state = flow.execute("a")
    assert job_state.wait() and job_state.status == "completed"
    assert told(logged) == [(WARNING, "complete")]
    assert logged[0].getMessage() == (
        f"job {job_state.job_id} of flow 'flow' has completed, and no handler has run on what came to b.trigger, which "
        f"has 1 of 'number': its `when` never held"
    )


def test_a_job_that_runs_out_of_time_is_an_error(logged: list[logging.LogRecord]) -> None:
    runner = StepRunner()
    job_state = flow_of(runner, execution_timeout=5.0, a=EngineAsker()).execute("a")
    runner.run()
    assert job_state.status == "failed"
    assert told(logged) == [(ERROR, "fail")]


def test_nobody_who_waits_too_long_for_a_delivery_is_a_failure_like_others(logged: list[logging.LogRecord]) -> None:
    runner = StepRunner()
    flow_of(runner, a=EngineAsker()).execute("a", {"patience": 5.0})
    runner.run()
    assert told(logged) == [(ERROR, "fail")]


def test_no_secret_is_logged(logged: list[logging.LogRecord]) -> None:
    def use(self: Routine) -> None:
        raise ValueError(f"refused {self.get_config('api_key')}")

    part = routine(use)
    part.declare_secret("api_key")
    part.set_config(api_key="sk-live-1234567890")
    part.set_error_handler(retrying(1))
    flow_of(StepRunner(), a=part).execute("a").wait()
    assert told(logged) == [(WARNING, "retry"), (ERROR, "fail")]
    assert all("<secret api_key>" in record.getMessage() for record in logged)
    assert not any("sk-live" in record.getMessage() for record in logged)


class Asking(logging.Handler):
    """Looks at the job for each line, on another thread, as the handler's own lock is held."""

    def __init__(self) -> None:
        super().__init__()
        self.flow: Flow | None = None
        self.seen: list[str] = []
        self.answered: list[bool] = []

    def emit(self, record: logging.LogRecord) -> None:
        assert self.flow is not None and self.flow._engine is not None
        job_id = record.job_id  # type: ignore[attr-defined]
        lives = [live for live in self.flow._engine.jobs if live.job.job_id == job_id]
        thread = threading.Thread(target=self.look, args=(lives,), daemon=True)
        thread.start()
        thread.join(LONG)
        self.answered.append(not thread.is_alive())

    def look(self, lives: list[Any]) -> None:
        for live in lives:
            with live.lock:
                self.seen.append(live.job.status)


@pytest.mark.parametrize("strategy", ["sequential", "concurrent"])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_the_jobs_lock_is_free_while_operators_are_told(strategy: str, asynchronous: bool) -> None:
    """Logging has locks of its own: whoever holds one of these may be waiting for the job."""

    async def fail_async(self: Routine) -> None:
        fail(self)

    asking = Asking()
    part = routine(fail_async if asynchronous else fail)
    part.set_error_handler(retrying(2, 0.0))
    asking.flow = flow_of(execution_strategy=strategy, a=part)
    logger = logging.getLogger("routilux")
    logger.addHandler(asking)
    try:
        with asking.flow as flow:
            job_state = flow.start("a")
            assert job_state.wait(LONG)
    finally:
        logger.removeHandler(asking)
    assert asking.answered == [True] * 3
    assert asking.seen == ["running"] * 2


ENDING = """
import logging, sys, threading
logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(action)s %(message)s")
from routilux import Flow, Routine
from routilux.stores import open_store
from serilux import register_serializable

@register_serializable
class Asking(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", handler=self.ask)
        self.define_slot("answer", handler=self.ask)

    def ask(self, wait=True):
        if wait:
            self.expect("answer")

flow = Flow("asking")
flow.add_routine(Asking(), "asking")
"""


@pytest.mark.parametrize(
    ("last", "lines"),
    [
        ("job = flow.execute('asking'); print(job.job_id)", ["WARNING exit"]),
        ("print(flow.execute('asking', store=open_store('memory:')).job_id)", []),
        ("print(flow.execute('asking', {'wait': False}).job_id)", []),
        ("with flow: print(flow.execute('asking').job_id)", []),
    ],
)
def test_a_process_that_ends_tells_which_jobs_are_lost(last: str, lines: list[str]) -> None:
    run = subprocess.run(
        [sys.executable, "-c", ENDING + last], capture_output=True, text=True, timeout=LONG, check=True
    )
    job_id, *found = run.stdout.splitlines()
    assert run.stderr == ""
    assert [" ".join(line.split()[:2]) for line in found] == lines
    assert all(
        f" the process ends while flow 'asking' runs jobs that no store keeps: {job_id}. " in line for line in found
    )


# Logging that raises.


class Refusing(logging.Filter):
    """A filter of an application's that fails."""

    def __init__(self, error: type[BaseException]) -> None:
        super().__init__()
        self.error = error

    def filter(self, record: logging.LogRecord) -> bool:
        raise self.error("request_id")


class Failing(logging.Handler):
    """A handler of an application's that raises."""

    def emit(self, record: logging.LogRecord) -> None:
        raise KeyError("request_id")


def no_record(*args: object, **named: object) -> logging.LogRecord:
    """An application's factory of records that fails."""
    raise KeyError("request_id")


@pytest.fixture(params=[KeyError, SystemExit, KeyboardInterrupt, Failing, no_record])
def failing_log(request: pytest.FixtureRequest) -> Iterator[None]:
    logger, factory = logging.getLogger("routilux"), logging.getLogRecordFactory()
    failing, refusing = Failing(), Refusing(request.param)
    if request.param is Failing:
        logger.addHandler(failing)
    elif request.param is no_record:
        logging.setLogRecordFactory(no_record)
    else:
        logger.addFilter(refusing)
    yield
    logger.removeFilter(refusing)
    logger.removeHandler(failing)
    logging.setLogRecordFactory(factory)


@pytest.mark.parametrize(("policy", "status"), [(None, "failed"), (ErrorHandler("continue"), "completed")])
@pytest.mark.usefixtures("failing_log")
def test_logging_that_raises_changes_nothing_of_a_job(
    policy: ErrorHandler | None, status: str, capsys: pytest.CaptureFixture[str]
) -> None:
    part = routine(fail)
    part.set_error_handler(policy)
    flow = flow_of(a=routine(lambda self: self.emit("out"), "out"), b=part, links=("a.out>b",), max_workers=1)
    with flow, ThreadPoolExecutor(1) as waiting:  # in the main thread, which may be who tells, Ctrl-C is Ctrl-C
        for _ in range(3):
            job_state = flow.start("a")
            assert waiting.submit(job_state.wait, LONG).result(LONG)
            assert job_state.status == status
    told = capsys.readouterr().err
    assert told.count("--- Logging error ---") == 3
    assert "request_id" in told


@pytest.mark.usefixtures("failing_log")
def test_logging_that_raises_changes_nothing_of_an_async_handler(capsys: pytest.CaptureFixture[str]) -> None:
    async def fail_later(self: Routine) -> None:
        raise ValueError

    part = routine(fail_later)
    part.set_error_handler(retrying(2, 0.001))
    with flow_of(a=part) as flow, ThreadPoolExecutor(1) as waiting:
        for _ in range(2):
            job_state = flow.start("a")
            assert waiting.submit(job_state.wait, LONG).result(LONG)
            assert job_state.status == "failed"
    assert capsys.readouterr().err.count("--- Logging error ---") == 6


def test_who_waits_for_a_job_that_has_failed_already_waits_until_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    entered, release, told = threading.Event(), threading.Event(), []

    class Slow(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            entered.set()
            assert release.wait(LONG)
            told.append(record.levelname)

    logger, slow = logging.getLogger("routilux"), Slow()
    logger.addHandler(slow)
    try:
        with flow_of(a=routine(fail)) as flow, ThreadPoolExecutor(1) as waiting:
            job_state = flow.start("a")
            assert entered.wait(LONG)
            assert job_state.status == "failed"
            asking, tell = threading.Event(), job_state._live.tell_news
            monkeypatch.setattr(job_state._live, "tell_news", lambda: (asking.set(), tell()))
            waited = waiting.submit(lambda: (job_state.wait(LONG), list(told)))
            until(lambda: waited.done() or asking.is_set())
            release.set()
            assert waited.result(LONG) == (True, ["ERROR"])
    finally:
        logger.removeHandler(slow)


def test_where_there_is_no_stderr_nothing_ends_either(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    logger, refusing = logging.getLogger("routilux"), Refusing(KeyError)
    logger.addFilter(refusing)
    try:
        with flow_of(a=routine(fail), max_workers=1) as flow:
            for _ in range(2):
                assert flow.start("a").wait(LONG)
    finally:
        logger.removeFilter(refusing)


def test_python_is_told_nothing_where_it_is_not_to_be(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    logger, refusing = logging.getLogger("routilux"), Refusing(KeyError)
    logger.addFilter(refusing)
    try:
        assert run(fail, None).status == "failed"
    finally:
        logger.removeFilter(refusing)
    assert capsys.readouterr().err == ""


class Limit(BaseException):
    """What a signal's handler may raise."""


@pytest.mark.parametrize("raises", [KeyboardInterrupt, SystemExit, Limit])
def test_what_a_signal_raises_while_something_is_told_comes_out(raises: type[BaseException]) -> None:
    logger, refusing = logging.getLogger("routilux"), Refusing(raises)
    logger.addFilter(refusing)
    try:
        with pytest.raises(raises):
            run(fail, None)
    finally:
        logger.removeFilter(refusing)


def test_a_record_says_where_in_this_library_it_was_made(logged: list[logging.LogRecord]) -> None:
    run(fail, None)
    assert [(record.module, record.funcName) for record in logged] == [("news", "tell")]
