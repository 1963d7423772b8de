"""Jobs in a store whose handlers need what their host gives them."""

from collections.abc import Iterator

import pytest

from routilux import DefinitionError, Flow, ResumeError, Routine, recover
from routilux.errors import RecoveryError
from routilux.stores import Store, open_store
from routilux.testing import StepRunner
from serilux import register_serializable


@register_serializable
class Ringer(Routine):
    """Rings a bell that is its host's."""

    def __init__(self) -> None:
        super().__init__()
        self.require("bell")
        self.define_slot("trigger", self.ring)

    def ring(self) -> None:
        self.get_resource("bell").append("ding")


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store("memory:") as opened:
        yield opened


@pytest.fixture
def orphan(store: Store) -> str:
    """A job that has begun to do nothing when its owner went."""
    flow = Flow("bells", engine_factory=(runner := StepRunner()).engine, resources={"bell": []})
    flow.add_routine(Ringer(), "ringer")
    job_state = runner.start(flow, "ringer", store=store)
    runner.abandon(job_state)
    store._backend.leave(store.ledger.owner)
    return job_state.job_id


def test_what_is_given_to_load_is_given_to_the_flow(store: Store, orphan: str) -> None:
    bell: list[str] = []
    flow, job_state = store.load(orphan, resources={"bell": bell})
    assert flow.resume(job_state).wait(10)
    assert (job_state.status, bell) == ("completed", ["ding"])


def test_without_it_nothing_is_taken_over(store: Store, orphan: str) -> None:
    flow, job_state = store.load(orphan)
    epoch = store.summary(orphan).epoch
    with pytest.raises(ResumeError, match="routine 'ringer' needs 'bell'"):
        flow.resume(job_state)
    assert (store.summary(orphan).epoch, [each.job_id for each in store.orphans()]) == (epoch, [orphan])


def test_recovery_names_what_is_missing_and_goes_on_with_what_it_is_given(store: Store, orphan: str) -> None:
    with pytest.raises(RecoveryError, match="routine 'ringer' needs 'bell'"):
        recover(store)
    bell: list[str] = []
    (job_state,) = recover(store, resources={"bell": bell, "something else": 5})
    assert job_state.wait(10)
    assert (job_state.status, bell) == ("completed", ["ding"])


def test_what_is_no_dict_is_refused_before_anything_is_read(store: Store) -> None:
    for call in (lambda: store.load("nobody", resources=[]), lambda: recover(store, resources=[])):  # type: ignore[arg-type]
        with pytest.raises(DefinitionError, match="a dict by name"):
            call()


@register_serializable
class Locked(Ringer):
    """Rings with a key."""

    def __init__(self) -> None:
        super().__init__()
        self.declare_secret("key")

    def ring(self) -> None:
        self.get_resource("bell").append(self.get_config("key"))


def test_secrets_are_given_to_recovery_by_name_or_for_one_routine(store: Store) -> None:
    flow = Flow("locked", engine_factory=(runner := StepRunner()).engine, resources={"bell": [], "key": "of the first"})
    for name in ("front", "back"):
        flow.add_routine(Locked(), name)
    for name in ("front", "back"):
        runner.abandon(runner.start(flow, name, store=store, job_id=name))
    store._backend.leave(store.ledger.owner)
    bell: list[str] = []
    with pytest.raises(RecoveryError, match="routine 'back' needs 'key': it is a secret, which no document has"):
        recover(store, resources={"bell": bell})
    for job_state in recover(store, resources={"bell": bell, "key": "for all", "back.key": "for the back"}):
        assert job_state.wait(10)
    assert sorted(bell) == ["for all", "for the back"]
