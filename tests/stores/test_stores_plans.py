"""Stored jobs that go on in changed flows: loaded, recovered and checked with a plan, which outlives any crash."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from routilux import DefinitionError, Flow, JobState, Plan, ResumeError, Routine, recover
from routilux._backends.backend import Backend
from routilux._backends.memory import MemoryBackend
from routilux._backends.sqlite import SQLiteBackend
from routilux._engine import ledger
from routilux._engine.fault_points import FaultPoint
from routilux._verdict import Fit
from routilux.errors import RecoveryError, StoreError
from routilux.stores import Checked, Store
from routilux.testing import StepRunner
from serilux import register_serializable, trust
from serilux.errors import DocumentError, UnknownClassError

NEVER = float("inf")
trust(__name__)


@dataclass
class Coin:
    value: int = 0


@register_serializable
class PlannedSource(Routine):
    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.start)
        self.define_event("out")

    def start(self, count: int = 2) -> None:
        for n in range(count):
            self.emit("out", coin=Coin(n))


class PlannedWorker(Routine):
    """Its slot is called `input`, or `arrivals`; its class is registered by the tests."""

    slot = "input"

    def __init__(self) -> None:
        super().__init__()
        self.define_slot(self.slot, self.work)

    def work(self, coin: Coin) -> None:
        context = self.get_execution_context()
        state = context.state
        state["sum"] = state.get("sum", 0) + coin.value
        context.job_state.append_to_shared_log([context.routine_id, coin, self.get_config("unit")])


@dataclass
class Later:
    """The process in which the code has been changed."""

    worker: str = "worker"
    slot: str = "input"
    class_name: str = "PlannedWorker"
    coin_name: str = "PlannedCoin"

    def begins(self) -> None:
        PlannedWorker.slot = self.slot
        register_serializable(name=self.class_name)(PlannedWorker)
        register_serializable(name=self.coin_name)(Coin)

    def flow(self, runner: StepRunner, **config: Any) -> Flow:
        flow = Flow("planned", engine_factory=runner.engine)
        flow.add_routine(PlannedSource(), "source")
        worker = PlannedWorker()
        worker.set_config(**config)
        flow.add_routine(worker, self.worker)
        flow.connect("source", "out", self.worker, self.slot)
        return flow


BEFORE, SLOT, ALL = Later(), Later(slot="arrivals"), Later("laborer", "arrivals", "PlannedLaborer", "PlannedPenny")
RENAMED_SLOT = Plan(slots={"worker.input": "arrivals"})


def in_grams(config: dict[str, Any]) -> dict[str, Any]:
    return {"unit": f"{config['unit']}->g"}


RENAMED_ALL = Plan(
    routines={"worker": "laborer"},
    slots={"worker.input": "arrivals"},
    classes={"PlannedWorker": "PlannedLaborer", "PlannedCoin": "PlannedPenny"},
    config={"worker": in_grams},
    reason="all of it",
)


class Hosts:
    """Processes, one after the other, that have a store and a virtual clock in common; each is dead to all others."""

    def __init__(self, open_backend: Callable[[], Backend]) -> None:
        self.open_backend = open_backend
        self.runner = StepRunner()
        self.stores: list[Store] = []
        self.next()

    def next(self) -> Store:
        """The last one dies, if there was one."""
        if self.stores:
            self.stores[-1].ledger.abandon()
        self.stores.append(Store(self.open_backend(), window=NEVER))
        return self.store

    @property
    def store(self) -> Store:
        return self.stores[-1]

    def paused(self, steps: int = 2, count: int = 2, **settings: Any) -> JobState:
        """A job of the flow of before, by another process: all its values are coins, also in its history."""
        BEFORE.begins()
        flow = BEFORE.flow(self.runner, unit="kg")
        job_state = self.runner.start(flow, "source", {"count": count}, store=self.store, **settings)
        for _ in range(steps):
            self.runner.step()
        flow.pause(job_state)
        self.dies(job_state)
        return job_state

    def running(self, **settings: Any) -> JobState:
        """One that was running when its process died."""
        job_state = self.paused(**settings)
        flow, loaded = self.store.load(job_state.job_id, flow=self.empty_flow)
        flow.resume(loaded)
        self.dies(loaded)
        return loaded

    def dies(self, job_state: JobState) -> None:
        self.runner.abandon(job_state)
        self.next()

    def empty_flow(self) -> Flow:
        return Flow(engine_factory=self.runner.engine)

    def goes_on(self, job_state: JobState, plan: Plan | None = None) -> JobState:
        """By its stored definition."""
        flow, loaded = self.store.load(job_state.job_id, flow=self.empty_flow, plan=plan)
        return flow.resume(loaded, plan=plan)


@pytest.fixture(params=["memory", "sqlite"])
def hosts(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosts]:
    memory, alive = MemoryBackend(), ledger.this_process
    monkeypatch.setattr(ledger, "this_process", lambda: json.dumps(json.loads(alive()) | {"pid": 2**22 + 1}))
    made = Hosts(lambda: memory if request.param == "memory" else SQLiteBackend(tmp_path / "jobs.db"))
    yield made
    for store in made.stores:
        store.ledger.abandon()
    BEFORE.begins()


def logged(job_state: JobState) -> list[Any]:
    return [(name, coin.value, unit) for name, coin, unit in job_state.shared_log]


# Loaded.


def test_a_job_and_its_flow_are_loaded_as_a_plan_says(hosts: Hosts) -> None:
    job_state = hosts.paused()
    ALL.begins()
    job_state = hosts.goes_on(job_state, RENAMED_ALL)
    job_state.wait()
    assert logged(job_state) == [("worker", 0, "kg"), ("laborer", 1, "kg->g")]
    assert job_state.get_routine_state("laborer") == {"status": "completed", "error": None, "sum": 1}
    assert [record.routine_id for record in job_state.execution_history if record.event_name == "start"] == [
        "source",
        "worker",
        "laborer",
    ]


def test_a_flow_whose_classes_are_not_known_is_not_loaded_without_it(hosts: Hosts) -> None:
    job_state = hosts.paused()
    ALL.begins()
    with pytest.raises(UnknownClassError, match="'PlannedWorker' is not registered"):
        hosts.store.load(job_state.job_id)
    with pytest.raises(UnknownClassError, match="'PlannedCoin' is not registered"):
        hosts.store.load_job(job_state.job_id)


def test_an_alias_does_as_well(hosts: Hosts) -> None:
    job_state = hosts.paused()
    register_serializable(name="PlannedLaborer", aliases=["PlannedWorker"])(PlannedWorker)
    register_serializable(name="PlannedPenny", aliases=["PlannedCoin"])(Coin)
    job_state = hosts.goes_on(job_state)
    job_state.wait()
    assert logged(job_state) == [("worker", 0, "kg"), ("worker", 1, "kg")]


def test_a_job_is_loaded_without_its_flow_for_one_of_the_code(hosts: Hosts) -> None:
    job_state = hosts.paused()
    SLOT.begins()
    flow, loaded = SLOT.flow(hosts.runner, unit="oz"), hosts.store.load_job(job_state.job_id)
    assert flow.check(loaded).fit is Fit.NEEDS_PLAN
    flow.resume(loaded, plan=RENAMED_SLOT).wait()
    assert logged(loaded) == [("worker", 0, "kg"), ("worker", 1, "oz")]


def test_the_functions_of_a_plan_are_for_flows_that_are_read_with_it(hosts: Hosts) -> None:
    job_state = hosts.paused()
    flow, plan = BEFORE.flow(hosts.runner), Plan(config={"worker": in_grams})
    loaded = hosts.store.load_job(job_state.job_id)
    (finding,) = flow.check(loaded, plan=plan)
    assert (finding.place, finding.fit) == ("plan.config", Fit.NEEDS_PLAN)
    assert "but this flow was not read with it" in finding
    with pytest.raises(ResumeError, match="was not read with it"):
        flow.resume(loaded, plan=plan)


def test_a_plan_is_applied_once_to_a_job_and_to_its_definition(hosts: Hosts) -> None:
    job_state = hosts.paused()
    ALL.begins()
    hosts.dies(hosts.goes_on(job_state, RENAMED_ALL))
    job_state = hosts.goes_on(job_state, RENAMED_ALL)
    job_state.wait()
    assert logged(job_state)[-1] == ("laborer", 1, "kg->g")
    assert len(job_state.plans) == 1


@pytest.mark.parametrize("settings", [{}, {"history_limit": 3}])
def test_a_job_goes_on_without_the_plan_after_it_was_applied(hosts: Hosts, settings: dict[str, Any]) -> None:
    job_state = hosts.running(count=4, **settings)  # so that there is a segment of history
    ALL.begins()
    resumed = hosts.goes_on(job_state, RENAMED_ALL)
    hosts.runner.step()
    resumed._live.sync()
    history = resumed.execution_history
    hosts.dies(resumed)
    again = hosts.goes_on(job_state)
    assert again.execution_history == history
    again.wait()
    assert [value for _, value, _ in logged(again)] == [0, 1, 2, 3]


def test_classes_may_change_places(hosts: Hosts) -> None:
    """Where a name is another class's now, nothing that was written before may be read as that."""
    job_state = hosts.running()
    register_serializable(name="PlannedCoin")(PlannedToken)
    register_serializable(name="PlannedPenny")(Coin)
    plan = Plan(classes={"PlannedCoin": "PlannedPenny"})
    hosts.dies(hosts.goes_on(job_state, plan))
    again = hosts.goes_on(job_state, plan)
    again.wait()
    assert [type(coin) for _, coin, _ in again.shared_log] == [Coin, Coin]
    assert {type(each.data["coin"]) for each in again.execution_history if each.event_name == "out"} == {Coin}
    register_serializable(name="PlannedToken")(PlannedToken)


