"""A job as a plan makes it: whole or not at all, once, and with a record of what was dropped (law 7)."""

import copy
from typing import Any

import pytest

from routilux._core.document import read_job, write_job
from routilux._core.job import Job
from routilux._core.plan_records import plan_documents, read_plans, taken_by_a_plan
from routilux._core.planning import Planned, planned, recorded, still_due
from routilux._core.snapshot import plans_in, write_snapshot
from routilux._graph import Graph
from routilux._model import EventKey, JobStatus, RoutineStatus, SlotKey
from routilux._plan import NO_PLAN, Plan
from routilux._records import Data, RoutineState, Task
from routilux._verdict import Fit
from routilux.errors import DamagedRecordError
from serilux.errors import DocumentError, SeriluxError
from tests.core.hand_made import (
    ANSWER,
    FOLD,
    LATER,
    NOW,
    SINK,
    SOURCE,
    WORKER,
    again,
    document_of,
    expectation,
    fields_of,
    graph,
    job,
    lies,
    places,
    record,
    task,
)
from tests.core.rich_job import RICH_VALUE, rich_job

PAUSED = JobStatus.PAUSED
OLD = SlotKey("laborer", "in")
RENAMED = Plan(routines={"laborer": "worker"}, slots={"laborer.in": "input"})


def apply(state: Job, plan: Plan = RENAMED, flow: Graph | None = None) -> Planned:
    return planned(state, plan, flow or graph(), NOW)


def applied(state: Job, plan: Plan = RENAMED) -> Job:
    result = apply(state, plan)
    assert result.problems == []
    return result.job


def problems(state: Job, plan: Plan) -> list[str]:
    result = apply(state, plan)
    assert (result.job, result.notes, result.former) == (state, [], {})
    assert {finding.fit for finding in result.problems} <= {Fit.NEEDS_PLAN}
    return [f"{finding.place}: {finding}" for finding in result.problems]


# Names.


def test_tasks_are_for_what_is_called_so_now() -> None:
    made = applied(job(PAUSED, tasks=[task(1, OLD, source=EventKey("laborer", "done"), priority=3), task(2, SOURCE)]))
    assert list(made.ready) == [
        task(1, WORKER, source=EventKey("worker", "done"), priority=3),
        task(2, SOURCE),
    ]


def test_every_kind_of_task_is_renamed_and_stays_where_it_is() -> None:
    entries = [task(1, OLD), task(2, OLD, due=LATER), expectation(3, OLD)]
    made = applied(job(PAUSED, tasks=entries, failed=[task(4, OLD)]))
    assert places(made) == lies(ready=[1], delayed=[2], expecting=[3], failed=[4])
    assert {entry.target for entry in [*made.pending(), *made.failed]} == {WORKER}


def test_tasks_in_flight_come_first() -> None:
    made = applied(job(tasks=[task(2, OLD)], active=(task(1, OLD),)))
    assert places(made) == lies(ready=[1, 2])


def test_what_a_job_remembers_of_a_routine_and_a_slot_is_renamed() -> None:
    state = RoutineState(RoutineStatus.SKIPPED, None, {"n": 1}, 3)
    made = applied(job(PAUSED, routines={"laborer": state}, slot_data={OLD: {"x": 1}, SINK: {"x": [1]}}))
    assert made.routines == {"worker": state}
    assert made.slot_data == {WORKER: {"x": 1}, SINK: {"x": [1]}}


def test_history_is_not_rewritten() -> None:
    history = [record("laborer", "start", slot="in")]
    assert applied(job(PAUSED, history=history)).history == history


def test_all_else_is_as_it_was() -> None:
    plan = Plan(routines={"nobody": "worker"})
    before, after = fields_of(rich_job()), fields_of(applied(rich_job(), plan))
    assert {name for name in before if before[name] != after[name]} == {"plans"}


def test_names_may_change_places() -> None:
    swapped = Plan(routines={"worker": "sink", "sink": "worker"}, slots={WORKER: "items", SINK: "input"})
    made = applied(job(PAUSED, tasks=[task(1), task(2, SINK)], slot_data={SINK: {"x": 1}}), swapped)
    assert [entry.target for entry in made.ready] == [SINK, WORKER]
    assert made.slot_data == {WORKER: {"x": 1}}


