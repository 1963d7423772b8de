"""A signal between the taking of a lock and what lets it go: nobody has it afterwards."""

import ast
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import pytest

from routilux import Flow, JobState, Routine
from routilux._core.settling import abandon_active
from routilux._engine import clock, held_job, running_job
from routilux._engine.clock import Clock
from routilux._engine.held_job import HeldJob
from routilux._engine.live_job import LiveJob
from routilux._engine.running_job import RunningJob
from routilux._engine.watchers import Watchers
from routilux._engine.workers import WorkerThreads
from routilux._records import Task
from routilux.errors import BlockingCallError, FlowShutDownError
from routilux.stores import open_store
from tests.engine.engine_parts import EngineAsker, StandInLock, flow_of, routine
from tests.interruptions import interrupted
from tests.patience import PATIENCE, until, wait_for_threads

pytestmark = pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="signals are raised in the main thread"
)
ROOT = Path(__file__).parents[2]


class SignalledLock(StandInLock):
    """A lock with which a signal comes in the moment in which the main thread has got it, once."""

    is_armed = True

    def acquire(self, *args: Any, **named: Any) -> bool:
        got: bool = self._lock.acquire(*args, **named)
        if self.is_armed and threading.current_thread() is threading.main_thread():
            self.is_armed = False
            signal.raise_signal(signal.SIGINT)
        return got


class ResumedFirst(SignalledLock):
    """A lock that another thread has first, and goes on with the job."""

    def __init__(self, lock: Any, resume: Callable[[], object]) -> None:
        super().__init__(lock)
        self._resume = resume

    def acquire(self, *args: Any, **named: Any) -> bool:
        if self.is_armed and threading.current_thread() is threading.main_thread():
            self.is_armed = False
            with ThreadPoolExecutor(1) as other:
                other.submit(self._resume).result(PATIENCE)
        return bool(self._lock.acquire(*args, **named))

    def __enter__(self) -> Any:
        return self.acquire()


