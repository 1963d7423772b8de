"""What is done with a flow before a fork, and after it in the child: `python -m tests.engine.forking CASE`, code 0.

A child that hangs is killed by its alarm.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

from routilux import Flow, JobState, JobStateError, Routine
from routilux._engine import engine as engines
from routilux._engine.live_job import LiveJob
from routilux.errors import StoreError
from routilux.stores import open_store
from serilux import register_serializable
from tests.engine.engine_parts import EngineAsker, flow_of, retrying, routine
from tests.patience import PATIENCE

Work = Callable[[], object]


@register_serializable
class Restless(Routine):
    """Goes on until its job is cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", handler=self.go_on)
        self.define_event("out")

    def go_on(self) -> None:
        self.emit("out")


def in_child(work: Work) -> None:
    """Fork, and have the child work; AssertionError where it fails, or hangs."""
    assert exit_code_of(work) == 0


def exit_code_of(work: Work) -> int:
    child = os.fork()
    if child == 0:
        signal.alarm(int(PATIENCE))
        code = 1
        try:
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - it is shown
            sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        sys.stderr.flush()
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def unlucky(self: Routine, **_: Any) -> None:
    if self.get_execution_context().attempt == 1:
        raise ConnectionError


async def breathe(self: Routine, **_: Any) -> None:
    await asyncio.sleep(0)
    self.emit("out", value=1)


def everything(**settings: Any) -> Flow:
    """A flow that needs workers, an event loop, timers and somebody's answer."""
    last = routine(unlucky)
    last.set_error_handler(retrying(delay=0.001))
    links = ("a.out>b", "b.out>last")
    return flow_of(a=routine(breathe, "out"), b=routine(breathe, "out"), last=last, links=links, **settings)


def completes(flow: Flow, entry: str = "a") -> None:
    assert flow.start(entry).wait(PATIENCE, raise_on_failure=True)


def again() -> None:
    for strategy in ("sequential", "concurrent"):
        flow = everything(execution_strategy=strategy)
        completes(flow)
        in_child(lambda flow=flow: completes(flow))  # type: ignore[misc]
        completes(flow)


def answered(flow: Flow) -> None:
    job_state = flow.execute("ask", {"patience": PATIENCE})
    flow.deliver(job_state, "ask", "answer", {"text": "yes"})
    assert job_state.wait(PATIENCE, raise_on_failure=True)


def expecting() -> None:
    flow = flow_of(ask=EngineAsker())
    answered(flow)
    in_child(lambda: answered(flow))


def grandchild() -> None:
    flow = everything()
    completes(flow)
    in_child(lambda: [completes(flow), in_child(lambda: completes(flow)), completes(flow)])


@contextmanager
def stuck_job() -> Iterator[tuple[Flow, JobState]]:
    entered, release = threading.Event(), threading.Event()
    flow = flow_of(a=routine(lambda self, stuck=False: [entered.set(), release.wait()] if stuck else None))
    job_state = flow.start("a", {"stuck": True})
    assert entered.wait(PATIENCE)
    try:
        yield flow, job_state
    finally:
        release.set()
        assert job_state.wait(PATIENCE)


def grandchild_of_one_with_a_job() -> None:
    """What the child was refused, its own child is refused, and all else works there, too."""
    with stuck_job() as (flow, job_state):
        other = everything()
        completes(other)

        def child() -> None:
            in_child(lambda: [asked(flow, job_state), completes(flow), completes(other)])
            completes(other)

        in_child(child)


def queued() -> None:
    """A job that was paused before a worker had come to it goes on in the child."""
    entered, release = threading.Event(), threading.Event()
    stuck = routine(lambda self, stuck=False: [entered.set(), release.wait()] if stuck else None)
    flow = flow_of(a=stuck, max_workers=1)
    busy = flow.start("a", {"stuck": True})
    assert entered.wait(PATIENCE)
    job_state = flow.start("a")
    flow.pause(job_state)
    in_child(lambda: [flow.resume(job_state), completed(job_state)])
    release.set()
    completed(busy)


def completed(job_state: JobState) -> None:
    assert job_state.wait(PATIENCE, raise_on_failure=True)


