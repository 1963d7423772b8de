"""Flows and jobs on host A, brought exactly to the point that a test is about."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from routilux import ErrorHandler, Flow, JobState
from routilux.testing import StepRunner
from tests.page import page_routines
from tests.page.page_routines import Numbers, PageProcessor, PageSource, Recorder, Unreliable

FOUR_RECORDS = [["source", "start"], ["source", "output"], ["processor", "start"], ["processor", "output"]]


def documents(flow: Flow, job_state: JobState) -> dict[str, Any]:
    """What goes from host A to host B, through JSON text."""
    transfer_data = {"flow": flow.serialize(), "job_state": job_state.serialize()}
    return json.loads(json.dumps(transfer_data, allow_nan=False))


def restored(transfer_data: dict[str, Any], runner: StepRunner | None = None) -> tuple[Flow, JobState]:
    """A new flow and a new job from their documents, in this process."""
    new_flow = Flow() if runner is None else Flow(engine_factory=runner.engine)
    new_flow.deserialize(transfer_data["flow"])
    new_job_state = JobState()
    new_job_state.deserialize(transfer_data["job_state"])
    return new_flow, new_job_state


def cross_host_flow(**settings: Any) -> Flow:
    """The flow of the page's complete example."""
    flow = Flow(flow_id="cross_host_flow", **settings)
    flow.add_routine(PageSource(), "source")
    flow.add_routine(PageProcessor(), "processor")
    flow.connect("source", "output", "processor", "input")
    return flow


def numbers_flow(receiver: Recorder | None = None, slot: str = "input", **settings: Any) -> Flow:
    """Three numbers go to a recorder."""
    flow = Flow(flow_id="numbers_flow", **settings)
    flow.add_routine(Numbers(), "numbers")
    flow.add_routine(receiver or Recorder(), "recorder")
    flow.connect("numbers", "output", "recorder", slot)
    return flow


def recovery_flow(**settings: Any) -> Flow:
    """An entry that emits nothing more, and a recorder that nobody has sent anything to."""
    flow = Flow(flow_id="recovery_flow", **settings)
    flow.add_routine(Numbers(), "numbers")
    flow.add_routine(Recorder(), "recorder")
    flow.connect("numbers", "output", "recorder", "input", priority=7)
    return flow


def unreliable_flow(succeeds_at: int, max_retries: int = 4, retry_delay: float = 0.01, **settings: Any) -> Flow:
    """A routine that fails until the given attempt, under a policy of retries."""
    flow = Flow(flow_id="unreliable_flow", **settings)
    unreliable = Unreliable()
    unreliable.set_config(succeeds_at=succeeds_at)
    unreliable.set_error_handler(ErrorHandler("retry", max_retries, retry_delay, retry_backoff=1.0))
    flow.add_routine(unreliable, "unreliable")
    return flow


def stepped(runner: StepRunner, flow: Flow, entry: str, steps: int, **params: Any) -> JobState:
    """A job after so many activations, moving the clock on where only timers are left."""
    job_state = runner.start(flow, entry, params)
    for _ in range(steps):
        if not runner.step():
            assert runner.clock.advance_to_next_timer()
            assert runner.step()
    return job_state


def paused_after(flow: Flow, runner: StepRunner, entry: str, steps: int, **params: Any) -> JobState:
    """A job that is paused after so many activations."""
    job_state = stepped(runner, flow, entry, steps, **params)
    flow.pause(job_state, reason="Transfer to Host B")
    return job_state


@contextmanager
def closed_gate() -> Iterator[None]:
    """Gated handlers wait inside of the block; `busy` is set once one does."""
    page_routines.busy.clear()
    page_routines.gate.clear()
    try:
        yield
    finally:
        page_routines.gate.set()
