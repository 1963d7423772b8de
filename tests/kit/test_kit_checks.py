"""What the checks of flows say, and to whom: findings, what is not repeatable, and how to have it again."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from routilux import Flow, JobState, Routine
from routilux.errors import DefinitionError
from routilux.testing import (
    CheckFailed,
    NotRepeatable,
    OutcomeChanged,
    kill_at_every_commit,
    outcome,
    replay,
    resume_twice,
    roundtrip_every_step,
    swap_host,
    swapping,
)
from serilux import register_serializable
from serilux.errors import DocumentError
from tests.kit.mutants import MUTANTS
from tests.kit.orders import DELIVERIES, PARAMS, orders

CHECKS = [roundtrip_every_step, kill_at_every_commit, resume_twice]
CALLS: list[str] = []


@register_serializable
class KitCounter(Routine):
    """What it does depends on what its configuration says."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", handler=self.split)
        self.define_slot("number", handler=self.count)
        self.define_event("number", ["number"])
        self.seen = 0

    def split(self) -> None:
        for number in range(3):
            self.emit("number", number=number)

    def count(self, number: int) -> None:
        context = self.get_execution_context()
        assert context is not None
        kind = self.get_config("kind")
        CALLS.append(context.task_id)
        if kind == "chance":
            context.job_state.update_shared_data("chance", random.random())
        elif kind == "outside":
            context.job_state.update_shared_data("calls", len(CALLS))
        elif kind == "attribute":
            vars(self)["seen"] = self.seen + 1  # as setattr would, without the warning
            context.job_state.update_shared_data("seen", self.seen)
        elif kind == "forever":
            self.emit("number", number=number)
        elif kind == "order":
            context.job_state.update_shared_data("last", number)
        else:
            context.job_state.update_shared_data("sum", lambda old: (old or 0) + number)


def counting(kind: str, strategy: str = "sequential") -> Flow:
    flow = Flow("counting", strategy)
    counter = KitCounter()
    counter.set_config(kind=kind)
    flow.add_routine(counter, "counter")
    flow.connect("counter", "number", "counter", "number")
    return flow


@pytest.fixture(autouse=True)
def replays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ROUTILUX_REPLAYS", str(tmp_path / "replays"))
    CALLS.clear()
    return tmp_path / "replays"


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("strategy", ["sequential", "concurrent"])
def test_an_ordinary_flow_survives(check: Any, strategy: str) -> None:
    check(counting("sum", strategy), "counter")
    check(lambda: counting("sum", strategy), "counter", {})


@register_serializable
class KitEquipped(Routine):
    """It needs what is in no document."""

    def __init__(self) -> None:
        super().__init__()
        self.declare_secret("key")
        self.require("numbers")
        self.define_slot("trigger", handler=self.read)
        self.define_slot("number", handler=self.add)
        self.define_event("number", ["number"])

    def read(self) -> None:
        for number in self.get_resource("numbers"):
            self.emit("number", number=number)

    def add(self, number: int) -> None:
        context = self.get_execution_context()
        assert context is not None
        context.job_state.append_to_shared_log(number + len(self.get_config("key")))


def equipped() -> Flow:
    flow, routine = Flow("equipped", resources={"numbers": [1, 2]}), KitEquipped()
    routine.set_config(key="kit-9f2c")
    flow.add_routine(routine, "equipped")
    flow.connect("equipped", "number", "equipped", "number")
    return flow


@pytest.mark.parametrize("check", [*CHECKS, swap_host])
def test_every_host_is_given_what_is_in_no_document(check: Any) -> None:
    check(equipped, "equipped")
    if check is not swap_host:  # another process can only be given it by a function that it finds
        check(equipped(), "equipped")


@pytest.mark.parametrize("check", CHECKS)
def test_a_concurrent_flow_survives_whatever_its_schedule(check: Any) -> None:
    for seed in range(5):
        check(lambda: counting("sum", "concurrent"), "counter", seed=seed, at=range(0, 60, 7))


