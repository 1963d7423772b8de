"""Jobs that are claimed for as long as a change takes: their owner writes each record, and then they are free."""

from collections.abc import Callable, Iterator
from threading import Event, Thread

import pytest
from msgspec.structs import replace

from routilux import Flow, JobState, OwnershipLost, ResumeError, Routine, recover
from routilux._backends.backend import Batch, JobRecord, StoredJob
from routilux._core.journal import write_record
from routilux._engine import ledger
from routilux.errors import StoreUnavailableError
from routilux.stores import Store
from routilux.stores.arguments import record_of
from serilux import register_serializable
from tests.engine.engine_parts import flow_of
from tests.patience import PATIENCE
from tests.stores.patients import Hopeless, patient
from tests.stores.watched_backend import Watched, away


@pytest.fixture
def backend() -> Watched:
    return Watched()


@pytest.fixture
def store(backend: Watched) -> Iterator[Store]:
    with Store(backend, patience=0.0) as store:
        yield store


@register_serializable(name="ClaimsOnce")
class Once(Routine):
    """Asks, and then does what must not be done twice, which takes until its process is dead."""

    entered = Event()
    release = Event()

    def __init__(self) -> None:
        super().__init__()
        self.set_effects("at_most_once")
        self.define_slot("trigger", self.ask)
        self.define_slot("effect", self.act)
        self.define_slot("answer", self.hear)
        self.define_event("out")

    def ask(self) -> None:
        self.expect("answer")
        self.emit("out")

    def act(self) -> None:
        self.entered.set()
        self.release.wait(PATIENCE)

    def hear(self, text: str) -> None:
        pass


@pytest.fixture
def crashed(backend: Watched, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """Leaves a job whose process has died in the middle of its effect."""

    def leave() -> str:
        Once.entered.clear()
        store = Store(backend)
        job_state = flow_of(once=Once(), links=("once.out>once.effect",)).start("once", store=store)
        assert Once.entered.wait(PATIENCE)
        store.ledger.flush()
        store.ledger.abandon()
        dead.add(store.ledger.owner)
        backend.written.clear()
        return job_state.job_id

    dead: set[str] = set()
    monkeypatch.setattr(ledger, "is_gone", lambda owner, silence: owner in dead)
    Once.release.clear()
    yield leave
    Once.release.set()


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda store, flow, job: flow.resume(job), id="resume"),
        pytest.param(lambda store, flow, job: store.cancel(job.job_id), id="cancel"),
        pytest.param(lambda store, flow, job: flow.deliver(job, "once", "answer", {"text": "yes"}), id="deliver"),
    ],
)
def test_a_store_that_is_away_as_a_crash_is_noted_is_what_is_told(
    backend: Watched,
    store: Store,
    crashed: Callable[[], str],
    ask: Callable[[Store, Flow, JobState], object],
) -> None:
    flow, job_state = store.load(crashed())
    backend.before["write"] = away
    with pytest.raises(StoreUnavailableError, match="the disk is full"):
        ask(store, flow, job_state)
    assert str(store.summary(job_state.job_id).owner).startswith("gone: process")
    (recovered,) = recover(store)
    assert [(task["ambiguous"], task["lost_attempts"]) for task in recovered.pending_tasks] == [(True, 1), (False, 0)]
    assert store.summary(job_state.job_id).owner is None


def test_an_orphan_that_another_takes_as_its_crash_is_noted_keeps_no_other_from_being_recovered(
    backend: Watched, store: Store, crashed: Callable[[], str]
) -> None:
    crashed()
    crashed()

    def take_first() -> None:
        first = next(record for record in backend.records() if record.owner == store.ledger.owner)
        backend.acquire(first, "another")

    backend.before["write"] = take_first
    assert [job_state.status for job_state in recover(store)] == ["paused"]
    assert sorted((record.status, record.owner or "") for record in store.jobs()) == [
        ("paused", ""),
        ("running", "another"),
    ]


def test_a_crash_is_noted_and_data_delivered_by_its_owner(
    backend: Watched, store: Store, crashed: Callable[[], str]
) -> None:
    job_id = crashed()
    seen: list[JobRecord | None] = []
    backend.after["write"] = lambda: seen.append(backend.record(job_id))
    store.deliver(job_id, "once", "answer", {"text": "yes"})
    assert [record is not None and record.owner for record in seen] == [store.ledger.owner]
    *noted, last = [batch.releases for batch in backend.written]
    assert (set(noted), last) == ({False}, True)


