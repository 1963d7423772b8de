"""A job that is loaded just before its owner replaces its journal by a snapshot is not taken over as it was then."""

from collections.abc import Callable

from routilux import JobState, Plan
from routilux._engine.fault_points import FaultPoint
from routilux.stores import Store
from tests.patience import PATIENCE
from tests.stores.patients import patient
from tests.stores.stored_flows import open_another, store

__all__ = ["open_another", "store"]  # fixtures


def loaded_before_a_snapshot(owner: Store, other: Store, plan: Plan | None = None) -> JobState:
    """A job, as it is loaded elsewhere when its owner is about to replace its journal."""
    flow, loaded = patient(), list[JobState]()
    job_state = flow.execute("patient", store=owner)
    flow.pause(job_state)

    def load(point: FaultPoint) -> None:
        if point is FaultPoint.SNAPSHOT_MADE:
            loaded.append(other.load_job(job_state.job_id))

    owner.ledger.reached = load
    flow.resume(job_state, plan=plan)
    return loaded[0]


def test_its_history_is_written_once(store: Store, open_another: Callable[..., Store]) -> None:
    other = open_another()
    loaded = loaded_before_a_snapshot(store, other)
    with patient() as flow:
        taken = flow.resume(loaded)
        flow.deliver(taken, "patient", "answer", {"text": "well"})
        assert taken.wait(PATIENCE)
    assert len(other.load_job(taken.job_id).execution_history) == len(taken.execution_history)


def test_a_plan_that_the_snapshot_is_past_is_not_forgotten(store: Store, open_another: Callable[..., Store]) -> None:
    other = open_another()
    loaded = loaded_before_a_snapshot(store, other, Plan(reason="nothing but a name"))
    with patient() as flow:
        taken = flow.resume(loaded)
    assert len(taken.serialize().get("plans", [])) == 1
