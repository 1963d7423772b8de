"""What has changed in a flow and concerns what a job still has to do (law 7)."""

from typing import Any

from msgspec.structs import replace

from routilux._core.changes import changes
from routilux._core.job import Job
from routilux._core.misfits import Viewed, places_of
from routilux._graph import Graph, Route, RoutineNode, SlotNode
from routilux._model import EventKey, JobStatus, MergeKind, RoutineStatus, SideEffects, SlotKey
from routilux._records import RoutineState
from routilux._verdict import Finding, Fit
from tests.core.hand_made import BOTH, OUT, SINK, SOURCE, WORKER, expectation, graph, job, task

PAUSED = JobStatus.PAUSED
WORK = SlotNode(WORKER, references=("self.work", "override", None))


def found(state: Job, flow: Graph | None = None, before: Graph | None = None, former: Any = ()) -> list[Finding]:
    notes = list(changes(flow or graph(), Viewed(state, places_of(state), dict(former), before)))
    assert {note.fit for note in notes} <= {Fit.FITS}
    return notes


def with_slot(**fields: Any) -> Graph:
    flow = graph()
    slot = replace(WORK, **fields)
    return replace(flow, slots=flow.slots | {slot.key: slot})


def told(state: Job, *flows: Any, **more: Any) -> list[str]:
    return [str(note) for note in found(state, *flows, **more)]


def test_of_a_flow_that_has_not_changed_there_is_nothing_to_say() -> None:
    state = job(PAUSED, tasks=[task(1, source=OUT), task(2, SINK, source=BOTH)], routines={"worker": RoutineState()})
    assert found(state, graph(), graph()) == []


# Routines that are gone.


def test_a_routine_that_is_gone_and_has_nothing_left_to_do_is_harmless() -> None:
    (note,) = found(job(PAUSED, routines={"gone": RoutineState(RoutineStatus.COMPLETED)}))
    assert str(note) == (
        "routine 'gone' is completed in this job, and is no part of the flow any more; it has nothing left to do here"
    )
    assert (note.place, note.routine_id, note.slot) == ("routine_states.gone", "gone", None)


def test_one_that_has_something_left_to_do_is_a_misfit_and_not_noted() -> None:
    gone = SlotKey("gone", "x")
    states = {"gone": RoutineState(RoutineStatus.COMPLETED)}
    assert found(job(PAUSED, routines=states, tasks=[task(1, gone)])) == []
    assert found(job(PAUSED, routines=states, slot_data={gone: {"x": 1}})) == []


# Connections that lead elsewhere.


def test_tasks_that_came_by_a_connection_which_leads_elsewhere_stay_where_they_were_sent() -> None:
    flow = graph()
    source = replace(flow.routines["source"], routes={"out": (Route(OUT, SINK),)})
    flow = replace(flow, routines=flow.routines | {"source": source})
    state = job(PAUSED, tasks=[task(1, source=OUT), task(2, source=OUT), task(3, SINK, source=OUT)])
    (note,) = found(state, flow)
    assert str(note) == (
        "2 tasks for worker.input came from source.out, which leads to 'sink.items' now; what was sent stays with "
        "worker.input"
    )
    assert (note.place, note.routine_id, note.slot) == ("connections.source.out", *WORKER)


def test_one_task_that_came_from_an_event_that_leads_nowhere() -> None:
    unheard = EventKey("source", "unheard")
    assert told(job(PAUSED, tasks=[task(1, source=unheard)])) == [
        "1 task for worker.input came from source.unheard, which leads nowhere now; what was sent stays with "
        "worker.input"
    ]


def test_a_connection_that_leads_where_it_did_hides_no_other() -> None:
    state = job(PAUSED, tasks=[task(1, source=OUT), task(2, source=EventKey("source", "unheard"))])
    assert len(found(state)) == 1


def test_an_event_or_a_routine_that_is_gone_leads_nowhere() -> None:
    state = job(PAUSED, tasks=[task(1, source=EventKey("source", "gone")), task(2, source=EventKey("gone", "out"))])
    assert ["leads nowhere now" in text for text in told(state)] == [True, True]


def test_a_task_for_a_slot_that_is_gone_is_a_misfit_and_not_noted() -> None:
    assert found(job(PAUSED, tasks=[task(1, SlotKey("gone", "x"), source=OUT)])) == []


# Slots that work otherwise.


def test_without_the_flow_of_before_nothing_is_said_of_slots() -> None:
    assert found(job(PAUSED, tasks=[task(1)]), with_slot(references=("self.other", "override", None))) == []


def test_another_handler_is_noted() -> None:
    (note,) = found(job(PAUSED, tasks=[task(1)]), with_slot(references=("self.do", "override", None)), with_slot())
    assert str(note) == (
        "the handler of worker.input was 'self.work' and is 'self.do'; what is pending there is handled by that"
    )
    assert (note.place, note.routine_id, note.slot) == ("routines.worker._slots.input", *WORKER)


