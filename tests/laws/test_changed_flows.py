"""Law 7, proved by resuming: each edit of the corpus is checked, and its job really goes on, or is really refused."""

import io
import json
from typing import Any, Protocol

import pytest

from routilux import Flow, JobState, Plan, ResumeError, transfer
from routilux._backends.memory import MemoryBackend
from routilux._verdict import Fit
from routilux.stores import Store
from routilux.testing import StepRunner
from routilux.transfer.passing import read_document
from tests.laws.edits import EDITS, Edit

NEVER = float("inf")


class Way(Protocol):
    """How a job comes from its old flow to its new one."""

    knows_old_flow: bool

    def paused(self, edit: Edit) -> JobState:
        """The job of the old flow, where the new one is."""

    def new_flow(self, edit: Edit) -> Flow:
        """The flow of now."""

    def after_a_crash(self, flow: Flow, job_state: JobState) -> tuple[Flow, JobState]:
        """The job that has just been resumed, on the next host."""


class InProcess:
    """It stays in its process, and so does its handle."""

    knows_old_flow = True

    def __init__(self) -> None:
        self.runner = StepRunner()

    def paused(self, edit: Edit) -> JobState:
        return self.run(edit.old(engine_factory=self.runner.engine), edit)

    def run(self, flow: Flow, edit: Edit, **settings: Any) -> JobState:
        (entry,) = [name for name, routine in flow.routines.items() if "trigger" in routine.slots]
        job_state = self.runner.start(flow, entry, **settings)
        for _ in range(edit.steps):
            self.runner.step()
        flow.pause(job_state)
        return job_state

    def new_flow(self, edit: Edit) -> Flow:
        return edit.new(engine_factory=self.runner.engine)

    def after_a_crash(self, flow: Flow, job_state: JobState) -> tuple[Flow, JobState]:
        return flow, job_state


class AsDocument(InProcess):
    """Its document goes through a pipe; of its flow nothing does."""

    knows_old_flow = False

    def paused(self, edit: Edit) -> JobState:
        return self.sent(super().paused(edit))

    def sent(self, job_state: JobState) -> JobState:
        self.runner.abandon(job_state)
        read = JobState()
        read.deserialize(json.loads(json.dumps(job_state.serialize(), allow_nan=False)))
        return read

    def after_a_crash(self, flow: Flow, job_state: JobState) -> tuple[Flow, JobState]:
        return flow, flow.resume(self.sent(job_state))


class Stored(InProcess):
    """It is kept in a store, from which other processes take it, with the definition that it ran with."""

    def __init__(self) -> None:
        super().__init__()
        self.backend = MemoryBackend()
        self.store = Store(self.backend, window=NEVER)

    def paused(self, edit: Edit) -> JobState:
        flow = edit.old(engine_factory=self.runner.engine)
        job_state = self.run(flow, edit, store=self.store)
        self.next_host(job_state)
        return self.store.load_job(job_state.job_id)

    def next_host(self, job_state: JobState) -> None:
        self.runner.abandon(job_state)
        self.store.ledger.abandon()
        self.store = Store(self.backend, window=NEVER)

    def after_a_crash(self, flow: Flow, job_state: JobState) -> tuple[Flow, JobState]:
        self.next_host(job_state)
        flow, read = self.store.load(job_state.job_id, flow=lambda: Flow(engine_factory=self.runner.engine))
        return flow, flow.resume(read)


WAYS = [InProcess, AsDocument, Stored]


@pytest.fixture(params=WAYS, ids=lambda way: way.__name__)
def way(request: pytest.FixtureRequest) -> Any:
    made = request.param()
    yield made
    if isinstance(made, Stored):
        made.store.ledger.abandon()


def expected(way: Way, edit: Edit) -> tuple[Fit, int]:
    return (edit.fit, edit.problems) if way.knows_old_flow or edit.unknown is None else edit.unknown


