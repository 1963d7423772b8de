"""Whether a job can go on in a flow, and what is worth knowing before it does (law 7)."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from routilux._bindable import unbindable, worth_knowing
from routilux._core.changes import changes
from routilux._core.job import Job
from routilux._core.misfits import Viewed, misfits, places_of
from routilux._core.planning import PAST, UNMET, planned, recorded, was_applied
from routilux._definition import Definition
from routilux._graph import Graph
from routilux._plan import Plan
from routilux._records import task_id
from routilux._recovery import data_left
from routilux._verdict import Finding, Fit, Verdict
from routilux.errors import MissingResourceError, ResumeError, listed
from routilux.routine import Routine


class Inspected(NamedTuple):
    """A job as it would go on, which is another object where a plan has changed it, and what is to be said of that."""

    job: Job
    verdict: Verdict


def inspect(definition: Definition, job: Job, plan: Plan, before: Graph | None, now: float) -> Inspected:
    """What of a job does not fit with a plan, and, as notes, what has changed and what `resume` will leave undone.

    `before` is the graph that the job last ran with, where it is known.
    """
    graph, handlers = definition._compile()
    if job.flow_id != definition.flow_id:
        return Inspected(job, Verdict([_other_flow(job, definition)]))
    found = planned(job, plan, graph, now)
    if found.problems:
        return Inspected(job, Verdict(found.problems))
    viewed = Viewed(found.job, places_of(job), found.former, before)
    problems = [*_unread(definition, plan, job), *misfits(graph, viewed)]
    problems += (unbound := unbindable(handlers, viewed, plan, {problem.place for problem in problems}))
    problems += _ambiguous(viewed)
    problems += _lacking(definition._routines)
    notes = [*found.notes, *_changed_flow(job, graph), *changes(graph, viewed)]
    notes += worth_knowing(handlers, viewed, plan, unbound)
    notes += _odd_slots(definition._routines)
    notes += data_left(found.job, definition._routines, definition._error_handler)
    return Inspected(found.job, Verdict(problems, notes))


def fitting_in(
    definition: Definition,
    plan: Plan,
    last_graph: Callable[[Job], Graph | None],
    now: Callable[[], float],
) -> Callable[[Job], Job]:
    """What makes of a job the one that goes on in a flow; it raises ResumeError, with all that does not fit."""

    def fitting(job: Job) -> Job:
        if job.flow_id != definition.flow_id:
            problem, problems = f"is a run of flow {job.flow_id!r}; this is flow {definition.flow_id!r}", Verdict()
        else:
            fitted, problems = inspect(definition, job, plan, last_graph(job), now())
            if not problems:
                return fitted
            known = [PAST] if was_applied(plan, recorded(job)) else _of_the_plan(problems.notes)
            of_plan = f" ({'; '.join(known)})" if known else ""
            problem = f"cannot go on in flow {definition.flow_id!r}{of_plan}; nothing was changed:"
        raise ResumeError(f"job {job.job_id!r} {problem}", problems, job_id=job.job_id, status=job.status)

    return fitting


def _of_the_plan(notes: list[Finding]) -> list[Finding]:
    """What may be a slip in it."""
    return [note for note in notes if note.place == UNMET]


def _other_flow(job: Job, definition: Definition) -> Finding:
    what = f"it is a run of flow {job.flow_id!r}; this is flow {definition.flow_id!r}"
    return Finding(what, "flow_id", fit=Fit.BREAKS)


def _unread(definition: Definition, plan: Plan, job: Job) -> Iterator[Finding]:
    """Functions of a configuration are called when a flow's document is read: what was not read so has none of it."""
    if not plan.config or definition._read_by == plan or was_applied(plan, recorded(job)):
        return
    yield Finding(
        f"the plan has functions for the configuration of {listed(plan.config)}, but this flow was not read with it",
        "plan.config",
        fit=Fit.NEEDS_PLAN,
        remedy="use store.load(job_id, plan=plan) or flow.deserialize(document, plan=plan), or configure it in your "
        "code, and leave the functions out",
    )


def check_given(flow_id: str, routines: Mapping[str, Routine]) -> None:
    """Refuse to start a job whose handlers would not find what they need; MissingResourceError lists all of it."""
    problems = list(_lacking(routines))
    if problems:
        missing = dict.fromkeys(name for routine in routines.values() for name in routine._lacks())
        lines = "\n  - ".join([f"flow {flow_id!r} runs no job here:", *problems])
        raise MissingResourceError(lines, missing)


def _lacking(routines: Mapping[str, Routine]) -> Iterator[Finding]:
    """What routines need of their host and are not given; which of them a job will reach is not known."""
    for routine_id, routine in routines.items():
        for name, lack in routine._lacks().items():
            what = f"routine {routine_id!r} needs {name!r}: {lack}"
            yield Finding(what, f"routines.{routine_id}", routine_id, fit=Fit.BREAKS)


def _ambiguous(viewed: Viewed) -> Iterator[Finding]:
    for place, task in viewed.tasks():
        if task.ambiguous and place.startswith("pending_tasks"):
            what = f"{place} may not be repeated, and its process died in the middle"
            name = task_id(viewed.job.job_id, task.number)
            remedy = f"say with Flow.resolve what became of task {name}, or let a plan drop it (drop=[{name!r}])"
            yield Finding(what, place, *task.target, fit=Fit.NEEDS_PLAN, remedy=remedy)


def _changed_flow(job: Job, graph: Graph) -> Iterator[Finding]:
    if job.fingerprint not in ("", graph.fingerprint):
        yield Finding(
            f"flow {graph.flow_id!r} has another fingerprint than when the job last ran: its routines, classes, "
            f"references or connections have changed",
            "flow_fingerprint",
        )


def _odd_slots(routines: Mapping[str, Routine]) -> Iterator[Finding]:
    """Slots that only the document or only the class has (DESIGN: Registration and trust)."""
    for routine_id, routine in routines.items():
        for name, said_by in routine.unmatched_slots.items():
            yield Finding(
                f"slot {name!r} of routine {routine_id!r} is only in its {said_by}; it was "
                f"{'created' if said_by == 'document' else 'kept'}",
                f"routines.{routine_id}._slots.{name}",
                routine_id,
                name,
            )
