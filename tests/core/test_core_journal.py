"""A job brought forward by the records of its journal is the job that they were written of."""

import json
import math
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from routilux._core.facts import (
    AttemptsLost,
    Delivered,
    HoldLifted,
    JobCancelled,
    JobResumed,
    JobRetried,
    JobStarted,
    JobTimedOut,
    PauseRequested,
    SharedDataSet,
    TaskAbsorbed,
    TaskResolved,
    TimersFired,
)
from routilux._core.graph_document import read_definition, read_graph, write_definition, write_graph
from routilux._core.history import BoundedHistory
from routilux._core.job import Job, PauseRequest
from routilux._core.journal import Happening, TaskMerged, replay, write_record
from routilux._core.merging import put_merged
from routilux._core.snapshot import read_snapshot, records_dropped, records_so_far, write_segment, write_snapshot
from routilux._core.transition import take, transition
from routilux._model import JobStatus
from routilux._records import Changes, Emission, Expectation, Task
from routilux.errors import DamagedRecordError
from serilux.errors import SeriluxError
from tests.core.hand_made import (
    CONTINUE,
    FOLD,
    LATER,
    NOW,
    OUT,
    RETRY,
    SINK,
    WRONG,
    apply,
    done,
    expectation,
    failed,
    fields_of,
    flushed,
    graph,
    job,
    lies,
    places,
    record,
    take_from,
    task,
)
from tests.core.rich_job import RICH_VALUE, bounded_job, rich_job

CHANGES = Changes({"a": RICH_VALUE}, ["b"], [RICH_VALUE], {"n": (1,)}, [Expectation("answer", 5.0)])
A_TASK = task(3, since=NOW)


def running(**fields: Any) -> Job:
    fields.setdefault("shared_data", {"b": 1})
    return job(**fields)


def copy_of(state: Job, segments: tuple[bytes, ...] = ()) -> Job:
    whole = write_segment(state, 0)
    return read_snapshot(write_snapshot(state, NOW), segments or (() if whole is None else (whole,)))


def versionless(state: Job) -> dict[str, Any]:
    """All but what only those in flight compare: versions begin anew in another process, as the time spent does."""
    fields = fields_of(state)
    del fields["shared_versions"], fields["routines"], fields["running_since"], fields["elapsed"]
    spent = state.elapsed + (0.0 if state.running_since is None else LATER - state.running_since)
    routines = {name: (kept.outcome, kept.error, kept.state) for name, kept in state.routines.items()}
    return fields | {"routines": routines, "spent": spent}


def happen(state: Job, what: Happening) -> None:
    if isinstance(what, TaskMerged):
        put_merged(state, what.task, what.data)
    elif isinstance(what, Task):
        assert take_from(state) is what
    else:
        apply(state, what)


def in_flight(entry: Task) -> Callable[[], Job]:
    return lambda: running(active=(entry,), tasks=[task(7)])


def of_status(status: JobStatus, **fields: Any) -> Callable[[], Job]:
    return lambda: job(status, **fields)


