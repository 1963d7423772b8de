"""What of a job cannot go on in a flow, and what that means for the job (law 7)."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from routilux._binding import Binding
from routilux._core.job import Job
from routilux._core.planning import slots_in
from routilux._graph import Graph, SlotNode
from routilux._model import MergeKind, SlotKey
from routilux._plan import Plan
from routilux._records import Data, Task, task_id
from routilux._verdict import Finding, Fit
from routilux.errors import listed


class Viewed:
    """A job as it would go on, and what a reader of its document needs to find it there.

    `places` tells where in the document each task is, by number; `former` what a slot was called there; `before` is the
    graph of the flow that the job last ran in, where that is known.
    """

    def __init__(
        self, job: Job, places: Mapping[int, str], former: Mapping[SlotKey, SlotKey], before: Graph | None = None
    ) -> None:
        self.job = job
        self.before = before
        self.slots = frozenset(slots_in(job))
        self._places = places
        self._former = former

    def tasks(self) -> Iterator[tuple[str, Task]]:
        """All tasks that are not done, with their places."""
        return ((self._places[task.number], task) for task in self.job.unfinished().values())

    def formerly(self, key: SlotKey) -> SlotKey:
        """What the job's document calls a slot."""
        return self._former.get(key, key)

    def parameters_before(self, key: SlotKey) -> frozenset[str]:
        """What a slot's handler took by name in the flow of before; nothing, where that is not known."""
        slot = None if self.before is None else self.before.slots.get(self.formerly(key))
        return frozenset(slot.parameters) if slot is not None and slot.parameters else frozenset()

    def binding_before(self, key: SlotKey) -> Binding | None:
        """How data met a slot's handler in the flow of before; None, where that is not known."""
        slot = None if self.before is None else self.before.slots.get(self.formerly(key))
        return None if slot is None else slot.binding

    def would_miss(self, key: SlotKey, graph: Graph) -> bool:
        """Whether what has come to a slot that this flow has not matters to what comes next.

        Not where each new datum replaces the old; nor where the flow of before has no such slot either, as the job has
        gone on in that all the same. One with the fingerprint of this flow has the same slots, which merge alike.
        """
        before = graph if self.job.fingerprint == graph.fingerprint else self.before
        if before is None or not self.job.slot_data[key]:
            return bool(self.job.slot_data[key])
        slot = before.slots.get(self.formerly(key))
        return slot is not None and (slot.merge is not MergeKind.OVERRIDE or slot.guarded)


def places_of(job: Job) -> dict[int, str]:
    """Where in a job's document each of its tasks is, by number."""
    return {task.number: place for place, task in job.unfinished().items()}


def misfits(graph: Graph, viewed: Viewed) -> Iterator[Finding]:
    """Say of each task, timer and slot datum why it cannot go on in this flow."""
    guesses = hints(graph, viewed)
    for place, task in viewed.tasks():
        yield from _task_misfit(graph, viewed, place, task, guesses.get(task.target))
    for key in viewed.job.slot_data:
        if key in graph.slots or viewed.would_miss(key, graph):
            yield from _slot_misfit(graph, viewed, key, guesses.get(key))


def _task_misfit(graph: Graph, viewed: Viewed, place: str, task: Task, hint: Plan | None) -> Iterator[Finding]:
    key, former, means = task.target, viewed.formerly(task.target), task_meaning(viewed.job, place, task)
    if reason := _misfit(graph, key):
        what, remedy = f"{place} is for {key}: {reason}", _what_became(graph, key, former, "drop")
        yield Finding(what, place, *key, fit=Fit.NEEDS_PLAN, means=means, remedy=remedy, hint=hint)
    elif reason := _merged_misfit(graph, task, viewed.job.slot_data):
        what, remedy = f"{place} is for {key}: {reason}", f"{_MERGED_AS_BEFORE} {in_a_plan(former, 'forget', 'drop')}"
        yield Finding(what, place, *key, fit=Fit.BREAKS, means=means, remedy=remedy)


def _slot_misfit(graph: Graph, viewed: Viewed, key: SlotKey, hint: Plan | None) -> Iterator[Finding]:
    data, former = viewed.job.slot_data[key], viewed.formerly(key)
    place, means = f"slot_data.{former}", data_meaning(data)
    if reason := _misfit(graph, key, handled=False):
        what, remedy = f"{place}: {reason}", _what_became(graph, key, former, "forget")
        yield Finding(what, place, *key, fit=Fit.NEEDS_PLAN, means=means, remedy=remedy, hint=hint)
    elif reason := _data_misfit(graph.slots[key], data):
        remedy = f"{_MERGED_AS_BEFORE} {in_a_plan(former, 'forget')}"
        yield Finding(f"{place}: {reason}", place, *key, fit=Fit.BREAKS, means=means, remedy=remedy)


_MERGED_AS_BEFORE = "leave the merge_strategy as it was, or"


def in_a_plan(former: SlotKey, *parts: str) -> str:
    """How a plan leaves out what a job has for a slot, by the name that it has there."""
    return " or ".join(f"{part} it in a plan ({part}=[{str(former)!r}])" for part in parts)


