"""What of a job cannot be written is refused by its place in the document that it would have had."""

from typing import Any

import pytest

from routilux._core.document import write_history, write_job
from routilux._records import PausePoint, RoutineState
from serilux import UnsupportedValueError
from tests.core.hand_made import NOW, SINK, job, record, task

ODD: dict[str, Any] = {"fine": 1, "odd": [2, object()]}

JOBS = {
    "routine_states.worker.state.odd[1]": lambda: job(routines={"worker": RoutineState(state=ODD)}),
    "pending_tasks[1].data.odd[1]": lambda: job(tasks=[task(1), task(2, data=ODD)]),
    "pending_tasks[0].metadata.odd[1]": lambda: job(tasks=[task(1, metadata=ODD)]),
    "pending_tasks[0].merged.odd[1]": lambda: job(tasks=[task(1, merged=ODD)]),
    "failed_tasks[0].data.odd[1]": lambda: job(failed=[task(1, data=ODD)]),
    "slot_data.sink.items.odd[1]": lambda: job(slot_data={SINK: ODD}),
    "shared_data.odd[1]": lambda: job(shared_data=ODD),
    "shared_log[0].odd[1]": lambda: job(shared_log=[ODD]),
    "pause_points[1].checkpoint.odd[1]": lambda: job(pause_points=(PausePoint(NOW, "", {}), PausePoint(NOW, "", ODD))),
}


@pytest.mark.parametrize("place", JOBS)
def test_what_a_job_has(place: str) -> None:
    with pytest.raises(UnsupportedValueError) as refusal:
        write_job(JOBS[place](), NOW)
    assert refusal.value.path == place


def test_what_a_record_tells() -> None:
    with pytest.raises(UnsupportedValueError) as refusal:
        write_history([record("worker", "done", x=1), record("worker", "done", **ODD)])
    assert refusal.value.path == "execution_history[1].data.odd[1]"