HAPPENINGS: dict[str, tuple[Callable[[], Job], Callable[[Job], Happening]]] = {
    "taken": (lambda: running(tasks=[task(3), task(4)]), lambda state: state.ready.peek()),
    "taken first by priority": (
        lambda: running(tasks=[task(3), task(4, SINK, priority=2)]),
        lambda state: state.ready.peek(),
    ),
    "merged by a function": (
        in_flight(task(3, FOLD)),
        lambda state: TaskMerged(state.active[3], {"total": RICH_VALUE}),
    ),
    "done": (in_flight(A_TASK), lambda state: done(state.active[3], record("worker", "done", x=1))),
    "done, with a rich value": (
        in_flight(A_TASK),
        lambda state: done(state.active[3], record("worker", "done", x=RICH_VALUE)),
    ),
    "done after a flush": (in_flight(A_TASK), lambda state: done(state.active[3], started=False)),
    "done, changing much": (in_flight(A_TASK), lambda state: done(state.active[3], changes=CHANGES)),
    "done, changing no state": (
        in_flight(A_TASK),
        lambda state: done(state.active[3], changes=Changes({"a": 1})),
    ),
    "done, routed by hand": (
        in_flight(A_TASK),
        lambda state: done(
            state.active[3],
            record("worker", "done", x=1),
            record("worker", "done", x=2),
            routing={1: Emission(4, {"m": (1,)})},
        ),
    ),
    "done, to go on later": (
        in_flight(A_TASK),
        lambda state: done(state.active[3], record("worker", "done", x=1), routing={0: Emission(None, None, 2.5)}),
    ),
    "flushed": (
        in_flight(A_TASK),
        lambda state: flushed(state.active[3], record("worker", "done", x=1), changes=CHANGES),
    ),
    "failed, to be retried": (in_flight(A_TASK), lambda state: failed(state.active[3], RETRY, delay=2.5)),
    "failed and continued": (
        in_flight(A_TASK),
        lambda state: failed(state.active[3], CONTINUE, record("worker", "done", x=1), changes=CHANGES),
    ),
    "not delivered in time": (
        lambda: running(tasks=[expectation(3, patience=4.0)]),
        lambda state: failed(state.expecting.tasks[3], RETRY, delay=1.0),
    ),
    "absorbed": (in_flight(A_TASK), lambda state: TaskAbsorbed(state.active[3])),
    "started": (
        of_status(JobStatus.PENDING),
        lambda _: JobStarted(task(0, data=RICH_VALUE, source=OUT, priority=3, retry_count=1)),
    ),
    "started by nothing": (of_status(JobStatus.PENDING), lambda _: JobStarted(task(0))),
    "timers fired": (lambda: running(tasks=[task(3, due=NOW), task(4, due=LATER)]), lambda _: TimersFired()),
    "delivered": (
        lambda: running(tasks=[expectation(3)]),
        lambda state: Delivered(state.expecting.tasks[3], {"x": RICH_VALUE}),
    ),
    "shared data set": (running, lambda _: SharedDataSet(Changes({"a": (1,)}, ["b"], [(2,)]))),
    "pause requested": (in_flight(A_TASK), lambda _: PauseRequested("lunch", {"at": (1,)})),
    "paused": (running, lambda _: PauseRequested("lunch", {})),
    "resumed": (
        of_status(JobStatus.PAUSED, tasks=[task(3)]),
        lambda _: JobResumed("sha256:other", [task(0, SINK, data={"x": [1]})], LATER),
    ),
    "retried": (
        of_status(JobStatus.FAILED, failed=[task(3)], tasks=[task(4)]),
        lambda _: JobRetried("sha256:other", LATER),
    ),
    "hold lifted": (lambda: running(hold_until=LATER), lambda _: HoldLifted()),
    "cancelled": (in_flight(A_TASK), lambda _: JobCancelled("enough")),
    "attempts lost": (
        lambda: running(active=(task(3, lost_attempts=2), task(4), task(5, FOLD)), tasks=[task(7)]),
        lambda _: AttemptsLost(True, 3),
    ),
    "attempts lost, by none that was alone": (
        lambda: running(active=(task(3, lost_attempts=2), task(4), task(5, FOLD)), tasks=[task(7)]),
        lambda _: AttemptsLost(True, 3, alone=True),
    ),
    "an ambiguous task is done, and has emitted": (
        of_status(JobStatus.PAUSED, tasks=[task(3), task(4, FOLD, ambiguous=True)]),
        lambda state: TaskResolved(list(state.ready)[1], False, [record("fold", "folded", x=RICH_VALUE)]),
    ),
    "an ambiguous task is to be tried again": (
        of_status(JobStatus.PAUSED, tasks=[task(3), task(4, FOLD, ambiguous=True)]),
        lambda state: TaskResolved(list(state.ready)[1], True),
    ),
    "timed out": (in_flight(A_TASK), lambda _: JobTimedOut(WRONG)),
}


