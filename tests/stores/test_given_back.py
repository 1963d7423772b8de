"""What a process owns and does not run is given back as soon as its store lets it, as it is stored."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from routilux import Flow, JobState, Routine
from routilux._backends.backend import Batch
from routilux._backends.memory import MemoryBackend
from routilux._core.facts import PauseRequested, SharedDataSet
from routilux._core.journal import write_record
from routilux._engine import giving_back, job_log, keeper, ledger
from routilux._engine.fault_points import FaultPoint
from routilux._engine.hands import Hands
from routilux._engine.owner import said_to_be_gone
from routilux._records import Changes
from routilux.errors import JobStateError, RecoveryError, StoreError, StoreUnavailableError
from routilux.stores import Store
from routilux.stores.arguments import record_of
from serilux import Serializable, register_serializable
from tests.engine.engine_parts import flow_of
from tests.patience import PATIENCE, until
from tests.stores.patients import Hopeless, patient
from tests.stores.watched_backend import Watched, away


class Outage:
    """A store that is away from a call on, which may have been done, until it is back."""

    def __init__(self, backend: MemoryBackend) -> None:
        self._backend = backend
        self._begins_at: str | None = None
        self._is_done = False
        self._is_on = False

    def begin_at(self, name: str, *, done: bool) -> None:
        self._begins_at, self._is_done = name, done

    def end(self) -> None:
        self._begins_at, self._is_on = None, False

    def close(self) -> None:
        """Others have the backend, too."""

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._backend, name)

        def call(*arguments: Any, **named: Any) -> Any:
            begins = name == self._begins_at and threading.current_thread().name != "routilux-heart"
            if begins and not self._is_on and self._is_done:
                method(*arguments, **named)
            self._is_on = self._is_on or begins
            return away() if self._is_on else method(*arguments, **named)

        return call


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to be given back is looked at often."""
    monkeypatch.setattr(keeper, "ROUND", 0.01)


@pytest.fixture
def backend() -> Watched:
    return Watched()


@pytest.fixture
def outage(backend: Watched) -> Outage:
    return Outage(backend)


@pytest.fixture
def store(outage: Outage) -> Iterator[Store]:
    with Store(outage, patience=0.0, window=0.001) as store:
        yield store
        outage.end()


@pytest.fixture
def elsewhere(backend: Watched) -> Iterator[Store]:
    """The store as another process has it."""
    with Store(Outage(backend)) as store:
        yield store


@pytest.fixture
def flow() -> Iterator[Flow]:
    with patient() as flow:
        yield flow


def paused(flow: Flow, store: Store) -> JobState:
    job_state = flow.execute("patient", store=store)
    flow.pause(job_state)
    return job_state


