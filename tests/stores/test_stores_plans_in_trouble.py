"""Plans for stored jobs where hosts get in each other's way, and where functions and names are of no use."""

from collections.abc import Iterator
from typing import Any

import pytest

from routilux import DefinitionError, ErrorHandler, Flow, JobState, Plan, Routine, recover
from routilux._verdict import Fit
from routilux.errors import JobStateError, OwnershipLost, RecoveryError
from routilux.stores import Store
from serilux import register_serializable
from serilux.errors import DocumentError
from tests.stores.test_stores_plans import (
    ALL,
    BEFORE,
    NEVER,
    RENAMED_ALL,
    RENAMED_SLOT,
    SLOT,
    Coin,
    Hosts,
    Later,
    PlannedToken,
    PlannedWorker,
    busy,
    failing,
    hosts,
    listing,
    logged,
    objecting,
)

__all__ = ["hosts"]  # a fixture


# Two hosts at once.


@pytest.fixture
def coins_again(hosts: Hosts) -> Iterator[None]:
    """Leave the names of classes to other tests as they were."""
    yield
    register_serializable(name="PlannedToken")(PlannedToken)


@pytest.mark.usefixtures("coins_again")
def test_a_host_that_has_loaded_a_job_before_another_applied_the_plan_takes_it_as_it_is_by_then(hosts: Hosts) -> None:
    """Its classes have changed places: read by the plan once more, a coin would be something else."""
    job_state = hosts.paused(count=3)
    register_serializable(name="PlannedCoin")(PlannedToken)
    register_serializable(name="PlannedPenny")(Coin)
    plan = Plan(classes={"PlannedCoin": "PlannedPenny", "PlannedPenny": "PlannedCoin"})
    flow, loaded = hosts.store.load(job_state.job_id, flow=hosts.empty_flow, plan=plan)
    other = Store(hosts.open_backend(), window=NEVER)
    hosts.stores.insert(0, other)
    first_flow, first = other.load(job_state.job_id, flow=hosts.empty_flow, plan=plan)
    first_flow.resume(first, plan=plan)
    hosts.runner.step()
    first._live.sync()
    hosts.runner.abandon(first)
    other.ledger.abandon()
    flow.resume(loaded, plan=plan).wait()
    assert [type(coin) for _, coin, _ in loaded.shared_log] == [Coin] * 3
    assert {type(each.data["coin"]) for each in loaded.execution_history if each.event_name == "out"} == {Coin}
    assert len(loaded.plans) == 1


def test_a_job_that_was_loaded_by_a_plan_and_goes_on_without_it_is_readable_afterwards(hosts: Hosts) -> None:
    """Its classes alone were renamed: that needs no plan to be applied, but all of it is written by their new names."""
    job_state = hosts.running(count=4)
    register_serializable(name="PlannedPenny")(Coin)
    plan = Plan(classes={"PlannedCoin": "PlannedPenny"})
    flow, loaded = hosts.store.load(job_state.job_id, flow=hosts.empty_flow, plan=plan)
    flow.resume(loaded)
    hosts.dies(loaded)
    again = hosts.goes_on(job_state)
    again.wait()
    assert ([coin.value for _, coin, _ in again.shared_log], again.plans) == ([0, 1, 2, 3], [])
    assert len([each for each in again.execution_history if each.event_name == "out"]) == 4


def test_whoever_ran_the_job_by_its_old_names_loses_it(hosts: Hosts) -> None:
    job_state = hosts.paused()
    flow, old = hosts.store.load(job_state.job_id, flow=hosts.empty_flow)
    flow.resume(old)
    SLOT.begins()
    other = Store(hosts.open_backend(), window=NEVER)
    hosts.stores.insert(0, other)
    changed, loaded = SLOT.flow(hosts.runner, unit="oz"), other.load_job(job_state.job_id)
    changed.resume(loaded, plan=RENAMED_SLOT)
    with pytest.raises(OwnershipLost):
        flow.pause(old)
    hosts.runner.abandon(old)
    loaded.wait()
    assert logged(loaded) == [("worker", 0, "kg"), ("worker", 1, "oz")]


# Deliveries, and those who wait for them to arrive.


