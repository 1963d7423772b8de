"""Whether stored jobs could go on with the code that is loaded here; nothing is claimed or changed for that (law 7)."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from time import time
from typing import Any, NamedTuple

from routilux._backends.backend import Backend, JobRecord, StoredJob
from routilux._core.graph_document import read_definition
from routilux._core.job import Job
from routilux._core.planning import still_due
from routilux._core.snapshot import plans_in
from routilux._engine.rebuilding import opaque_job, rebuild
from routilux._graph import Graph
from routilux._inspection import inspect
from routilux._model import RESUMABLE, SETTLED
from routilux._plan import NO_PLAN, Plan
from routilux._verdict import Finding, Fit, Verdict
from routilux.errors import DamagedRecordError, UnknownJobError, listed
from routilux.flow import Flow
from routilux.stores.host import Host, empty_flow
from serilux import renamed_classes
from serilux.errors import SeriluxError, UnknownClassError

_FLOWS_KEPT = 100


class Checked(NamedTuple):
    """A job, and whether it could go on."""

    job_id: str
    flow_id: str
    status: str
    verdict: Verdict


class Candidate(NamedTuple):
    """A job that may go on: the document of its flow and the graph that it came with, the plans that it is past.

    `read` gives the job, `peek` one of plain JSON where its classes are not known; flows of one `name` are read once.
    """

    flow_id: str
    name: str
    flow_document: dict[str, Any]
    graph: Graph
    plans: list[dict[str, Any]]
    read: Callable[[], Job]
    peek: Callable[[], Job]


class Checker:
    """Says of jobs whether they could go on: in the flow of theirs that is given, or else in that of their document."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._written: dict[str, dict[str, Any] | list[Finding]] = {}
        self._read: dict[tuple[str, bool], Flow | list[Finding]] = {}

    def verdict(self, candidate: Candidate) -> Verdict:
        """What would keep a job from going on; what cannot be read is among it."""
        plan = self._host.plan_for(candidate.flow_id)
        due = still_due(plan, candidate.plans)
        given = self._host.flow_for(candidate.flow_id)
        flow = self._read_flow(candidate, due) if given is None else given
        document = {} if given is None else self._document_of(given)
        job = _job(candidate, due)
        problems = [problem for part in (flow, document, job) if isinstance(part, list) for problem in part]
        peeked = job if isinstance(job, Job) else _peeked(candidate)
        if peeked is None or not isinstance(flow, Flow):
            return Verdict(problems)
        found = inspect(flow, peeked, plan, _last_graph(candidate, peeked), time()).verdict
        notes = _other_configurations(candidate, document, due) if isinstance(document, dict) else []
        return Verdict([*problems, *found], [*found.notes, *notes])

    def _read_flow(self, candidate: Candidate, plan: Plan) -> Flow | list[Finding]:
        key = candidate.name, plan == NO_PLAN
        if key not in self._read:
            if len(self._read) >= _FLOWS_KEPT:
                self._read.clear()
            read = _read_flow(candidate.flow_document, plan)
            self._read[key] = self._host.equipped(read) if isinstance(read, Flow) else read
        return self._read[key]

    def _document_of(self, flow: Flow) -> dict[str, Any] | list[Finding]:
        """What will be stored of a flow of the code, when jobs go on in it."""
        if flow.flow_id not in self._written:
            try:
                self._written[flow.flow_id] = flow.serialize()
            except SeriluxError as error:
                self._written[flow.flow_id] = _problems(error, "jobs that are stored cannot go on in this flow")
        return self._written[flow.flow_id]


def checked_jobs(backend: Backend, checker: Checker) -> Iterator[Checked]:
    """The jobs of a store that have not settled, oldest first, each with its verdict, one after the other."""
    records = [record for status in RESUMABLE for record in backend.records(status=status)]
    for record in sorted(records, key=lambda record: (record.created_at, record.job_id)):
        now, verdict = _stored_verdict(backend, record, checker)
        if now is not None and now.status not in SETTLED:
            yield Checked(now.job_id, now.flow_id, now.status, verdict)


def _stored_verdict(backend: Backend, record: JobRecord, checker: Checker) -> tuple[JobRecord | None, Verdict]:
    """How a job is listed by now, None where it has gone, and its verdict."""
    try:
        stored, content = _read_whole(backend, record.job_id)
        document, graph = read_definition(content)
        candidate = Candidate(
            stored.record.flow_id,
            stored.record.definition,
            document,
            graph,
            plans_in(stored.snapshot),
            lambda: rebuild(stored, graph).job,
            lambda: opaque_job(stored, graph),
        )
        return stored.record, checker.verdict(candidate)
    except UnknownJobError:
        return None, Verdict()
    except DamagedRecordError as error:
        return record, Verdict([Finding(str(error), fit=Fit.BREAKS, means="nobody can read this job")])


def _read_whole(backend: Backend, job_id: str) -> tuple[StoredJob, bytes]:
    """A job with its definition; where that has just been replaced by another, the job is read again."""
    stored = backend.read(job_id)
    with suppress(UnknownJobError):
        return stored, backend.definition(stored.record.definition)
    stored = backend.read(job_id)
    return stored, backend.definition(stored.record.definition)


def _read_flow(document: dict[str, Any], plan: Plan) -> Flow | list[Finding]:
    try:
        flow = empty_flow(document, plan)
        flow.deserialize(document, plan=plan)
    except SeriluxError as error:
        return _problems(error, "its flow cannot be read here")
    return flow


def _job(candidate: Candidate, plan: Plan) -> Job | list[Finding]:
    try:
        with renamed_classes(plan.classes):
            return candidate.read()
    except SeriluxError as error:
        return _problems(error, "the job cannot be read here")


def _peeked(candidate: Candidate) -> Job | None:
    try:
        return candidate.peek()
    except SeriluxError:
        return None  # why it cannot be read is told already


def _last_graph(candidate: Candidate, job: Job) -> Graph | None:
    """The graph that a job last ran with; one that it only came with, in a file, it may never have run in."""
    return candidate.graph if candidate.graph.fingerprint == job.fingerprint else None


def _problems(error: SeriluxError, means: str) -> list[Finding]:
    return [
        Finding(
            str(problem),
            problem.path,
            fit=Fit.NEEDS_PLAN if isinstance(problem, UnknownClassError) else Fit.BREAKS,
            means=means,
            remedy="a class that was renamed needs an alias, or is named in a plan (classes={...})"
            if isinstance(problem, UnknownClassError)
            else "",
        )
        for problem in error.problems
    ]


def _other_configurations(candidate: Candidate, document: dict[str, Any], plan: Plan) -> list[Finding]:
    """Say which configurations of a flow of the code are not those that a job has run with."""
    former = {plan.routine_of(name): routine for name, routine in candidate.flow_document["routines"].items()}
    present = document.get("routines", {})
    found = []
    for routine_id in sorted(former.keys() & present.keys()):
        old, new = former[routine_id].get("_config", {}), present[routine_id].get("_config", {})
        names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
        if names:
            what = f"the configuration of routine {routine_id!r} is not what the job ran with: {listed(names)}"
            place = f"routines.{routine_id}._config"
            found.append(Finding(what, place, routine_id, means="it goes on with that of the flow"))
    return found