CHANGES: dict[str, Callable[[Flow, JobState], object]] = {
    "resume": lambda flow, job_state: flow.resume(job_state),
    "deliver": lambda flow, job_state: flow.deliver(job_state, "patient", "answer", {"text": "heard"}),
    "share": lambda flow, job_state: job_state.update_shared_data("key", 1),
    "cancel": lambda flow, job_state: flow.cancel(job_state),
    "pause": lambda flow, job_state: flow.pause(job_state, "again"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_claim_of_which_no_answer_came_is_asked_for_once_more(
    backend: Watched, store: Store, flow: Flow, change: str
) -> None:
    job_state = paused(flow, store)
    backend.after["acquire"] = away
    CHANGES[change](flow, job_state)
    assert store.summary(job_state.job_id).epoch == 2


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("call", "done"), [("acquire", True), ("write", False), ("write", True)])
def test_a_paused_job_is_anybodys_when_its_store_is_back(
    outage: Outage, store: Store, elsewhere: Store, flow: Flow, change: str, call: str, done: bool
) -> None:
    job_state = paused(flow, store)
    outage.begin_at(call, done=done)
    with pytest.raises(StoreUnavailableError):
        CHANGES[change](flow, job_state)
    outage.end()
    until(lambda: elsewhere.summary(job_state.job_id).owner is None)
    if elsewhere.summary(job_state.job_id).status != "cancelled":
        elsewhere.cancel(job_state.job_id, timeout=PATIENCE)
    assert elsewhere.load_job(job_state.job_id).status == "cancelled"


def test_a_job_that_was_lost_as_its_store_was_away_goes_on_anywhere(
    outage: Outage, store: Store, elsewhere: Store, flow: Flow
) -> None:
    job_state = flow.execute("patient", store=store)
    outage.begin_at("write", done=False)
    with pytest.raises(StoreUnavailableError):
        flow.deliver(job_state, "patient", "answer", {"text": "lost"})
    outage.end()
    until(elsewhere.orphans)
    (recovered,) = elsewhere.recover()
    elsewhere.deliver(recovered.job_id, "patient", "answer", {"text": "heard"})
    assert recovered.wait(PATIENCE)
    assert recovered.shared_log == ["heard"]


def test_a_job_with_a_name_that_may_have_begun_goes_on_anywhere(
    outage: Outage, store: Store, elsewhere: Store, flow: Flow
) -> None:
    outage.begin_at("write", done=True)
    with pytest.raises(StoreUnavailableError):
        flow.execute("patient", store=store, job_id="named")
    outage.end()
    until(elsewhere.orphans)
    assert [job_state.job_id for job_state in elsewhere.recover()] == ["named"]


def test_so_does_one_whose_store_fails_in_a_way_of_its_own(
    backend: Watched, store: Store, elsewhere: Store, flow: Flow
) -> None:
    def fail() -> None:
        raise ConnectionResetError("after the commit")

    backend.after["write"] = fail
    with pytest.raises(StoreError, match="after the commit"):
        flow.execute("patient", store=store, job_id="named")
    until(elsewhere.orphans)
    assert [job_state.job_id for job_state in elsewhere.recover()] == ["named"]


def test_a_failed_job_whose_retry_fails_is_listed_as_failed_by_the_same_process(
    outage: Outage, store: Store, backend: Watched
) -> None:
    flow = flow_of(a=Hopeless())
    job_state = flow.execute("a", store=store)
    assert job_state.wait(PATIENCE)
    outage.begin_at("compact", done=False)
    with pytest.raises(StoreUnavailableError):
        flow.retry(job_state)
    outage.end()
    until(lambda: backend.record(job_state.job_id).owner is None)
    assert store.summary(job_state.job_id).status == "failed"


def written_as_running(backend: Watched, job_id: str) -> None:
    """What a process leaves that dies between the two writes of a resume."""
    stored = backend.read(job_id)
    place = job_id, stored.record.created_at, stored.record.epoch, stored.number + 1
    backend.write([Batch(*place, write_record([]), 0.0, "running", releases=True)])


@register_serializable(name="GivenBackMoody")
class Moody(Routine):
    """Fails, or waits for an answer."""

    fails = True

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.ask)
        self.define_slot("answer", self.ask)

    def ask(self) -> None:
        if Moody.fails:
            raise ConnectionError
        self.expect("answer")


def test_recover_takes_up_what_has_been_retried_and_lost_since_it_looked(
    backend: Watched, store: Store, elsewhere: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = flow_of(a=Moody())
    job_id = flow.execute("a", store=store).job_id
    until(lambda: store.summary(job_id).status == "failed")
    written_as_running(backend, job_id)
    resume = Flow.resume

    def overtaken(self: Flow, job_state: JobState, **named: Any) -> JobState:
        monkeypatch.undo()
        try:
            return resume(self, job_state, **named)
        finally:
            flow_elsewhere, job_elsewhere = elsewhere.load(job_id)
            flow_elsewhere.retry(job_elsewhere)
            job_elsewhere._live.sync()
            job_elsewhere._live.abandon()
            written_as_running(backend, job_id)

    monkeypatch.setattr(Moody, "fails", False)
    monkeypatch.setattr(Flow, "resume", overtaken)
    (recovered,) = store.recover(flows=[flow])
    assert (recovered.status, store.summary(job_id).owner) == ("running", store.ledger.owner)
    flow.cancel(recovered)


@register_serializable(name="GivenBackBad")
class Bad(Serializable):
    """Can be journalled, until it is told not to be written any more."""

    refuses = False

    def serialize(self) -> dict[str, Any]:
        if Bad.refuses:
            raise ZeroDivisionError("told to")
        return super().serialize()


@register_serializable(name="GivenBackGrower")
class Grower(Routine):
    """Grows its job until that is written anew, which fails the first time."""

    has_told = False

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.begin)
        self.define_slot("more", self.grow)
        self.define_event("more")

    def begin(self) -> None:
        self.get_execution_context().job_state.update_shared_data("bad", Bad())
        self.emit("more", count=19)

    def grow(self, count: int) -> None:
        if not Grower.has_told:
            Grower.has_told = Bad.refuses = True
        self.get_execution_context().job_state.append_to_shared_log("x" * 200)
        if count:
            self.emit("more", count=count - 1)


@pytest.fixture
def _restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(job_log, "SMALLEST_JOURNAL", 1_000)
    yield
    Grower.has_told = Bad.refuses = False