@register_serializable
class PlannedAsker(Routine):
    """It asks in a slot that its flow defines."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.ask)

    def ask(self) -> None:
        self.expect(next(name for name in self.slots if name != "trigger"))

    def hear(self, text: str) -> None:
        self.get_execution_context().job_state.append_to_shared_log(text)


def asker(hosts: Hosts, slot: str) -> Flow:
    flow = Flow("asking", engine_factory=hosts.runner.engine)
    routine = PlannedAsker()
    routine.define_slot(slot, routine.hear)
    flow.add_routine(routine, "asker")
    return flow


def asking(hosts: Hosts) -> JobState:
    flow = asker(hosts, "answer")
    job_state = hosts.runner.start(flow, "asker", store=hosts.store)
    hosts.runner.step()
    flow.pause(job_state)
    hosts.dies(job_state)
    return job_state


REPLY = Plan(slots={"asker.answer": "reply"})


def test_what_was_delivered_before_goes_along(hosts: Hosts) -> None:
    job_state = asking(hosts)
    hosts.store.deliver(job_state.job_id, "asker", "answer", {"text": "early"})
    loaded = hosts.store.load_job(job_state.job_id)
    asker(hosts, "reply").resume(loaded, plan=REPLY).wait()
    assert loaded.shared_log == ["early"]


def test_what_is_delivered_later_goes_to_the_slot_of_now(hosts: Hosts) -> None:
    job_state = asking(hosts)
    hosts.dies(asker(hosts, "reply").resume(hosts.store.load_job(job_state.job_id), plan=REPLY))
    with pytest.raises(DefinitionError, match="unknown slot 'answer'"):
        hosts.store.deliver(job_state.job_id, "asker", "answer", {"text": "late"})
    hosts.store.deliver(job_state.job_id, "asker", "reply", {"text": "late"})
    loaded = hosts.store.load_job(job_state.job_id)
    asker(hosts, "reply").resume(loaded).wait()
    assert loaded.shared_log == ["late"]


@pytest.mark.parametrize(
    ("plan", "slot", "said"),
    [
        (REPLY, "reply", r"waits on asker\.reply now, by a plan"),
        (Plan(drop=["asker.answer"]), "answer", "was dropped by a plan"),
    ],
)
def test_a_delivery_on_its_way_is_told_that_a_plan_was_faster(
    hosts: Hosts, monkeypatch: pytest.MonkeyPatch, plan: Plan, slot: str, said: str
) -> None:
    """It was left for an owner, who was followed by one with a plan before he looked."""
    job_state = asking(hosts)
    owner = asker(hosts, "answer").resume(hosts.store.load_job(job_state.job_id))
    other = Store(hosts.open_backend(), window=NEVER)
    hosts.stores.insert(0, other)

    def taken_over(job_id: str, key: str, request: bytes) -> None:
        hosts.runner.abandon(owner)
        third = Store(hosts.open_backend(), window=NEVER)
        hosts.stores.insert(0, third)
        loaded = asker(hosts, slot).resume(third.load_job(job_id), plan=plan)
        loaded._live.sync()

    monkeypatch.setattr(other._backend, "ask", taken_over)
    monkeypatch.setattr(other.ledger, "has_owner", lambda record: True)
    with pytest.raises(JobStateError, match=said):
        other.deliver(job_state.job_id, "asker", "answer", {"text": "late"})


# Recovered and checked.


def test_a_job_whose_only_task_is_dropped_is_done_when_it_is_recovered(hosts: Hosts) -> None:
    job_state = hosts.running(steps=1, count=1)
    (recovered,) = recover(hosts.store, plans=[Plan(drop=["worker.input"])])
    recovered.wait()
    hosts.dies(recovered)
    view = hosts.store.peek(job_state.job_id)
    assert (view.document["status"], view.document["shared_log"]) == ("completed", [])
    assert view.document["routine_states"]["worker"]["status"] == "skipped"
    assert len(view.document["plans"][0]["dropped_tasks"]) == 1
    assert hosts.store.orphans() == []


def test_two_plans_in_a_row_by_recovery(hosts: Hosts) -> None:
    job_state = hosts.running(count=3)
    SLOT.begins()
    (recovered,) = recover(hosts.store, flows=[SLOT.flow(hosts.runner, unit="2")], plans=[RENAMED_SLOT])
    hosts.runner.step()
    recovered._live.sync()
    hosts.dies(recovered)
    third = Later("laborer", "arrivals")
    third.begins()
    (recovered,) = recover(
        hosts.store, flows=[third.flow(hosts.runner, unit="3")], plans=[Plan(routines={"worker": "laborer"})]
    )
    recovered.wait()
    assert logged(recovered) == [("worker", 0, "kg"), ("worker", 1, "2"), ("laborer", 2, "3")]
    assert len(hosts.store.peek(job_state.job_id).document["plans"]) == 2


def test_one_plan_recovers_jobs_of_all_ages(hosts: Hosts) -> None:
    old, newer = hosts.running(), hosts.running()
    SLOT.begins()
    hosts.dies(SLOT.flow(hosts.runner, unit="2").resume(hosts.store.load_job(newer.job_id), plan=RENAMED_SLOT))
    third = Later("laborer", "items")
    third.begins()
    plan = Plan(routines={"worker": "laborer"}, slots={"worker.input": "items", "worker.arrivals": "items"})
    recovered = recover(hosts.store, flows=[third.flow(hosts.runner, unit="3")], plans=[plan])
    for job_state in recovered:
        job_state.wait()
        assert logged(job_state)[-1] == ("laborer", 1, "3")
    assert {job_state.job_id: len(job_state.plans) for job_state in recovered} == {old.job_id: 1, newer.job_id: 2}


def test_a_retry_that_waits_is_recovered_under_another_name(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    BEFORE.begins()
    flow = BEFORE.flow(hosts.runner, unit="kg")
    flow.routines["worker"].set_error_handler(ErrorHandler("retry", max_retries=3, retry_delay=60.0))
    monkeypatch.setattr(PlannedWorker, "get_config", busy)
    job_state = hosts.runner.start(flow, "source", {"count": 1}, store=hosts.store)
    hosts.runner.step()
    hosts.runner.step()
    (due,) = [note.until for note in job_state.explain().waiting_for_retry]
    job_state._live.sync()
    hosts.dies(job_state)
    monkeypatch.delattr(PlannedWorker, "get_config")
    SLOT.begins()
    (recovered,) = recover(hosts.store, flows=[SLOT.flow(hosts.runner, unit="oz")], plans=[RENAMED_SLOT])
    assert [(note.slot, note.until) for note in recovered.explain().waiting_for_retry] == [("arrivals", due)]
    recovered.wait()
    assert logged(recovered) == [("worker", 0, "oz")]


USELESS = {
    "failed with KeyError: 'unit'": failing,
    "gave no dict but a list": listing,
    "cannot be written": objecting,
}


@pytest.mark.parametrize("said", USELESS)
def test_a_function_of_no_use_is_told_and_leaves_all_as_it_was(hosts: Hosts, said: str) -> None:
    job_state = hosts.running()
    before = hosts.store.peek(job_state.job_id).document | {"elapsed": 0}
    plan = Plan(config={"worker": USELESS[said]})
    (found,) = hosts.store.check(plans=[plan])
    assert (found.verdict.fit, found.verdict[0].place.startswith("routines.worker._config")) == (Fit.BREAKS, True)
    assert said in found.verdict[0]
    with pytest.raises(DocumentError if said != "cannot be written" else TypeError, match=said):
        hosts.store.load(job_state.job_id, plan=plan)
    with pytest.raises(RecoveryError, match=said):
        recover(hosts.store, plans=[plan])
    assert hosts.store.peek(job_state.job_id).document | {"elapsed": 0} == before
    (recovered,) = recover(hosts.store)
    recovered.wait()
    assert [value for _, value, _ in logged(recovered)] == [0, 1]


def test_what_is_no_plan_is_refused_by_stores(hosts: Hosts) -> None:
    job_state = hosts.running()
    given: Any = {"slots": {}}
    for call in (
        lambda: hosts.store.load(job_state.job_id, plan=given),
        lambda: hosts.store.load_job(job_state.job_id, plan=given),
        lambda: hosts.store.check(plans=[given]),
        lambda: recover(hosts.store, plans=[given]),
    ):
        with pytest.raises(DefinitionError, match="a plan is a Plan, not"):
            call()
    assert hosts.store.summary(job_state.job_id).status == "running"


def test_a_plan_that_has_been_applied_is_not_in_the_way_of_jobs_that_need_it(hosts: Hosts) -> None:
    """The same command again: one job is past it, one is not, one never needed it."""
    past, due = hosts.running(), hosts.running()
    ALL.begins()
    hosts.dies(hosts.goes_on(past, RENAMED_ALL))
    (first, second) = recover(hosts.store, plans=[RENAMED_ALL])
    for job_state in (first, second):
        job_state.wait()
        assert logged(job_state) == [("worker", 0, "kg"), ("laborer", 1, "kg->g")]
    assert {first.job_id, second.job_id} == {past.job_id, due.job_id}