@pytest.mark.parametrize("verb", ["delete", "export"])
def test_a_change_is_made_although_its_job_goes_as_soon_as_it_is_free(
    backend: Watched, store: Store, verb: str
) -> None:
    other = Store(backend)
    with patient() as flow:
        job_state = flow.execute("patient", store=store)
        flow.pause(job_state)
        backend.written.clear()
        backend.after["write"] = lambda: getattr(other, verb)(job_state.job_id)
        flow.cancel(job_state)
    assert job_state.status == "cancelled"
    assert [(batch.status, batch.releases) for batch in backend.written] == [("cancelled", True)]


@pytest.mark.parametrize("verb", ["pause", "cancel"])
def test_who_resumes_a_job_as_somebody_asks_for_it_is_asked(backend: Watched, store: Store, verb: str) -> None:
    other = Store(backend)
    with patient() as flow:
        job_state = flow.execute("patient", store=store)
        flow.pause(job_state)
        flow_elsewhere, job_elsewhere = other.load(job_state.job_id)
        backend.after["read"] = lambda: flow_elsewhere.resume(job_elsewhere)
        getattr(Store(backend), verb)(job_state.job_id, timeout=PATIENCE)
        assert store.summary(job_state.job_id).status == {"pause": "paused", "cancel": "cancelled"}[verb]


def claimed(store: Store, job_id: str, *, take_over: bool) -> tuple[StoredJob, str | None]:
    created_at = record_of(store.ledger.backend, job_id).created_at
    return store.ledger.claim(job_id, created_at=created_at, take_over=take_over)


def test_that_an_owner_died_is_known_whenever_it_can_be_told(
    backend: Watched, store: Store, crashed: Callable[[], str]
) -> None:
    job_id = crashed()
    owner = record_of(backend, job_id).owner
    answers_get_lost(backend, 2)
    with pytest.raises(StoreUnavailableError):
        claimed(store, job_id, take_over=False)
    stored, died = claimed(store, job_id, take_over=False)
    assert (stored.record.epoch, died) == (3, owner)


def answers_get_lost(backend: Watched, times: int) -> None:
    """Have no answer come to the next claims, which are made all the same."""

    def lose() -> None:
        answers_get_lost(backend, times - 1)
        away()

    backend.after |= {"acquire": lose} if times else {}


def test_what_was_unanswered_is_forgotten_when_somebody_else_has_the_job(
    backend: Watched, store: Store, crashed: Callable[[], str]
) -> None:
    job_id = crashed()
    answers_get_lost(backend, 2)
    with pytest.raises(StoreUnavailableError):
        claimed(store, job_id, take_over=False)
    backend.acquire(record_of(backend, job_id), "another")
    _, died = claimed(store, job_id, take_over=True)
    left = store.ledger.keeper.left_behind
    left.give_back_all()
    assert (died, left.is_empty, record_of(backend, job_id).owner) == (None, True, store.ledger.owner)


def test_a_claim_that_takes_long_holds_up_no_other(backend: Watched, store: Store) -> None:
    with patient() as flow:
        first, second = [flow.execute("patient", store=store) for _ in range(2)]
        flow.pause(first)
        flow.pause(second)
        entered, release = Event(), Event()

        def wait() -> None:
            entered.set()
            assert release.wait(PATIENCE)

        backend.after["acquire"] = wait
        claiming = Thread(target=flow.cancel, args=[first])
        claiming.start()
        assert entered.wait(PATIENCE)
        flow.cancel(second)
        release.set()
        claiming.join(PATIENCE)
        assert (first.status, second.status) == ("cancelled", "cancelled")