@pytest.mark.parametrize("name", HAPPENINGS)
def test_what_happened_happens_again(name: str) -> None:
    make, choose = HAPPENINGS[name]
    state = make()
    copy = copy_of(state)
    what = choose(state)
    happen(state, what)
    replay(graph(), copy, write_record([(what, NOW)]))
    assert versionless(copy) == versionless(state)


@pytest.mark.parametrize("name", HAPPENINGS)
def test_a_job_was_updated_when_its_status_changed_or_its_history_grew(name: str) -> None:
    make, choose = HAPPENINGS[name]
    state = make()
    before = state.status, len(state.records())
    happen(state, choose(state))
    if (state.status, len(state.records())) != before:
        assert state.updated_at == NOW


def test_all_that_can_happen_is_tried_here() -> None:
    tried = {type(choose(make())) for make, choose in HAPPENINGS.values()}
    assert tried == set(Happening.__args__)


def test_a_record_is_json_whatever_its_values_are() -> None:
    made = write_record([(done(A_TASK, record("worker", "done", x=RICH_VALUE)), NOW)])
    assert json.loads(made)[1] is False


# Snapshots.


@pytest.mark.parametrize("make", [rich_job, bounded_job, running, in_flight(A_TASK)])
def test_a_snapshot_with_its_history_is_the_job(make: Callable[[], Job]) -> None:
    assert versionless(copy_of(make())) == versionless(make())


def test_a_pause_that_is_to_come_is_in_a_snapshot() -> None:
    state = running(active=(A_TASK,), closing=PauseRequest("lunch", {"at": (1,)}), hold_until=LATER)
    assert (copy_of(state).closing, copy_of(state).hold_until) == (state.closing, LATER)


def test_a_task_in_flight_stays_in_flight_among_those_that_are_ready() -> None:
    state = running(active=(task(9, priority=1), task(2)), tasks=[task(3), task(4, priority=5)])
    assert list(copy_of(state).active) == [9, 2]
    assert [entry.number for entry in copy_of(state).ready] == [4, 3]


def test_history_comes_back_from_its_segments() -> None:
    state = running(history=[record("worker", "done", x=n) for n in range(5)])
    early = running(history=list(state.records())[:2])
    first, second = write_segment(early, 0), write_segment(state, 2)
    assert first is not None
    assert second is not None
    assert copy_of(state, (first, second)).history == state.records()


def test_history_that_has_not_grown_makes_no_segment() -> None:
    assert write_segment(running(history=[record("worker", "done")]), 1) is None


def test_a_bounded_history_needs_only_the_segments_of_what_it_keeps() -> None:
    records = [record("worker", "done", x=n) for n in range(6)]
    early = running(history=BoundedHistory(records[:3], 2))
    state = running(history=BoundedHistory(records, 2))
    first, second = write_segment(early, 0), write_segment(state, records_so_far(early))
    assert first is not None
    assert second is not None
    assert versionless(copy_of(state, (first, second))) == versionless(copy_of(state, (second,)))
    assert records_dropped(copy_of(state, (second,))) == 4


# What cannot be.


def lines(*lines: list[Any], number: int = 1) -> bytes:
    return msgspec.json.encode([number, True, lines])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"[1, true", "cannot be read"),
        (b"[1, true]", "cannot be read"),
        (b"{}", "cannot be read"),
        (b"[]", "cannot be read"),
        (b"[1, false, 3]", "cannot be read"),
        (b"[1, 0, []]", "cannot be read"),
        (b"5", "cannot be read"),
        (lines(number=2), "its format is 2; this routilux reads format 1"),
        (b'[2, {"more": 1}]', "its format is 2; this routilux reads format 1"),
        (lines(["taken", NOW, 3]), "cannot have happened here"),
        (lines(["taken", NOW, 8]), "task 7 comes before task 8"),
        (lines(["done", NOW, 5, True, []]), "cannot have happened here"),
        (lines(["done", NOW, 3]), "cannot have happened here"),
        (lines(["danced", NOW]), "cannot have happened here"),
        (lines(["resolved", NOW, 9, True]), "cannot have happened here"),
        (lines(["failed", NOW, {}, "stop", 0.0, 3, True, []]), "cannot have happened here"),
        (lines(["done", NOW, 3, True, [["unknown", {}, NOW]]]), "cannot have happened here"),
    ],
)
def test_a_record_that_cannot_be_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(DamagedRecordError, match=problem) as refusal:
        replay(graph(), in_flight(A_TASK)(), content)
    assert refusal.value.kind == "record"


