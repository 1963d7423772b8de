"""A job that is resumed twice: of those who run a stored one, only the last may write; copies go their own ways."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from routilux._backends.memory import MemoryBackend
from routilux._model import JobStatus
from routilux.errors import OwnershipLost
from routilux.job_state import JobState
from routilux.testing.checks import Check, Refuted
from routilux.testing.moves import Course, MoveKind
from routilux.testing.outcomes import differences
from routilux.testing.replays import Place
from routilux.testing.roundtrip import after_step
from routilux.testing.stored_runs import Host, Moments
from routilux.testing.trial import Ran, Trial, finish

STORED, COPIES = "stored", "copies"


class Double(Check):
    """After one step the job is resumed by a second owner and by a third, while those before still run it.

    Or, of a job that is not stored, two copies of its document are resumed, and run side by side.
    """

    name = "resume_twice"
    disturbance = "Resuming the job twice"

    def __init__(self, at: frozenset[int] | None = None) -> None:
        super().__init__()
        self._at = at

    def places(self, trial: Trial, undisturbed: Ran) -> Iterator[Place]:
        """Every step, in both ways."""
        for step in range(len(undisturbed.moves) + 1):
            if self._at is None or step in self._at:
                yield {"way": STORED, "step": step}
                yield {"way": COPIES, "step": step}

    def step(self, place: Place, undisturbed: Ran) -> str:
        """A place in words."""
        who = "three owners in turn" if place["way"] == STORED else "two copies of its document"
        return f"{who}, from {after_step(place['step'], undisturbed)}"

    def run(self, trial: Trial, place: Place) -> Ran:
        """Run the job up to the step, resume it twice, and let all of them go on."""
        return self._stored(trial, place["step"]) if place["way"] == STORED else self._copies(trial, place["step"])

    def _stored(self, trial: Trial, step: int) -> Ran:
        backend, progress = MemoryBackend(), trial.progress(most=self.most)
        hosts = [Host(backend, trial.host(), Moments()) for _ in range(3)]
        course = hosts[0].start(trial, progress)
        _go(course, step)
        course.job_state._live.sync()
        former = [course]
        for host in hosts[1:]:
            host.runner.clock.advance(course.runner.clock.now() - host.runner.clock.now())
            course = host.take_over(trial, progress)
            former.append(course)
        for one in former[:-1]:
            _check_refused(one)
        finish(course)
        course.job_state._live.sync()
        result = trial.result(hosts[-1].read(trial))
        for host in hosts:
            host.leave()
        return Ran(result, progress.moves)

    def _copies(self, trial: Trial, step: int) -> Ran:
        progress = trial.progress(most=self.most)
        course = trial.begin(trial.host(), progress)
        _go(course, step)
        if course.job_state.status is not JobStatus.RUNNING:
            return Ran(trial.result(course.job_state), progress.moves)
        document, flow_document = course.job_state.serialize(), course.flow.serialize()
        self.evidence = {"job": document, "flow": flow_document}
        text = json.dumps(document)
        copies = [self._copy(trial, course, flow_document, document) for _ in range(2)]
        while copies[0].move() or copies[1].move():
            pass
        if json.dumps(document) != text:
            raise Refuted("resuming a copy has changed the document that it was read from")
        one, other = (trial.result(copy.job_state) for copy in copies)
        found = next(differences(one, other), None)
        if found is not None:
            raise Refuted(f"two copies of one job, resumed side by side, differ: {found}")
        return Ran(other, copies[1].progress.moves)

    def _copy(self, trial: Trial, course: Course, flow_document: Place, document: Place) -> Course:
        runner = trial.host(course.runner.clock.now())
        flow, job_state = trial.blank(runner), JobState()
        trial.read_into(flow, flow_document)
        job_state.deserialize(document)
        progress = replace(trial.progress(most=self.most), delivered=course.progress.delivered)
        return Course(runner, flow, flow.resume(job_state), progress)


def _go(course: Course, steps: int) -> None:
    while len(course.progress.moves) < steps and course.move() is not None:
        pass


def _check_refused(course: Course) -> None:
    """Let a former owner go on until it has committed something, which must have been refused."""
    before = course.progress
    course.progress = replace(before, moves=[])
    live = course.job_state._live
    with suppress(OwnershipLost):  # as whoever delivers to it is told
        while live.lost is None and course.move() is not None:
            pass
    committed = any(move.kind in (MoveKind.COMMIT, MoveKind.DELIVER) for move in course.progress.moves)
    if committed and live.lost is None:
        raise Refuted(f"a former owner of the job could still write: it made {len(course.progress.moves)} steps more")
