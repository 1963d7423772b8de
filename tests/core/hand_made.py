"""A small graph, and jobs in any state one likes, put together by hand."""

import json
from typing import Any

from routilux._core.document import read_job, write_history, write_job
from routilux._core.facts import Effects, Fact, TaskAbsorbed, TaskFailed, TaskFlushed, TaskSucceeded
from routilux._core.history import BoundedHistory
from routilux._core.job import Job
from routilux._core.merging import merge
from routilux._core.transition import take, transition
from routilux._graph import Graph, Route, RoutineNode, SlotNode
from routilux._model import ErrorStrategy, EventKey, JobStatus, MergeKind, SideEffects, SlotKey
from routilux._records import Changes, Decision, Emission, ErrorInfo, Expectation, HistoryRecord, Task

SOURCE = SlotKey("source", "trigger")
WORKER = SlotKey("worker", "input")
ANSWER = SlotKey("worker", "answer")
SINK = SlotKey("sink", "items")
PARKED = SlotKey("sink", "parked")
FOLD = SlotKey("fold", "total")

OUT = EventKey("source", "out")
BOTH = EventKey("source", "both")
URGENT = EventKey("source", "urgent")
DONE = EventKey("worker", "done")
FOLDED = EventKey("fold", "folded")

EARLIER, NOW, LATER = 990.0, 1000.0, 1010.0
HASH = "sha256:hand-made"
WRONG = ErrorInfo("builtins.ValueError", "no such luck", "worker", "j:1", "Traceback\n  line")
RETRY, CONTINUE, SKIP, STOP = ErrorStrategy.RETRY, ErrorStrategy.CONTINUE, ErrorStrategy.SKIP, ErrorStrategy.STOP


def graph(*, concurrent: bool = False) -> Graph:
    """Source -> worker -> sink, and fold, which merges by a function of its own."""
    routines = {
        "source": RoutineNode(
            "source",
            "Source",
            {
                "out": (Route(OUT, WORKER),),
                "both": (Route(BOTH, SINK), Route(BOTH, WORKER, {"x": "y"})),
                "urgent": (Route(URGENT, WORKER, None, 5),),
                "unheard": (),
            },
        ),
        "worker": RoutineNode("worker", "Worker", {"done": (Route(DONE, SINK),)}),
        "sink": RoutineNode("sink", "Sink", {}),
        "fold": RoutineNode(
            "fold", "Fold", {"folded": (Route(FOLDED, SINK), Route(FOLDED, WORKER))}, effects=SideEffects.AT_MOST_ONCE
        ),
    }
    slots = [
        SlotNode(SOURCE),
        SlotNode(WORKER),
        SlotNode(ANSWER),
        SlotNode(SINK, MergeKind.APPEND),
        SlotNode(PARKED, has_handler=False),
        SlotNode(FOLD, MergeKind.FUNCTION),
    ]
    return Graph("f", concurrent, routines, {slot.key: slot for slot in slots}, HASH)


def task(number: int, target: SlotKey = WORKER, /, **fields: Any) -> Task:
    """A task with data of its own, unless other data is given."""
    fields.setdefault("data", {"x": number})
    fields.setdefault("since", EARLIER)
    return Task(number=number, target=target, **fields)


def expectation(number: int, target: SlotKey = ANSWER, /, **fields: Any) -> Task:
    """A task that waits to be delivered to."""
    return task(number, target, data=None, **fields)


def job(status: JobStatus = JobStatus.RUNNING, /, *, active: tuple[Task, ...] = (), **fields: Any) -> Job:
    """A job with these tasks (`tasks` where their data says, `active` in flight) and fields."""
    made = Job("j", "f", EARLIER)
    made.status = status
    for entry in fields.pop("tasks", ()):
        made.enlist(entry)
    made.active = {entry.number: entry for entry in active}
    if status is JobStatus.RUNNING:
        made.running_since = EARLIER
    for name, value in fields.items():
        setattr(made, name, value)
    numbers = [entry.number for entry in (*made.pending(), *made.failed)]
    made.next_number = max(made.next_number, *numbers, 0) + bool(numbers)
    return made