def test_a_slot_may_become_one_of_another_routine() -> None:
    made = applied(job(PAUSED, tasks=[task(1)]), Plan(slots={"worker.input": ("sink", "items")}))
    assert [entry.target for entry in made.ready] == [SINK]


def test_tasks_of_two_slots_may_become_tasks_of_one() -> None:
    plan = Plan(slots={"worker.input": ("sink", "items")})
    made = applied(job(PAUSED, tasks=[task(1), task(2, SINK)], slot_data={SINK: {"x": [1]}}), plan)
    assert [entry.target for entry in made.ready] == [SINK, SINK]


def test_parameters_are_renamed_wherever_data_is() -> None:
    plan = Plan(parameters={SINK: {"x": "y"}})
    entries = [
        task(1, SINK),
        task(2, SINK, seen={"x": 1}),
        task(3, SINK, merged={"x": 1, "z": 2}),
        expectation(4, SINK),
    ]
    made = applied(job(PAUSED, tasks=[*entries, task(5)], slot_data={SINK: {"x": [1]}, WORKER: {"x": 1}}), plan)
    assert list(made.ready) == [
        task(1, SINK, data={"y": 1}),
        task(2, SINK, data={"y": 2}, seen={"y": 1}),
        task(3, SINK, data={"y": 3}, merged={"y": 1, "z": 2}),
        task(5),
    ]
    assert made.slot_data == {SINK: {"y": [1]}, WORKER: {"x": 1}}


def test_parameters_may_change_places() -> None:
    made = applied(job(PAUSED, tasks=[task(1, data={"x": 1, "y": 2})]), Plan(parameters={WORKER: {"x": "y", "y": "x"}}))
    assert made.ready.peek().data == {"y": 1, "x": 2}


# What is dropped.


def test_a_task_is_dropped_by_its_id_and_the_record_tells_what_it_carried() -> None:
    state = job(PAUSED, tasks=[task(1), task(2, data=RICH_VALUE), task(3)], fingerprint="sha256:before")
    made = applied(state, Plan(drop=["j:2"], reason="a duplicate"))
    assert places(made) == lies(ready=[1, 3])
    (record,) = made.plans
    assert (record.at, record.fingerprint) == (NOW, "sha256:before")
    assert record.plan == {"drop": ["j:2"], "reason": "a duplicate"}
    assert record.dropped_tasks == [document_of(state)["pending_tasks"][1]]
    assert record.dropped_data == {}


def test_all_of_a_slot_is_dropped_by_its_name() -> None:
    entries = [task(1), task(2, SINK), task(3, SINK, due=LATER), expectation(4, SINK)]
    state = job(PAUSED, tasks=entries, failed=[task(5, SINK)], slot_data={SINK: {"x": [(1,)]}, FOLD: {"s": 1}})
    made = applied(state, Plan(drop=["sink.items"]))
    assert places(made) == lies(ready=[1])
    assert made.slot_data == {FOLD: {"s": 1}}
    (record,) = made.plans
    assert [entry["task_id"] for entry in record.dropped_tasks] == ["j:2", "j:3", "j:4", "j:5"]
    assert record.dropped_data == {"sink": {"items": {"x": [{"$tuple": [1]}]}}}


def test_what_is_dropped_is_called_what_the_job_calls_it() -> None:
    made = applied(job(PAUSED, tasks=[task(1, OLD), task(2)]), Plan(routines={"laborer": "worker"}, drop=[OLD]))
    assert places(made) == lies(ready=[2])


def test_notes_tell_what_is_dropped() -> None:
    state = job(PAUSED, tasks=[task(1), expectation(2)], slot_data={SINK: {"x": [1]}})
    notes = apply(state, Plan(drop=["worker.input", "j:2", SINK])).notes
    assert [(str(note), note.place, note.routine_id, note.slot) for note in notes] == [
        ("pending_tasks[0] for worker.input is dropped; it carries 'x'", "pending_tasks[0]", *WORKER),
        ("pending_tasks[1] for worker.answer is dropped; it carries nothing yet", "pending_tasks[1]", *ANSWER),
        ("the data that has come to sink.items is dropped: 'x'", "slot_data.sink.items", *SINK),
    ]