@pytest.mark.usefixtures("_restored")
def test_a_job_that_cannot_be_written_anew_is_let_go_and_says_why(store: Store, backend: Watched) -> None:
    flow = flow_of(a=Grower(), links=("a.more>a.more",))
    job_state = flow.start("a", store=store, durability="strict")
    with pytest.raises(StoreError, match="cannot be written: told to"):
        job_state.wait(PATIENCE)
    Bad.refuses = False
    until(lambda: backend.record(job_state.job_id).owner is None)
    (recovered,) = store.recover()
    assert recovered.wait(PATIENCE)
    assert recovered.shared_log == ["x" * 200] * 20


@pytest.mark.usefixtures("_restored")
def test_a_resume_that_cannot_be_written_leaves_the_job_paused_and_listed_so(store: Store, flow: Flow) -> None:
    job_state = flow.execute("patient", store=store)
    job_state.update_shared_data("bad", Bad())
    flow.pause(job_state)
    Bad.refuses = True
    with pytest.raises(StoreError, match="cannot be written: told to") as caught:
        flow.resume(job_state)
    Bad.refuses = False
    assert getattr(caught.value, "__notes__", []) == []
    summary = store.summary(job_state.job_id)
    assert (job_state.status, summary.status, summary.owner) == ("paused", "paused", None)
    flow.resume(job_state)
    flow.deliver(job_state, "patient", "answer", {"text": "heard"})
    assert job_state.wait(PATIENCE)


@pytest.mark.parametrize("change", ["deliver", "share", "cancel", "pause"])
def test_a_change_of_a_paused_job_that_fails_ends_nobodys_waiting(
    backend: Watched, store: Store, flow: Flow, caplog: pytest.LogCaptureFixture, change: str
) -> None:
    job_state = paused(flow, store)
    waiting = job_state._live.wait_until(lambda job: job.settled)
    backend.before["write"] = away
    with pytest.raises(StoreUnavailableError):
        CHANGES[change](flow, job_state)
    assert (waiting.is_done, job_state.status, caplog.records) == (False, "paused", [])
    flow.cancel(job_state)
    assert waiting.is_done


@pytest.mark.parametrize("change", ["deliver", "share", "cancel", "pause"])
def test_a_job_that_did_not_get_into_a_store_can_be_changed_as_before(
    backend: Watched, store: Store, flow: Flow, change: str
) -> None:
    job_state = flow.execute("patient")
    flow.pause(job_state)
    backend.before["write"] = away
    with pytest.raises(StoreUnavailableError):
        flow.resume(job_state, store=store)
    with Store(MemoryBackend()) as other, pytest.raises(JobStateError, match="may have got into another store"):
        flow.resume(job_state, store=other)
    CHANGES[change](flow, job_state)
    assert backend.records() == []


