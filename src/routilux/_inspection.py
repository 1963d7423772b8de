"""Whether a job can go on in a flow, and what is worth knowing before it does (law 7)."""

from collections.abc import Callable, Iterator, Mapping, Set
from typing import NamedTuple

from routilux._binding import Binding
from routilux._core.changes import changes
from routilux._core.job import Job
from routilux._core.merging import given
from routilux._core.misfits import Viewed, in_a_plan, misfits, places_of, task_meaning
from routilux._core.planning import PAST, planned, recorded, was_applied
from routilux._definition import Definition
from routilux._graph import Graph
from routilux._handler import Handler, Handlers
from routilux._model import MergeKind, SlotKey
from routilux._plan import Plan
from routilux._records import Task, task_id
from routilux._recovery import data_left
from routilux._verdict import Finding, Fit, Verdict
from routilux.errors import BindingError, MissingResourceError, ResumeError, listed
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
    problems += unbindable(handlers, viewed, plan, {problem.place for problem in problems})
    problems += _ambiguous(viewed)
    problems += _lacking(definition._routines)
    notes = [*found.notes, *_changed_flow(job, graph), *changes(graph, viewed), *_unbindable_data(handlers, viewed)]
    notes += _to_fail(handlers, viewed, plan)
    notes += _still_lacking(handlers, viewed)
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
            past = f" ({PAST})" if was_applied(plan, recorded(job)) else ""
            problem = f"cannot go on in flow {definition.flow_id!r}{past}; nothing was changed:"
        raise ResumeError(f"job {job.job_id!r} {problem}", problems, job_id=job.job_id, status=job.status)

    return fitting


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


def unbindable(handlers: Handlers, viewed: Viewed, plan: Plan, done: Set[str]) -> Iterator[Finding]:
    """Say of each task whose data is known already why its handler cannot take it; `done` are places to leave out."""
    for place, task in viewed.tasks():
        handler, former = handlers.get(task.target), viewed.formerly(task.target)
        names = _names_given(viewed.job, handler, task) if handler is not None and place not in done else None
        if handler is None or names is None:
            continue
        problem = _binding_problem(handler, task, names)
        if problem and _never_fitted(handler, viewed, plan, task):
            continue
        if not problem and not plan.keeps_parameters(former):
            problem = _taken_otherwise(handler.binding, viewed.parameters_before(task.target), names)
        if problem:
            renaming = None if plan.keeps_parameters(former) else handler.binding.renaming(names)
            yield Finding(
                f"{place} is for {task.target}: {problem}",
                place,
                *task.target,
                fit=Fit.NEEDS_PLAN if handler.binding.can_rename(names) else Fit.BREAKS,
                means=task_meaning(viewed.job, place, task),
                remedy=_to_bind(handler.binding, names, former),
                hint=None if renaming is None else Plan(parameters={former: renaming}),
            )


def _never_fitted(handler: Handler, viewed: Viewed, plan: Plan, task: Task) -> bool:
    """Whether no change of the flow is to blame: then the attempt fails, as it would have if nobody had stopped it."""
    return viewed.always_took(task.target, handler.binding) and not plan.keeps_parameters(viewed.formerly(task.target))


def _to_fail(handlers: Handlers, viewed: Viewed, plan: Plan) -> Iterator[Finding]:
    """Say of each task that its handler cannot take its data, and never could."""
    for place, task in viewed.tasks():
        handler = handlers.get(task.target)
        names = None if handler is None else _names_given(viewed.job, handler, task)
        if handler is None or names is None or not _never_fitted(handler, viewed, plan, task):
            continue
        if problem := _binding_problem(handler, task, names):
            what, means = f"{place} is for {task.target}: {problem}", "its attempt will fail, and its policy decides"
            yield Finding(what, place, *task.target, means=means)


def _to_bind(binding: Binding, names: Set[str], former: SlotKey) -> str:
    if binding.can_rename(names):
        renamed = f"parameters={{{str(former)!r}: ...}}"
        return f"say in a plan what the parameters are now ({renamed}), or {in_a_plan(former, 'drop')}"
    return f"give new parameters defaults and keep old ones, or take **kwargs; or {in_a_plan(former, 'drop')}"


def _names_given(job: Job, handler: Handler, task: Task) -> Set[str] | None:
    """The names of the data that a handler will be given, as far as that is known yet; None where it is not."""
    if task.merged is not None or task.seen is not None:
        return given(job, handler.node, task).keys()
    if task.data is None or handler.predicate is not None or handler.node.merge is MergeKind.FUNCTION:
        return None
    if handler.node.merge is MergeKind.OVERRIDE:
        return task.data.keys()
    return job.slot_data.get(task.target, {}).keys() | task.data.keys()


def _binding_problem(handler: Handler, task: Task, names: Set[str]) -> str:
    """Why a handler cannot take the data; where more may be appended before, only that it could never take."""
    if handler.node.merge is MergeKind.APPEND and task.seen is None:
        strangers = sorted(handler.binding.refusals(names))
        return f"its handler has no parameter {listed(strangers)}" if strangers else ""
    try:
        handler.binding.bind(dict.fromkeys(names))
    except BindingError as error:
        return str(error)
    return ""


def _taken_otherwise(binding: Binding, before: Set[str], names: Set[str]) -> str:
    """Say that a handler which took data by name takes all of it in one parameter now: it may mean a parameter."""
    if binding.single is None or binding.single in names or names.isdisjoint(before):
        return ""
    return (
        f"its handler took {listed(sorted(names & before))} by name, and would take all data in its one parameter "
        f"{binding.single!r} now; say in a plan what becomes of the parameters, if only {{}}"
    )


def _unbindable_data(handlers: Handlers, viewed: Viewed) -> Iterator[Finding]:
    """Say of data in slots that append, and for which no task is pending, that no handler could take what comes."""
    pending = {task.target for _, task in viewed.tasks()}
    for key, data in viewed.job.slot_data.items():
        handler = handlers.get(key)
        if handler is None or key in pending or handler.node.merge is not MergeKind.APPEND:
            continue
        if strangers := sorted(handler.binding.refusals(data)):
            place = f"slot_data.{viewed.formerly(key)}"
            what = f"{place} holds {listed(strangers)}, for which the handler of {key} has no parameter"
            yield Finding(what, place, *key, means="it could not take what comes next")


def _still_lacking(handlers: Handlers, viewed: Viewed) -> Iterator[Finding]:
    """Say of tasks whose data is still to be appended that all of it together has not what their handler needs."""
    come: dict[SlotKey, tuple[str, set[str]]] = {}
    for place, task in viewed.tasks():
        handler = handlers.get(task.target)
        appends = handler is not None and handler.node.merge is MergeKind.APPEND and handler.predicate is None
        if appends and task.seen is None and task.data is not None:
            held = set(viewed.job.slot_data.get(task.target, ()))
            come.setdefault(task.target, (place, held))[1].update(task.data)
    for key, (place, names) in come.items():
        try:
            handlers[key].binding.bind(dict.fromkeys(names))
        except BindingError as error:
            if error.missing:
                what = (
                    f"{place} is for {key}: its handler needs {listed(error.missing)}, which nothing there has so far"
                )
                yield Finding(what, place, *key, means="it fails unless that comes before it")


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