def test_what_is_dropped_and_cannot_be_written_is_refused_by_its_place_among_that() -> None:
    state = job(PAUSED, tasks=[task(1), task(2, data={"x": object()})])
    with pytest.raises(SeriluxError) as caught:
        apply(state, Plan(drop=["worker.input"]))
    assert caught.value.path == "plan.drop[1].data.x"


def test_what_is_forgotten_is_merged_anew() -> None:
    entries = [task(1, SINK, seen={"x": 1}), task(2, WORKER, merged={"x": 1}), task(3, SINK, merged={"x": 1})]
    plan = Plan(forget=[SINK])
    made = applied(job(PAUSED, tasks=entries, slot_data={SINK: {"x": [1]}}), plan)
    assert list(made.ready) == [task(1, SINK), task(2, WORKER, merged={"x": 1}), task(3, SINK)]
    assert made.slot_data == {}
    assert [applied.dropped_data for applied in made.plans] == [{"sink": {"items": {"x": [1]}}}]


def test_what_is_dropped_counts_as_skipped_if_nothing_worse_was() -> None:
    known = {
        "worker": RoutineState(RoutineStatus.COMPLETED),
        "sink": RoutineState(RoutineStatus.ERROR_CONTINUED),
        "laborer": RoutineState(),
    }
    entries = [task(1, WORKER), task(2, SINK), task(3, OLD)]
    made = applied(job(PAUSED, tasks=entries, routines=known), Plan(drop=[WORKER, SINK, OLD]))
    assert {name: state.outcome for name, state in made.routines.items()} == {
        "worker": RoutineStatus.SKIPPED,
        "sink": RoutineStatus.ERROR_CONTINUED,
        "laborer": RoutineStatus.SKIPPED,
    }
    assert known["worker"].outcome is RoutineStatus.COMPLETED


def test_a_failure_that_is_dropped_counts_no_more() -> None:
    state = job(JobStatus.FAILED, failed=[task(1, OLD)], routines={"laborer": RoutineState(RoutineStatus.FAILED)})
    made = applied(state, Plan(routines={"laborer": "worker"}, drop=[OLD]))
    assert (made.failed, made.routines["worker"].outcome) == ([], RoutineStatus.SKIPPED)


def test_a_routine_has_failed_as_long_as_one_of_its_failures_counts() -> None:
    failed = {"worker": RoutineState(RoutineStatus.FAILED)}
    made = applied(job(JobStatus.FAILED, failed=[task(1), task(2)], routines=failed), Plan(drop=["j:1"]))
    assert ([left.number for left in made.failed], made.routines["worker"].outcome) == ([2], RoutineStatus.FAILED)


# Those who wait for a task to be delivered to.


def test_a_task_that_waits_or_was_delivered_to_was_taken_by_no_plan() -> None:
    waiting = expectation(1, ANSWER)
    assert taken_by_a_plan(job(PAUSED, tasks=[waiting]), waiting) == ""
    assert taken_by_a_plan(job(PAUSED), waiting) == ""


def test_a_plan_has_taken_what_it_moved_or_dropped() -> None:
    waiting = expectation(1, OLD)
    moved = applied(job(PAUSED, tasks=[waiting]))
    assert taken_by_a_plan(moved, waiting) == "waits on worker.input now, by a plan"
    dropped = applied(job(PAUSED, tasks=[waiting]), Plan(drop=[OLD]))
    assert taken_by_a_plan(dropped, waiting) == "was dropped by a plan"


def test_what_was_delivered_and_then_dropped_was_delivered() -> None:
    delivered = applied(job(PAUSED, tasks=[task(1, OLD)]), Plan(drop=[OLD]))
    assert taken_by_a_plan(delivered, expectation(1, OLD)) == ""


# Whole or not at all.


def test_the_job_itself_stays_as_it_was() -> None:
    state = rich_job()
    before = copy.deepcopy(fields_of(state))
    apply(state, Plan(routines={"worker": "fold"}, drop=[SINK]))
    applied(state, Plan(parameters={WORKER: {"x": "xx"}}, drop=[SINK]))
    assert fields_of(state) == before


def test_what_slots_gather_afterwards_is_not_seen_in_the_job_itself() -> None:
    state = job(PAUSED, slot_data={OLD: {"x": [1]}, SINK: {"x": [1]}})
    made = applied(state)
    for data in made.slot_data.values():
        data["x"].append(2)
    assert state.slot_data == {OLD: {"x": [1]}, SINK: {"x": [1]}}


