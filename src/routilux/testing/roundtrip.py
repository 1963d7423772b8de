"""A job that is written as text, and goes on with what is read from that."""

import json
from collections.abc import Iterator

from routilux.job_state import JobState
from routilux.testing.checks import Check
from routilux.testing.moves import Course, Move, MoveKind
from routilux.testing.replays import Place
from routilux.testing.trial import Ran, Trial

DIRECT, PAUSED = "direct", "paused"


class RoundTrip(Check):
    """After each step both documents go through JSON text into another flow and job; or after one step only.

    `direct` writes the job as it is, in the middle of what its handlers do; `paused` pauses it before, where none runs.
    """

    name = "roundtrip_every_step"
    disturbance = "Writing the job down and reading it again"

    def __init__(self, at: frozenset[int] | None = None) -> None:
        super().__init__()
        self._at = at

    def places(self, trial: Trial, undisturbed: Ran) -> Iterator[Place]:
        """All steps together, in both ways."""
        steps = None if self._at is None else sorted(self._at)
        yield {"way": DIRECT, "steps": steps}
        yield {"way": PAUSED, "steps": steps}

    def narrowed(self, trial: Trial, place: Place, undisturbed: Ran) -> Place:
        """The first step that is enough by itself."""
        steps = range(len(undisturbed.moves) + 1) if place["steps"] is None else place["steps"]
        for step in steps:
            single = place | {"steps": [step]}
            if self.changes(trial, single, undisturbed):
                return single
        return place

    def step(self, place: Place, undisturbed: Ran) -> str:
        """A place in words."""
        way = "paused and reloaded" if place["way"] == PAUSED else "reloaded"
        if place["steps"] is None or len(place["steps"]) != 1:
            return f"{way} after every step (no single one is enough)"
        return f"{way} {after_step(place['steps'][0], undisturbed)}"

    def run(self, trial: Trial, place: Place) -> Ran:
        """Run the job through its reloads."""
        progress, seen = trial.progress(most=self.most), set[Move]()
        course = self._moved(trial, trial.begin(trial.host(), progress), place, None, seen)
        while (move := course.move()) is not None:
            course = self._moved(trial, course, place, move, seen)
        return Ran(trial.result(course.job_state), progress.moves)

    def _moved(self, trial: Trial, course: Course, place: Place, move: Move | None, seen: set[Move]) -> Course:
        """Reload where that is due: an attempt that is made again because of a reload is not lost once more."""
        steps = place["steps"]
        due = (move is None or move not in seen) if steps is None else len(course.progress.moves) in steps
        if move is not None and move.kind is not MoveKind.WAIT:
            seen.add(move)
        return self._reloaded(trial, course, place["way"]) if due and course.job_state.status == "running" else course

    def _reloaded(self, trial: Trial, course: Course, way: str) -> Course:
        job_state = course.job_state
        if way == PAUSED and not course.in_flight and job_state._job.closing is None:
            course.flow.pause(job_state, reason="reload")
        flow_text = json.dumps(course.flow.serialize(), allow_nan=False)
        job_text = json.dumps(job_state.serialize(), allow_nan=False)
        self.evidence = {"flow": json.loads(flow_text), "job": json.loads(job_text)}
        course.runner.abandon(job_state)
        runner = trial.host(course.runner.clock.now())
        flow, read = trial.blank(runner), JobState()
        trial.read_into(flow, json.loads(flow_text))
        read.deserialize(json.loads(job_text))
        return Course(runner, flow, flow.resume(read), course.progress)


def after_step(number: int, undisturbed: Ran) -> str:
    """A step in words."""
    count = len(undisturbed.moves)
    if not 0 < number <= count:
        return "before the first step" if number == 0 else f"after step {number}"
    return f"after step {number} of {count} ({undisturbed.moves[number - 1]})"