@pytest.mark.parametrize("name", EDITS)
def test_a_check_says_what_an_edit_means(way: Way, name: str) -> None:
    edit = EDITS[name]
    job_state, flow = way.paused(edit), way.new_flow(edit)
    before = job_state.serialize()
    verdict = flow.check(job_state)
    assert (verdict.fit, len(verdict)) == expected(way, edit)
    assert [finding for finding in verdict if not (finding.place and finding.fit is not Fit.FITS)] == []
    if way.knows_old_flow:
        assert {finding.hint for finding in verdict} - {None} == ({edit.hint} if edit.hint else set())
        assert [note for note in edit.notes if not any(note in each for each in verdict.notes)] == []
    assert job_state.serialize() == before


@pytest.mark.parametrize("name", [name for name, edit in EDITS.items() if edit.fit is not Fit.FITS])
def test_a_job_that_does_not_fit_is_refused_with_all_of_that_and_stays_as_it_was(way: Way, name: str) -> None:
    edit = EDITS[name]
    if expected(way, edit)[0] is Fit.FITS:
        return  # what is not known cannot be refused
    job_state, flow = way.paused(edit), way.new_flow(edit)
    before, found = job_state.serialize(), flow.check(job_state)
    with pytest.raises(ResumeError) as refusal:
        flow.resume(job_state)
    if job_state.flow_id == flow.flow_id:
        assert refusal.value.problems == tuple(found)
    assert job_state.serialize() | {"epoch": 0} == before | {"epoch": 0}


@pytest.mark.parametrize("name", [name for name in EDITS if name != "the flow is another"])
def test_a_flow_that_a_job_came_with_and_has_never_run_in_is_not_its_old_one(name: str) -> None:
    edit, way = EDITS[name], InProcess()
    job_state, flow = way.paused(edit), way.new_flow(edit)
    content = transfer.dumps(flow, job_state)
    with Store(MemoryBackend()) as store:
        job_id = store.admit(read_document(io.BytesIO(content)))
        expected = flow.check(store.load_job(job_id))
        assert [checked.verdict for checked in store.check(flows=[flow])] == [expected]
    assert (expected.fit, len(expected)) == (edit.unknown or (edit.fit, edit.problems))


GOING_ON = [name for name, edit in EDITS.items() if edit.fit is Fit.FITS or edit.plan is not None]


@pytest.mark.parametrize("crash", [False, True], ids=["straight", "crash"])
@pytest.mark.parametrize("name", GOING_ON)
def test_a_job_that_fits_goes_on_to_its_end(way: Way, name: str, crash: bool) -> None:
    edit = EDITS[name]
    job_state, flow = way.paused(edit), way.new_flow(edit)
    logged = job_state.shared_log
    assert flow.check(job_state, plan=edit.plan) == []
    job_state = flow.resume(job_state, plan=edit.plan)
    if crash:
        flow, job_state = way.after_a_crash(flow, job_state)
    assert [applied["plan"] for applied in job_state.plans] == ([edit.plan.document()] if edit.plan else [])
    edit.then(flow, job_state)
    job_state.wait()
    assert (job_state.status, job_state.shared_log) == ("completed", logged + edit.log)


@pytest.mark.parametrize("name", [name for name, edit in EDITS.items() if edit.hint is not None])
def test_what_a_check_hints_at_mends_what_it_was_said_of(name: str) -> None:
    """But what the plan brings to light, as a parameter of a slot that was renamed, is seen by the next check."""
    edit, way = EDITS[name], InProcess()
    job_state, flow = way.paused(edit), way.new_flow(edit)
    found = flow.check(job_state)
    left = {str(finding) for finding in flow.check(job_state, plan=edit.hint)}
    assert found
    assert left.isdisjoint(map(str, found))


def test_the_corpus_is_large_and_has_all_verdicts() -> None:
    assert len(EDITS) >= 40
    assert {edit.fit for edit in EDITS.values()} == set(Fit)
    assert [name for name, edit in EDITS.items() if edit.fit is Fit.NEEDS_PLAN and edit.plan is None] == []
    assert Plan() not in [edit.plan for edit in EDITS.values()]
