"""A store that is closed before its flow: the jobs that still run there are told why they are lost, and what to do."""

import asyncio
import gc
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NoReturn
from weakref import ref

import pytest

from routilux import Flow, JobState, RoutiluxError, Routine, StoreError, StoreUnavailableError, recover
from routilux._core.job import Job
from routilux._engine import engine
from routilux._engine.awaited import Awaited
from routilux._engine.custody import Custody
from routilux._engine.job_log import JobLog
from routilux._engine.watchers import Watchers, is_not_running
from routilux.stores import Store, open_store
from serilux import register_serializable
from tests.patience import until

LONG = 60.0


@register_serializable
class ClosedFirstWaiter(Routine):
    """Its handlers wait until a test lets them go on; or it asks, and nobody answers."""

    opened = threading.Event()

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.wait)
        self.define_slot("answer", self.hear)

    def wait(self, ask: bool = False, patience: float | None = None) -> None:
        if ask:
            self.expect("answer", patience)
        else:
            assert self.opened.wait(LONG)

    def hear(self) -> None:
        pass


def waiting() -> Flow:
    flow = Flow("waiting", max_workers=2)
    flow.add_routine(ClosedFirstWaiter(), "waiter")
    return flow


@pytest.fixture(params=["memory", "sqlite"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    ClosedFirstWaiter.opened = threading.Event()
    return lambda: open_store("memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/jobs.db")


def refusal(job_state: JobState) -> str:
    return refusal_of(job_state.job_id)


def refusal_of(job_id: str) -> str:
    return (
        f"the store has been closed while job {job_id!r} still ran here, and keeps no more of it; close it "
        f"after the flow: with open_store(...) as store, flow:"
    )


def test_the_wrong_order_says_what_the_right_one_is(opening: Callable[[], Store]) -> None:
    job_state = None
    with pytest.raises(StoreError) as caught, waiting() as flow, opening() as store:
        job_state = flow.execute("waiter", {"ask": True}, store=store)
    assert job_state is not None and str(caught.value) == refusal(job_state)
    assert {Path(each.filename).name for each in traceback.extract_tb(caught.tb)[1:]} == {"flow.py", "shutting_down.py"}


def test_operators_are_told_of_each_job_once(opening: Callable[[], Store], caplog: pytest.LogCaptureFixture) -> None:
    """Of one that somebody has asked for by then, of one that has ended late, and of one that nobody has any more."""
    flow, store = waiting(), opening()
    asked, _, late = [flow.start("waiter", {"ask": ask}, store=store) for ask in (True, True, False)]
    until(lambda: [len(job.job.active) for job in by_id(flow)] == [0, 0, 1])
    job_ids = [job.job.job_id for job in by_id(flow)]
    store.close()
    with pytest.raises(StoreError):
        flow.pause(asked)
    ClosedFirstWaiter.opened.set()
    until(lambda: late._live.lost is not None)
    with pytest.raises(StoreError):
        flow.shutdown(timeout=LONG)
    assert sorted(getattr(record, "job_id", "") for record in caplog.records) == sorted(job_ids)
    assert {record.message.partition(": ")[2] for record in caplog.records} == {*map(refusal_of, job_ids)}


def test_the_rest_of_them_by_the_shutdown_after_one_that_a_signal_has_broken_off(
    opening: Callable[[], Store], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    flow, store = waiting(), opening()
    jobs = [flow.execute("waiter", {"ask": True}, store=store) for _ in range(3)]
    store.close()

    def interrupted(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(engine, "tell", interrupted)
        with pytest.raises(KeyboardInterrupt):
            flow.shutdown()
    with pytest.raises(StoreError, match="still ran here"):
        flow.shutdown()
    assert sorted(getattr(record, "job_id", "") for record in caplog.records) == sorted(job.job_id for job in jobs)


@pytest.mark.parametrize("ask", [Flow.pause, Flow.resume, Flow.cancel])
def test_nor_are_they_told_once_more_of_one_that_is_asked_for_later(
    opening: Callable[[], Store], ask: Callable[[Flow, JobState], object], caplog: pytest.LogCaptureFixture
) -> None:
    flow, store = waiting(), opening()
    job_state = flow.execute("waiter", {"ask": True}, store=store)
    store.close()
    with pytest.raises(StoreError):
        flow.shutdown()
    with pytest.raises(RoutiluxError):
        ask(flow, job_state)
    job_state._live.tell_news()
    assert [getattr(record, "job_id", "") for record in caplog.records] == [job_state.job_id]


def test_who_resumes_a_job_of_a_closed_store_does_not_mind_that_others_end_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow, url = waiting(), f"sqlite:///{tmp_path}/jobs.db"
    with open_store(url) as store:
        job_id = flow.execute("waiter", {"ask": True}, store=store).job_id
    running = flow._engine
    assert running is not None

    def end(other: Any, job: object) -> bool:
        running.jobs.discard(other)
        return False

    monkeypatch.setattr(engine, "_is_former", end)
    with open_store(url) as store, flow:
        for _ in range(3):
            flow.execute("waiter", {"ask": True})
        assert flow.resume(store.load_job(job_id), store=store).status == "running"


def by_id(flow: Flow) -> list[Any]:
    assert flow._engine is not None
    return sorted(flow._engine.jobs, key=lambda live: (len(live.job.active), live.job.job_id))


@pytest.mark.parametrize("patience", [None, 7 * 24 * 3600.0])
def test_a_flow_that_outlives_its_stores_keeps_no_job_of_them(
    opening: Callable[[], Store], patience: float | None
) -> None:
    """All of its data stayed as long as the flow."""
    flow, kept = waiting(), list[Any]()
    for _ in range(3):
        with opening() as store:
            kept.append(ref(flow.execute("waiter", {"ask": True, "patience": patience}, store=store)._live))
    del store  # whose threads are about to end
    until(lambda: gc.collect() >= 0 and [live() for live in kept] == [None] * 3)
    with pytest.raises(StoreError, match="still ran here"):
        flow.shutdown()


def test_what_has_come_back_in_the_store_opened_again_is_told_of_no_more(tmp_path: Path) -> None:
    flow, url = waiting(), f"sqlite:///{tmp_path}/jobs.db"
    with open_store(url) as store:
        flow.execute("waiter", {"ask": True}, store=store)
    with open_store(url) as store, flow:
        (job_state,) = recover(store, flows=[flow])
        flow.deliver(job_state, "waiter", "answer", {})
        assert job_state.wait(LONG)


def test_what_could_not_come_back_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flow, url = waiting(), f"sqlite:///{tmp_path}/jobs.db"
    with open_store(url) as store:
        job_id = flow.execute("waiter", {"ask": True}, store=store).job_id

    def fail(*given: object) -> None:
        raise StoreError("the disk is full")

    with open_store(url) as store:
        monkeypatch.setattr(Custody, "keep", fail)
        with pytest.raises(StoreError, match="full"):
            flow.resume(store.load_job(job_id), store=store)
        with pytest.raises(StoreError, match=f"{job_id}' still ran here"):
            flow.shutdown()


def test_so_is_one_whose_id_another_job_has_in_another_store(tmp_path: Path) -> None:
    flow = waiting()
    with open_store(f"sqlite:///{tmp_path}/first.db") as store:
        flow.execute("waiter", {"ask": True}, store=store, job_id="nightly")
    with open_store(f"sqlite:///{tmp_path}/second.db") as store:
        job_state = flow.execute("waiter", {"ask": True}, store=store, job_id="nightly")
        with pytest.raises(StoreError, match="'nightly' still ran here"):
            flow.shutdown()
        assert job_state.status == "paused"


def test_so_does_a_job_that_ends_after_its_store(opening: Callable[[], Store]) -> None:
    flow, store = waiting(), opening()
    job_state = flow.start("waiter", store=store)
    store.close()
    ClosedFirstWaiter.opened.set()
    with pytest.raises(StoreError) as caught:
        flow.shutdown()
    assert str(caught.value) == refusal(job_state)


def test_a_job_of_another_store_comes_to_rest_all_the_same(opening: Callable[[], Store]) -> None:
    flow, store = waiting(), opening()
    lost = flow.execute("waiter", {"ask": True}, store=store)
    other = flow.execute("waiter", {"ask": True})
    store.close()
    with pytest.raises(StoreError, match=lost.job_id):
        flow.shutdown()
    assert other.status == "paused"
    assert flow._engine is not None and not flow._engine.jobs


def test_the_right_order_says_nothing(opening: Callable[[], Store]) -> None:
    with opening() as store, waiting() as flow:
        job_state = flow.execute("waiter", {"ask": True}, store=store)
    assert job_state.status == "paused"


def in_wait(job_state: JobState) -> bool | None:
    return job_state.wait(LONG)


def in_wait_async(job_state: JobState) -> bool | None:
    return asyncio.run(job_state.wait_async(LONG))


@pytest.mark.parametrize("wait", [in_wait, in_wait_async])
@pytest.mark.parametrize("is_busy", [False, True])
def test_who_waits_for_a_job_that_only_waits_is_told_so(
    opening: Callable[[], Store], wait: Callable[[JobState], bool | None], is_busy: bool
) -> None:
    """Whoever waits then, and whoever begins to; also where somebody has the job for long."""
    flow, store = waiting(), opening()
    job_state = flow.execute("waiter", {"ask": True}, store=store)
    with ThreadPoolExecutor(1) as executor:
        told = executor.submit(wait, job_state)
        until(lambda: job_state._live._watchers._conditions)
        with job_state._live.lock if is_busy else nullcontext():
            store.close()
            with pytest.raises(StoreError) as caught:
                told.result(LONG)
    assert str(caught.value) == refusal(job_state)
    with pytest.raises(StoreError) as caught:
        wait(job_state)
    assert str(caught.value) == refusal(job_state)
    assert len(job_state._live._watchers._conditions) <= 1  # of the first


def test_who_is_about_to_wait_as_a_store_is_closed_is_told_so(
    opening: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    flow, store = waiting(), opening()
    job_state = flow.execute("waiter", {"ask": True}, store=store)
    when = Watchers.when

    def close_first(*given: Any) -> Awaited:
        store.close()
        return when(*given)

    monkeypatch.setattr(Watchers, "when", close_first)
    with pytest.raises(StoreError) as caught:
        job_state.wait(LONG)
    assert str(caught.value) == refusal(job_state)


def test_a_job_for_which_nobody_waits_is_left_without_a_word(
    opening: Callable[[], Store], caplog: pytest.LogCaptureFixture
) -> None:
    """A worker that another takes the place of needs no more than to close its store."""
    with opening() as store:
        job_state = waiting().execute("waiter", {"ask": True}, store=store)
    assert (job_state.status, job_state._live.lost, caplog.records) == ("running", None, [])


def test_a_job_that_settles_as_its_store_is_closed_has_settled(
    opening: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    flow, store = waiting(), opening()
    job_state = flow.execute("waiter", {"ask": True}, store=store)
    flush = store.ledger.flush

    def close_after() -> None:
        monkeypatch.undo()
        flush()
        store.close()

    monkeypatch.setattr(store.ledger, "flush", close_after)
    flow.cancel(job_state)
    assert (job_state.status, job_state.wait(LONG)) == ("cancelled", True)


def test_a_job_that_begins_as_its_store_is_closed_has_nobody_wait_for_it(
    opening: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    flow, store = waiting(), opening()
    mark = store.ledger.mark

    def close_after(log: JobLog) -> None:
        monkeypatch.undo()
        mark(log)
        store.close()

    monkeypatch.setattr(store.ledger, "mark", close_after)
    with pytest.raises(StoreError, match="the store has been closed while job"):
        flow.start("waiter", {"ask": True}, store=store)


# Jobs that do not run here.


def gone(job_state: JobState) -> str:
    job_id = job_state.job_id
    return (
        f"the store of job {job_id!r} has been closed, so that the job does not go on by this handle; open the store "
        f"again, and get the job with store.load({job_id!r})"
    )


def paused(flow: Flow, store: Store) -> JobState:
    job_state = flow.execute("waiter", {"ask": True}, store=store)
    flow.pause(job_state)
    return job_state


def changed_since(flow: Flow, store: Store) -> JobState:
    job_state = paused(flow, store)
    job_state.append_to_shared_log("changed")
    return job_state


def loaded(flow: Flow, store: Store) -> JobState:
    return store.load(paused(flow, store).job_id)[1]


def run_elsewhere(flow: Flow, store: Store) -> JobState:
    """A handle of what another one runs, by which it never comes to anything."""
    return store.load(flow.execute("waiter", {"ask": True}, store=store).job_id)[1]


@pytest.mark.parametrize("resting", [paused, changed_since, loaded, run_elsewhere])
@pytest.mark.parametrize("wait", [in_wait, in_wait_async])
def test_who_waits_for_a_job_that_does_not_run_here_is_told_so(
    opening: Callable[[], Store],
    resting: Callable[[Flow, Store], JobState],
    wait: Callable[[JobState], bool | None],
) -> None:
    """As what is left is a handle by which nobody can have the job go on."""
    flow, store = waiting(), opening()
    job_state = resting(flow, store)
    with ThreadPoolExecutor(1) as executor:
        told = executor.submit(wait, job_state)
        until(lambda: job_state._live._watchers._conditions)
        store.close()
        with pytest.raises(StoreError) as caught:
            told.result(LONG)
    assert str(caught.value) == gone(job_state)
    with pytest.raises(StoreError) as caught:
        wait(job_state)
    assert str(caught.value) == gone(job_state)


@pytest.mark.parametrize(
    ("change", "place", "call"),
    [
        (lambda flow, job_state: job_state.append_to_shared_log("x"), JobLog, "record"),
        (Flow.cancel, JobLog, "record"),
        (Flow.resume, Custody, "hold"),
    ],
)
def test_so_is_who_waits_where_the_job_is_just_being_changed(
    opening: Callable[[], Store],
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Flow, JobState], object],
    place: type,
    call: str,
) -> None:
    """Whoever closes the store comes into the middle of that, which comes to nothing."""
    flow, store = waiting(), opening()
    job_state, called = paused(flow, store), getattr(place, call)

    def close_first(*given: Any) -> object:
        monkeypatch.undo()
        store.close()
        return called(*given)

    with ThreadPoolExecutor(1) as executor:
        told = executor.submit(in_wait, job_state)
        until(lambda: job_state._live._watchers._conditions)
        monkeypatch.setattr(place, call, close_first)
        with pytest.raises(StoreError):
            change(flow, job_state)
        with pytest.raises(StoreError) as caught:
            told.result(LONG)
    assert str(caught.value) == gone(job_state)


@pytest.mark.parametrize("answers", [[], [StoreUnavailableError], [StoreUnavailableError, StoreError]])
def test_a_job_that_got_into_a_store_as_that_was_closed_goes_on_there_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: list[type[StoreError]]
) -> None:
    """It went on by its handle, and once more as an orphan of the store; also where the store could not say so."""
    flow, url, hold = waiting(), f"sqlite:///{tmp_path}/jobs.db", Custody.hold
    job_state = flow.execute("waiter", {"ask": True})
    flow.pause(job_state)
    store = open_store(url, patience=0.05)
    write = store.ledger.backend.write

    def write_in_silence(*given: Any) -> NoReturn:
        write(*given)
        raise (answers.pop(0) if answers[1:] else answers[0])("the connection is lost")

    def close_first(*given: Any) -> None:
        monkeypatch.undo()
        if answers:
            monkeypatch.setattr(store.ledger.backend, "write", write_in_silence)
        store.close()
        hold(*given)

    monkeypatch.setattr(Custody, "hold", close_first)
    with pytest.raises(StoreError, match="closed"):
        flow.resume(job_state, store=store)
    with pytest.raises(StoreError, match="closed"):
        flow.resume(job_state)
    with pytest.raises(StoreError) as caught:
        job_state.wait(LONG)
    assert str(caught.value) == gone(job_state)
    with open_store(url) as store, waiting() as another:
        (found,) = recover(store, flows=[another])
        assert found.job_id == job_state.job_id


def test_who_waits_for_one_that_did_not_get_in_waits_on(
    opening: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in no store, as before."""
    flow, store = waiting(), opening()
    job_state = flow.execute("waiter", {"ask": True})
    flow.pause(job_state)
    show = store.ledger.show

    def close_first() -> None:
        store.close()
        show()

    with ThreadPoolExecutor(1) as executor:
        told = executor.submit(in_wait, job_state)
        until(lambda: job_state._live._watchers._conditions)
        monkeypatch.setattr(store.ledger, "show", close_first)
        with pytest.raises(StoreError):
            flow.resume(job_state, store=store)
        flow.resume(job_state)
        flow.deliver(job_state, "waiter", "answer", {})
        assert told.result(LONG)


def test_so_is_who_waits_in_the_right_order(opening: Callable[[], Store]) -> None:
    with ThreadPoolExecutor(1) as executor:
        with opening() as store, waiting() as flow:
            job_state = flow.execute("waiter", {"ask": True}, store=store)
            told = executor.submit(in_wait, job_state)
            until(lambda: job_state._live._watchers._conditions)
        with pytest.raises(StoreError) as caught:
            told.result(LONG)
    assert (job_state.status, str(caught.value)) == ("paused", gone(job_state))


def test_so_is_who_began_to_wait_before_the_job_was_in_a_store(opening: Callable[[], Store]) -> None:
    flow, store = waiting(), opening()
    job_state = flow.execute("waiter", {"ask": True})
    flow.pause(job_state)
    with ThreadPoolExecutor(1) as executor:
        told = executor.submit(in_wait, job_state)
        until(lambda: job_state._live._watchers._conditions)
        flow.resume(job_state, store=store)
        flow.pause(job_state)
        store.close()
        with pytest.raises(StoreError) as caught:
            told.result(LONG)
    assert str(caught.value) == gone(job_state)


def test_what_has_come_true_has_whatever_became_of_the_store(
    opening: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waited is just being told of it as the store is closed; others ask later."""
    flow, store, check = waiting(), opening(), Watchers.check
    job_state = flow.execute("waiter", {"ask": True}, store=store)
    awaited = job_state._live.wait_until(is_not_running)

    def close_first(watchers: Watchers, job: Job) -> None:
        if job.status == "paused":
            monkeypatch.undo()
            store.close()
        check(watchers, job)

    monkeypatch.setattr(Watchers, "check", close_first)
    flow.pause(job_state)
    for seen in (awaited, job_state._live.wait_until(is_not_running)):
        seen.wait(0.0)


def test_who_waits_for_one_store_is_told_nothing_of_another(opening: Callable[[], Store]) -> None:
    """A job may come to rest in one, and go on in another, by way of its document."""
    with waiting() as flow, opening() as other:
        job_state = flow.execute("waiter", {"ask": True})
        other.ledger.keeper.know(job_state._live)
        other.close()
        assert not job_state.wait(0.0)
        flow.deliver(job_state, "waiter", "answer", {})
        assert job_state.wait(LONG)


def test_a_store_keeps_no_job_for_those_who_wait_no_more(opening: Callable[[], Store]) -> None:
    with opening() as store, waiting() as flow:
        job_state = paused(flow, store)
        assert not job_state.wait(0.0) and store.ledger.keeper._known
        del job_state
        gc.collect()
        assert not store.ledger.keeper._known


def test_a_finalizer_may_close_a_store_while_another_is_closed(opening: Callable[[], Store]) -> None:
    """The garbage collector runs it anywhere, on a thread that has what it needs; nobody came out of that."""
    here, there, closed_there = opening(), opening(), threading.Event()

    class Collecting(dict[str, Any]):
        def setdefault(self, *given: Any) -> Any:
            if not closed_there.is_set():
                closed_there.set()
                there.close()
            return super().setdefault(*given)

    flow = waiting()
    for store in (here, there):
        flow.execute("waiter", {"ask": True}, store=store)
    assert flow._engine is not None
    flow._engine._left_first = Collecting()
    closing = threading.Thread(target=here.close, daemon=True)
    closing.start()
    closing.join(LONG)
    assert not closing.is_alive()
    with pytest.raises(StoreError):
        flow.shutdown()


def test_nor_is_one_forgotten_that_a_finalizer_closes_as_a_job_of_its_id_comes_back(tmp_path: Path) -> None:
    flow, urls = waiting(), [f"sqlite:///{tmp_path}/{name}.db" for name in ("here", "there", "elsewhere")]
    here, there, elsewhere = map(open_store, urls)
    for store in (here, there, elsewhere):
        flow.execute("waiter", {"ask": True}, store=store, job_id="nightly")
    here.close()
    there.close()

    class Collecting(dict[str, Any]):
        def pop(self, *given: Any) -> Any:
            left = super().pop(*given)
            elsewhere.close()
            return left

    running = flow._engine
    assert running is not None
    running._left_first = Collecting(running._left_first)
    with open_store(urls[0]) as store:
        flow.resume(store.load_job("nightly"))
        assert len(running._left_first["nightly"]) == 2
        with pytest.raises(StoreError):
            flow.shutdown()
    assert not running._untold