@pytest.fixture(autouse=True)
def ctrl_c() -> Iterator[None]:
    """A process may have been started with it ignored."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


ASK: dict[str, Callable[[JobState], object]] = {
    "wait": lambda job_state: job_state.wait(timeout=PATIENCE),
    "shared data": lambda job_state: job_state.execution_history,
    "serialize": lambda job_state: job_state.serialize(),
    "explain": lambda job_state: job_state.explain(),
}


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("ask", ASK)
def test_a_job_can_be_had_by_others_after_a_signal(ask: str, stored: bool) -> None:
    store = open_store("memory:") if stored else None
    flow = flow_of(ask=EngineAsker()) if store is None else flow_with_a_name()
    job_state = flow.execute("ask", store=store)
    live: Any = job_state._live
    live.lock = SignalledLock(live.lock)
    with pytest.raises(KeyboardInterrupt):
        ASK[ask](job_state)
    with ThreadPoolExecutor(1) as other:
        other.submit(flow.pause, job_state, timeout=PATIENCE).result(PATIENCE)
    assert job_state.status == "paused"


CHANGE: dict[str, Callable[[Flow, JobState], object]] = {
    "pause": lambda flow, job_state: flow.pause(job_state),
    "cancel": lambda flow, job_state: flow.cancel(job_state),
    "deliver": lambda flow, job_state: flow.deliver(job_state, "ask", "answer", {"text": "yes"}),
    "shared data": lambda flow, job_state: job_state.update_shared_data("a", 1),
}


@pytest.mark.parametrize("change", CHANGE)
def test_a_stored_job_is_not_changed_in_the_middle_of_what_has_it(change: str) -> None:
    """Another thread would do it, which had to wait for the call that waits for it."""
    flow = flow_with_a_name()
    job_state = flow.execute("ask", store=open_store("memory:"))
    live: Any = job_state._live
    live.lock = SignalledLock(live.lock)
    signal.signal(signal.SIGINT, lambda *_: CHANGE[change](flow, job_state))
    with pytest.raises(BlockingCallError, match="has come into the middle of another call"):
        job_state.wait(timeout=PATIENCE)
    CHANGE[change](flow, job_state)


FAR = 1e12


def clock_of(flow: Flow) -> Clock:
    """That of all flows."""
    assert flow._engine is not None
    return flow._engine.clock


SHUT_DOWN: dict[str, tuple[tuple[Any, str], Callable[[Flow, JobState], object]]] = {
    "begins": ((held_job, "transition"), lambda flow, job_state: flow.execute("ask")),
    "before its handler": ((running_job, "run_handler"), lambda flow, job_state: flow.execute("ask")),
    "commits": ((HeldJob, "_react"), lambda flow, job_state: flow.execute("ask")),
    "hands it over": ((WorkerThreads, "_find_worker"), lambda flow, job_state: flow.start("ask")),
    "sets another's timer": ((clock, "heappush"), lambda flow, job_state: clock_of(flow).call_at(FAR, print).cancel()),
    "is changed": ((held_job, "transition"), lambda flow, job_state: job_state.update_shared_data("a", 1)),
    "has come to rest": ((Watchers, "stopped"), lambda flow, job_state: flow.pause(job_state)),
    "has been cancelled": ((Watchers, "stopped"), lambda flow, job_state: flow.cancel(job_state)),
}


@pytest.mark.parametrize("wait", [True, False])
@pytest.mark.parametrize("case", SHUT_DOWN)
def test_a_signals_handler_may_shut_a_flow_down_in_the_middle_of_a_call(
    monkeypatch: pytest.MonkeyPatch, case: str, wait: bool
) -> None:
    """It would wait for the call that it keeps from coming to an end: so another thread does it, behind that."""
    place, call = SHUT_DOWN[case]
    flow, function = flow_of(ask=EngineAsker()), getattr(*place)
    job_state = flow.execute("ask")

    def signalled(*given: Any) -> Any:
        patch.undo()
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(FlowShutDownError):
            flow.start("ask")
        return function(*given)

    signal.signal(signal.SIGINT, lambda *_: flow.shutdown(wait=wait))
    with monkeypatch.context() as patch:
        patch.setattr(*place, signalled)
        call(flow, job_state)
    wait_for_threads("routilux-shutdown")
    assert job_state.status in ("paused", "cancelled")
    assert flow._engine is not None and flow._engine.is_at_rest and not flow._engine.jobs


def test_and_so_it_may_in_the_middle_of_a_call_of_the_store_of_its_jobs() -> None:
    """Its workers need that: so another flow's job may be what is being written down."""
    store, flow = open_store("memory:"), flow_with_a_name()
    job_state = flow.execute("ask", store=store)
    signal.signal(signal.SIGINT, lambda *_: flow.shutdown(timeout=PATIENCE))
    with store._ledger._lock:
        signal.raise_signal(signal.SIGINT)
    wait_for_threads("routilux-shutdown")
    assert job_state.status == "paused"


def test_the_store_of_its_jobs_is_closed_when_that_is_done(tmp_path: Path) -> None:
    url, flow = f"sqlite:///{tmp_path / 'jobs.db'}", flow_with_a_name()
    signal.signal(signal.SIGINT, lambda *_: flow.shutdown())
    with open_store(url) as store:
        job_state = flow.execute("ask", store=store)
        with job_state._live.lock:
            signal.raise_signal(signal.SIGINT)
    with open_store(url) as store:
        assert [summary.status for summary in store.jobs()] == ["paused"]
    wait_for_threads("routilux-shutdown")