@pytest.mark.parametrize("check", [*CHECKS, swap_host])
def test_chance_is_told_from_a_fault(check: Any) -> None:
    with pytest.raises(NotRepeatable, match="not the\nlibrary's doing") as caught:
        check(lambda: counting("chance"), "counter")
    assert [line.split(":")[0] for line in caught.value.differences] == ["shared_data.chance"]


def test_what_is_kept_outside_of_the_job_is_told_from_a_fault() -> None:
    with pytest.raises(NotRepeatable, match="setup="):
        roundtrip_every_step(counting("outside"), "counter")


def test_what_is_outside_can_be_set_back_or_be_left_out() -> None:
    def calls(job_state: JobState) -> Any:
        return [outcome(job_state)["status"], sorted(set(CALLS))]

    roundtrip_every_step(counting("sum"), "counter", setup=CALLS.clear, result=calls)
    kill_at_every_commit(counting("sum"), "counter", setup=CALLS.clear, result=calls)
    roundtrip_every_step(counting("outside"), "counter", result=lambda job_state: job_state.status)


@register_serializable
class KitDesk(Routine):
    """It calls an event what the engine calls the answer to an ambiguous task."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", handler=self.close)
        self.define_event("resolved", ["ticket"])

    def close(self, ticket: int) -> None:
        self.emit("resolved", ticket=ticket)


def test_an_event_is_part_of_the_outcome_whatever_it_is_called() -> None:
    flow = Flow("desk")
    flow.add_routine(KitDesk(), "desk")
    with flow:
        job_state = flow.execute("desk", {"ticket": 7})
    assert [record["event_name"] for record in outcome(job_state)["history"]] == ["start", "resolved"]


def test_a_flow_that_depends_on_the_order_of_concurrent_activations_is_told_so() -> None:
    with pytest.raises(NotRepeatable, match="in another order") as caught:
        roundtrip_every_step(lambda: counting("order", "concurrent"), "counter", seed=0)
    assert [line.split(":")[0] for line in caught.value.differences] == ["shared_data.last"]


@pytest.mark.parametrize("check", CHECKS)
def test_what_is_kept_in_a_routine_is_found_not_to_travel(check: Any) -> None:
    with pytest.raises(OutcomeChanged, match=r"shared_data\.seen"):
        check(lambda: counting("attribute"), "counter")


def test_a_finding_says_what_where_and_how_to_have_it_again(monkeypatch: pytest.MonkeyPatch, replays: Path) -> None:
    MUTANTS["shared data is forgotten"][0](monkeypatch)
    with pytest.raises(OutcomeChanged) as caught:
        roundtrip_every_step(lambda: counting("sum"), "counter", seed=7)
    found = caught.value
    assert found.seed == 7
    assert found.step == "reloaded after step 9 of 12 (task 3 of counter.number, attempt 1, was committed)"
    assert found.differences == ("shared_data.sum: 2; it was 3",)
    (file,) = replays.iterdir()
    assert found.file == file
    assert str(found).splitlines() == [
        "Writing the job down and reading it again changes what becomes of flow 'counting'",
        f"{found.step}:",
        "  shared_data.sum: 2; it was 3",
        f"seed 7; to run just this again: import tests.kit.test_kit_checks; routilux.testing.replay({str(file)!r})",
    ]
    document = json.loads(file.read_text())
    assert document["evidence"]["job"]["shared_data"] == {}
    assert document["evidence"]["undisturbed"]["shared_data"] == {"sum": 3}


@pytest.mark.parametrize(
    "name", ["retry counts are forgotten", "what was in flight is lost with its process", "a former owner may write"]
)
def test_a_finding_is_replayed_from_its_file(name: str) -> None:
    break_engine, check = MUTANTS[name]
    with pytest.MonkeyPatch.context() as patch:
        break_engine(patch)
        with pytest.raises(OutcomeChanged) as caught:
            check(orders, "orders", PARAMS, deliveries=DELIVERIES)
        with pytest.raises(OutcomeChanged) as again:
            replay(caught.value.file)
        assert (again.value.step, again.value.seed) == (caught.value.step, caught.value.seed)
        with pytest.raises(OutcomeChanged):
            replay(caught.value.file, orders)
    replay(caught.value.file)


def failed_file(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> Path:
    with monkeypatch.context() as patch:
        MUTANTS["shared data is forgotten"][0](patch)
        with pytest.raises(OutcomeChanged) as caught:
            roundtrip_every_step(lambda: counting("sum"), "counter", **settings)
    return caught.value.file


def shared(job_state: JobState) -> Any:
    return dict(job_state.shared_data)


def test_a_result_of_the_users_own_is_given_to_a_replay_again(monkeypatch: pytest.MonkeyPatch) -> None:
    file = failed_file(monkeypatch, result=shared)
    with pytest.raises(DefinitionError, match="test_kit_checks:shared"):
        replay(file)
    replay(file, result=shared)


def test_what_is_no_file_of_a_check_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = failed_file(monkeypatch)
    document = json.loads(file.read_text())
    for text, words in [
        ("{", "no JSON"),
        ("[]", "no file of a check"),
        (json.dumps(document | {"format": 2}), "format 2"),
    ]:
        (tmp_path / "file.json").write_text(text)
        with pytest.raises(DocumentError, match=words):
            replay(tmp_path / "file.json")


def test_a_stored_job_may_be_kept_in_a_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/jobs.db"
    kill_at_every_commit(lambda: counting("sum"), "counter", store=url, at=range(1, 30, 4))


def test_what_is_not_a_flow_is_refused() -> None:
    with pytest.raises(DefinitionError, match="a Flow, or a function that makes one"):
        roundtrip_every_step(5, "counter")  # type: ignore[arg-type]
    used = counting("sum")
    used.execute("counter").wait(10)
    with pytest.raises(DefinitionError, match="make a new one each time"):
        roundtrip_every_step(lambda: used, "counter")
    used.shutdown()


def test_a_job_that_never_ends_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routilux.testing.trial.MOST_STEPS", 50)
    with pytest.raises(RuntimeError, match="has made 50 steps, and goes on"):
        roundtrip_every_step(lambda: counting("forever"), "counter")


def test_a_host_that_cannot_import_the_routines_says_which(tmp_path: Path) -> None:
    with pytest.raises(OutcomeChanged, match="no_such_module"):
        swap_host(counting("sum"), "counter", app=["no_such_module"], at=[1])


def test_another_process_finds_what_only_this_one_knows() -> None:
    """A class that a test registers is not known where only modules are imported."""

    @register_serializable(name="KitLocal")
    class Local(KitCounter):
        pass

    flow = Flow("local")
    flow.add_routine(Local(), "counter")
    roundtrip_every_step(flow, "counter")
    with pytest.raises(OutcomeChanged, match="class 'KitLocal' is not registered here"):
        swap_host(flow, "counter", at=[1])


def test_another_process_that_says_nothing_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is what it has begun as a copy of itself, which has its pipe, too."""
    monkeypatch.setattr(swapping, "PATIENCE", 2.0)
    with pytest.raises(OutcomeChanged, match="was silent for 2 s"):
        swap_host(orders, "orders", PARAMS, deliveries=DELIVERIES, app=["tests.kit.hanging_host"])


def test_what_another_process_raised_is_told_and_what_comes_next_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How the process that raised it has ended was taken for what the next one said."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckFailed, match="it failed once, and not again"):
        swap_host(orders, "orders", PARAMS, deliveries=DELIVERIES, app=["tests.kit.failing_once_host"])


def test_an_engine_that_is_broken_in_the_other_process_is_caught() -> None:
    with pytest.raises(OutcomeChanged, match="slot_data"):
        swap_host(orders, "orders", PARAMS, deliveries=DELIVERIES, app=["tests.kit.broken_host"])
