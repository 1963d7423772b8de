"""A check that fails says once what it has found, and why that may be; the log is for what else goes on."""

import logging
import warnings
from pathlib import Path
from typing import Any

import pytest

from routilux import ErrorHandler, Flow, Routine, RoutineStateWarning
from routilux.errors import DefinitionError
from routilux.testing import (
    OutcomeChanged,
    kill_at_every_commit,
    replay,
    resume_twice,
    roundtrip_every_step,
    swap_host,
)
from serilux import register_serializable

CHECKS = [roundtrip_every_step, kill_at_every_commit, resume_twice]
LOGGER = logging.getLogger("routilux")


@register_serializable
class KitSettingItself(Routine):
    """It counts on itself, which all jobs share; and it is tried again."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", handler=self.begin)
        self.define_slot("number", handler=self.add)
        self.define_event("number", ["number"])
        self.set_error_handler(ErrorHandler("retry", max_retries=1, retry_delay=1.0))
        self.total = 0

    def begin(self) -> None:
        for number in range(3):
            self.emit("number", number=number)

    def add(self, number: int) -> None:
        context = self.get_execution_context()
        assert context is not None
        if context.attempt == 1:
            raise ConnectionError("busy")
        self.total += number
        context.job_state.shared_data["total"] = self.total


def setting() -> Flow:
    flow = Flow("setting")
    flow.add_routine(KitSettingItself(), "only")
    flow.connect("only", "number", "only", "number")
    return flow


@pytest.fixture(autouse=True)
def replays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUTILUX_REPLAYS", str(tmp_path))


def found_by(check: Any) -> OutcomeChanged:
    with pytest.raises(OutcomeChanged) as caught, pytest.warns(RoutineStateWarning):
        check(setting, "only")
    return caught.value


@pytest.mark.parametrize("check", [*CHECKS, swap_host])
def test_what_a_handler_was_warned_of_is_told_with_the_finding(check: Any) -> None:
    found = found_by(check)
    (warned,) = found.warnings
    assert warned.startswith("attribute 'total' of ")
    assert f"({__file__}:" in warned
    assert f"\nthat may be why:\n  {warned}\nseed " in str(found)


def test_a_replay_tells_of_it_too() -> None:
    file = found_by(roundtrip_every_step).file
    with pytest.raises(OutcomeChanged) as caught, pytest.warns(RoutineStateWarning):
        replay(file)
    assert len(caught.value.warnings) == 1


@pytest.mark.parametrize("check", CHECKS)
def test_the_log_has_nothing_of_the_runs_of_a_check(check: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    found_by(check)
    assert caplog.records == []


def test_the_log_and_the_warnings_are_as_they_were_afterwards(caplog: pytest.LogCaptureFixture) -> None:
    before = (list(LOGGER.filters), LOGGER.level, LOGGER.disabled, warnings.showwarning, list(warnings.filters))
    found_by(roundtrip_every_step)
    with pytest.raises(DefinitionError):
        roundtrip_every_step(setting, "no such routine")
    assert before == (list(LOGGER.filters), LOGGER.level, LOGGER.disabled, warnings.showwarning, list(warnings.filters))
    LOGGER.warning("heard")
    assert caplog.messages == ["heard"]


def test_what_is_logged_of_anything_else_meanwhile_is_heard(caplog: pytest.LogCaptureFixture) -> None:
    def log_more() -> None:
        LOGGER.warning("of another job", extra={"job_id": "job-17"})
        LOGGER.warning("of a store")

    with pytest.warns(RoutineStateWarning), pytest.raises(OutcomeChanged):
        roundtrip_every_step(setting, "only", setup=log_more)
    assert set(caplog.messages) == {"of another job", "of a store"}


def test_other_warnings_are_no_part_of_a_finding() -> None:
    def warn() -> None:
        warnings.warn("something else", UserWarning, stacklevel=1)

    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        with pytest.raises(OutcomeChanged) as found:
            roundtrip_every_step(setting, "only", setup=warn)
    assert "something else" in {str(each.message) for each in shown}
    assert len(found.value.warnings) == 1
