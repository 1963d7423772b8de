"""What checks and runners are given is looked at before anything is said of the flow."""

import subprocess
import sys
from pathlib import Path

import pytest

from routilux.errors import DefinitionError, JobStateError
from routilux.testing import (
    NeverAwaited,
    OutcomeChanged,
    StepRunner,
    kill_at_every_commit,
    resume_twice,
    roundtrip_every_step,
    swap_host,
)
from tests.kit.orders import DELIVERIES, PARAMS, orders

CHECKS = [roundtrip_every_step, kill_at_every_commit, resume_twice, swap_host]
SCRIPT = """
from routilux import Flow, Routine
from routilux.testing import NoOtherHost, OutcomeChanged, swap_host
from serilux import register_serializable

@register_serializable
class Scripted(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", handler=self.work)

    def work(self):
        pass

flow = Flow("scripted")
flow.add_routine(Scripted(), "scripted")
try:
    swap_host(flow, "scripted")
except NoOtherHost as error:
    print(error)
"""


@pytest.mark.parametrize("check", CHECKS)
def test_a_delivery_that_nothing_waits_for_is_named(check) -> None:  # type: ignore[no-untyped-def]
    first, (routine_id, _, data) = DELIVERIES
    with pytest.raises(NeverAwaited) as caught:
        check(orders, "orders", PARAMS, deliveries=(first, (routine_id, "anwser", data)))
    assert caught.value.deliveries == (("approval", "anwser"),)
    assert str(caught.value) == (
        "nothing of flow 'orders' has waited for deliveries[1], to 'approval.anwser' (the slots of that routine: "
        "'billed', 'answer'), and the job is completed. Deliveries go to what a handler expects (Routine.expect), in "
        "their order"
    )


ANSWER = ("approval", "answer", {"by": "ann"})
NO_DELIVERIES = {
    "one that is in no list": (ANSWER, r"deliveries\[0\] is 'approval'; .* a list with a \(routine_id, slot, data\)"),
    "one without its data": ([ANSWER, ("approval", "answer")], r"deliveries\[1\] is \('approval', 'answer'\)"),
    "data that are no dict": ([("approval", "answer", "yes")], r"deliveries\[0\] is \('approval', 'answer', 'yes'\)"),
    "no slot": ([("approval", 1, {})], r"deliveries\[0\] is"),
    "no routine": ([(None, "answer", {})], r"deliveries\[0\] is"),
    "nothing": (None, "deliveries=None; deliveries are a list"),
}


@pytest.mark.parametrize("name", NO_DELIVERIES)
@pytest.mark.parametrize("check", CHECKS)
def test_what_is_no_delivery_is_refused(check, name: str) -> None:  # type: ignore[no-untyped-def]
    deliveries, words = NO_DELIVERIES[name]
    with pytest.raises(DefinitionError, match=words):
        check(orders, "orders", PARAMS, deliveries=deliveries)


def test_what_a_disturbance_leaves_undelivered_is_an_outcome() -> None:
    with pytest.raises(OutcomeChanged):
        swap_host(orders, "orders", PARAMS, deliveries=DELIVERIES, app=["tests.kit.broken_host"])


def test_a_runner_runs_what_is_ready_and_leaves_the_clock() -> None:
    runner = StepRunner()
    flow, began = orders(), runner.clock.now()
    flow._engine_factory = runner.engine
    job = runner.start(flow, "orders", {"amounts": [20, 130]})
    runner.run_ready()
    assert runner.clock.now() == began
    assert not runner.step()
    assert runner.clock.next_timer == began + 10.0  # the bank was busy
    flow.deliver(job, "approval", "answer", {"number": 0, "by": "ann"})
    runner.run_ready()
    assert (job.status, runner.clock.now()) == ("running", began)
    assert job.get_execution_history("approval")[-1].data["by"] == "ann"


def test_who_delivers_before_the_job_has_come_to_wait_is_told_what_is_queued() -> None:
    runner = StepRunner()
    flow = orders()
    flow._engine_factory = runner.engine
    job = runner.start(flow, "orders", PARAMS)
    with pytest.raises(JobStateError, match="waits on no slot; 1 task is queued"):
        flow.deliver(job, "approval", "answer", {"number": 0, "by": "ann"})


def test_a_runner_starts_no_flow_that_runs_elsewhere() -> None:
    flow = orders()
    with pytest.raises(DefinitionError, match=r"make it with Flow\(..., engine_factory=runner.engine\)"):
        StepRunner().start(flow, "orders", PARAMS)
    assert flow._engine is None


def test_a_runner_starts_no_flow_of_another_runner() -> None:
    flow = orders()
    flow._engine_factory = StepRunner().engine
    with pytest.raises(DefinitionError, match="flow 'orders' does not run on this StepRunner"):
        StepRunner().start(flow, "orders", PARAMS)


def test_what_a_script_defines_cannot_be_run_by_another_process(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout == (
        "flow 'scripted' is made of what is defined in __main__, which no other process can import: put its routines, "
        "their functions, and the function that makes the flow, into modules\n"
    )
