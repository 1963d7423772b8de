"""A job whose flow is of a class of the user's own goes on in one of that class."""

from collections.abc import Iterator

import pytest

from routilux import DefinitionError, Flow, Plan, recover
from routilux._backends.memory import MemoryBackend
from routilux.stores import Store
from serilux import register_serializable
from serilux.errors import SeriluxError
from tests.stores.patients import Patient

LONG = 60.0


@register_serializable(name="FlowClassesWard")
class Ward(Flow):
    """A flow with something of its own."""

    def greeting(self) -> str:
        return f"welcome to {self.flow_id}"


class Unregistered(Flow):
    """Nobody could read a document of it."""


@pytest.fixture
def backend() -> MemoryBackend:
    return MemoryBackend()


@pytest.fixture
def left(backend: MemoryBackend) -> str:
    """A job whose owner is gone."""
    store = Store(backend)
    job_state = filled(Ward("ward")).execute("patient", store=store)
    job_state._live.abandon()
    backend.leave(store.ledger.owner)
    return job_state.job_id


@pytest.fixture
def store(backend: MemoryBackend) -> Iterator[Store]:
    with Store(backend) as store:
        yield store


def filled(flow: Flow) -> Flow:
    flow.add_routine(Patient(), "patient")
    return flow


def test_it_is_recovered_in_its_class(store: Store, left: str) -> None:
    (job_state,) = recover(store)
    flow = job_state._live.flow
    assert isinstance(flow, Ward)
    assert flow.greeting() == "welcome to ward"
    flow.deliver(job_state, "patient", "answer", {"text": "x"})
    assert job_state.wait(LONG)


def test_it_is_loaded_in_its_class_unless_another_is_given(store: Store, left: str) -> None:
    assert type(store.load(left)[0]) is Ward
    given = Ward()
    assert store.load(left, flow=lambda: given)[0] is given


def test_it_is_checked_in_its_class(store: Store, left: str) -> None:
    (found,) = store.check()
    assert (found.job_id, list(found.verdict)) == (left, [])


def test_a_class_that_is_called_otherwise_by_now_is_found_by_a_plan(store: Store, left: str) -> None:
    stored = store._backend._jobs[left]
    definition = stored.record.definition
    content = store._backend._definitions[definition].replace(b"FlowClassesWard", b"FlowClassesOld")
    store._backend._definitions[definition] = content
    with pytest.raises(SeriluxError, match="FlowClassesOld"):
        store.load(left)
    assert type(store.load(left, plan=Plan(classes={"FlowClassesOld": "FlowClassesWard"}))[0]) is Ward


def test_a_name_of_what_is_no_flow_is_refused(store: Store, left: str) -> None:
    definition = store._backend._jobs[left].record.definition
    content = store._backend._definitions[definition].replace(b"FlowClassesWard", b"StoresPatient")
    store._backend._definitions[definition] = content
    with pytest.raises(SeriluxError, match="'StoresPatient' is no Flow class"):
        store.load(left)


def test_a_class_that_nobody_could_find_again_is_refused_before_anything_is_stored(store: Store) -> None:
    with pytest.raises(DefinitionError, match=r"cannot be kept in a store: .*'Unregistered' is not registered"):
        filled(Unregistered("ward")).execute("patient", store=store)
    assert store.jobs() == []
