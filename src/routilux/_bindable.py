"""Whether the handlers of a flow can take, by name, what a job has for them (law 7)."""

from collections.abc import Iterator, Sequence, Set
from typing import NamedTuple

from routilux._binding import Binding
from routilux._core.merging import given
from routilux._core.misfits import Viewed, in_a_plan, task_meaning
from routilux._handler import Handler, Handlers
from routilux._model import MergeKind, SlotKey
from routilux._plan import Plan
from routilux._records import Task
from routilux._verdict import Finding, Fit
from routilux.errors import BindingError, listed


class _Meeting(NamedTuple):
    """Data for a handler: a task's, or what has come to its slot so far, which is merged with what comes next.

    It is `certain` that the handler is called with it where it is a task's, and no predicate can hold it back; it is
    `whole` where no other names can come to it before.
    """

    place: str
    key: SlotKey
    handler: Handler
    names: Set[str]
    means: str
    certain: bool
    whole: bool
    task: Task | None

    @property
    def what(self) -> str:
        """What it is, in words."""
        return self.place if self.task is None else f"{self.place} is for {self.key}"

    @property
    def merges_by_function(self) -> bool:
        """Whether users' code makes of it what the handler is given: perhaps by other names."""
        return self.handler.node.merge is MergeKind.FUNCTION and not self.whole

    def misfit(self, binding: Binding, names: Set[str]) -> str:
        """Why a handler cannot take it by these names; where others may come, only that it could never take."""
        if not self.whole:
            strangers = sorted(binding.refusals(names))
            return f"its handler has no parameter {listed(strangers)}" if strangers else ""
        try:
            binding.bind(dict.fromkeys(names))
        except BindingError as error:
            return str(error)
        return ""


def unbindable(handlers: Handlers, viewed: Viewed, plan: Plan, done: Set[str]) -> list[Finding]:
    """Say of all data that is known already why its handler cannot take it; `done` are places to leave out.

    What it will be given has to fit it, unless that never did. What it may be given matters where the handler of before
    is known, and could take it.
    """
    tasks = [meeting for meeting in _tasks(handlers, viewed) if meeting.place not in done]
    found = [problem for meeting in tasks for problem in _problem(meeting, viewed, plan)]
    told = {(problem.routine_id, problem.slot) for problem in found}
    data = [each for each in _data(handlers, viewed) if each.key not in told and each.place not in done]
    return [*found, *(problem for meeting in data for problem in _problem(meeting, viewed, plan))]


def worth_knowing(handlers: Handlers, viewed: Viewed, plan: Plan, problems: Sequence[Finding]) -> Iterator[Finding]:
    """Say which data does not fit, and is no problem, as it never did, or as nobody knows whether it ever did."""
    told = {problem.place for problem in problems}
    yield from _without_parameter(handlers, viewed, told)
    yield from _to_fail(handlers, viewed, plan)
    yield from _still_lacking(handlers, viewed)


def _tasks(handlers: Handlers, viewed: Viewed) -> Iterator[_Meeting]:
    """The tasks of whose data it is known by which names their handlers will be given it."""
    for place, task in viewed.tasks():
        handler = handlers.get(task.target)
        names = None if handler is None else _names_given(viewed, handler, task)
        if handler is not None and names is not None:
            is_merged = task.merged is not None or task.seen is not None
            certain = is_merged or handler.predicate is None
            whole = handler.node.merge is not MergeKind.APPEND or task.seen is not None
            means = task_meaning(viewed.job, place, task)
            yield _Meeting(place, task.target, handler, names, means, certain, whole, task)


def _names_given(viewed: Viewed, handler: Handler, task: Task) -> Set[str] | None:
    if task.merged is not None or task.seen is not None:
        return given(viewed.job, handler.node, task).keys()
    if task.data is None or handler.node.merge is MergeKind.FUNCTION:
        return None
    if handler.node.merge is MergeKind.OVERRIDE:
        return task.data.keys()
    return viewed.job.slot_data.get(task.target, {}).keys() | task.data.keys()


def _data(handlers: Handlers, viewed: Viewed) -> Iterator[_Meeting]:
    """The slots whose data is merged with what comes next."""
    for key, data in viewed.job.slot_data.items():
        handler = handlers.get(key)
        if handler is not None and handler.node.merge is not MergeKind.OVERRIDE:
            place, means = f"slot_data.{viewed.formerly(key)}", "it could not take what comes next"
            yield _Meeting(place, key, handler, data.keys(), means, certain=False, whole=False, task=None)