def test_what_cannot_have_happened_is_shown_as_far_as_it_is_short() -> None:
    for detail in ("x" * 100, "x" * 300):
        line = ["danced", NOW, detail]
        with pytest.raises(DamagedRecordError) as refusal:
            replay(graph(), in_flight(A_TASK)(), lines(line))
        assert str(refusal.value) == f"{str(line)[:200]} cannot have happened here: KeyError('danced')"


def test_what_former_versions_wrote_of_lost_attempts_puts_the_blame_on_all_of_them() -> None:
    state = running(active=(task(3, lost_attempts=2), task(4)))
    replay(graph(), state, lines(["lost", NOW, True, 3]))
    assert places(state) == lies(ready=[4], failed=[3])


def test_an_answer_that_brings_nothing_about_says_no_more_than_former_versions_read() -> None:
    entry = task(4, FOLD, ambiguous=True)
    assert write_record([(TaskResolved(entry, True), NOW)]) == lines(["resolved", NOW, 4, True])


def test_a_task_that_may_not_start_was_not_taken() -> None:
    with pytest.raises(DamagedRecordError, match="task 7 is not the next one"):
        replay(graph(), in_flight(A_TASK)(), lines(["taken", NOW, 7]))


def snapshot(**changed: Any) -> bytes:
    return msgspec.json.encode(json.loads(write_snapshot(running(), NOW)) | changed)


@pytest.mark.parametrize(
    ("content", "segments", "kind", "problem"),
    [
        (b"{", (), "snapshot", "a snapshot cannot be read"),
        (snapshot(format=2), (), "snapshot", "format is 2; this routilux reads 1"),
        (b'{"format": 2, "all": "else"}', (), "snapshot", "format is 2; this routilux reads 1"),
        (snapshot(more=2), (), "snapshot", "unknown field `more`"),
        (snapshot(records=4), (), "segment", "the history has 0 of its 4 records"),
        (snapshot(records=1), (b"[]",), "segment", "a segment cannot be read"),
        (snapshot(records=10**30), (), "snapshot", "a snapshot cannot be read"),
        (snapshot(records=-1), (), "snapshot", "a snapshot cannot be read"),
    ],
)
def test_a_snapshot_that_cannot_be_is_refused(
    content: bytes, segments: tuple[bytes, ...], kind: str, problem: str
) -> None:
    with pytest.raises(DamagedRecordError, match=problem) as refusal:
        read_snapshot(content, segments)
    assert refusal.value.kind == kind


def test_a_segment_that_is_missing_is_missed() -> None:
    state = running(history=[record("worker", "done", x=n) for n in range(5)])
    second = write_segment(state, 2)
    assert second is not None
    with pytest.raises(DamagedRecordError, match="the history has 3 of its 5 records"):
        copy_of(state, (second,))


@pytest.mark.parametrize("column", ["routine_ids", "event_names", "contents", "times"])
@pytest.mark.parametrize("change", [lambda column: column * 2, lambda column: column[:-1]], ids=["more", "less"])
def test_a_segment_whose_columns_do_not_fit_together_is_refused(
    column: str, change: Callable[[list[Any]], list[Any]]
) -> None:
    state = running(history=[record("worker", "done", x=n) for n in range(2)])
    segment = msgspec.json.decode(write_segment(state, 0) or b"")
    segment[column] = change(segment[column])
    with pytest.raises(DamagedRecordError, match="a segment cannot be read: its columns are not of one length") as said:
        copy_of(state, (msgspec.json.encode(segment),))
    assert said.value.kind == "segment"


