"""Law 6: who owns a job, who may take it, and who is told."""

import json
import os
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from routilux import Flow, JobState, JobStateError, OwnershipLost, recover
from routilux._backends.backend import StoredJob
from routilux._engine.owner import LEASE, is_gone, shown, this_process
from routilux.errors import RecoveryError
from routilux.stores import Store, open_store
from routilux.testing.conformance_parts import deleted
from tests.crashes.gates import GATES, close_gates, gated, open_gates


@pytest.fixture(autouse=True)
def closed_gates() -> Iterator[None]:
    close_gates()
    yield
    open_gates()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_store(url) as store:
        yield store


def made_up(**changes: Any) -> str:
    return json.dumps(json.loads(this_process()) | changes)


def test_a_process_that_runs_is_not_gone_however_long_it_says_nothing() -> None:
    assert not is_gone(this_process(), None)
    assert not is_gone(this_process(), 100 * LEASE)


def test_a_process_whose_number_was_given_to_another_is_gone() -> None:
    assert is_gone(made_up(started="1"), 0.0)


def test_a_process_that_has_ended_is_gone_at_once() -> None:
    child = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(child, 0)
    assert is_gone(made_up(pid=child), 0.0)


def test_a_process_that_has_ended_and_was_not_waited_for_is_gone() -> None:
    child = os.posix_spawn("/bin/true", ["true"], {})
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    try:
        assert is_gone(made_up(pid=child), 0.0)
    finally:
        os.waitpid(child, 0)


@pytest.mark.parametrize("machine", ["another boot", None])
def test_a_process_elsewhere_is_gone_when_it_says_nothing_for_too_long(machine: str | None) -> None:
    elsewhere = made_up(machine=machine)
    assert not is_gone(elsewhere, 0.0)
    assert not is_gone(elsewhere, LEASE)
    assert is_gone(elsewhere, LEASE + 0.1)
    assert is_gone(elsewhere, None)


@pytest.mark.parametrize("text", ["somebody", "[1]", "{}", "null", ""])
def test_an_owner_that_nobody_can_read_is_gone_when_it_says_nothing(text: str) -> None:
    assert not is_gone(text, 0.0)
    assert is_gone(text, None)
    assert shown(text) == text


def test_an_owner_is_shown_as_its_process() -> None:
    assert shown(this_process()) == f"process {os.getpid()} on {socket.gethostname()}"


def test_a_job_is_left_to_its_owner_unless_it_is_taken(store: Store, url: str) -> None:
    job_state = gated().execute("gated", store=store)
    with open_store(url) as other:
        assert recover(other) == []
        flow, loaded = other.load(job_state.job_id)
        with pytest.raises(JobStateError, match=f"is run by process {os.getpid()} on "):
            flow.resume(loaded, take_over=False)
        assert other._backend.record(job_state.job_id).epoch == 0
        flow.resume(loaded)
        GATES[0].set()
        with pytest.raises(OwnershipLost, match=f"was taken over by process {os.getpid()} on .*epoch 1; here it was 0"):
            job_state.wait(30)
        open_gates()
        assert loaded.wait(30)


def test_a_process_does_not_recover_what_it_runs_itself(store: Store) -> None:
    job_state = gated().execute("gated", store=store)
    assert recover(store) == []
    with pytest.raises(JobStateError, match="is being run"):
        store.delete(job_state.job_id)
    open_gates()
    assert job_state.wait(30)
    assert store.delete(job_state.job_id)


@pytest.fixture
def orphan(url: str) -> str:
    """A job whose owner is gone."""
    with open_store(url) as store:
        return gated().execute("gated", store=store).job_id


class Crowded(Store):
    """A store in which somebody else always comes first."""

    def __init__(self, store: Store, come_first: Callable[[str], None]) -> None:
        super().__init__(store._backend)
        self._come_first = come_first

    def load(self, job_id: str, **given: Any) -> tuple[Flow, JobState]:
        loaded = super().load(job_id, **given)
        self._come_first(job_id)
        return loaded


def test_a_job_that_another_recovers_first_is_left_alone(store: Store, orphan: str) -> None:
    other = Store(store._backend)
    assert recover(Crowded(store, lambda job_id: recovers(other))) == []
    assert other.ledger.has_owner(store._backend.record(orphan))


def recovers(store: Store) -> None:
    assert len(recover(store)) == 1


def test_a_job_that_is_deleted_meanwhile_is_not_recovered(store: Store, orphan: str) -> None:
    assert recover(Crowded(store, lambda job_id: deleted(store._backend, job_id))) == []


def test_a_job_that_ends_meanwhile_is_not_recovered(store: Store, orphan: str) -> None:
    flow, job_state = store.load(orphan)
    listed = store._backend.records()
    flow.cancel(job_state)
    store._backend.records = lambda **_: listed
    assert recover(store) == []


def test_a_job_that_cannot_be_recovered_does_not_keep_others_from_it(store: Store, url: str) -> None:
    with open_store(url) as other:
        first, second = [gated().execute("gated", store=other).job_id for _ in range(2)]
    read = store._backend.read

    def read_what_is_damaged(job_id: str) -> StoredJob:
        return replace(read(job_id), snapshot=b"{") if job_id == first else read(job_id)

    store._backend.read = read_what_is_damaged
    with pytest.raises(RecoveryError, match=first):
        recover(store)
    assert store.ledger.has_owner(store._backend.record(second))


def test_a_job_that_does_not_run_may_be_changed_over_and_over(store: Store) -> None:
    flow = gated()
    job_state = flow.execute("gated", store=store)
    open_gates()
    flow.pause(job_state)
    loaded_flow, loaded = store.load(job_state.job_id)
    for number in range(3):
        loaded.update_shared_data("number", number)
        assert store.load(job_state.job_id)[1].shared_data == {"number": number}
    assert loaded_flow.resume(loaded).wait(30)
    assert store.load(job_state.job_id)[1].shared_data == {"number": 2}