WRONG: dict[str, tuple[Plan, str]] = {
    "a routine that is not there": (
        Plan(routines={"laborer": "wroker"}),
        "plan.routines.laborer: the plan cannot be right: flow 'f' has no routine 'wroker'; it has: "
        "'source', 'worker', 'sink', 'fold'",
    ),
    "a slot that is not there": (
        Plan(slots={"worker.in": "inptu"}),
        "plan.slots.worker.in: the plan cannot be right: flow 'f' has no slot 'worker.inptu'; that routine has: "
        "'input', 'answer'",
    ),
    "a slot of a routine that is not there": (
        Plan(slots={"laborer.in": "input"}),
        "plan.slots.laborer.in: the plan cannot be right: flow 'f' has no slot 'laborer.input'; that routine has: none",
    ),
    "parameters of a slot that is not there": (
        Plan(parameters={"worker.in": {"x": "y"}}),
        "plan.parameters.worker.in: the plan cannot be right: flow 'f' has no slot 'worker.in'; that routine has: "
        "'input', 'answer'",
    ),
    "the configuration of a routine that is not there": (
        Plan(config={"laborer": dict}),
        "plan.config.laborer: the plan cannot be right: flow 'f' has no routine 'laborer'; it has: "
        "'source', 'worker', 'sink', 'fold'",
    ),
    "another flow": (
        Plan(flow_id="g"),
        "plan.flow_id: the plan cannot be right: it is for jobs of flow 'g'; this is one of 'f'",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_plan_is_refused_that_speaks_of(what: str) -> None:
    plan, problem = WRONG[what]
    assert problems(job(PAUSED, tasks=[task(1, OLD)]), plan) == [problem]


def test_two_routines_that_the_job_remembers_cannot_become_one() -> None:
    state = job(PAUSED, routines={"laborer": RoutineState(), "worker": RoutineState()})
    assert problems(state, Plan(routines={"laborer": "worker"})) == [
        "plan.routines.laborer: the plan cannot be right: the job remembers both 'laborer', 'worker', and both would "
        "be 'worker'; let one that is gone make way, under a name of its own (routines={'worker': ...})"
    ]


def test_one_that_is_gone_makes_way_under_a_name_of_its_own() -> None:
    kept = {"laborer": RoutineState(state={"n": 1}), "worker": RoutineState(RoutineStatus.COMPLETED)}
    made = applied(job(PAUSED, routines=kept), Plan(routines={"laborer": "worker", "worker": "former worker"}))
    assert made.routines == {"worker": kept["laborer"], "former worker": kept["worker"]}
    unknown = Plan(routines={"laborer": "nobody"})
    assert len(problems(job(PAUSED, routines=kept), unknown)) == 1
    configured = Plan(routines={"laborer": "worker", "worker": "former worker"}, config={"worker": dict})
    assert len(problems(job(PAUSED, routines=kept), configured)) > 0


def test_data_of_two_slots_cannot_become_one_unless_one_is_dropped() -> None:
    state = job(PAUSED, slot_data={WORKER: {"x": 1}, ANSWER: {"x": 2}})
    assert problems(state, Plan(slots={"worker.answer": "input"})) == [
        "plan.slots.worker.input: the plan cannot be right: data has come to 'worker.input', 'worker.answer', and both "
        "would be 'worker.input'; forget that of one of them (forget=[...])"
    ]
    assert applied(state, Plan(slots={"worker.answer": "input"}, drop=[WORKER])).slot_data == {WORKER: {"x": 2}}


DATA: dict[str, tuple[dict[str, Any], str]] = {
    "a task's data": ({"tasks": [task(1, data={"x": 1, "y": 2})]}, "pending_tasks[0]"),
    "merged data": ({"tasks": [task(1, data={}, merged={"x": 1, "y": 2})]}, "pending_tasks[0]"),
    "what was seen": ({"tasks": [task(1, data={}, seen={"x": 1, "y": 2})]}, "pending_tasks[0]"),
    "what has come": ({"slot_data": {WORKER: {"x": 1, "y": 2}}}, "slot_data.worker.input"),
}


@pytest.mark.parametrize("what", DATA)
def test_two_parameters_cannot_become_one_in(what: str) -> None:
    fields, place = DATA[what]
    assert problems(job(PAUSED, **fields), Plan(parameters={WORKER: {"x": "y"}})) == [
        f"plan.parameters.worker.input: the plan cannot be right: {place} has 'x', 'y', of which two would have one "
        f"name"
    ]


def test_all_problems_come_at_once() -> None:
    plan = Plan(routines={"a": "b"}, slots={"c.d": "e"}, flow_id="g")
    assert len(problems(job(PAUSED), plan)) == 3


# Once.


def test_a_plan_that_says_nothing_leaves_no_record() -> None:
    state = job(PAUSED, tasks=[task(1)])
    assert apply(state, NO_PLAN) == Planned(state, [], [], {})


def test_a_plan_is_recorded_and_not_applied_again() -> None:
    swapped = Plan(routines={"worker": "sink", "sink": "worker"}, slots={WORKER: "items", SINK: "input"})
    first = again(applied(job(PAUSED, tasks=[task(1)]), swapped))
    second = apply(first, swapped)
    assert (second.job, second.problems, second.former) == (first, [], {})
    assert [note.place for note in second.notes] == ["plans"]
    assert [str(note) for note in second.notes] == [
        "job 'j': the plan was applied before, and is not applied twice; "
        "one that says more, if only a reason, is another"
    ]


def test_a_plan_that_could_not_be_applied_any_more_is_past_all_the_same() -> None:
    first = applied(job(PAUSED, tasks=[task(1, OLD)]))
    empty = Graph("f", False, {}, {}, "")
    assert apply(first, RENAMED, empty).problems == []


def test_plans_are_recorded_one_after_the_other() -> None:
    first, second = Plan(drop=["j:1"]), Plan(drop=["j:2"])
    made = applied(applied(job(PAUSED, tasks=[task(1), task(2), task(3)]), first), second)
    assert recorded(made) == [first.document(), second.document()]
    assert places(made) == lies(ready=[3])


def test_a_plan_is_due_until_it_is_recorded() -> None:
    made = applied(job(PAUSED))
    assert still_due(RENAMED, []) == RENAMED
    assert still_due(RENAMED, recorded(made)) == NO_PLAN


# Notes.


def test_it_is_noted_of_what_this_job_has_nothing() -> None:
    plan = Plan(
        routines={"gone": "worker", "laborer": "sink"},
        slots={"fold.sum": "total"},
        parameters={"worker.answer": {"x": "y"}},
        drop=["worker.answer", "j:9", "j:1"],
    )
    state = job(PAUSED, tasks=[task(1, source=EventKey("laborer", "done"))])
    notes = apply(state, plan).notes[1:]
    assert {note.place for note in notes} == {"plan"}
    assert [str(note) for note in notes] == [
        "the plan speaks of routine 'gone', for which this job has nothing",
        "the plan speaks of slot 'fold.sum', for which this job has nothing",
        "the plan speaks of slot 'worker.answer', for which this job has nothing",
        "the plan speaks of task 'j:9', for which this job has nothing",
    ]


def test_it_is_noted_which_parameters_no_data_for_their_slot_has() -> None:
    plan = Plan(parameters={WORKER: {"vlaue": "a", "x": "b"}, SINK: {"sum": "c", "x": "d"}, SOURCE: {"y": "e"}})
    slot_data: dict[SlotKey, Data] = {SINK: {"sum": 1}}
    assert [str(note) for note in apply(job(PAUSED, tasks=[task(1)], slot_data=slot_data), plan).notes] == [
        f"the plan speaks of {name}, for which this job has nothing"
        for name in (
            "slot 'source.trigger'",
            "parameter 'vlaue' of slot 'worker.input'",
            "parameter 'x' of slot 'sink.items'",
        )
    ]


def test_it_knows_what_slots_were_called() -> None:
    entries: list[Task] = [task(1, OLD), task(2, SOURCE)]
    slot_data: dict[SlotKey, Data] = {SINK: {}}
    former = apply(job(PAUSED, tasks=entries, slot_data=slot_data)).former
    assert former == {WORKER: OLD, SOURCE: SOURCE, SINK: SINK}


# In documents.


def test_a_record_is_in_the_document_and_comes_back() -> None:
    made = applied(job(PAUSED, tasks=[task(1, data=RICH_VALUE)]), Plan(drop=["j:1"], reason="why"))
    assert document_of(made)["plans"] == [
        {
            "applied_at": "1970-01-01T00:16:40Z",
            "flow_fingerprint": "",
            "plan": {"drop": ["j:1"], "reason": "why"},
            "dropped_tasks": made.plans[0].dropped_tasks,
            "dropped_data": {},
        }
    ]
    assert fields_of(again(made)) == fields_of(made)


def test_a_snapshot_tells_which_plans_its_job_is_past_before_it_is_read() -> None:
    made = applied(job(PAUSED, tasks=[task(1)]), Plan(drop=["j:1"]))
    assert plans_in(write_snapshot(made, NOW)) == recorded(made)
    assert plans_in(write_snapshot(job(PAUSED), NOW)) == []


def test_a_job_without_plans_says_nothing_of_them() -> None:
    assert "plans" not in document_of(job(PAUSED))


def test_a_written_record_shares_nothing_with_its_job() -> None:
    made = applied(job(PAUSED, tasks=[task(1)]), Plan(drop=["j:1"]))
    write_job(made, NOW)["plans"][0]["plan"].clear()
    write_job(made, NOW)["plans"][0]["dropped_tasks"][0]["data"].clear()
    assert (recorded(made), made.plans[0].dropped_tasks[0]["data"]) == ([{"drop": ["j:1"]}], {"x": 1})


def test_a_record_that_was_read_shares_nothing_with_its_document() -> None:
    document = document_of(applied(job(PAUSED, tasks=[task(1)]), Plan(drop=["j:1"])))
    read = read_job(document)
    document["plans"][0]["plan"].clear()
    document["plans"][0]["dropped_tasks"][0]["data"].clear()
    assert (recorded(read), read.plans[0].dropped_tasks[0]["data"]) == ([{"drop": ["j:1"]}], {"x": 1})


WRONG_RECORDS: dict[str, tuple[dict[str, Any], str]] = {
    "a plan that cannot be meant": ({"plan": {"slots": {"a": "b"}}}, "plans[0].plan"),
    "a plan with an unknown part": ({"plan": {"slot": {}}}, "plans[0].plan"),
    "no plan": ({"plan": 5}, "plans[0].plan"),
    "no time": ({"applied_at": "today"}, "plans[0].applied_at"),
    "a time beyond all calendars": ({"applied_at": "9999-12-31T00:00:00Z"}, "plans[0].applied_at"),
    "a dropped task that is none": ({"dropped_tasks": [5]}, "plans[0].dropped_tasks[0]"),
    "dropped data that is no JSON": ({"dropped_data": {"a": {"b": {1}}}}, "plans[0].dropped_data.a.b"),
    "dropped data that is no number": ({"dropped_data": {"a": {"b": float("nan")}}}, "plans[0].dropped_data.a.b"),
}


@pytest.mark.parametrize("what", WRONG_RECORDS)
def test_a_record_is_refused_with(what: str) -> None:
    fields, path = WRONG_RECORDS[what]
    document = document_of(applied(job(PAUSED)))
    document["plans"][0] |= fields
    with pytest.raises(SeriluxError) as caught:
        read_job(document)
    assert caught.value.path == path


def test_what_a_plan_has_configured_need_not_be_known_any_more() -> None:
    document = document_of(applied(job(PAUSED)))
    document["plans"][0]["plan"]["config"] = {"worker": "gone.module:function"}
    assert recorded(read_job(document))[0]["config"] == {"worker": "gone.module:function"}


@pytest.mark.parametrize("plans", [None, [5, {}, {"plan": 7}], "x"])
def test_a_document_that_nobody_has_read_may_say_anything(plans: Any) -> None:
    assert plan_documents({"plans": plans}) == []


def test_a_snapshot_that_cannot_be_read_tells_of_no_plans() -> None:
    with pytest.raises(DamagedRecordError, match="a snapshot cannot be read") as refusal:
        plans_in(b"{")
    assert refusal.value.kind == "snapshot"


def test_what_is_recorded_is_json() -> None:
    with pytest.raises(DocumentError) as caught:
        read_plans([], [{"plan": object()}])
    assert caught.value.path == "plans[0].plan"