def record(routine_id: str, event: str, /, **content: Any) -> HistoryRecord:
    return HistoryRecord(routine_id, event, content, NOW)


def start_of(entry: Task) -> HistoryRecord:
    return record(entry.target.routine_id, "start", slot=entry.target.slot)


def done(
    entry: Task,
    *outbox: HistoryRecord,
    routing: dict[int, Emission] | None = None,
    changes: Changes | None = None,
    started: bool = True,
) -> TaskSucceeded:
    return TaskSucceeded(entry, start_of(entry) if started else None, list(outbox), routing, changes)


def flushed(entry: Task, *outbox: HistoryRecord, changes: Changes | None = None) -> TaskFlushed:
    return TaskFlushed(entry, start_of(entry), list(outbox), None, changes)


def failed(
    entry: Task,
    strategy: ErrorStrategy,
    *outbox: HistoryRecord,
    delay: float = 0.0,
    changes: Changes | None = None,
    error: ErrorInfo = WRONG,
) -> TaskFailed:
    started = None if entry.data is None else start_of(entry)
    return TaskFailed(entry, started, list(outbox), None, changes, error, Decision(strategy, delay))


def expecting(patience: float | None) -> Changes:
    return Changes(expected=[Expectation("answer", patience)])


def apply(state: Job, fact: Fact, now: float = NOW, *, concurrent: bool = False) -> Effects:
    return transition(graph(concurrent=concurrent), state, fact, now)


def take_from(state: Job, now: float = NOW, *, concurrent: bool = False) -> Task | None:
    entry = take(graph(concurrent=concurrent), state, now)
    if entry is not None:
        merge(state, graph().slots[entry.target], entry)
    return entry


def taken(state: Job, now: float = NOW, *, concurrent: bool = False) -> Task:
    entry = take_from(state, now, concurrent=concurrent)
    assert entry is not None
    return entry


def absorb(state: Job, entry: Task) -> Effects:
    return apply(state, TaskAbsorbed(entry))


def places(state: Job) -> dict[str, list[int]]:
    """Where each task is, by number and in order."""
    return {
        "active": list(state.active),
        "ready": [entry.number for entry in state.ready],
        "delayed": [number for _, number, _ in sorted(state.delayed)],
        "expecting": list(state.expecting.tasks),
        "failed": [entry.number for entry in state.failed],
    }


def lies(**tasks: list[int]) -> dict[str, list[int]]:
    """`places` where all that is not named is empty."""
    return {"active": [], "ready": [], "delayed": [], "expecting": [], "failed": []} | tasks


def events(state: Job) -> list[str]:
    return [entry.event_name for entry in state.records()]


def pausing(reason: str = "", **checkpoint: Any) -> dict[str, Any]:
    return {"reason": reason, "checkpoint": checkpoint}


def document_of(state: Job, now: float = NOW) -> dict[str, Any]:
    """The whole document, as it comes out of any pipe."""
    document = write_job(state, now) | {"execution_history": write_history(list(state.records()))}
    again: dict[str, Any] = json.loads(json.dumps(document, allow_nan=False))
    return again


def again(state: Job, now: float = NOW) -> Job:
    """The job that another host reads."""
    return read_job(document_of(state, now))


def fields_of(state: Job) -> dict[str, Any]:
    """All of a job, so that two can be compared; queues as lists of what comes out, in order."""
    history = state.records()
    fields = {name: getattr(state, name) for name in Job.__slots__}
    bound = (history.maxlen, history.dropped) if isinstance(history, BoundedHistory) else None
    return fields | {
        "ready": list(state.ready),
        "delayed": sorted(state.delayed),
        "expecting": list(state.expecting.tasks.items()),
        "failed": list(state.failed),
        "pause_points": list(state.pause_points),
        "plans": list(state.plans),
        "shared_log": list(state.shared_log),
        "history": (list(history), bound),
    }
