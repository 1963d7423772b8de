"""Calls of a store that fail, also after they have done their work: what is written again is written once."""

from collections.abc import Iterator, Sequence
from itertools import repeat
from threading import Event, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routilux import Durability, Flow, JobState, OwnershipLost, Routine, StoreError, StoreUnavailableError, recover
from routilux._backends.backend import Backend, Batch
from routilux._backends.memory import MemoryBackend
from routilux._backends.opening import open_backend
from routilux._engine import trying_again
from routilux.stores import Store
from routilux.stores.arguments import record_of
from serilux import register_serializable
from tests.crashes.failing_backend import LOST, FailingBackend, Failure
from tests.crashes.gates import GATES, close_gates, gated, open_gates
from tests.crashes.mill import Order, expected, mill, outcome
from tests.laws.effort import examples
from tests.laws.random_flows import FlowPlan, Oracle, observed
from tests.laws.test_crashes import TIMELESS, WHAT_COMES, run

ORDER = Order(3, 2)
FAILURES = st.sampled_from([None, None, Failure(done=False), Failure(done=True)])


@pytest.fixture(autouse=True, scope="module")
def impatient() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trying_again, "FIRST_DELAY", 0.0)
        yield


@pytest.fixture(autouse=True)
def closed_gates() -> Iterator[None]:
    close_gates()
    yield
    open_gates()


@pytest.fixture
def backend(url: str) -> Iterator[Backend]:
    backend = open_backend(url)
    yield backend
    backend.close()


@examples(75)
@given(
    TIMELESS,
    st.lists(WHAT_COMES, min_size=1, max_size=12),
    st.sampled_from(Durability),
    st.lists(FAILURES, max_size=30),
)
def test_a_job_does_not_notice_that_answers_are_lost(
    plan: FlowPlan, turns: list[str], durability: Durability, failures: list[Failure | None]
) -> None:
    predicted = Oracle(plan).predict()
    backend = FailingBackend(MemoryBackend(), ["write", "compact"], failures)
    job_state = run(plan, turns, durability, backend=backend)
    assert observed(job_state) == predicted


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("durability", Durability)
def test_each_write_may_fail_once(backend: Backend, done: bool, durability: Durability) -> None:
    failing = FailingBackend(backend, ["write", "compact"], [Failure(done=done), None] * 1000)
    store = Store(failing, window=0.001)
    jobs = [mill("sequential").execute("source", ORDER._asdict(), store=store, durability=durability) for _ in range(3)]
    for job_state in jobs:
        assert job_state.wait(30)
        assert outcome(store.load(job_state.job_id)[1]) == expected("sequential", ORDER)


@register_serializable(name="FailingStoresOnce")
class Once(Routine):
    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", handler=self.run)

    def run(self) -> None:
        pass


def once() -> Flow:
    flow = Flow("once")
    flow.add_routine(Once(), "once")
    return flow


def test_a_job_that_ends_with_its_first_record_may_be_written_twice(backend: Backend) -> None:
    store = Store(FailingBackend(backend, ["write"], [Failure(done=True)]), window=60.0)
    job_state = once().execute("once", store=store)
    assert (job_state.status, store.load(job_state.job_id)[1].status) == ("completed", "completed")


def test_a_job_whose_store_fails_for_good_says_so_and_is_resumed_later(backend: Backend) -> None:
    failing = FailingBackend(backend, ["write"], [None, Failure(done=True)])
    store = Store(failing, patience=0.0)
    with pytest.raises(StoreUnavailableError, match=LOST):
        mill("sequential").execute("source", ORDER._asdict(), store=store, durability="strict").wait(30)
    (recovered,) = recover(store)
    assert recovered.wait(30)
    assert outcome(recovered) == expected("sequential", ORDER)


def test_who_takes_a_job_over_does_not_notice_that_the_answer_is_lost(backend: Backend) -> None:
    job_id = paused(Store(backend)).job_id
    store = Store(FailingBackend(backend, ["acquire"], [Failure(done=True)]))
    flow, job_state = store.load(job_id)
    assert flow.resume(job_state).wait(30)
    assert outcome(job_state) == expected("sequential", ORDER)


def paused(store: Store) -> JobState:
    flow = mill("sequential")
    job_state = flow.execute("source", ORDER._asdict(), store=store)
    flow.pause(job_state)
    return job_state


def test_what_is_wrong_with_one_job_is_not_the_fault_of_others() -> None:
    class Choosy(MemoryBackend):
        """Refuses to write anything of one job, with an error that is not about the others."""

        guilty = ""

        def write(self, batches: Sequence[Batch]) -> frozenset[str]:
            refused = super().write(batches)
            if self.guilty in {batch.job_id for batch in batches}:
                raise StoreError("the record is too large")
            return refused

    backend = Choosy()
    store = Store(backend, window=60.0)
    flow, guilty = mill("sequential"), gated().execute("gated", store=store)
    jobs = [flow.execute("source", ORDER._asdict(), store=store) for _ in range(2)]
    backend.guilty = guilty.job_id
    GATES[0].set()
    with pytest.raises(StoreError, match="too large"):
        guilty.wait(30)
    for job_state in jobs:
        assert job_state.wait(30)
        assert outcome(store.load(job_state.job_id)[1]) == expected("sequential", ORDER)


def test_a_job_is_known_to_be_lost_although_the_taker_cannot_be_asked_for() -> None:
    backend = MemoryBackend()
    store = Store(FailingBackend(backend, ["record"], repeat(Failure(done=False))), window=0.001)
    job_state = gated().execute("gated", store=store)
    backend.acquire(record_of(backend, job_state.job_id), "somebody")
    GATES[0].set()  # from here on it is the thread that writes which finds out
    with pytest.raises(OwnershipLost, match="was taken over"):
        job_state.wait(10)
    other = mill("sequential").execute("source", ORDER._asdict(), store=store)
    assert other.wait(30)


def test_a_job_has_not_settled_before_that_is_on_disk() -> None:
    class Slow(MemoryBackend):
        """Takes its time to write how a job has ended."""

        begins, goes_on = Event(), Event()

        def write(self, batches: Sequence[Batch]) -> frozenset[str]:
            if "completed" in {batch.status for batch in batches}:
                self.begins.set()
                self.goes_on.wait(60)
            return super().write(batches)

    backend, seen = Slow(), []
    job_state = mill("sequential").execute("source", ORDER._asdict(), store=Store(backend))

    def wait() -> None:
        seen.append((job_state.wait(60), backend.record(job_state.job_id).status))

    assert backend.begins.wait(60)
    waiting = Thread(target=wait)
    waiting.start()
    waiting.join(0.1)  # so that it has time to be wrong
    backend.goes_on.set()
    waiting.join()
    assert seen == [(True, "completed")]