def _what_became(graph: Graph, key: SlotKey, former: SlotKey, part: str) -> str:
    names = f"slots={{{str(former)!r}: ...}}"
    if key.routine_id not in graph.routines:
        names = f"routines={{{former.routine_id!r}: ...}} or {names}"
    return f"say in a plan what it is now ({names}), or {in_a_plan(former, part)}"


def task_meaning(job: Job, place: str, task: Task) -> str:
    """What it means for a task that it cannot go on."""
    name = f"task {task_id(job.job_id, task.number)}"
    if task.data is None:
        return f"{name} waits for a delivery{_at('until', task.deadline)}, which nothing could handle"
    carries = f"carries {listed(task.data)}" if task.data else "carries no data"
    if place.startswith("failed_tasks"):
        return f"{name} has failed; it {carries}, and could not be tried again"
    if task.retry_count and task.due is not None:
        return f"{name} {carries}; attempt {task.retry_count + 1}, due{_at('at', task.due)}, could not be made"
    if task.due is not None:
        return f"{name} {carries}, due{_at('at', task.due)}, and would never be handled"
    return f"{name} {carries}, and would never be handled"


def data_meaning(data: Data) -> str:
    """What it means for the data of a slot that it cannot go on."""
    return f"what has come there so far, {listed(data)}, would be lost to all that is to come"


def _at(word: str, time: float | None) -> str:
    return "" if time is None else f" {word} {datetime.fromtimestamp(time, UTC).isoformat(timespec='seconds')}"


def _merged_misfit(graph: Graph, task: Task, slot_data: Mapping[SlotKey, Data]) -> str | None:
    appends = graph.slots[task.target].merge is MergeKind.APPEND
    if (task.merged if appends else task.seen) is not None:
        return (
            f"its data was merged before the slot's merge_strategy was changed {'to' if appends else 'from'} 'append'"
        )
    if task.seen is None:
        return None
    if task.target not in slot_data:
        return "it was taken already, but slot_data has nothing for it"
    values = slot_data[task.target]
    for name, count in task.seen.items():
        if not isinstance(values.get(name), list) or count > len(values[name]):
            return f"it sees {count!r} values of {name!r}, which slot_data does not hold"
    return None


def _data_misfit(slot: SlotNode, data: Data) -> str | None:
    if slot.merge is MergeKind.APPEND and not all(type(values) is list for values in data.values()):
        return "the slot appends, so each parameter's data is a list"
    return None


def _misfit(graph: Graph, key: SlotKey, *, handled: bool = True) -> str | None:
    if key.routine_id not in graph.routines:
        return f"flow {graph.flow_id!r} has no routine {key.routine_id!r}; it has: {listed(graph.routines)}"
    if key not in graph.slots:
        return f"routine {key.routine_id!r} has no slot {key.slot!r}; it has: {listed(_slots(graph, key.routine_id))}"
    if handled and not graph.slots[key].has_handler:
        return f"slot {key.slot!r} of routine {key.routine_id!r} has no handler"
    return None


# Which name may have become which: nothing is done by these guesses, and none is made without the flow of before.


def hints(graph: Graph, viewed: Viewed) -> dict[SlotKey, Plan]:
    """For slots that are not there any more: the one new name that they may have, where there is just one."""
    if viewed.before is None:
        return {}
    lost = [key for key in viewed.slots if key not in graph.slots]
    found = {key: _hint(graph, viewed, viewed.before, key) for key in lost}
    return {key: hint for key, hint in found.items() if hint is not None}


def _hint(graph: Graph, viewed: Viewed, before: Graph, key: SlotKey) -> Plan | None:
    former = viewed.formerly(key)
    if key.routine_id not in graph.routines:
        renamed = [new for new in graph.routines if _may_be_renamed(graph, viewed, before, key.routine_id, new)]
        return Plan(routines={former.routine_id: renamed[0]}) if len(renamed) == 1 else None
    known = {slot.slot for slot in before.slots if slot.routine_id == former.routine_id}
    slots = [SlotKey(key.routine_id, name) for name in _slots(graph, key.routine_id) if name not in known]
    free = [slot for slot in slots if graph.slots[slot].has_handler and slot not in viewed.slots]
    return Plan(slots={former: free[0].slot}) if len(free) == 1 else None


def _may_be_renamed(graph: Graph, viewed: Viewed, before: Graph, old: str, new: str) -> bool:
    """Whether a routine is new, of the old one's class, and has all slots that are needed."""
    if new in before.routines or new in viewed.job.routines or any(key.routine_id == new for key in viewed.slots):
        return False
    former = before.routines.get(old)
    if former is not None and former.class_name != graph.routines[new].class_name:
        return False
    return all(SlotKey(new, key.slot) in graph.slots for key in viewed.slots if key.routine_id == old)


def _slots(graph: Graph, routine_id: str) -> list[str]:
    return [slot.slot for slot in graph.slots if slot.routine_id == routine_id]
