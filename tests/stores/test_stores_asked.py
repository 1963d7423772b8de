"""What a store refuses to be asked, and how often it is asked for the same."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from routilux import DefinitionError, Flow, JobState, StoreError, UnknownJobError, recover
from routilux._backends.memory import MemoryBackend
from routilux._engine import owner, silences
from routilux.stores import Store, open_store
from tests.stores.patients import patient


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    urls = {"memory": "memory:", "sqlite": f"sqlite:///{tmp_path}/jobs.db"}
    with open_store(urls.get(request.param) or request.getfixturevalue("postgres_url")) as store:
        yield store


@pytest.mark.parametrize(
    ("status", "shown"),
    [("nonsense", "'nonsense'"), ("Running", "'Running'"), ("", "''"), (5, "5"), (["paused"], "paused")],
)
def test_jobs_of_a_status_that_there_is_not_are_refused(store: Store, status: Any, shown: str) -> None:
    with pytest.raises(DefinitionError, match="unknown status") as refusal:
        store.jobs(status)
    assert shown in str(refusal.value)
    assert "'running', 'paused', 'completed', 'failed', 'cancelled', 'moved'" in str(refusal.value)


def test_every_status_may_be_asked_for(store: Store) -> None:
    statuses = ["pending", "running", "paused", "completed", "failed", "cancelled", "moved", None]
    assert [store.jobs(status) for status in statuses] == [[]] * 8


def test_jobs_of_a_flow_that_is_no_text_are_refused(store: Store) -> None:
    with pytest.raises(DefinitionError, match="a flow_id is a text, or None for those of all flows, not 5"):
        store.jobs(flow_id=5)  # type: ignore[arg-type]


@pytest.mark.parametrize("age", ["1d", None, True, float("nan"), -1, -0.1, timedelta(days=-1), [1]])
def test_what_is_no_age_prunes_nothing(store: Store, age: Any) -> None:
    flow = patient()
    flow.cancel(flow.execute("patient", store=store))
    with pytest.raises(DefinitionError, match="older_than is a timedelta, or a number of seconds, from 0 on, not "):
        store.prune(older_than=age)
    assert len(store.jobs()) == 1


@pytest.mark.parametrize("age", [float("inf"), 10**9, timedelta.max])
def test_nothing_is_older_than_that(store: Store, age: Any) -> None:
    flow = patient()
    flow.cancel(flow.execute("patient", store=store))
    assert store.prune(older_than=age) == 0


CALLS: dict[str, Callable[[Store, Flow, JobState], object]] = {
    "execute": lambda store, flow, job: flow.execute("patient", store=store),
    "execute by id": lambda store, flow, job: flow.execute("patient", store=store, job_id="x"),
    "start": lambda store, flow, job: flow.start("patient", store=store),
    "resume": lambda store, flow, job: flow.resume(job),
    "load": lambda store, flow, job: store.load(job.job_id),
    "jobs": lambda store, flow, job: store.jobs(),
    "summary": lambda store, flow, job: store.summary(job.job_id),
    "peek": lambda store, flow, job: store.peek(job.job_id),
    "orphans": lambda store, flow, job: store.orphans(),
    "recover": lambda store, flow, job: recover(store),
    "pause": lambda store, flow, job: store.pause(job.job_id),
    "cancel": lambda store, flow, job: store.cancel(job.job_id),
    "deliver": lambda store, flow, job: store.deliver(job.job_id, "patient", "answer", {"text": ""}),
    "export": lambda store, flow, job: store.export(job.job_id),
    "delete": lambda store, flow, job: store.delete(job.job_id),
    "prune": lambda store, flow, job: store.prune(older_than=0.0),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_store_that_is_closed_says_so(store: Store, name: str) -> None:
    flow = patient()
    job_state = flow.execute("patient", store=store)
    flow.pause(job_state)
    store.close()
    with pytest.raises(StoreError, match="has been closed; open it again"):
        CALLS[name](store, flow, job_state)
    assert (job_state.status, flow._engine.jobs) == ("paused", set())
    store.close()


def test_owners_elsewhere_are_asked_after_once_however_many_jobs_they_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    class Counting(MemoryBackend):
        asked_after = 0

        def silences(self) -> dict[str, float]:
            self.asked_after += 1
            return dict.fromkeys(super().silences(), 2 * owner.LEASE)

    backend = Counting()
    elsewhere = Store(backend)
    elsewhere.ledger.owner = '{"host": "elsewhere", "pid": 1, "machine": "another"}'
    jobs = [patient().execute("patient", store=elsewhere) for _ in range(20)]
    for job_state in jobs:
        job_state._live.abandon()
    backend.beat(elsewhere.ledger.owner)
    monkeypatch.setattr(silences, "FRESH", 60.0)
    backend.asked_after = 0
    assert len(recover(Store(backend))) == 20
    assert backend.asked_after == 1


def test_owners_on_this_machine_are_not_asked_after(monkeypatch: pytest.MonkeyPatch) -> None:
    class Never(MemoryBackend):
        def silences(self) -> dict[str, float]:
            raise AssertionError("it is known here who lives")

    backend = Never()
    patient().execute("patient", store=Store(backend))
    assert recover(Store(backend)) == []


def test_an_owner_that_has_come_since_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was heard a moment ago tells nothing of it: to say that it is silent would take its jobs from it."""
    monkeypatch.setattr(silences, "FRESH", 60.0)
    backend = MemoryBackend()
    store = Store(backend)
    for number in range(2):
        name = f'{{"host": "elsewhere", "pid": {number}, "machine": "another"}}'
        other = Store(backend)
        other.ledger.owner = name
        patient().execute("patient", store=other)._live.abandon()
        backend.beat(name)
        assert recover(store) == []


def test_a_job_that_was_moved_out_cannot_be_asked_for_anything(store: Store) -> None:
    flow = patient()
    job_state = flow.execute("patient", store=store)
    flow.pause(job_state)
    store.export(job_state.job_id)
    with pytest.raises(UnknownJobError, match=r"is not stored here any more: it was moved out \(epoch 1\)"):
        store.ledger.backend.ask(job_state.job_id, "", b"{}")