def refused(ask: Work) -> None:
    try:
        ask()
    except JobStateError as error:
        assert "belongs to the process that forked this one" in str(error)  # noqa: PT017 - no pytest here
    else:
        raise AssertionError("it was not refused")


def of_the_parent() -> None:
    with stuck_job() as (flow, job_state):
        in_child(lambda: [asked(flow, job_state), completes(flow), flow.shutdown()])
        assert job_state.status == "running"
    assert job_state.status == "completed"


def asked(flow: Flow, job_state: JobState) -> None:
    assert job_state.status == "running"
    refused(job_state.wait)
    refused(lambda: asyncio.run(job_state.wait_async()))
    refused(lambda: flow.pause(job_state))
    refused(lambda: asyncio.run(flow.pause_async(job_state)))
    refused(lambda: flow.cancel(job_state))
    refused(lambda: flow.resume(job_state))
    refused(lambda: flow.retry(job_state))
    refused(lambda: flow.deliver(job_state, "a", "trigger", {}))
    refused(lambda: flow.check(job_state))
    refused(lambda: job_state.update_shared_data("a", 1))
    refused(job_state.serialize)
    refused(job_state.explain)


def of_another_thread() -> None:
    """A job at which another thread is at the fork may be half-changed."""
    flow = everything()
    job_state = flow.execute("a")
    assert job_state.wait(PATIENCE)
    with held(job_state._live.lock):
        in_child(lambda: refused(job_state.serialize))
    in_child(job_state.serialize)


def paused() -> None:
    flow = flow_of(ask=EngineAsker())
    job_state = flow.execute("ask")
    flow.pause(job_state)

    def go_on() -> None:
        flow.resume(job_state)
        flow.deliver(job_state, "ask", "answer", {"text": "yes"})
        assert job_state.wait(PATIENCE, raise_on_failure=True)

    in_child(go_on)
    assert job_state.status == "paused"


@contextmanager
def held(lock: Any) -> Iterator[None]:
    """Another thread has a lock."""
    taken, release = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            taken.set()
            release.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    assert taken.wait(PATIENCE)
    try:
        yield
    finally:
        release.set()
        holder.join()


def locks() -> None:
    flow = everything()
    completes(flow)
    engine, clock = flow._engine, engines._SYSTEM_CLOCK
    assert engine is not None
    workers, loop = engine.workers, engine.coroutines
    for lock in (
        flow._lock,
        flow._secrecy._lock,
        engine._lock,
        workers._changed,  # type: ignore[attr-defined]
        loop._lock,  # type: ignore[attr-defined]
        loop._loop_thread._lock,  # type: ignore[attr-defined]
        clock._changed,
        clock._callers._changed,
    ):
        with held(lock):
            in_child(lambda: [flow._secrecy.learn("a", "b", "12345678"), flow._definition_changed(), completes(flow)])


def news() -> None:
    """The parent is just telling of a job, which has failed."""
    failing = routine(unlucky)
    flow = flow_of(ask=EngineAsker(), bad=failing)
    job_state = flow.execute("bad")
    assert job_state.wait(PATIENCE)
    bulletin = job_state._live.noted
    assert bulletin is not None
    with held(bulletin._lock):
        in_child(lambda: [flow.retry(job_state), settled(job_state)])


def settled(job_state: JobState) -> None:
    assert job_state.wait(PATIENCE)


def handler() -> None:
    """A handler forks, and the child uses its flow, as a pool of processes does."""
    codes: list[int] = []
    flow = flow_of(a=routine(lambda self: codes.append(exit_code_of(lambda: completes(flow, "b")))), b=routine(unlucky))
    flow.routines["b"].set_error_handler(retrying(delay=0.001))
    completes(flow)
    assert codes == [0]


def shut_down_in_a_handler() -> None:
    """A handler forks, and the child shuts its flow down: what the parent is in the middle of is not the child's."""
    codes: list[int] = []
    flow = flow_of(a=routine(lambda self: codes.append(exit_code_of(shut_down))), b=routine(lambda self: None))

    def shut_down() -> None:
        engine: Any = flow._engine
        engine.shut_down_apart = None
        flow.shutdown()
        assert engine.is_at_rest

    flow.execute("a")  # on this thread
    assert codes == [0]


