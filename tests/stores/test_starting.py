"""Jobs that are started under an id that their caller has chosen, so that it can ask again."""

import asyncio
from collections.abc import Iterator, Sequence
from threading import Barrier, Event, Thread
from typing import Any

import pytest

from routilux import Flow, JobExistsError, JobState, OwnershipLost, Routine, StoreUnavailableError
from routilux._backends.backend import Batch
from routilux._backends.memory import MemoryBackend
from routilux._engine.live_job import LiveJob
from routilux._engine.starting import Start
from routilux.stores import Store, open_store
from routilux.testing import StepRunner
from serilux import register_serializable
from tests.interruptions import interrupted_after_each_call
from tests.patience import PATIENCE, until

RAN: list[str] = []
MANY = 100


@register_serializable(name="StartingNoted")
class Noted(Routine):
    """Says that it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.run)

    def run(self) -> None:
        RAN.append(self.get_execution_context().job_state.job_id)


def noted(**settings: Any) -> Flow:
    flow = Flow("noted", **settings)
    flow.add_routine(Noted(), "noted")
    return flow


@pytest.fixture(autouse=True)
def nothing_ran() -> None:
    RAN.clear()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Store]:
    urls = {"memory": "memory:", "sqlite": f"sqlite:///{tmp_path}/jobs.db"}
    url = urls.get(request.param) or request.getfixturevalue("postgres_url")
    with open_store(url) as store:
        yield store


def execute(flow: Flow, store: Store, job_id: str) -> JobState:
    return flow.execute("noted", store=store, job_id=job_id)


def execute_async(flow: Flow, store: Store, job_id: str) -> JobState:
    return asyncio.run(flow.execute_async("noted", store=store, job_id=job_id))


def start(flow: Flow, store: Store, job_id: str) -> JobState:
    return flow.start("noted", store=store, job_id=job_id)


VERBS = pytest.mark.parametrize("verb", [execute, execute_async, start])


@VERBS
def test_a_job_is_stored_under_the_id_that_was_chosen(store: Store, verb: Any) -> None:
    with noted() as flow:
        assert verb(flow, store, "order-17").wait(60)
    assert [(each.job_id, each.status) for each in store.jobs()] == [("order-17", "completed")]


@VERBS
def test_an_id_that_the_store_has_is_refused_before_anything_runs(store: Store, verb: Any) -> None:
    flow = noted()
    execute(flow, store, "order-17")
    before = store.peek("order-17").document
    with pytest.raises(JobExistsError) as refusal:
        verb(flow, store, "order-17")
    assert (refusal.value.job_id, refusal.value.status) == ("order-17", "completed")
    assert str(refusal.value) == (
        "the store has a job 'order-17' already, which is completed; get it with store.load('order-17'), or start the "
        "new one under another id"
    )
    assert (RAN, store.peek("order-17").document, flow._engine.jobs) == (["order-17"], before, set())


def test_an_id_that_was_moved_out_stays_taken(store: Store) -> None:
    flow = noted()
    execute(flow, store, "order-17")
    store.export("order-17")
    with pytest.raises(JobExistsError, match="was moved out of the store, and may go on elsewhere") as refusal:
        execute(flow, store, "order-17")
    assert (refusal.value.status, len(RAN)) == (None, 1)


def test_an_id_that_was_deleted_is_free(store: Store) -> None:
    flow = noted()
    kept = execute(flow, store, "order-17")
    store.delete("order-17")
    assert execute(flow, store, "order-17").status == "completed"
    assert (kept.status, len(RAN)) == ("completed", 2)


def test_what_begins_at_the_same_moment_in_one_process_is_not_taken_for_the_same(store: Store) -> None:
    """A write that is repeated, as its answer was lost, is known by its owner and time: here these are equal."""
    runner = StepRunner()
    flow = noted(engine_factory=runner.engine)
    start(flow, store, "order-17")
    with pytest.raises(JobExistsError, match="which is running"):
        start(flow, store, "order-17")
    runner.run()
    assert RAN == ["order-17"]


def test_of_many_threads_that_ask_at_once_one_starts_the_job(store: Store) -> None:
    flow, refused, together = noted(), list[JobExistsError](), Barrier(6)

    def ask() -> None:
        together.wait()
        try:
            execute(flow, store, "order-17")
        except JobExistsError as error:
            refused.append(error)

    threads = [Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (RAN, len(refused)) == (["order-17"], 5)
    assert {error.job_id for error in refused} == {"order-17"}


class Racing(MemoryBackend):
    """A store into which another process writes the same job, right after somebody has looked for it."""

    def __init__(self) -> None:
        super().__init__()
        self.overtaken = False

    def write(self, batches: Sequence[Batch]) -> frozenset[str]:
        if not self.overtaken:
            self.overtaken = True
            execute(noted(), Store(self), batches[0].job_id)
        return super().write(batches)


@VERBS
def test_whoever_is_slower_than_another_process_starts_nothing(verb: Any) -> None:
    backend = Racing()
    flow = noted()
    with pytest.raises(JobExistsError, match="which is completed") as refusal:
        verb(flow, Store(backend), "order-17")
    assert not isinstance(refusal.value, OwnershipLost)
    assert (RAN, flow._engine.jobs) == (["order-17"], set())


class Away(MemoryBackend):
    """A store whose writes are done, and whose answers are lost."""

    def write(self, batches: Sequence[Batch]) -> frozenset[str]:
        super().write(batches)
        raise StoreUnavailableError("no answer")


def test_whoever_got_no_answer_asks_again() -> None:
    backend, flow = Away(), noted()
    with pytest.raises(StoreUnavailableError):
        execute(flow, Store(backend, patience=0.0), "order-17")
    assert (RAN, flow._engine.jobs) == ([], set())
    with pytest.raises(JobExistsError, match="which is running"):
        execute(flow, Store(backend, patience=0.0), "order-17")


def test_a_lost_answer_is_asked_for_again_and_the_job_runs_once() -> None:
    class Once(MemoryBackend):
        failures = 1

        def write(self, batches: Sequence[Batch]) -> frozenset[str]:
            refused = super().write(batches)
            if self.failures:
                self.failures -= 1
                raise StoreUnavailableError("no answer")
            return refused

    assert execute(noted(), Store(Once()), "order-17").wait(60)
    assert RAN == ["order-17"]


# Callers that wait no longer.


def completed(store: Store) -> list[str]:
    return [job.job_id for job in store.jobs(status="completed")]


def test_a_job_whose_caller_was_cancelled_while_it_began_runs(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on, begin = Event(), Event(), Start._begin

    def begin_slowly(*args: Any, **named: Any) -> None:
        begin(*args, **named)
        begun.set()
        assert go_on.wait(PATIENCE)

    async def give_up(flow: Flow) -> None:
        asked = asyncio.create_task(flow.execute_async("noted", store=store, job_id="order-17"))
        await asyncio.to_thread(begun.wait, PATIENCE)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        go_on.set()

    monkeypatch.setattr(Start, "_begin", begin_slowly)
    with noted() as flow:
        asyncio.run(give_up(flow))
        until(lambda: completed(store) == ["order-17"])
    assert RAN == ["order-17"]


@pytest.mark.parametrize(("verb", "moment"), [(execute, "may_run_here"), (execute, "when_attempted"), (start, "sync")])
def test_a_job_whose_caller_was_interrupted_when_it_had_begun_runs(
    store: Store, monkeypatch: pytest.MonkeyPatch, verb: Any, moment: str
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    def interrupt_once(live: LiveJob) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt

    if moment == "sync":
        keep = LiveJob._keep_new

        def keep_and_interrupt(live: LiveJob, *args: Any, **named: Any) -> None:
            keep(live, *args, **named)
            monkeypatch.setattr(LiveJob, "sync", interrupt_once)

        monkeypatch.setattr(LiveJob, "_keep_new", keep_and_interrupt)
    else:
        monkeypatch.setattr(LiveJob, "may_run_here", lambda *_: False)
        monkeypatch.setattr(LiveJob, moment, interrupt)
    with noted() as flow:
        with pytest.raises(KeyboardInterrupt):
            verb(flow, store, "order-17")
        monkeypatch.undo()
        until(lambda: completed(store) == ["order-17"])
    assert RAN == ["order-17"]


@pytest.mark.parametrize("verb", [execute, start])
@pytest.mark.parametrize("in_place", [True, False])
def test_a_job_runs_wherever_its_caller_was_interrupted_once_it_is_stored(
    store: Store, monkeypatch: pytest.MonkeyPatch, verb: Any, in_place: bool
) -> None:
    if not in_place:
        monkeypatch.setattr(LiveJob, "may_run_here", lambda *_: False)
    with noted() as flow:
        for number in interrupted_after_each_call(lambda number: verb(flow, store, f"order-{number}")):
            assert number < MANY
            until(lambda: completed(store) == [job.job_id for job in store.jobs()])
    assert sorted(RAN) == sorted(completed(store)) != []