@pytest.mark.parametrize("name", ["record", "acquire"])
def test_who_looks_at_a_job_does_not_wait_for_its_claim(
    backend: Watched, store: Store, flow: Flow, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    job_state = paused(flow, store)
    entered, release, call = threading.Event(), threading.Event(), getattr(backend, name)

    def slow(*arguments: Any, **named: Any) -> Any:
        entered.set()
        assert release.wait(PATIENCE)
        return call(*arguments, **named)

    monkeypatch.setattr(backend, name, slow)
    sharing = threading.Thread(target=CHANGES["share"], args=[flow, job_state])
    sharing.start()
    assert entered.wait(PATIENCE)
    assert (job_state.explain().status, job_state.serialize()["shared_data"]) == ("paused", {})
    release.set()
    sharing.join(PATIENCE)
    assert job_state.shared_data == {"key": 1}


def test_a_new_job_that_a_store_writes_late_is_given_back_too(
    outage: Outage, store: Store, elsewhere: Store, backend: Watched, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No answer came, nor was it there when it was looked for; then it was."""
    write, late = backend.write, list[Any]()

    def slow(batches: Any) -> Any:
        late.append(batches)
        return away()

    with monkeypatch.context() as patch:
        patch.setattr(backend, "write", slow)
        left = store.ledger.keeper.left_behind
        left._patience = PATIENCE
        with pytest.raises(StoreUnavailableError):
            flow.execute("patient", store=store, job_id="late")
    left.give_back_all()
    assert not left.is_empty
    write(late[0])
    until(elsewhere.orphans)
    assert [job_state.job_id for job_state in elsewhere.recover()] == ["late"]


def test_a_store_that_is_away_is_asked_once_for_all_that_is_given_back(backend: Watched) -> None:
    outage, asked = Outage(backend), list[str]()
    left = giving_back.LeftBehind(outage, "me", Hands(), is_run=lambda *_: False, patience=PATIENCE)
    outage.begin_at("record", done=False)
    for number in range(9):
        left.add(f"job-{number}", 1)
    backend.record = asked.append
    left.give_back_all()
    assert (asked, left.is_empty) == ([], False)
    outage.end()
    left.give_back_all()
    assert (len(asked), left.is_empty) == (9, False)


def test_what_is_left_behind_once_more_meanwhile_stays(backend: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    left = giving_back.LeftBehind(backend, "me", Hands(), is_run=lambda *_: False, patience=0.0)
    monkeypatch.setattr(backend, "record", lambda job_id: left.add("job", 7))
    left.give_back("job", 5)
    assert [*left._left] == [("job", 7)]


def left_by(store: Store) -> giving_back.LeftBehind:
    """What a process is to give back, at which no thread of it is."""
    own = store.ledger
    return giving_back.LeftBehind(own.backend, own.owner, own.hands, is_run=lambda *_: False, patience=PATIENCE)


def test_who_has_a_job_in_hand_holds_up_no_other_that_is_given_back(backend: Watched, store: Store) -> None:
    flow, left = patient(), left_by(store)
    first, second = [flow.execute("patient", store=store) for _ in range(2)]
    store.ledger.flush()
    entered, release = threading.Event(), threading.Event()

    def have_in_hand() -> None:
        with store.ledger.in_hand(first.job_id):
            entered.set()
            assert release.wait(PATIENCE)

    holding = threading.Thread(target=have_in_hand)
    holding.start()
    assert entered.wait(PATIENCE)
    for job_state in (first, second):
        job_state._live.abandon()
        left.add(job_state.job_id, 0)
    left.give_back_all()
    assert [backend.record(each.job_id).owner is None for each in (first, second)] == [False, True]
    release.set()
    holding.join(PATIENCE)
    left.give_back_all()
    assert backend.record(first.job_id).owner is None


def test_who_runs_a_job_under_an_earlier_epoch_is_no_reason_to_keep_it(
    outage: Outage, store: Store, elsewhere: Store
) -> None:
    """A second handle has claimed it, and got no answer."""
    first = patient().execute("patient", store=store)
    other_flow, second = store.load(first.job_id)
    outage.begin_at("acquire", done=True)
    with pytest.raises(StoreUnavailableError):
        other_flow.resume(second)
    outage.end()
    until(elsewhere.orphans)
    (recovered,) = elsewhere.recover()
    assert (recovered.job_id, elsewhere.summary(first.job_id).epoch) == (first.job_id, 2)


def test_a_late_write_is_waited_for_before_a_job_is_given_up(
    backend: Watched, store: Store, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_state, left = flow.execute("patient", store=store), left_by(store)
    store.ledger.flush()
    job_state._live.abandon()
    write, late = backend.write, list[Any]()

    def after_another(batches: Any) -> Any:
        late.extend(batches)
        write([earlier(batch) for batch in batches])
        return write(batches)

    monkeypatch.setattr(backend, "write", after_another)
    left.add(job_state.job_id, 0)
    left.give_back_all()
    assert (len(late), left.is_empty) == (1, False)
    monkeypatch.setattr(backend, "write", write)
    left.give_back_all()
    assert (backend.record(job_state.job_id).owner, left.is_empty) == (None, True)


def earlier(batch: Batch) -> Batch:
    """What the store was asked to write before, of which no answer came."""
    content = write_record([(SharedDataSet(Changes({"key": "late"})), 0.0)])
    return Batch(batch.job_id, batch.created_at, batch.epoch, batch.number, content, 0.0)


@pytest.fixture
def of_the_dead(backend: Watched, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """A running job, and its owner, who has died."""
    owner = Store(Outage(backend))
    job_state = patient().execute("patient", store=owner)
    owner.ledger.flush()
    owner.ledger.abandon()
    job_state._live.abandon()
    monkeypatch.setattr(ledger, "is_gone", lambda name, silence: name == owner.ledger.owner)
    return job_state.job_id, owner.ledger.owner


def died_with(store: Store, job_id: str) -> str | None:
    """The owner of whose death whoever claims a job is told."""
    created_at = record_of(store.ledger.backend, job_id).created_at
    return store.ledger.claim(job_id, created_at=created_at, take_over=False)[1]


def test_a_death_is_noted_by_the_next_where_the_job_cannot_be_read(
    backend: Watched, store: Store, elsewhere: Store, monkeypatch: pytest.MonkeyPatch, of_the_dead: tuple[str, str]
) -> None:
    job_id, owner = of_the_dead
    loaded, job_state = store.load(job_id)
    monkeypatch.setattr(job_state._live.custody, "_covered", -1)  # as if it had been replaced: it is read again
    backend.before["definition"] = away
    with pytest.raises(StoreUnavailableError):
        loaded.resume(job_state)
    assert died_with(elsewhere, job_id) == said_to_be_gone(owner) != owner


@pytest.mark.parametrize("is_closed", [True, False])
def test_a_death_is_noted_by_the_next_where_no_answer_came(
    outage: Outage, store: Store, elsewhere: Store, of_the_dead: tuple[str, str], is_closed: bool
) -> None:
    job_id, owner = of_the_dead
    flow, job_state = store.load(job_id)
    outage.begin_at("acquire", done=True)
    with pytest.raises(StoreUnavailableError):
        flow.resume(job_state)
    outage.end()
    if is_closed:
        store.close()
    until(elsewhere.orphans)
    assert died_with(elsewhere, job_id) == said_to_be_gone(owner)


def test_a_death_is_noted_by_the_next_where_the_store_is_closed_just_after_a_claim(
    store: Store, elsewhere: Store, of_the_dead: tuple[str, str]
) -> None:
    job_id, owner = of_the_dead
    store.ledger.reached = lambda point: store.close() if point is FaultPoint.JOB_CLAIMED else None
    with pytest.raises(RecoveryError, match="has been closed"):
        store.recover()
    assert died_with(elsewhere, job_id) == said_to_be_gone(owner)


def test_a_store_is_not_left_while_a_job_is_claimed(
    backend: Watched, store: Store, of_the_dead: tuple[str, str]
) -> None:
    """Else that would be owned by one who has left, and lives."""
    job_id, owner = of_the_dead
    closing = threading.Thread(target=store.close)

    def begin_to_close() -> None:
        closing.start()
        until(lambda: store.ledger._has_left)
        assert str(backend.record(job_id).owner) == store.ledger.owner

    backend.after["acquire"] = begin_to_close
    with pytest.raises(RecoveryError, match="has been closed"):
        store.recover()
    closing.join(PATIENCE)
    assert record_of(backend, job_id).owner in (None, said_to_be_gone(owner))
    with pytest.raises(StoreError, match="has been closed"):
        died_with(store, job_id)


def test_of_a_paused_job_whose_owner_died_there_is_nothing_to_note(
    outage: Outage, backend: Watched, store: Store, elsewhere: Store, of_the_dead: tuple[str, str]
) -> None:
    job_id, owner = of_the_dead
    record = record_of(backend, job_id)
    place = job_id, record.created_at, record.epoch, backend.read(job_id).number + 1
    backend.write([Batch(*place, write_record([(PauseRequested("", {}), 0.0)]), 0.0, "paused", releases=True)])
    backend._jobs[job_id] = replace(backend._jobs[job_id], record=replace(record_of(backend, job_id), owner=owner))
    flow, job_state = store.load(job_id)
    outage.begin_at("acquire", done=True)
    with pytest.raises(StoreUnavailableError):
        flow.resume(job_state)
    outage.end()
    until(lambda: record_of(backend, job_id).owner is None)
    assert died_with(elsewhere, job_id) is None


def test_a_job_of_a_store_that_could_not_be_left_is_an_orphan_for_the_same_process(
    outage: Outage, store: Store, elsewhere: Store
) -> None:
    job_state = patient().execute("patient", store=store)
    job_id = job_state.job_id
    job_state._live.abandon()
    outage.begin_at("leave", done=False)
    store.close()
    assert [orphan.job_id for orphan in elsewhere.orphans()] == [job_id]


def test_an_owner_that_loses_its_store_as_it_obeys_does_not_refuse(
    outage: Outage, store: Store, elsewhere: Store, backend: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job is given back when the store is there again, and whoever asks does it himself."""
    monkeypatch.setattr(keeper, "ROUND", 0.01)
    job_state = patient().execute("patient", store=store)
    outage.begin_at("write", done=False)
    back = threading.Thread(target=lambda: (until(lambda: job_state._live.lost), outage.end()))
    back.start()
    elsewhere.deliver(job_state.job_id, "patient", "answer", {"text": "heard"}, timeout=PATIENCE)
    back.join(PATIENCE)
    (task,) = elsewhere.load_job(job_state.job_id).pending_tasks
    assert task["data"] == {"text": "heard"}


def test_the_status_of_what_is_given_back_is_known_without_its_classes(
    backend: Watched, store: Store, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_state = flow.execute("patient", store=store)
    job_state.update_shared_data("bad", Bad())
    flow.pause(job_state)

    def unreadable(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Bad, "deserialize", unreadable)
    assert giving_back.status_by_content(backend, backend.read(job_state.job_id)) == "paused"