def _problem(meeting: _Meeting, viewed: Viewed, plan: Plan) -> Iterator[Finding]:
    binding, former = meeting.handler.binding, viewed.formerly(meeting.key)
    is_said = plan.keeps_parameters(former)
    problem, can_be_renamed = meeting.misfit(binding, meeting.names), True
    if problem:
        if _is_no_change(meeting, viewed, plan) or (is_said and meeting.merges_by_function):
            return
        can_be_renamed = meeting.merges_by_function or binding.can_rename(meeting.names, whole=meeting.whole)
    elif not is_said:
        problem = _taken_otherwise(binding, viewed.parameters_before(meeting.key), meeting.names)
    if problem:
        renaming = None if is_said else binding.renaming(meeting.names)
        yield Finding(
            f"{meeting.what}: {problem}",
            meeting.place,
            *meeting.key,
            fit=Fit.NEEDS_PLAN if can_be_renamed else Fit.BREAKS,
            means=meeting.means,
            remedy=_remedy(former, "forget" if meeting.task is None else "drop", can_be_renamed=can_be_renamed),
            hint=None if renaming is None else Plan(parameters={former: renaming}),
        )


def _is_no_change(meeting: _Meeting, viewed: Viewed, plan: Plan) -> bool:
    """Whether no change of the flow is to blame for what does not fit, or, where it may not matter, none is known."""
    if meeting.certain:
        return _never_fitted(meeting, viewed, plan)
    before, renamed = viewed.binding_before(meeting.key), plan.parameters_of(viewed.formerly(meeting.key))
    if before is None:
        return True
    former = {new: old for old, new in renamed.items() if old in before.names}
    return bool(meeting.misfit(before, {former.get(name, name) for name in meeting.names}))


def _never_fitted(meeting: _Meeting, viewed: Viewed, plan: Plan) -> bool:
    """Whether its handler takes just what it did: then the attempt fails, as it would have if nobody had stopped it."""
    before, former = viewed.binding_before(meeting.key), viewed.formerly(meeting.key)
    is_same = before is not None and before.takes == meeting.handler.binding.takes
    return is_same and not plan.keeps_parameters(former)


def _remedy(former: SlotKey, part: str, *, can_be_renamed: bool) -> str:
    if can_be_renamed:
        renamed = f"parameters={{{str(former)!r}: ...}}"
        return f"say in a plan what the parameters are now ({renamed}), or {in_a_plan(former, part)}"
    return f"give new parameters defaults and keep old ones, or take **kwargs; or {in_a_plan(former, part)}"


def _taken_otherwise(binding: Binding, before: Set[str], names: Set[str]) -> str:
    """Say that a handler which took data by name takes all of it in one parameter now: it may mean a parameter."""
    if binding.single is None or binding.single in names or names.isdisjoint(before):
        return ""
    return (
        f"its handler took {listed(sorted(names & before))} by name, and would take all data in its one parameter "
        f"{binding.single!r} now; say in a plan what becomes of the parameters, if only {{}}"
    )


# What is no problem.


def _without_parameter(handlers: Handlers, viewed: Viewed, told: Set[str]) -> Iterator[Finding]:
    """Say of data in slots that append, and for which no task is pending, that no handler could take what comes."""
    pending = {task.target for _, task in viewed.tasks()}
    for meeting in _data(handlers, viewed):
        if meeting.place in told or meeting.key in pending or meeting.merges_by_function:
            continue
        if problem := meeting.misfit(meeting.handler.binding, meeting.names):
            yield Finding(f"{meeting.what}: {problem}", meeting.place, *meeting.key, means=meeting.means)


def _to_fail(handlers: Handlers, viewed: Viewed, plan: Plan) -> Iterator[Finding]:
    """Say of each task that its handler cannot take its data, and never could."""
    for meeting in _tasks(handlers, viewed):
        if not meeting.certain or not _never_fitted(meeting, viewed, plan):
            continue
        if problem := meeting.misfit(meeting.handler.binding, meeting.names):
            means = "its attempt will fail, and its policy decides"
            yield Finding(f"{meeting.what}: {problem}", meeting.place, *meeting.key, means=means)


def _still_lacking(handlers: Handlers, viewed: Viewed) -> Iterator[Finding]:
    """Say of tasks whose data is still to be appended that all of it together has not what their handler needs."""
    come: dict[SlotKey, tuple[str, set[str]]] = {}
    for meeting in _tasks(handlers, viewed):
        if meeting.certain and not meeting.whole:
            come.setdefault(meeting.key, (meeting.place, set()))[1].update(meeting.names)
    for key, (place, names) in come.items():
        try:
            handlers[key].binding.bind(dict.fromkeys(names))
        except BindingError as error:
            if error.missing:
                what = (
                    f"{place} is for {key}: its handler needs {listed(error.missing)}, which nothing there has so far"
                )
                yield Finding(what, place, *key, means="it fails unless that comes before it")