def returned() -> None:
    """A handler forks, and both come back from it: the job is the parent's."""
    children: list[int] = []
    flow = flow_of(a=routine(lambda self: children.append(os.fork())))

    def run() -> None:
        parent = os.getpid()
        try:
            assert flow.execute("a").wait(PATIENCE, raise_on_failure=True)
        except JobStateError:
            assert os.getpid() != parent
            completes(flow_of(a=routine(lambda self: None)))
            os._exit(3)

    run()
    assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 3


def worker_returned() -> None:
    """The same on a worker, which ends in the child, and the child with it."""
    threading.excepthook = lambda told: None
    children: list[int] = []

    def fork(self: Routine) -> None:
        children.append(os.fork())
        if children[0] == 0:
            signal.alarm(int(PATIENCE))

    completes(flow_of(a=routine(fork)))
    assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 0


def stored() -> None:
    """A store is its process's: the child is told so, whatever locks of it the parent has."""
    store, flow = open_store("memory:"), Flow("stored")
    flow.add_routine(EngineAsker(), "ask")
    waiting = flow.execute("ask", store=store)
    paused = flow.execute("ask", store=store)
    flow.pause(paused)
    ledger = store.ledger

    def ask() -> None:
        refused(lambda: flow.deliver(waiting, "ask", "answer", {"text": "yes"}))
        for call in (
            lambda: flow.execute("ask", store=store),
            lambda: flow.start("ask", store=store, job_id="named"),
            lambda: flow.resume(paused),
            lambda: flow.cancel(paused),
            store.jobs,
        ):
            try:
                call()
            except StoreError as error:
                assert "the process that forked this one" in str(error)  # noqa: PT017 - no pytest here
            else:
                raise AssertionError("it was not refused")
        answered(flow)

    memory = ledger.backend._called._lock._lock  # type: ignore[attr-defined]
    for lock in (ledger._changed, ledger._writing, ledger.hands._change, ledger.keeper._changed, memory):
        with held(lock):
            in_child(ask)
    flow.deliver(waiting, "ask", "answer", {"text": "yes"})
    assert waiting.wait(PATIENCE, raise_on_failure=True)


def in_sqlite() -> None:
    """The parent is in the middle of SQLite nearly always; the child opens the same file, and sees its jobs."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/jobs.db"
        store, flow = open_store(url), flow_of(a=Restless(), links=("a.out>a",))
        job_state = flow.start("a", store=store)

        def ask() -> None:
            with open_store(url) as own:
                assert [record.job_id for record in own.jobs()] == [job_state.job_id]

        for _ in range(20):
            in_child(ask)
        flow.cancel(job_state)


def in_a_shutdown() -> None:
    """As by a signal's handler; the child comes back into the middle of the call, whose jobs are the parent's."""
    child, block_on = -1, LiveJob.block_on
    entered, release = threading.Event(), threading.Event()

    def fork_first(live: LiveJob, *given: Any) -> None:
        nonlocal child
        LiveJob.block_on = block_on  # type: ignore[method-assign]
        child = os.fork()
        block_on(live, *given)

    flow = flow_of(a=routine(lambda self: [entered.set(), release.wait()]))
    flow.start("a")
    assert entered.wait(PATIENCE)
    LiveJob.block_on = fork_first  # type: ignore[method-assign]
    try:
        flow.shutdown(timeout=0.05)
    except BaseException as error:  # noqa: BLE001 - the child shows by its code whether it is what is meant
        os._exit(not isinstance(error, JobStateError))
    release.set()
    assert child > 0 and os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


CASES = {
    case.__name__: case
    for case in (
        again,
        expecting,
        grandchild,
        grandchild_of_one_with_a_job,
        queued,
        of_the_parent,
        of_another_thread,
        paused,
        locks,
        news,
        handler,
        shut_down_in_a_handler,
        returned,
        worker_returned,
        stored,
        in_sqlite,
        in_a_shutdown,
    )
}

if __name__ == "__main__":
    CASES[sys.argv[1]]()