def test_a_job_that_is_lost_while_it_is_changed_is_not_changed(backend: Watched, store: Store) -> None:
    with patient() as flow:
        job_state = flow.execute("patient", store=store)
        flow.pause(job_state)
        record = backend.record(job_state.job_id)
        assert record is not None
        of_the_store = replace(record, epoch=record.epoch + 1)
        backend.before["write"] = lambda: backend.acquire(of_the_store, "another")
        with pytest.raises(OwnershipLost, match="was taken over by another"):
            flow.cancel(job_state)
    assert store.summary(job_state.job_id).status == "paused"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        pytest.param(lambda flow, job: job.update_shared_data("k", 1), "paused", id="share"),
        pytest.param(lambda flow, job: flow.deliver(job, "patient", "answer", {"text": "x"}), "paused", id="deliver"),
        pytest.param(lambda flow, job: flow.cancel(job), "cancelled", id="cancel"),
    ],
)
def test_a_change_of_a_paused_job_that_is_not_written_is_not_made_and_can_be_asked_for_again(
    backend: Watched, store: Store, change: Callable[[Flow, JobState], object], status: str
) -> None:
    with patient() as flow:
        job_state = flow.execute("patient", store=store)
        flow.pause(job_state)
        before = job_state.serialize()
        backend.before["write"] = away
        with pytest.raises(StoreUnavailableError, match="the disk is full"):
            change(flow, job_state)
        record = store.summary(job_state.job_id)
        assert (record.status, record.owner) == ("paused", None)
        assert job_state.serialize() == before | {"epoch": record.epoch}
        change(flow, job_state)
        assert (store.summary(job_state.job_id).status, job_state.status) == (status, status)
        assert store.load(job_state.job_id)[1].serialize() == job_state.serialize()


def test_a_crash_that_could_not_be_noted_is_noted_by_whoever_asks_next(
    backend: Watched, store: Store, crashed: Callable[[], str]
) -> None:
    flow, job_state = store.load(crashed())
    backend.before["write"] = away
    with pytest.raises(StoreUnavailableError):
        flow.resume(job_state)
    with pytest.raises(ResumeError, match="may not be repeated"):
        flow.resume(job_state)
    assert job_state.status == "paused"
    flow.resolve(job_state, f"{job_state.job_id}:2", "done")
    flow.cancel(job_state)
    assert store.summary(job_state.job_id).status == "cancelled"


def test_a_job_that_cannot_be_let_go_at_once_is_let_go_as_it_is_stored(
    backend: Watched, store: Store, crashed: Callable[[], str]
) -> None:
    job_id = crashed()

    def fail_next() -> None:
        backend.before["write"] = away

    backend.after["write"] = fail_next
    assert [job_state.status for job_state in recover(store)] == ["paused"]
    assert store.summary(job_id).owner is None


def test_a_retry_that_fails_leaves_a_failed_job(
    store: Store, monkeypatch: pytest.MonkeyPatch, backend: Watched
) -> None:
    flow, job_state = failed_job(store)

    def fail(_: object) -> bool:
        patch.undo()
        raise StoreUnavailableError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(backend, "compact", fail)
        with pytest.raises(StoreUnavailableError):
            flow.retry(job_state)
    record = store.summary(job_state.job_id)
    assert (record.status, record.owner, job_state.status) == ("failed", None, "failed")
    assert store.orphans() == []


def failed_job(store: Store) -> tuple[Flow, JobState]:
    flow = flow_of(a=Hopeless())
    job_state = flow.execute("a", store=store)
    assert job_state.wait(PATIENCE)
    return flow, job_state


def test_a_handle_of_a_job_that_another_has_changed_since_goes_on_with_it_as_it_is(store: Store) -> None:
    with patient() as flow:
        job_state = flow.execute("patient", store=store)
        flow.pause(job_state)
        store.deliver(job_state.job_id, "patient", "answer", {"text": "heard"})
        assert job_state.status == "paused"
        flow.resume(job_state)
        assert job_state.wait(PATIENCE)
        assert job_state.shared_log == ["heard"]


def test_a_job_that_never_came_into_a_store_has_nothing_there_to_be_let_go(store: Store, backend: Watched) -> None:
    with patient() as flow:
        job_state = flow.execute("patient")
        flow.pause(job_state)
        backend.before["beat"] = away
        with pytest.raises(StoreUnavailableError) as caught:
            flow.resume(job_state, store=store)
        assert getattr(caught.value, "__notes__", []) == []
        flow.resume(job_state, store=store)
        flow.cancel(job_state)


def test_a_job_whose_process_died_in_the_middle_of_a_retry_is_listed_as_what_it_is(
    backend: Watched, store: Store
) -> None:
    _, job_state = failed_job(store)
    stored = backend.read(job_state.job_id)
    place = job_state.job_id, stored.record.created_at, stored.record.epoch, stored.number + 1
    backend.write([Batch(*place, write_record([]), 0.0, "running", releases=True)])
    (orphan,) = store.orphans()
    assert [recovered.status for recovered in recover(store)] == ["failed"]
    assert (store.orphans(), store.summary(orphan.job_id).status) == ([], "failed")
