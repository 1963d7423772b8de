"""A job as a plan makes it: with the names of now, and without what is dropped (law 7)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from msgspec.structs import replace

from routilux._core.copying import gathered
from routilux._core.document import write_slot_data, write_tasks
from routilux._core.expectations import Expectations
from routilux._core.job import Job
from routilux._core.ready_queue import ReadyQueue
from routilux._core.settling import touch, worsen
from routilux._graph import Graph
from routilux._model import EventKey, RoutineStatus, SlotKey
from routilux._plan import NO_PLAN, Plan, slot_named
from routilux._records import AppliedPlan, Data, Task, task_id
from routilux._verdict import Finding, Fit
from routilux.errors import listed

T = TypeVar("T")
PAST = "the plan was applied before, and is not applied twice; one that says more, if only a reason, is another"
"""What is told of a plan that a job is past."""
UNMET = "plan"
"""Where notes are found that say of what a plan speaks, and the job has nothing."""


class Planned(NamedTuple):
    """What a plan makes of a job: another one, or why it makes none; `former` tells what slots were called before."""

    job: Job
    problems: list[Finding]
    notes: list[Finding]
    former: Mapping[SlotKey, SlotKey]


def planned(job: Job, plan: Plan, graph: Graph, now: float) -> Planned:
    """Apply a plan to a copy of a job, whole or not at all; the job itself stays as it is.

    A plan is applied to a job once: to one that is past it, nothing happens. Tasks in flight are put in front.
    """
    if plan == NO_PLAN:
        return Planned(job, [], [], {})
    if was_applied(plan, recorded(job)):
        return Planned(job, [], [_past(job)], {})
    if problems := [*_strange_names(plan, job, graph), *_collisions(plan, job)]:
        return Planned(job, problems, [], {})
    return Planned(_changed(job, plan, now), [], [*_left_out(plan, job), *_unmet(plan, job)], _former(plan, job))


def was_applied(plan: Plan, plans: Iterable[dict[str, Any]]) -> bool:
    """Whether a plan is one of those that a job is past, by their documents."""
    return plan.document() in plans


def recorded(job: Job) -> list[dict[str, Any]]:
    """The documents of the plans that were applied to a job."""
    return [applied.plan for applied in job.plans]


def still_due(plan: Plan, plans: Iterable[dict[str, Any]]) -> Plan:
    """The plan, for a job that is not past it; else one that says nothing."""
    return NO_PLAN if was_applied(plan, plans) else plan


def _past(job: Job) -> Finding:
    return Finding(f"job {job.job_id!r}: {PAST}", "plans")


# Why it cannot be applied.


def _strange_names(plan: Plan, job: Job, graph: Graph) -> Iterator[Finding]:
    """Say what the plan takes for granted, and neither the job nor the flow has."""
    if plan.flow_id not in (None, job.flow_id):
        yield _wrong(f"it is for jobs of flow {plan.flow_id!r}; this is one of {job.flow_id!r}", "flow_id")
    for old in (*plan.routines, *plan.config):
        if (new := plan.routine_of(old)) not in graph.routines and not _makes_way(plan, old):
            part = "routines" if old in plan.routines else "config"
            problem = f"flow {graph.flow_id!r} has no routine {new!r}; it has: {listed(graph.routines)}"
            yield _wrong(problem, f"{part}.{old}")
    for place in (*plan.moves, *plan.parameters):
        key = slot_named(place)
        if (target := plan.slot_of(key)) not in graph.slots:
            part = "slots" if key in plan.moves else "parameters"
            known = [slot.slot for slot in graph.slots if slot.routine_id == target.routine_id]
            problem = f"flow {graph.flow_id!r} has no slot {str(target)!r}; that routine has: {listed(known)}"
            yield _wrong(problem, f"{part}.{key}")


def _makes_way(plan: Plan, old: str) -> bool:
    """Whether a routine that is gone only leaves its name to another: then it may have any name of its own."""
    return old in plan.routines.values() and old not in plan.config


def _collisions(plan: Plan, job: Job) -> Iterator[Finding]:
    """Say which data of the job would become one by the plan: nobody could tell afterwards what it was."""
    for old, new in _twins({routine_id: plan.routine_of(routine_id) for routine_id in job.routines}):
        remedy = f"let one that is gone make way, under a name of its own (routines={{{new!r}: ...}})"
        yield _wrong(f"the job remembers both {listed(old)}, and both would be {new!r}", f"routines.{old[0]}", remedy)
    kept = [key for key in job.slot_data if key not in plan.forgotten_slots]
    for keys, key in _twins({key: plan.slot_of(key) for key in kept}):
        problem = f"data has come to {listed(keys)}, and both would be {str(key)!r}"
        yield _wrong(problem, f"slots.{keys[0]}", "forget that of one of them (forget=[...])")
    for place, key, data in _all_data(job):
        renamed = _renamed(data, plan.parameters_of(key))
        if len(renamed) < len(data):
            yield _wrong(f"{place} has {listed(data)}, of which two would have one name", f"parameters.{key}")


def _twins(names: Mapping[T, T]) -> Iterator[tuple[list[T], T]]:
    by_new: dict[T, list[T]] = {}
    for old, new in names.items():
        by_new.setdefault(new, []).append(old)
    return ((old, new) for new, old in by_new.items() if len(old) > 1)


def _all_data(job: Job) -> Iterator[tuple[str, SlotKey, Data]]:
    for place, task in job.unfinished().items():
        for data in (task.data, task.merged, task.seen):
            yield place, task.target, data or {}
    for key, data in job.slot_data.items():
        yield f"slot_data.{key}", key, data


def _wrong(problem: str, part: str, remedy: str = "") -> Finding:
    return Finding(f"the plan cannot be right: {problem}", f"plan.{part}", fit=Fit.NEEDS_PLAN, remedy=remedy)


# What it makes of a job.


def _changed(job: Job, plan: Plan, now: float) -> Job:
    changed = replace(
        job,
        ready=ReadyQueue(),
        delayed=(),
        expecting=Expectations(),
        active={},
        failed=[_moved(task, plan) for task in job.failed if not _is_dropped(plan, job, task)],
        routines={plan.routine_of(routine_id): replace(state) for routine_id, state in job.routines.items()},
        slot_data={
            plan.slot_of(key): _renamed(gathered(data), plan.parameters_of(key))
            for key, data in job.slot_data.items()
            if key not in plan.forgotten_slots
        },
        plans=(*job.plans, _record(job, plan, now)),
    )
    for task in job.pending():
        if _is_dropped(plan, job, task):
            worsen(changed, plan.routine_of(task.target.routine_id), RoutineStatus.SKIPPED)
        else:
            changed.enlist(_moved(task, plan))
    still_failed = {task.target.routine_id for task in changed.failed}
    for task in job.failed:
        routine_id = plan.routine_of(task.target.routine_id)
        if _is_dropped(plan, job, task) and routine_id not in still_failed:  # its failure counts no more
            touch(changed, routine_id, outcome=RoutineStatus.SKIPPED)
    return changed


def _is_dropped(plan: Plan, job: Job, task: Task) -> bool:
    return task.target in plan.dropped_slots or task_id(job.job_id, task.number) in plan.dropped_tasks


def _dropped(plan: Plan, job: Job) -> list[Task]:
    return [task for task in [*job.pending(), *job.failed] if _is_dropped(plan, job, task)]


def _record(job: Job, plan: Plan, now: float) -> AppliedPlan:
    data = {key: data for key, data in job.slot_data.items() if key in plan.forgotten_slots}
    tasks = write_tasks(job.job_id, _dropped(plan, job), "plan.drop")
    return AppliedPlan(now, job.fingerprint, plan.document(), tasks, write_slot_data(data))


def _moved(task: Task, plan: Plan) -> Task:
    names, source = plan.parameters_of(task.target), task.source
    if task.target in plan.forgotten_slots:
        task = replace(task, merged=None, seen=None)
    return replace(
        task,
        target=plan.slot_of(task.target),
        source=None if source is None else EventKey(plan.routine_of(source.routine_id), source.event),
        data=None if task.data is None else _renamed(task.data, names),
        merged=None if task.merged is None else _renamed(task.merged, names),
        seen=None if task.seen is None else _renamed(task.seen, names),
    )


def _renamed(data: Mapping[str, T], names: Mapping[str, str]) -> dict[str, T]:
    return {names.get(name, name): value for name, value in data.items()}


# What is worth knowing.


def _former(plan: Plan, job: Job) -> Mapping[SlotKey, SlotKey]:
    return {plan.slot_of(key): key for key in slots_in(job)}


def slots_in(job: Job) -> dict[SlotKey, None]:
    """The slots for which a job has tasks or data, each once."""
    return dict.fromkeys([*(task.target for task in job.unfinished().values()), *job.slot_data])


def _left_out(plan: Plan, job: Job) -> Iterator[Finding]:
    for place, task in job.unfinished().items():
        if _is_dropped(plan, job, task):
            carries = "nothing yet" if task.data is None else listed(task.data)
            yield Finding(f"{place} for {task.target} is dropped; it carries {carries}", place, *task.target)
    for key in sorted(plan.forgotten_slots & job.slot_data.keys()):
        text = f"the data that has come to {key} is dropped: {listed(job.slot_data[key])}"
        yield Finding(text, f"slot_data.{key}", *key)


def _unmet(plan: Plan, job: Job) -> Iterator[Finding]:
    """Say of what the plan speaks and the job has nothing: perhaps a slip, perhaps meant for other jobs."""
    slots, ids = slots_in(job), {task_id(job.job_id, task.number) for task in job.unfinished().values()}
    sources = {task.source.routine_id for task in job.unfinished().values() if task.source is not None}
    routines = {*job.routines, *sources, *(key.routine_id for key in slots)}
    named = [f"routine {name!r}" for name in plan.routines if name not in routines]
    named += [f"slot {str(key)!r}" for key in _slots_of(plan) if key not in slots]
    named += [f"parameter {name!r} of slot {str(key)!r}" for key, name in _strange_parameters(plan, job, slots)]
    named += [f"task {task_id!r}" for task_id in sorted(plan.dropped_tasks - ids)]
    for name in named:
        yield Finding(f"the plan speaks of {name}, for which this job has nothing", UNMET)


def _strange_parameters(plan: Plan, job: Job, slots: Iterable[SlotKey]) -> Iterator[tuple[SlotKey, str]]:
    """Old names of parameters that no data for their slots has; nothing is said of slots that are unmet themselves."""
    for key in filter(plan.parameters_of, slots):
        has = {name for _, target, data in _all_data(job) if target == key for name in data}
        yield from ((key, name) for name in plan.parameters_of(key) if name not in has)


def _slots_of(plan: Plan) -> Iterable[SlotKey]:
    keys = [slot_named(place) for place in (*plan.moves, *plan.parameters)]
    return dict.fromkeys([*keys, *sorted(plan.forgotten_slots)])