def test_one_that_shuts_down_what_is_at_rest_has_nothing_to_wait_for() -> None:
    flow = flow_of(ask=EngineAsker())
    job_state = flow.execute("ask")
    flow.shutdown()
    signal.signal(signal.SIGINT, lambda *_: flow.shutdown())
    with job_state._live.lock:
        signal.raise_signal(signal.SIGINT)
    assert job_state.status == "paused"


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("as_it_waits", [False, True])
def test_a_job_that_another_thread_has_resumed_as_a_signal_comes_is_left_to_that(
    monkeypatch: pytest.MonkeyPatch, as_it_waits: bool, stored: bool
) -> None:
    """It was lost, or ran in name only: the call that was broken off let go of what was another's."""
    flow, run, begun = flow_with_a_name(), RunningJob._run, list[JobState]()

    def interrupted_later(live: Any, *given: Any) -> NoReturn:
        run(live, *given)
        monkeypatch.undo()
        begun.append(live.job_state)
        with ThreadPoolExecutor(1) as other:
            other.submit(flow.pause, begun[0]).result(PATIENCE)
            if not as_it_waits:
                other.submit(flow.resume, begun[0]).result(PATIENCE)
        if as_it_waits:
            live.lock = ResumedFirst(live.lock, lambda: flow.resume(begun[0]))
        raise KeyboardInterrupt

    monkeypatch.setattr(RunningJob, "_run", interrupted_later)
    with pytest.raises(KeyboardInterrupt):
        flow.execute("ask", store=open_store("memory:") if stored else None)
    flow.deliver(begun[0], "ask", "answer", {"text": "yes"})
    assert begun[0].wait(PATIENCE)
    flow.shutdown()


@pytest.mark.parametrize(
    ("strategy", "torn"), [("sequential", "succeed"), ("concurrent", "succeed"), ("sequential", "take")]
)
@pytest.mark.parametrize("before", [True, False])
def test_a_job_that_is_torn_is_let_go_of_before_its_lock(
    monkeypatch: pytest.MonkeyPatch, strategy: str, torn: str, before: bool
) -> None:
    """Another thread that waits for the lock could do something with half a change."""
    flow, came, runs = flow_of(a=routine(lambda self: None), execution_strategy=strategy), list[bool](), list[bool]()
    change, run_here = interrupted(getattr(running_job, torn), before=before), RunningJob.run_here

    def signalled(*given: Any) -> Any:
        try:
            return change(*given)
        except KeyboardInterrupt:
            came.append(True)
            raise

    def noted(live: Any, task: Task) -> None:
        live.lock = NotingLock(live.lock, lambda: runs.extend(came and [live.attached]))
        run_here(live, task)

    monkeypatch.setattr(running_job, torn, signalled)
    monkeypatch.setattr(RunningJob, "run_here", noted)
    with pytest.raises(KeyboardInterrupt):
        flow.execute("a")
    assert runs and not any(runs)


class NotingLock(StandInLock):
    """Has something noted whenever other threads may have it."""

    def __init__(self, lock: Any, note: Callable[[], object]) -> None:
        super().__init__(lock)
        self._note = note

    def release(self) -> None:
        self._lock.release()
        if not self._lock._is_owned():
            self._note()

    def __enter__(self) -> bool:
        return bool(self._lock.acquire())

    def __exit__(self, *raised: object) -> None:
        self.release()


def test_one_that_shuts_it_down_while_a_job_is_waited_for_has_it_pause() -> None:
    flow = flow_of(ask=EngineAsker())
    job_state = flow.execute("ask")

    def leave(*_: object) -> NoReturn:
        flow.shutdown()
        raise KeyboardInterrupt

    def signalled() -> None:
        until(lambda: job_state._live._watchers._conditions)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    signal.signal(signal.SIGINT, leave)
    with ThreadPoolExecutor(1) as other:
        other.submit(signalled)
        with pytest.raises(KeyboardInterrupt):
            job_state.wait(PATIENCE)
    assert job_state.status == "paused"


