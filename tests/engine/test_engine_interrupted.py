"""Ctrl-C at every step of a call: the job is let go, whoever waits for it is told, and its flow comes to rest."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from routilux import Flow, RoutiluxError
from routilux._engine import held_job, running_job
from routilux._engine.engine import Engine
from routilux._engine.held_job import HeldJob
from routilux._engine.running_job import RunningJob
from tests.engine.engine_parts import flow_of, routine
from tests.patience import PATIENCE


def interrupted(method: Callable[..., Any], *, before: bool) -> Callable[..., Any]:
    """A function in front of which, or behind, a signal comes once."""
    left = [KeyboardInterrupt]

    def call(*args: Any, **named: Any) -> Any:
        given = None if before and left else method(*args, **named)
        if left:
            raise left.pop()
        return given

    return call


PLACES: dict[str, tuple[Any, str]] = {
    "it is taken in": (Engine, "admit"),
    "it begins": (HeldJob, "start"),
    "its change": (held_job, "transition"),
    "its task is taken": (running_job, "take"),
    "its handler": (running_job, "run_handler"),
    "its commit": (running_job, "succeed"),
    "what follows from that": (HeldJob, "_react"),
    "it is left to others": (RunningJob, "submit"),
}


@pytest.fixture
def flow() -> Iterator[Flow]:
    flow = flow_of(a=routine(lambda self: self.emit("out"), "out"), b=routine(lambda self: None), links=("a.out>b",))
    yield flow
    flow.shutdown(timeout=PATIENCE)


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("place", PLACES)
def test_a_job_that_a_signal_has_broken_off_holds_up_nothing(
    flow: Flow, monkeypatch: pytest.MonkeyPatch, place: str, before: bool
) -> None:
    owner, name = PLACES[place]
    flow.execute("a").wait(PATIENCE)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, interrupted(getattr(owner, name), before=before))
        with pytest.raises(KeyboardInterrupt):
            flow.execute("a")
    engine = flow._engine
    assert engine is not None
    assert flow.execute("a").wait(PATIENCE, raise_on_failure=True)
    flow.shutdown(timeout=PATIENCE)
    assert engine.jobs == set()


def test_who_waits_for_a_job_that_a_signal_has_broken_off_is_told(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = flow_of(a=routine(lambda self: self.flush()))
    job_state = waiting.execute("a")
    waiting.pause(job_state)
    with monkeypatch.context() as patch:
        patch.setattr(held_job, "transition", interrupted(held_job.transition, before=False))
        with pytest.raises(KeyboardInterrupt):
            job_state.update_shared_data("a", 1)
    with pytest.raises(
        RoutiluxError, match=r"KeyboardInterrupt came while job .* was being changed, and nothing of it"
    ):
        job_state.wait(PATIENCE)
