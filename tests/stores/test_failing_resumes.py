"""What a resume or a store that fails leaves behind: the job, its flow and those who wait are as they should be."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

import pytest

from routilux import ErrorHandler, Flow, JobState, ResumeError, Routine, _recovery
from routilux._backends.backend import Batch, Compaction
from routilux._backends.memory import MemoryBackend
from routilux._engine.starting import Start
from routilux.errors import StoreError, StoreUnavailableError, UnknownJobError
from routilux.stores import Store
from routilux.stores.arguments import record_of
from serilux import register_serializable
from tests.engine.engine_parts import EngineAsker, flow_of, retrying
from tests.patience import PATIENCE, until
from tests.stores.patients import Hopeless, patient


class Failing(MemoryBackend):
    """Fails to write or compact, and does something then, as often as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.failures: list[StoreError] = []
        self.then: Callable[[], object] = lambda: None

    def _fail(self) -> None:
        self.then()
        if self.failures:
            raise self.failures.pop()

    def write(self, batches: Sequence[Batch]) -> frozenset[str]:
        self._fail()
        return super().write(batches)

    def compact(self, compaction: Compaction) -> bool:
        self._fail()
        return super().compact(compaction)


@pytest.fixture
def backend() -> Failing:
    return Failing()


@pytest.fixture
def store(backend: Failing) -> Iterator[Store]:
    with Store(backend, patience=0.0, window=0.001) as store:
        yield store


@pytest.fixture
def flow() -> Iterator[Flow]:
    flow = patient()
    flow.add_routine(type(flow.routines["patient"])(), "second")
    yield flow
    flow.shutdown(wait=False)


def paused(flow: Flow, store: Store | None = None) -> JobState:
    """A paused job, and data that waits in a slot of its flow."""
    job_state = flow.execute("patient", store=store)
    flow.pause(job_state)
    flow.routines["second"].get_slot("answer").receive({"text": "waited"})
    return job_state


def waiting(flow: Flow) -> dict[str, Any]:
    document: dict[str, Any] = flow.serialize()["routines"]["second"]["_slots"]["answer"]["_data"]
    return document


@pytest.mark.parametrize("stored", [False, True])
def test_data_in_a_slot_outlives_a_resume_that_fails(backend: Failing, store: Store, flow: Flow, stored: bool) -> None:
    job_state = paused(flow, store if stored else None)
    backend.failures = [StoreUnavailableError("away for a moment")]
    with pytest.raises(StoreUnavailableError) as caught:
        flow.resume(job_state, store=store)
    assert waiting(flow) == {"text": "waited"}
    assert getattr(caught.value, "__notes__", []) == []
    flow.resume(job_state, store=store)
    assert waiting(flow) == {}
    until(lambda: job_state.shared_log == ["waited"])


