"""A check that fails tells nobody the secrets of the flow: neither in its message nor in the file that replays it."""

import json
from pathlib import Path
from typing import Any

import pytest

from routilux import Flow, JobState, Routine
from routilux.testing import OutcomeChanged, replay, roundtrip_every_step
from serilux import register_serializable

KEY = 'sk-live-51 H"x/9=='


@register_serializable
class KitForgetful(Routine):
    """Keeps something outside of the job, which another host does not have."""

    def __init__(self) -> None:
        super().__init__()
        self.declare_secret("api_key")
        self.define_slot("trigger", self.begin)
        self.define_slot("end", self.finish)
        self.define_event("out", ["value"])
        self.seen = 0

    def begin(self) -> None:
        vars(self)["seen"] = self.seen + 1  # as setattr would, without the warning
        self.emit("out", value=1)

    def finish(self, value: int) -> None:
        context = self.get_execution_context()
        assert context is not None
        context.job_state.update_shared_data("seen", self.seen)


def forgetful() -> Flow:
    flow, routine = Flow("forgetful"), KitForgetful()
    routine.set_config(api_key=KEY)
    flow.add_routine(routine, "only")
    flow.connect("only", "out", "only", "end")
    return flow


def telling(job_state: JobState) -> Any:
    return {"seen": f"{KEY}: {job_state.shared_data.get('seen')}"}


@pytest.mark.parametrize("source", [forgetful, forgetful()], ids=["maker", "flow"])
def test_a_failure_is_told_and_kept_without_the_secrets_of_the_flow(
    source: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROUTILUX_REPLAYS", str(tmp_path))
    with pytest.raises(OutcomeChanged) as caught:
        roundtrip_every_step(source, "only", result=telling)
    text = caught.value.file.read_text(encoding="utf-8")
    for told in (str(caught.value), "".join(caught.value.differences), text):
        assert KEY not in told
        assert json.dumps(KEY)[1:-1] not in told
        assert "<secret api_key>: " in told
    with pytest.raises(OutcomeChanged):
        replay(caught.value.file, flow=forgetful, result=telling)