@dataclass
class PlannedToken:
    value: int = 0


def busy(self: Routine, name: str) -> Any:
    raise ArithmeticError("not now")


def test_a_failed_job_is_retried_by_a_plan(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    BEFORE.begins()
    monkeypatch.setattr(PlannedWorker, "get_config", busy)
    job_state = hosts.runner.start(BEFORE.flow(hosts.runner), "source", {"count": 1})
    hosts.runner.run()
    monkeypatch.delattr(PlannedWorker, "get_config")
    assert job_state.status == "failed"
    SLOT.begins()
    changed = SLOT.flow(hosts.runner, unit="oz")
    with pytest.raises(ResumeError, match="could not be tried again"):
        changed.retry(job_state)
    changed.retry(job_state, plan=RENAMED_SLOT).wait()
    assert (job_state.status, logged(job_state)) == ("completed", [("worker", 0, "oz")])


# A plan is on disk, or it is not.


class Death(BaseException):
    """The process dies."""


WHILE_RESUMING = (
    FaultPoint.OWNER_READ,
    FaultPoint.JOB_CLAIMED,
    FaultPoint.RECORDS_WAIT,
    FaultPoint.RECORDS_MADE,
    FaultPoint.RECORDS_WRITTEN,
    FaultPoint.SNAPSHOT_MADE,
    FaultPoint.SNAPSHOT_WRITTEN,
)


@pytest.mark.parametrize("point", WHILE_RESUMING)
def test_a_death_while_it_is_applied_leaves_it_whole_or_not_at_all(hosts: Hosts, point: FaultPoint) -> None:
    job_state = hosts.running()
    ALL.begins()
    dead = hosts.store

    def reached(at: FaultPoint) -> None:
        if at is point:
            dead.ledger.abandon()
            raise Death

    dead.ledger.reached = reached
    with pytest.raises(Death):
        hosts.goes_on(job_state, RENAMED_ALL)
    dead.ledger.reached = lambda at: (_ for _ in ()).throw(Death())
    hosts.next()
    applied = point is FaultPoint.SNAPSHOT_WRITTEN
    assert bool(hosts.store.peek(job_state.job_id).explanation.plans) == applied
    job_state = hosts.goes_on(job_state, RENAMED_ALL)
    job_state.wait()
    assert logged(job_state) == [("worker", 0, "kg"), ("laborer", 1, "kg->g")]
    assert len(job_state.plans) == 1


def test_a_store_that_fails_leaves_the_handle_of_the_job_as_it_was(
    hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_state = hosts.paused()
    SLOT.begins()
    loaded = hosts.store.load_job(job_state.job_id)
    before = loaded.serialize()

    def fails(compaction: Any) -> bool:
        raise StoreError("no room")

    flow = SLOT.flow(hosts.runner)
    monkeypatch.setattr(hosts.store._backend, "compact", fails)
    with pytest.raises(StoreError, match="no room"):
        flow.resume(loaded, plan=RENAMED_SLOT)
    monkeypatch.undo()
    assert loaded.serialize() | {"epoch": 0} == before
    hosts.next()
    assert hosts.store.load_job(job_state.job_id).plans == []


def test_a_plan_that_is_refused_leaves_the_job_in_the_store_as_it_was(hosts: Hosts) -> None:
    job_state = hosts.paused()
    SLOT.begins()
    before = hosts.store.peek(job_state.job_id).document
    loaded = hosts.store.load_job(job_state.job_id)
    with pytest.raises(ResumeError, match="the plan cannot be right"):
        SLOT.flow(hosts.runner).resume(loaded, plan=Plan(slots={"worker.input": "arivals"}))
    assert hosts.store.peek(job_state.job_id).document == before
    assert hosts.store.summary(job_state.job_id).owner is None


# Recovered.


def test_jobs_are_recovered_in_flows_of_the_code_by_a_plan(hosts: Hosts) -> None:
    job_state = hosts.running()
    SLOT.begins()
    flow = SLOT.flow(hosts.runner, unit="oz")
    with pytest.raises(RecoveryError, match="with Plan\\(slots=") as caught:
        recover(hosts.store, flows=[flow])
    assert isinstance(caught.value.problems[job_state.job_id], ResumeError)
    (recovered,) = recover(hosts.store, flows=[flow], plans=[RENAMED_SLOT])
    recovered.wait()
    assert logged(recovered) == [("worker", 0, "kg"), ("worker", 1, "oz")]


def test_plans_of_other_flows_are_for_other_jobs(hosts: Hosts) -> None:
    hosts.running()
    (recovered,) = recover(hosts.store, plans=[Plan(routines={"a": "b"}, flow_id="other")])
    assert (recovered.status, recovered.plans) == ("running", [])
    hosts.runner.abandon(recovered)


def test_two_plans_for_one_flow_are_refused(hosts: Hosts) -> None:
    job_state = hosts.running()
    with pytest.raises(RecoveryError, match="there are 2 plans for jobs of flow 'planned'"):
        recover(hosts.store, plans=[Plan(reason="1"), Plan(reason="2", flow_id="planned")])
    with pytest.raises(DefinitionError, match="there are 2 plans"):
        list(hosts.store.check(plans=[Plan(reason="1"), Plan(reason="2", flow_id="planned")]))
    assert hosts.store.summary(job_state.job_id).status == "running"


def test_two_flows_of_one_id_are_refused(hosts: Hosts) -> None:
    flows = [BEFORE.flow(hosts.runner), BEFORE.flow(hosts.runner)]
    with pytest.raises(DefinitionError, match="two flows are called 'planned'"):
        recover(hosts.store, flows=flows)


# Checked.


def checked(hosts: Hosts, **settings: Any) -> list[tuple[str, Fit, int]]:
    return [(each.job_id, each.verdict.fit, len(each.verdict)) for each in hosts.store.check(**settings)]


def test_all_jobs_that_have_not_settled_are_checked_oldest_first(hosts: Hosts) -> None:
    first, second = hosts.paused(), hosts.running(steps=1)
    BEFORE.begins()
    done = hosts.goes_on(hosts.paused())
    done.wait()
    assert checked(hosts) == [(first.job_id, Fit.FITS, 0), (second.job_id, Fit.FITS, 0)]
    SLOT.begins()
    flow = SLOT.flow(hosts.runner)
    assert checked(hosts, flows=[flow]) == [(first.job_id, Fit.NEEDS_PLAN, 1), (second.job_id, Fit.NEEDS_PLAN, 2)]
    assert checked(hosts, flows=[flow], plans=[RENAMED_SLOT]) == [
        (first.job_id, Fit.FITS, 0),
        (second.job_id, Fit.FITS, 0),
    ]


def test_a_check_changes_nothing_and_disturbs_nobody(hosts: Hosts) -> None:
    job_state = hosts.running()
    owner = hosts.store
    flow, loaded = owner.load(job_state.job_id, flow=hosts.empty_flow)
    flow.resume(loaded)
    summary = owner.summary(job_state.job_id)
    other = Store(hosts.open_backend(), window=NEVER)
    hosts.stores.insert(0, other)
    assert [each.verdict.fit for each in other.check(plans=[Plan(reason="why")])] == [Fit.FITS]
    assert owner.summary(job_state.job_id) == summary
    loaded.wait()
    assert logged(loaded) == [("worker", 0, "kg"), ("worker", 1, "kg")]


def test_the_flow_it_is_stored_with_is_checked_with_the_classes_of_now(hosts: Hosts) -> None:
    job_state = hosts.paused()
    ALL.begins()
    (found,) = hosts.store.check()
    assert isinstance(found, Checked)
    assert (found.job_id, found.flow_id, found.status) == (job_state.job_id, "planned", "paused")
    flow_problem, *job_problems = found.verdict
    assert (flow_problem.place, flow_problem.fit) == ("routines.worker._type", Fit.NEEDS_PLAN)
    assert "'PlannedWorker' is not registered" in flow_problem
    assert "its flow cannot be read here; a class that was renamed needs an alias" in flow_problem
    assert {problem.fit for problem in job_problems} == {Fit.NEEDS_PLAN}
    assert "'PlannedCoin' is not registered" in job_problems[0]
    assert checked(hosts, plans=[RENAMED_ALL]) == [(job_state.job_id, Fit.FITS, 0)]


def test_what_of_a_job_cannot_be_read_does_not_hide_what_does_not_fit(hosts: Hosts) -> None:
    hosts.paused()
    Later(slot="arrivals", coin_name="PlannedPenny").begins()
    (found,) = hosts.store.check(flows=[SLOT.flow(hosts.runner)])
    assert [(problem.fit, "arrivals" in problem) for problem in found.verdict] == [
        (Fit.NEEDS_PLAN, False),  # the class
        (Fit.NEEDS_PLAN, True),
    ]


def test_a_handler_that_is_gone_breaks_the_flow_it_is_stored_with(
    hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts.paused()
    monkeypatch.delattr(PlannedWorker, "work")
    monkeypatch.setattr(PlannedWorker, "__init__", PlannedSource.__init__.__globals__["Routine"].__init__)
    (found,) = hosts.store.check()
    assert (found.verdict.fit, found.verdict[0].place) == (Fit.BREAKS, "routines.worker._slots.input.handler")


def test_a_class_of_another_shape_breaks(hosts: Hosts) -> None:
    hosts.paused()

    @dataclass
    class Other:
        amount: int = 0

    register_serializable(name="PlannedPenny")(Coin)
    register_serializable(name="PlannedCoin")(Other)
    (found,) = hosts.store.check(flows=[BEFORE.flow(hosts.runner)])
    assert found.verdict.fit is Fit.BREAKS
    assert "the job cannot be read here" in found.verdict[0]
    register_serializable(name="PlannedOther")(Other)


def test_another_configuration_is_noted(hosts: Hosts) -> None:
    hosts.paused()
    (found,) = hosts.store.check(flows=[BEFORE.flow(hosts.runner, unit="oz", more=1)])
    assert found.verdict == []
    assert (
        "the configuration of routine 'worker' is not what the job ran with: 'more', 'unit'; it goes on with that of "
        "the flow" in found.verdict.notes
    )


def test_a_flow_that_cannot_be_stored_breaks(hosts: Hosts) -> None:
    hosts.paused()
    flow = BEFORE.flow(hosts.runner, unit="kg")
    flow.routines["worker"].define_slot("more", lambda: None)
    (found,) = hosts.store.check(flows=[flow])
    assert (found.verdict.fit, "<lambda>" in found.verdict[0]) == (Fit.BREAKS, True)
    assert "jobs that are stored cannot go on in this flow" in found.verdict[0]


def test_a_job_that_is_damaged_breaks_and_the_others_are_checked(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, fine = hosts.paused(), hosts.paused()
    read = hosts.store._backend.read

    def damaged(job_id: str) -> Any:
        stored = read(job_id)
        return msgspec.structs.replace(stored, snapshot=b"{") if job_id == broken.job_id else stored

    monkeypatch.setattr(hosts.store._backend, "read", damaged)
    first, second = hosts.store.check()
    assert (first.job_id, first.verdict.fit, first.verdict[0].means) == (
        broken.job_id,
        Fit.BREAKS,
        "nobody can read this job",
    )
    assert (second.job_id, second.verdict.fit) == (fine.job_id, Fit.FITS)


def test_a_job_that_has_gone_meanwhile_is_left_out(hosts: Hosts) -> None:
    first, second, third = hosts.paused(), hosts.paused(), hosts.paused()
    found = hosts.store.check()
    assert next(found).job_id == first.job_id
    hosts.store.delete(second.job_id)
    hosts.store.cancel(third.job_id)
    assert list(found) == []


# Flows read with a plan.


def test_a_document_of_a_flow_is_read_as_a_plan_says(hosts: Hosts) -> None:
    BEFORE.begins()
    document = BEFORE.flow(hosts.runner, unit="kg").serialize()
    document["routines"]["worker"]["_slots"]["input"]["_data"] = {"coin": 1}
    document["error_handler"] = {"_type": "ErrorHandler", "strategy": "retry", "retryable_exceptions": ["bank.Busy"]}
    ALL.begins()
    flow = Flow()
    flow.deserialize(
        document,
        plan=Plan(
            routines={"worker": "laborer"},
            slots={"worker.input": "arrivals"},
            parameters={"worker.input": {"coin": "penny"}},
            classes={"PlannedWorker": "PlannedLaborer", "bank.Busy": "bank.errors.Busy"},
            config={"worker": in_grams},
        ),
    )
    assert list(flow.routines) == ["source", "laborer"]
    assert flow.routines["laborer"].get_config() == {"unit": "kg->g"}
    assert flow.routines["laborer"].get_slot("arrivals").take_data() == {"penny": 1}
    assert flow.connections[0].target == ("laborer", "arrivals")
    assert flow.get_error_handler().retryable_exceptions == ("bank.errors.Busy",)
    assert document["routines"].keys() == {"source", "worker"}


def failing(config: dict[str, Any]) -> dict[str, Any]:
    raise KeyError("unit")


def listing(config: dict[str, Any]) -> Any:
    return [config]


def objecting(config: dict[str, Any]) -> Any:
    return {"unit": object()}


UNREADABLE: dict[str, tuple[Plan, str, str]] = {
    "two routines of one name": (Plan(routines={"worker": "source"}), "routines", "would have one name"),
    "two slots of one name": (
        Plan(slots={"worker.other": "input"}),
        "routines.worker._slots",
        "would have one name",
    ),
    "two parameters of one name": (
        Plan(parameters={"worker.other": {"a": "b"}}),
        "routines.worker._slots.other._data",
        "would have one name",
    ),
    "a slot of another routine": (
        Plan(slots={"worker.input": ("source", "trigger")}),
        "routines.worker._slots.input",
        "a plan cannot move a slot to another routine",
    ),
    "a function that fails": (
        Plan(config={"worker": failing}),
        "routines.worker._config",
        "the plan's function failed with KeyError: 'unit'",
    ),
    "a function that gives no dict": (
        Plan(config={"worker": listing}),
        "routines.worker._config",
        "the plan's function gave no dict but a list",
    ),
    "a function that gives what is no data": (
        Plan(config={"worker": objecting}),
        "routines.worker._config.unit",
        "cannot be written",
    ),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_flow_is_refused_and_stays_as_it_was_if_a_plan_makes(hosts: Hosts, what: str) -> None:
    plan, path, message = UNREADABLE[what]
    BEFORE.begins()
    flow = BEFORE.flow(hosts.runner, unit="kg")
    document = flow.serialize()
    document["routines"]["worker"]["_slots"]["other"] = {"handler": "self.work", "_data": {"a": 1, "b": 2}}
    before = flow.serialize()
    with pytest.raises(Exception, match=message) as caught:
        flow.deserialize(document, plan=plan)
    assert getattr(caught.value, "path", None) == path
    assert flow.serialize() == before


@pytest.mark.parametrize("fields", [{"routines": []}, {"connections": {}}, {"routines": {"worker": 5}}])
def test_what_is_in_no_shape_to_be_changed_is_refused_as_ever(hosts: Hosts, fields: dict[str, Any]) -> None:
    BEFORE.begins()
    document = BEFORE.flow(hosts.runner).serialize() | fields
    with pytest.raises(DocumentError) as plain:
        Flow().deserialize(document)
    with pytest.raises(DocumentError) as planned:
        Flow().deserialize(document, plan=RENAMED_SLOT)
    assert str(planned.value) == str(plain.value)