def test_another_merge_strategy_says_what_becomes_of_the_data() -> None:
    appending = with_slot(references=("self.work", "append", None), merge=MergeKind.APPEND)
    folding = with_slot(references=("self.work", "shop:fold", None), merge=MergeKind.FUNCTION)
    state = job(PAUSED, slot_data={WORKER: {"x": [1]}})
    was = "the merge_strategy of worker.input was"
    assert told(state, with_slot(), appending) == [
        f"{was} 'append' and is 'override'; what has come so far, 'x', is replaced by what comes next"
    ]
    assert told(state, appending, folding) == [
        f"{was} 'shop:fold' and is 'append'; what has come so far, 'x', is what the next is appended to"
    ]
    assert told(state, folding, appending) == [
        f"{was} 'append' and is 'shop:fold'; what has come so far, 'x', is the old data that the function is given next"
    ]


def test_another_merge_strategy_where_no_data_has_come_changes_none() -> None:
    appending = with_slot(references=("self.work", "append", None), merge=MergeKind.APPEND)
    assert told(job(PAUSED, tasks=[task(1)]), appending, with_slot()) == [
        "the merge_strategy of worker.input was 'override' and is 'append'"
    ]


def test_another_predicate_is_noted() -> None:
    guarded = with_slot(references=("self.work", "override", "self.ready"), guarded=True)
    assert told(job(PAUSED, slot_data={WORKER: {"x": 1}}), guarded, with_slot()) == [
        "the when of worker.input was None and is 'self.ready'; it is asked when a task is taken, not of what is there "
        "already"
    ]


def test_a_predicate_that_is_gone_is_noted() -> None:
    guarded = with_slot(references=("self.work", "override", "self.ready"), guarded=True)
    (note,) = found(job(PAUSED, tasks=[task(1)]), with_slot(), guarded)
    assert note.what == "the when of worker.input was 'self.ready' and is None"


def test_slots_for_which_the_job_has_nothing_are_not_noted() -> None:
    changed = with_slot(references=("self.do", "append", "self.ready"))
    assert found(job(PAUSED, tasks=[task(1, SINK)]), changed, with_slot()) == []


def test_a_slot_is_compared_with_what_it_was_called() -> None:
    old = SlotKey("laborer", "in")
    before = replace(graph(), slots={old: replace(WORK, key=old)})
    (note,) = found(
        job(PAUSED, tasks=[task(1)]), with_slot(references=("self.do", "override", None)), before, [(WORKER, old)]
    )
    assert note.what == "the handler of worker.input was 'self.work' and is 'self.do'"


def test_a_slot_that_was_not_there_before_is_not_compared() -> None:
    assert found(job(PAUSED, tasks=[task(1)]), with_slot(), replace(graph(), slots={})) == []


def test_data_is_noted_that_the_last_flow_had_no_slot_for_and_this_one_has() -> None:
    state = job(PAUSED, slot_data={WORKER: {"x": 1}})
    flow = with_slot(merge=MergeKind.FUNCTION)
    (note,) = found(state, flow, replace(graph(), slots={}), [(WORKER, SlotKey("laborer", "in"))])
    assert str(note) == (
        "worker.input has data from before the last flow, which had no such slot: 'x'; "
        "it is the old data that the function is given next"
    )
    assert (note.place, note.routine_id, note.slot) == ("slot_data.laborer.in", *WORKER)


# Routines that are otherwise.


def test_another_class_and_other_effects_are_noted() -> None:
    flow = graph()
    other = RoutineNode("worker", "Robot", flow.routines["worker"].routes, effects=SideEffects.AT_MOST_ONCE)
    notes = found(job(PAUSED, tasks=[expectation(1)]), replace(flow, routines=flow.routines | {"worker": other}), flow)
    assert [str(note) for note in notes] == [
        "routine 'worker' was a 'Worker' and is a 'Robot'; its state stays, and what is pending is handled by that",
        "the effects of routine 'worker' were 'repeatable' and are 'at_most_once'; that holds from its next attempt on",
    ]
    assert {(note.place, note.routine_id) for note in notes} == {("routines.worker", "worker")}


def test_routines_that_are_gone_or_were_not_there_before_are_not_compared() -> None:
    gone = SlotKey("gone", "x")
    assert found(job(PAUSED, tasks=[task(1, gone)]), graph(), graph()) == []
    before = graph()
    del before.routines["worker"]
    assert found(job(PAUSED, tasks=[task(1), task(2, SOURCE)]), graph(), before) == []


def test_a_routine_that_is_gone_hides_no_other() -> None:
    flow = graph()
    robot = replace(flow.routines["worker"], class_name="Robot")
    state = job(PAUSED, tasks=[task(1, SlotKey("gone", "x")), task(2)])
    (note,) = found(state, replace(flow, routines=flow.routines | {"worker": robot}), flow)
    assert note.what == "routine 'worker' was a 'Worker' and is a 'Robot'"
