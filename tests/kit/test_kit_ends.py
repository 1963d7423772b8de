"""A check of a job that does not do its work says so: nothing can be told of whether that survives."""

from typing import Any

import pytest

from routilux import Flow, JobStatus, Routine
from routilux.errors import DefinitionError
from routilux.testing import (
    CheckFailed,
    NeverAwaited,
    OutcomeChanged,
    UnexpectedEnd,
    kill_at_every_commit,
    replay,
    resume_twice,
    roundtrip_every_step,
    swap_host,
)
from serilux import register_serializable
from tests.kit.mutants import MUTANTS

CHECKS = [roundtrip_every_step, kill_at_every_commit, resume_twice, swap_host]
FLOWS: list[Flow] = []


@register_serializable
class KitEnding(Routine):
    """It ends as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.declare_secret("key")
        self.set_config(key="kit-4711-key")
        self.define_slot("trigger", handler=self.begin)
        self.define_slot("number", handler=self.end)
        self.define_slot("answer", handler=self.hear)
        self.define_event("number", ["how", "number"])

    def begin(self, *, how: str, count: int = 2) -> None:
        for number in range(count):
            self.emit("number", how=how, number=number)

    def end(self, how: str, number: int) -> None:
        context = self.get_execution_context()
        assert context is not None
        if how == "undeclared":
            self.emit("nmuber", number=number)
        elif how == "unsaved":
            context.state["function"] = lambda: number
        elif how == "telling":
            raise ValueError(f"refused with {self.get_config('key')}")
        elif how == "cancel":
            FLOWS[-1].cancel(context.job_state, reason="enough")
        elif how == "pause":
            FLOWS[-1].pause(context.job_state)
        elif how.startswith("ask"):
            self.expect("answer", timeout=3600.0 if how == "ask for a time" else None)

    def hear(self, text: str) -> None:
        context = self.get_execution_context()
        assert context is not None
        context.job_state.append_to_shared_log(text)


def ending() -> Flow:
    flow = Flow("ending")
    flow.add_routine(KitEnding(), "only")
    flow.connect("only", "number", "only", "number")
    FLOWS[:] = [flow]
    return flow


WRONG = {
    "misspelled parameter": ({"how": "end", "cuont": 4}, "failed", "BindingError: .*'cuont'"),
    "undeclared event": ({"how": "undeclared"}, "failed", "unknown event 'nmuber' of routine 'only'"),
    "value that cannot be saved": ({"how": "unsaved"}, "failed", "a function cannot be written"),
    "deliveries forgotten": ({"how": "ask for a time"}, "failed", "nobody delivered to only.answer"),
    "deliveries forgotten, no deadline": ({"how": "ask"}, "running", "waits for a delivery: only.answer"),
    "cancelled": ({"how": "cancel"}, "cancelled", "it was cancelled"),
    "paused": ({"how": "pause"}, "paused", "it waits to be resumed"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("check", CHECKS)
def test_a_job_that_does_not_complete_fails_its_check(check: Any, name: str) -> None:
    params, status, words = WRONG[name]
    with pytest.raises(UnexpectedEnd, match=words) as caught:
        check(ending, "only", params)
    assert (caught.value.status, caught.value.expected) == (status, "completed")
    assert (caught.value.error is None) == (status != "failed")
    assert f"ends={status!r}" in str(caught.value)


@pytest.mark.parametrize("name", ["undeclared event", "deliveries forgotten", "deliveries forgotten, no deadline"])
@pytest.mark.parametrize("check", CHECKS)
def test_a_job_that_is_meant_to_end_so_is_checked(check: Any, name: str) -> None:
    params, status, _ = WRONG[name]
    check(ending, "only", params, ends=status)
    check(ending, "only", params, ends=JobStatus(status), at=[1])


@pytest.mark.parametrize("check", CHECKS)
def test_a_job_that_completes_where_it_is_meant_to_fail_fails_its_check(check: Any) -> None:
    with pytest.raises(UnexpectedEnd) as caught:
        check(ending, "only", {"how": "end"}, ends="failed")
    assert (caught.value.status, caught.value.expected, caught.value.error) == ("completed", "failed", None)
    assert str(caught.value).splitlines()[0] == (
        "left alone, flow 'ending' from 'only' ends completed, where it is to end failed, so whether it survives "
        "cannot be told. Mend the flow, or the params and deliveries of the check; if it is meant to end so, say "
        "ends='completed'"
    )


def test_the_first_line_says_why_and_where() -> None:
    with pytest.raises(UnexpectedEnd) as caught:
        roundtrip_every_step(ending, "only", {"how": "undeclared"}, seed=3)
    first, *account = str(caught.value).splitlines()
    assert first.startswith(
        "left alone, flow 'ending' from 'only' ends failed (routilux.errors.DefinitionError: unknown event 'nmuber' of "
        "routine 'only'; it has: 'number', at "
    )
    assert any("failed: only.number" in line for line in account)
    assert caught.value.seed == 3
    assert isinstance(caught.value, CheckFailed)


def test_a_job_that_fails_before_it_is_delivered_to_says_why() -> None:
    with pytest.raises(NeverAwaited, match=r"the job is failed \(routilux\.errors\.BindingError: .*cuont"):
        roundtrip_every_step(ending, "only", {"how": "ask", "cuont": 4}, deliveries=[("only", "answer", {"text": "a"})])


def test_why_it_failed_is_told_without_the_secrets_of_the_flow() -> None:
    with pytest.raises(UnexpectedEnd, match="refused with <secret key>") as caught:
        roundtrip_every_step(ending, "only", {"how": "telling"})
    assert "kit-4711-key" not in str(caught.value)


@pytest.mark.parametrize("ends", ["fails", "pending", True, None])
@pytest.mark.parametrize("check", CHECKS)
def test_no_job_ends_otherwise(check: Any, ends: Any) -> None:
    with pytest.raises(DefinitionError, match="is no way for a job to end; it is one of 'completed', 'failed'"):
        check(ending, "only", {"how": "end"}, ends=ends)


def test_a_finding_of_a_job_that_is_meant_to_fail_is_replayed(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("ROUTILUX_REPLAYS", str(tmp_path))
    with monkeypatch.context() as patch:
        MUTANTS["the history is forgotten"][0](patch)
        with pytest.raises(OutcomeChanged) as caught:
            roundtrip_every_step(ending, "only", {"how": "undeclared"}, ends="failed")
        with pytest.raises(OutcomeChanged):
            replay(caught.value.file)
    replay(caught.value.file)
