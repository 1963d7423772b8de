"""What has changed in a flow since a job last ran in it and concerns what the job still has to do (law 7).

None of it keeps a job from going on: it is for people to know.
"""

from collections import Counter
from collections.abc import Iterator

from routilux._core.misfits import Viewed
from routilux._graph import Graph
from routilux._model import MergeKind, SlotKey
from routilux._verdict import Finding
from routilux.errors import listed

_WHAT_BECOMES_OF_DATA = {
    MergeKind.OVERRIDE: "is replaced by what comes next",
    MergeKind.APPEND: "is what the next is appended to",
    MergeKind.FUNCTION: "is the old data that the function is given next",
}


def changes(graph: Graph, viewed: Viewed) -> Iterator[Finding]:
    """Say which routines are gone, which connections lead elsewhere, and which slots of the job work otherwise."""
    yield from _gone(graph, viewed)
    yield from _rerouted(graph, viewed)
    if viewed.before is not None:
        for key in sorted(viewed.slots & graph.slots.keys()):
            former = viewed.formerly(key)
            if former in viewed.before.slots:
                yield from _changed_slot(graph, viewed, viewed.before, key, former)
            else:
                yield from _slot_again(graph, viewed, key, former)
        yield from _changed_routines(graph, viewed, viewed.before)


def _gone(graph: Graph, viewed: Viewed) -> Iterator[Finding]:
    at_work = {task.target.routine_id for _, task in viewed.tasks()}
    at_work |= {key.routine_id for key in viewed.job.slot_data if viewed.would_miss(key, graph)}
    for routine_id in sorted(viewed.job.routines.keys() - graph.routines.keys() - at_work):
        status = viewed.job.routine_status(routine_id)
        yield Finding(
            f"routine {routine_id!r} is {status} in this job, and is no part of the flow any more",
            f"routine_states.{routine_id}",
            routine_id,
            means="it has nothing left to do here",
        )


def _rerouted(graph: Graph, viewed: Viewed) -> Iterator[Finding]:
    came_by = Counter((task.source, task.target) for _, task in viewed.tasks() if task.source is not None)
    for (source, target), count in came_by.items():
        routine = graph.routines.get(source.routine_id)
        routes = () if routine is None else routine.routes.get(source.event, ())
        leads = [route.target for route in routes]
        if target in leads or target not in graph.slots:
            continue
        now = f"leads to {listed(leads)} now" if leads else "leads nowhere now"
        yield Finding(
            f"{_tasks(count)} for {target} came from {source}, which {now}",
            f"connections.{source}",
            *target,
            means=f"what was sent stays with {target}",
        )


def _tasks(count: int) -> str:
    return "1 task" if count == 1 else f"{count} tasks"


def _changed_slot(graph: Graph, viewed: Viewed, before: Graph, key: SlotKey, former: SlotKey) -> Iterator[Finding]:
    (handler, merge, when), (old_handler, old_merge, old_when) = (
        graph.slots[key].references,
        before.slots[former].references,
    )
    if handler != old_handler:
        yield _slot_note(key, "handler", old_handler, handler, "what is pending there is handled by that")
    if merge != old_merge:
        data = viewed.job.slot_data.get(key)
        becomes = (
            "" if not data else f"what has come so far, {listed(data)}, {_WHAT_BECOMES_OF_DATA[graph.slots[key].merge]}"
        )
        yield _slot_note(key, "merge_strategy", old_merge, merge, becomes)
    if when != old_when:
        yield _slot_note(key, "when", old_when, when, "it is asked when a task is taken, not of what is there already")


def _slot_note(key: SlotKey, what: str, old: str | None, new: str | None, means: str) -> Finding:
    return Finding(
        f"the {what} of {key} was {old!r} and is {new!r}",
        f"routines.{key.routine_id}._slots.{key.slot}",
        *key,
        means=means,
    )


def _slot_again(graph: Graph, viewed: Viewed, key: SlotKey, former: SlotKey) -> Iterator[Finding]:
    """Say of data that was left where the last flow had no slot for it, as that matters again."""
    if data := viewed.job.slot_data.get(key):
        what = f"{key} has data from before the last flow, which had no such slot: {listed(data)}"
        means = f"it {_WHAT_BECOMES_OF_DATA[graph.slots[key].merge]}"
        yield Finding(what, f"slot_data.{former}", *key, means=means)


def _changed_routines(graph: Graph, viewed: Viewed, before: Graph) -> Iterator[Finding]:
    at_work = {viewed.formerly(key).routine_id: key.routine_id for key in viewed.slots}
    for former, routine_id in sorted(at_work.items()):
        if former not in before.routines or routine_id not in graph.routines:
            continue
        old, new, place = before.routines[former], graph.routines[routine_id], f"routines.{routine_id}"
        if old.class_name != new.class_name:
            what = f"routine {routine_id!r} was a {old.class_name!r} and is a {new.class_name!r}"
            yield Finding(what, place, routine_id, means="its state stays, and what is pending is handled by that")
        if old.effects is not new.effects:
            what = f"the effects of routine {routine_id!r} were {str(old.effects)!r} and are {str(new.effects)!r}"
            yield Finding(what, place, routine_id, means="that holds from its next attempt on")