@contextmanager
def unanswered(backend: Failing, then: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Compactions are made, and their answers lost."""

    def compact(compaction: Compaction) -> NoReturn:
        assert MemoryBackend.compact(backend, compaction)
        then()
        raise StoreUnavailableError("no answer")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend, "compact", compact)
        yield


def test_data_in_a_slot_happens_once_although_no_answer_came(backend: Failing, store: Store, flow: Flow) -> None:
    """The stored job had its task, and the next one that was resumed had it again."""
    other, job_state = flow.execute("patient", store=store), paused(flow, store)
    flow.pause(other)
    with unanswered(backend), pytest.raises(StoreUnavailableError, match="no answer") as caught:
        flow.resume(job_state)
    assert waiting(flow) == {}
    assert getattr(caught.value, "__notes__", []) == []
    flow.resume(other)
    for each in (other, *store.recover(flows=[flow])):
        flow.deliver(each, "patient", "answer", {"text": "heard"})
        assert each.wait(PATIENCE)
    logs = [store.load_job(each.job_id).shared_log for each in (job_state, other)]
    assert sorted(logs[0]) + logs[1] == ["heard", "waited", "heard"]


def test_data_of_which_no_task_was_made_is_in_no_stored_job(
    store: Store, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_state = paused(flow, store)

    def broken(*_: object, **__: object) -> NoReturn:
        raise RuntimeError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(_recovery, "Task", broken)
        with pytest.raises(RuntimeError, match="broken"):
            flow.resume(job_state)
    assert waiting(flow) == {"text": "waited"}


def taken_over(backend: Failing, job_id: str) -> None:
    backend.acquire(record_of(backend, job_id), "another")


def silenced(backend: Failing, job_id: str) -> None:
    def silent(_: str) -> NoReturn:
        raise StoreUnavailableError("away")

    vars(backend)["read"] = silent


@pytest.mark.parametrize("happens", [taken_over, silenced])
def test_data_that_may_be_in_a_stored_job_is_not_lost_and_the_error_says_so(
    backend: Failing, store: Store, flow: Flow, happens: Callable[[Failing, str], None]
) -> None:
    job_state = paused(flow, store)
    with (
        unanswered(backend, lambda: happens(backend, job_state.job_id)),
        pytest.raises(StoreUnavailableError, match="no answer") as caught,
    ):
        flow.resume(job_state)
    assert waiting(flow) == {"text": "waited"}
    note = f"the data of second.answer waits in the flow again, and may be in the stored job {job_state.job_id!r}"
    assert note in "\n".join(caught.value.__notes__)


@pytest.mark.parametrize("failing", ["write", "compact"])
def test_a_stored_job_is_as_it_was_and_anybodys_after_a_resume_that_fails(
    backend: Failing, store: Store, flow: Flow, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    job_state = paused(flow, store)
    before = job_state.serialize()

    def fail(_: object) -> None:
        patch.undo()
        raise StoreError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(backend, failing, fail)
        with pytest.raises(StoreError, match="broken") as caught:
            flow.resume(job_state)
    assert getattr(caught.value, "__notes__", []) == []
    assert job_state.serialize() == before | {"epoch": before["epoch"] + 1}
    record = store.summary(job_state.job_id)
    assert (record.status, record.owner) == ("paused", None)
    flow_elsewhere, job_elsewhere = Store(backend).load(job_state.job_id)
    flow_elsewhere.resume(job_elsewhere)
    flow_elsewhere.deliver(job_elsewhere, "patient", "answer", {"text": "heard"})
    assert job_elsewhere.wait(PATIENCE)
    with pytest.raises(ResumeError, match="is completed"):
        flow.resume(job_state)


def test_a_job_that_may_have_got_into_a_store_goes_on_in_no_other_way(
    backend: Failing, store: Store, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write was done, and its answer lost."""
    job_state = paused(flow)
    write = backend.write

    def unanswered(batches: Sequence[Batch]) -> frozenset[str]:
        write(batches)
        raise StoreUnavailableError("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(backend, "write", unanswered)
        with pytest.raises(StoreUnavailableError):
            flow.resume(job_state, store=store)
    assert (job_state.status, waiting(flow)) == ("paused", {})
    flow.resume(job_state)
    assert store.recover(flows=[flow]) == []
    flow.deliver(job_state, "patient", "answer", {"text": "heard"})
    assert job_state.wait(PATIENCE)
    assert store.load(job_state.job_id)[1].shared_log == ["waited", "heard"]


def test_a_job_that_has_not_got_into_a_store_after_all_does_so_when_it_goes_on(
    backend: Failing, store: Store, flow: Flow
) -> None:
    job_state = paused(flow)
    backend.failures = [StoreUnavailableError("away")]
    with pytest.raises(StoreUnavailableError):
        flow.resume(job_state, store=store)
    flow.resume(job_state)
    assert store.summary(job_state.job_id).status == "running"


def test_a_job_that_was_deleted_from_its_store_does_not_come_back(backend: Failing, store: Store, flow: Flow) -> None:
    job_state = paused(flow, store)
    backend.failures = [StoreError("broken"), StoreError("broken")]
    with pytest.raises(StoreError, match="broken"):
        flow.resume(job_state)
    assert store.delete(job_state.job_id)
    with pytest.raises(UnknownJobError):
        flow.resume(job_state)


class Unsure(ErrorHandler):
    """Is asked whether there are retries left, and cannot say, the second time."""

    asked = 0

    def has_retries_left(self) -> bool:
        self.asked += 1
        if self.asked == 2:
            raise RuntimeError("broken")
        return True


def test_a_resume_that_fails_when_the_job_was_taken_in_lets_it_go() -> None:
    part = EngineAsker()
    part.set_error_handler(Unsure("stop"))
    with flow_of(ask=EngineAsker(), second=part) as flow:
        job_state = flow.execute("ask")
        flow.pause(job_state)
        part.get_slot("answer").receive({"text": "waited"})
        before = job_state.serialize()
        with pytest.raises(RuntimeError, match="broken"):
            flow.resume(job_state)
        assert job_state.serialize() == before
        flow.resume(job_state)
        flow.deliver(job_state, "ask", "answer", {"text": "yes"})
        assert job_state.wait(PATIENCE, raise_on_failure=True)


def test_policies_are_as_they_were_after_a_resume_that_fails(backend: Failing, store: Store) -> None:
    part = Hopeless()
    part.set_error_handler(retrying(delay=PATIENCE))
    with flow_of(a=part) as flow:
        job_state = flow.execute("a")
        flow.pause(job_state)
        policy = part.get_error_handler()
        assert policy is not None
        policy.retry_count = 0
        backend.failures = [StoreError("broken")]
        with pytest.raises(StoreError, match="broken"):
            flow.resume(job_state, store=store)
        assert policy.retry_count == 0
        flow.resume(job_state)
        assert policy.retry_count == 1
        flow.cancel(job_state)


def test_what_has_come_since_is_newer_than_what_was_put_back(backend: Failing, store: Store, flow: Flow) -> None:
    job_state = paused(flow)
    slot = flow.routines["second"].get_slot("answer")
    backend.failures, backend.then = [StoreError("broken")], lambda: slot.receive({"text": "newer"})
    with pytest.raises(StoreError):
        flow.resume(job_state, store=store)
    assert waiting(flow) == {"text": "newer"}


def test_a_job_that_does_not_get_into_a_store_is_in_none_and_as_it_was(
    backend: Failing, store: Store, flow: Flow
) -> None:
    job_state = paused(flow)
    before = job_state.serialize()
    backend.failures = [StoreError("broken"), StoreError("broken")]
    with pytest.raises(StoreError, match="broken"):
        flow.resume(job_state, store=store)
    assert job_state.serialize() == before
    with Store(MemoryBackend()) as another:
        flow.resume(job_state, store=another)
        flow.deliver(job_state, "patient", "answer", {"text": "heard"})
        assert job_state.wait(PATIENCE)
        assert another.summary(job_state.job_id).status == "completed"


def test_history_that_nobody_has_read_yet_is_read_before_others_may_look(
    backend: Failing, store: Store, flow: Flow
) -> None:
    """Two that put it together at once had it twice."""
    job_state = JobState()
    job_state.deserialize(paused(flow).serialize())
    seen: list[Any] = []
    backend.then = lambda: seen.append(job_state._job.unread)
    assert job_state._job.unread != ()
    flow.resume(job_state, store=store)
    assert seen
    assert set(seen) == {()}


def test_nothing_of_a_job_changes_while_others_look(
    backend: Failing, store: Store, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_state, stood_still = flow.execute("patient", store=store), []
    live, lose = job_state._live, job_state._live.lose

    def lost(error: Any) -> None:
        stood_still.append(live._stands_still)
        lose(error)

    monkeypatch.setattr(live, "lose", lost)
    backend.failures = [StoreError("broken")]
    with pytest.raises(StoreError):
        job_state.append_to_shared_log("lost")
    assert stood_still == [False]


def test_who_waits_for_an_attempt_of_a_job_that_is_lost_is_told(backend: Failing, store: Store, flow: Flow) -> None:
    job_state = flow.execute("patient", store=store)
    (task,) = job_state._live.job.pending()
    with job_state._live.telling():
        job_state._live.lose(StoreError("broken"))
    with pytest.raises(StoreError, match="broken"):
        job_state._live.when_attempted(task).wait(PATIENCE)


def test_a_timer_that_comes_after_its_job_was_lost_does_nothing(backend: Failing, store: Store, flow: Flow) -> None:
    job_state = flow.execute("patient", store=store, timeout=PATIENCE)
    with job_state._live.telling():
        job_state._live.lose(StoreError("broken"))
    job_state._live.now = lambda: time.time() + 2 * PATIENCE
    job_state._live._wake()
    assert (job_state.status, job_state.error) == ("running", None)


@register_serializable(name="FailingResumesImpatient")
class Impatient(Routine):
    """Waits for two answers, neither for long."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.ask)
        for name in ("a", "b"):
            self.define_slot(name, self.hear)

    def ask(self) -> None:
        for name in ("a", "b"):
            self.expect(name, timeout=PATIENCE)

    def hear(self) -> None:
        pass


def test_a_job_that_is_lost_as_it_fails_does_not_fail_again_with_what_is_overdue_beside(
    backend: Failing, store: Store
) -> None:
    with flow_of(a=Impatient()) as flow:
        job_state = flow.execute("a", store=store)
        live = job_state._live
        live.now = lambda: time.time() + 2 * PATIENCE
        backend.failures = [StoreUnavailableError("away")]
        live._wake()
        with pytest.raises(StoreUnavailableError, match="away"):
            job_state.wait(PATIENCE)
        assert (job_state.status, job_state.error, live._alarms._timer) == ("running", None, None)
        assert store.summary(job_state.job_id).status == "running"


class Looking(logging.Handler):
    """Adds to each line how a job gets on, which another thread has to say."""

    def __init__(self) -> None:
        super().__init__()
        self.job_state: JobState | None = None
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if self.job_state is not None and getattr(record, "action", "") == "lose":
            with ThreadPoolExecutor(1) as another:
                self.seen.append(str(another.submit(self.job_state.explain).result(PATIENCE).status))


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda flow, job: job.append_to_shared_log("lost"), id="from outside"),
        pytest.param(lambda flow, job: flow.pause(job), id="by a pause"),
        pytest.param(lambda flow, job: job._live.log.record(job.status, 0.0), id="by the thread that writes"),
    ],
)
def test_operators_are_told_of_a_lost_job_without_its_lock(
    backend: Failing, store: Store, flow: Flow, act: Callable[[Flow, JobState], object]
) -> None:
    """Logging has locks of its own, which others may have who look at the job."""
    handler, job_state = Looking(), flow.execute("patient", store=store)
    handler.job_state = job_state
    logging.getLogger("routilux").addHandler(handler)
    try:
        backend.failures = [StoreError("broken")]
        with suppress(StoreError):
            act(flow, job_state)
        until(lambda: handler.seen)
    finally:
        logging.getLogger("routilux").removeHandler(handler)
    assert handler.seen == ["running"]


def test_a_job_that_is_lost_before_it_is_waited_for_is_told_to_coroutines(
    backend: Failing, store: Store, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = Start._begin

    def and_lose(start: Start, **named: Any) -> None:
        begin(start, **named)
        with start.live.telling():
            start.live.lose(StoreError("broken"))

    monkeypatch.setattr(Start, "_begin", and_lose)

    async def execute() -> None:
        await asyncio.wait_for(flow.execute_async("patient", store=store), PATIENCE)

    with pytest.raises(StoreError, match="broken"):
        asyncio.run(execute())