def test_a_segment_of_a_bounded_history_that_is_missing_is_missed() -> None:
    state = running(history=BoundedHistory([record("worker", "done", x=n) for n in range(6)], 2))
    with pytest.raises(DamagedRecordError, match="the history has 0 of its 2 records"):
        read_snapshot(write_snapshot(state, NOW), ())


@pytest.mark.parametrize("limit", [0, 1])
def test_a_history_that_keeps_next_to_nothing_goes_on_doing_so(limit: int) -> None:
    state = running(history=BoundedHistory([record("worker", "done", x=n) for n in range(3)], limit))
    copy = copy_of(state)
    copy.history.extend(record("worker", "done", x=n) for n in range(3))
    assert len(copy.history) == limit


def test_a_graph_comes_back() -> None:
    assert read_graph(json.loads(json.dumps(write_graph(graph(concurrent=True))))) == graph(concurrent=True)


def test_a_definition_keeps_a_flow_and_its_graph_but_not_what_waits_in_its_slots() -> None:
    slot = {"handler": "h", "_data": {"x": 1}}
    document = {"flow_id": "f", "routines": {"a": {"_type": "A", "_slots": {"in": slot}}}, "connections": []}
    kept, read = read_definition(write_definition(document, graph()))
    assert read == graph()
    assert kept == document | {"routines": {"a": {"_type": "A", "_slots": {"in": {"handler": "h", "_data": {}}}}}}
    assert slot["_data"] == {"x": 1}


@pytest.mark.parametrize("document", [{"flow_id": "f"}, {"routines": {"a": {"_type": "A"}}}])
def test_a_definition_of_a_flow_that_says_little_of_itself_is_kept(document: dict[str, Any]) -> None:
    routines = {name: routine | {"_slots": {}} for name, routine in document.get("routines", {}).items()}
    kept, _ = read_definition(write_definition(document, graph()))
    assert kept == document | {"routines": routines}


WITH_MORE = msgspec.json.encode({"flow": {}, "graph": write_graph(graph()) | {"more": 1}})


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}", b'{"flow": {}, "graph": {}}', WITH_MORE])
def test_a_definition_that_cannot_be_is_refused(content: bytes) -> None:
    with pytest.raises(DamagedRecordError, match="the definition of its flow cannot be read") as refusal:
        read_definition(content)
    assert refusal.value.kind == "definition"


def test_a_value_of_a_class_that_is_not_known_here_is_no_damage() -> None:
    record = msgspec.json.encode([1, False, [["done", NOW, 3, True, [["done", {"x": {"$object": "Gone"}}, NOW]]]]])
    with pytest.raises(SeriluxError):
        replay(graph(), in_flight(A_TASK)(), record)


# Moments.


@pytest.mark.parametrize("step", range(-4, 5))
def test_what_was_due_at_a_moment_is_so_after_a_snapshot_too(step: int) -> None:
    """A document knows microseconds: a job that was killed behind a snapshot could not be read any more."""
    first = 1_795_748_670.408085 + step * math.ulp(1_795_748_670.0)
    second = math.nextafter(first, math.inf)
    state = running(tasks=[task(4, due=first), task(3, due=second)])
    stored = copy_of(state)
    happened = list[tuple[Happening, float]]()
    for moment, number in ((first, 4), (second, 3)):
        transition(graph(), state, TimersFired(), moment)
        happened.append((TimersFired(), moment))
        assert len(state.ready) == 1
        taken = take(graph(concurrent=True), state, moment)
        assert taken is not None and taken.number == number
        happened.append((taken, moment))
    replay(graph(concurrent=True), stored, write_record(happened))
    assert (list(stored.active), list(stored.delayed)) == ([4, 3], [])