def test_one_that_comes_into_the_middle_of_a_shutdown_leaves_the_rest_to_that(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that was just being paused ran on after both, for good."""
    flow, transition = flow_of(ask=EngineAsker()), held_job.transition
    jobs = [flow.execute("ask") for _ in range(3)]

    def signalled(*given: Any) -> Any:
        monkeypatch.undo()
        signal.raise_signal(signal.SIGINT)
        return transition(*given)

    signal.signal(signal.SIGINT, lambda *_: flow.shutdown())
    monkeypatch.setattr(held_job, "transition", signalled)
    flow.shutdown()
    assert [job_state.status for job_state in jobs] == ["paused"] * 3


@pytest.mark.parametrize("how", [{"timeout": 0}, {"wait": False}])
def test_which_goes_on_in_the_time_of_that_one(monkeypatch: pytest.MonkeyPatch, how: dict[str, Any]) -> None:
    entered, release = threading.Event(), threading.Event()

    def block(self: Routine) -> None:
        entered.set()
        assert release.wait(PATIENCE)

    flow, submit = flow_of(a=routine(block)), LiveJob.submit
    job_state = flow.start("a")
    assert entered.wait(PATIENCE)

    def signalled(live: LiveJob) -> None:
        monkeypatch.undo()
        with live.lock:
            signal.raise_signal(signal.SIGINT)
            submit(live)

    signal.signal(signal.SIGINT, lambda *_: flow.shutdown(**how))
    monkeypatch.setattr(LiveJob, "submit", signalled)
    flow.shutdown()
    assert job_state.status == "running"
    release.set()
    until(lambda: job_state.status == "paused")


def flow_with_a_name() -> Flow:
    flow = Flow("asking")
    flow.add_routine(EngineAsker(), "ask")
    return flow


def test_a_worker_that_a_torn_cancel_is_missing_is_made_up_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def block(self: Routine) -> None:
        begun.set()
        assert go_on.wait(PATIENCE)

    flow = flow_of(a=routine(block))
    job_state = flow.start("a")
    assert begun.wait(PATIENCE) and flow._engine is not None
    workers: Any = flow._engine.workers
    monkeypatch.setattr("routilux._core.transition.abandon_active", interrupted(abandon_active, before=True))
    with pytest.raises(KeyboardInterrupt):
        flow.cancel(job_state)
    surplus = workers._surplus
    go_on.set()
    until(lambda: not workers._surplus)
    assert surplus == 1


def test_a_call_that_is_broken_off_is_missing_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor has it had one: each let the flow have one more than it may, for ever."""
    flow = flow_of(a=routine(lambda self: None))
    for _ in range(3):
        with monkeypatch.context() as patch:
            patch.setattr(running_job, "run_handler", interrupted(running_job.run_handler, before=False))
            with pytest.raises(KeyboardInterrupt):
                flow.execute("a")
    assert flow._engine is not None
    workers: Any = flow._engine.workers
    assert workers._surplus == 0


def test_nor_is_one_whose_job_is_cancelled_meanwhile() -> None:
    seen = list[int]()

    def cancel(self: Routine) -> None:
        context: Any = self.get_execution_context()
        flow.cancel(context.job_state)
        seen.append(workers._surplus)

    flow = flow_of(a=routine(cancel))
    workers: Any = flow._running_engine().workers
    assert flow.execute("a").status == "cancelled"
    assert (seen, workers._surplus) == ([0], 0)


def test_no_condition_is_entered_whose_own_methods_a_signal_may_break_off() -> None:
    """`with` on a lock of C lets it go whatever comes; on a Condition, which is Python code, it may not."""
    conditions, entered = set[str](), set[str]()
    for path in (ROOT / "src/routilux").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Assign) and "threading.Condition(" in ast.unparse(node.value):
                conditions.add(ast.unparse(node.targets[0]))
            if isinstance(node, ast.With):
                entered |= {ast.unparse(item.context_expr) for item in node.items}
    assert len(conditions) > 1
    assert conditions & entered == set()
