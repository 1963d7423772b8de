"""What a start, taking a task, a success, a flush and an absorbed task make of a job."""

from routilux._core.facts import Effect, JobStarted, SharedDataSet
from routilux._core.job import PauseRequest
from routilux._model import JobStatus, RoutineStatus
from routilux._records import Changes, Emission, RoutineState
from tests.core.hand_made import (
    BOTH,
    DONE,
    EARLIER,
    HASH,
    LATER,
    NOW,
    OUT,
    SINK,
    SOURCE,
    URGENT,
    WORKER,
    WRONG,
    absorb,
    apply,
    done,
    events,
    flushed,
    job,
    lies,
    places,
    record,
    take_from,
    taken,
    task,
)

PENDING, RUNNING, PAUSED, COMPLETED = JobStatus.PENDING, JobStatus.RUNNING, JobStatus.PAUSED, JobStatus.COMPLETED
STATUS_AND_TIMER = (Effect.STATUS_CHANGED, Effect.TIMER_CHANGED)


# A start.


def test_a_started_job_runs() -> None:
    state = job(PENDING)
    apply(state, JobStarted(task(0, SOURCE)))
    assert state.status is RUNNING


def test_a_start_makes_the_first_task() -> None:
    state = job(PENDING)
    apply(state, JobStarted(task(0, SOURCE)))
    assert places(state) == lies(ready=[1])


def test_a_start_counts_the_first_task() -> None:
    state = job(PENDING)
    apply(state, JobStarted(task(0, SOURCE)))
    assert state.next_number == 2


def test_a_start_notes_the_flows_fingerprint() -> None:
    state = job(PENDING)
    apply(state, JobStarted(task(0, SOURCE)))
    assert state.fingerprint == HASH


def test_a_start_starts_the_watch() -> None:
    state = job(PENDING)
    apply(state, JobStarted(task(0, SOURCE)))
    assert state.running_since == NOW


def test_a_start_is_a_change_of_status() -> None:
    assert apply(job(PENDING), JobStarted(task(0, SOURCE))) == (Effect.STATUS_CHANGED,)


def test_a_start_with_a_timeout_sets_the_timer() -> None:
    assert apply(job(PENDING, timeout=5.0), JobStarted(task(0, SOURCE))) == STATUS_AND_TIMER


# Taking a task.


def test_a_taken_task_is_in_flight() -> None:
    state = job(tasks=[task(1), task(2)])
    taken(state)
    assert places(state) == lies(active=[1], ready=[2])


def test_a_taken_task_runs_since_now() -> None:
    assert taken(job(tasks=[task(1)])).since == NOW


def test_one_activation_at_a_time_where_a_flow_is_sequential() -> None:
    assert take_from(job(active=(task(1),), tasks=[task(2)])) is None


def test_as_many_activations_as_one_likes_where_a_flow_is_concurrent() -> None:
    state = job(active=(task(1),), tasks=[task(2)])
    taken(state, concurrent=True)
    assert places(state) == lies(active=[1, 2])


def test_nothing_is_taken_where_nothing_is_ready() -> None:
    assert take_from(job()) is None


def test_nothing_is_taken_from_a_paused_job() -> None:
    assert take_from(job(PAUSED, tasks=[task(1)])) is None


def test_nothing_is_taken_from_a_job_that_is_about_to_pause() -> None:
    assert take_from(job(tasks=[task(1)], closing=PauseRequest("", {})), concurrent=True) is None


def test_nothing_is_taken_from_a_job_that_is_about_to_fail() -> None:
    assert take_from(job(tasks=[task(1)], closing=WRONG), concurrent=True) is None


def test_the_highest_priority_is_taken_first() -> None:
    assert taken(job(tasks=[task(1), task(2, priority=1)])).number == 2


def test_a_low_priority_is_taken_last() -> None:
    assert taken(job(tasks=[task(1, priority=-1), task(2)])).number == 2


# A success.


def test_a_succeeded_task_is_nowhere() -> None:
    state = job(active=(task(1),), tasks=[task(2)])
    apply(state, done(state.active[1]))
    assert places(state) == lies(ready=[2])


def test_a_job_that_runs_dry_is_completed() -> None:
    state = job(active=(task(1),))
    apply(state, done(state.active[1]))
    assert state.status is COMPLETED


def test_running_dry_is_a_change_of_status_and_of_the_timer() -> None:
    state = job(active=(task(1),))
    assert apply(state, done(state.active[1])) == STATUS_AND_TIMER


def test_a_success_with_work_left_changes_nothing_else() -> None:
    state = job(active=(task(1),), tasks=[task(2)])
    assert apply(state, done(state.active[1])) == ()


def test_a_job_goes_on_while_another_activation_is_in_flight() -> None:
    state = job(active=(task(1), task(2)))
    apply(state, done(state.active[1]), concurrent=True)
    assert state.status is RUNNING


def test_a_job_goes_on_while_a_retry_is_due() -> None:
    state = job(active=(task(1),), tasks=[task(2, due=LATER)])
    apply(state, done(state.active[1]))
    assert state.status is RUNNING


def test_a_job_goes_on_while_it_expects_a_delivery() -> None:
    state = job(active=(task(1),), tasks=[task(2, data=None)])
    apply(state, done(state.active[1]))
    assert state.status is RUNNING


def test_a_job_that_has_just_been_resumed_does_not_settle_yet() -> None:
    state = job(active=(task(1),), hold_until=LATER)
    apply(state, done(state.active[1]))
    assert state.status is RUNNING


def test_a_job_settles_when_it_is_no_longer_held() -> None:
    state = job(active=(task(1),), hold_until=NOW)
    apply(state, done(state.active[1]))
    assert state.status is COMPLETED


def test_the_time_a_job_has_run_is_summed_up_when_it_settles() -> None:
    state = job(active=(task(1),), elapsed=3.0)
    apply(state, done(state.active[1]))
    assert state.elapsed == 13.0


def test_a_settled_jobs_watch_stands_still() -> None:
    state = job(active=(task(1),))
    apply(state, done(state.active[1]))
    assert state.running_since is None


def test_start_and_emissions_go_into_the_history_in_order() -> None:
    state = job(active=(task(1, SOURCE),))
    apply(state, done(state.active[1], record("source", "out"), record("source", "unheard")))
    assert events(state) == ["start", "out", "unheard"]


def test_a_start_that_a_flush_has_published_is_not_published_again() -> None:
    state = job(active=(task(1, SOURCE),))
    apply(state, done(state.active[1], record("source", "out"), started=False))
    assert events(state) == ["out"]


def test_an_emission_becomes_a_task_of_its_connection() -> None:
    state = job(active=(task(1, SOURCE),))
    apply(state, done(state.active[1], record("source", "out", x=7)))
    assert list(state.ready) == [task(2, WORKER, data={"x": 7}, source=OUT, since=NOW)]


def test_an_emission_becomes_one_task_per_connection_under_the_names_of_each() -> None:
    state = job(active=(task(1, SOURCE),))
    apply(state, done(state.active[1], record("source", "both", x=7, z=8)))
    assert list(state.ready) == [
        task(2, SINK, data={"x": 7, "z": 8}, source=BOTH, since=NOW),
        task(3, WORKER, data={"y": 7, "z": 8}, source=BOTH, since=NOW),
    ]


def test_an_emission_takes_the_priority_of_its_connection() -> None:
    state = job(active=(task(1, SOURCE),))
    apply(state, done(state.active[1], record("source", "urgent")))
    assert state.ready.peek() == task(2, WORKER, data={}, source=URGENT, priority=5, since=NOW)


def test_an_emission_may_have_a_priority_of_its_own() -> None:
    state = job(active=(task(1, SOURCE),))
    apply(state, done(state.active[1], record("source", "urgent"), routing={0: Emission(9, None)}))
    assert state.ready.peek().priority == 9


def test_an_emission_may_have_metadata_and_the_priority_of_its_connection() -> None:
    state = job(active=(task(1, SOURCE),))
    apply(state, done(state.active[1], record("source", "urgent"), routing={0: Emission(None, {"m": 1})}))
    assert (state.ready.peek().priority, state.ready.peek().metadata) == (5, {"m": 1})


def test_an_emission_may_come_later() -> None:
    state = job(active=(task(1, SOURCE),))
    effects = apply(state, done(state.active[1], record("source", "urgent"), routing={0: Emission(None, None, 2.5)}))
    assert state.waiting() == [task(2, WORKER, data={}, source=URGENT, priority=5, since=NOW, due=NOW + 2.5)]
    assert (effects, len(state.ready), state.next_wake()) == ((Effect.TIMER_CHANGED,), 0, NOW + 2.5)


def test_routing_counts_for_its_own_emission_only() -> None:
    state = job(active=(task(1, SOURCE),))
    outbox = [record("source", "out"), record("source", "out")]
    apply(state, done(state.active[1], *outbox, routing={1: Emission(None, {"m": 1})}))
    assert [entry.metadata for entry in state.ready] == [None, {"m": 1}]


def test_an_event_without_connections_makes_no_task() -> None:
    state = job(active=(task(1, SOURCE),))
    apply(state, done(state.active[1], record("source", "unheard")))
    assert state.status is COMPLETED


def test_tasks_are_numbered_on() -> None:
    state = job(active=(task(1, SOURCE),))
    apply(state, done(state.active[1], record("source", "both"), record("source", "out")))
    assert ([entry.number for entry in state.ready], state.next_number) == ([2, 3, 4], 5)


def test_a_success_makes_a_routine_completed() -> None:
    state = job(active=(task(1),))
    apply(state, done(state.active[1]))
    assert state.routines == {"worker": RoutineState(RoutineStatus.COMPLETED)}


def test_a_success_does_not_make_a_worse_outcome_better() -> None:
    state = job(active=(task(1),), routines={"worker": RoutineState(RoutineStatus.SKIPPED)})
    apply(state, done(state.active[1]))
    assert state.routines == {"worker": RoutineState(RoutineStatus.SKIPPED)}


def test_a_success_is_an_update() -> None:
    state = job(active=(task(1),), tasks=[task(2)])
    apply(state, done(state.active[1]), LATER)
    assert state.updated_at == LATER


# What an activation changes.


def test_shared_data_is_written_and_removed() -> None:
    state = job(active=(task(1),), shared_data={"a": 1, "b": 2, "c": 3})
    apply(state, done(state.active[1], changes=Changes(written={"a": 9, "d": 4}, removed=["b", "never"])))
    assert state.shared_data == {"a": 9, "c": 3, "d": 4}


def test_a_key_that_is_removed_and_written_is_written() -> None:
    state = job(active=(task(1),), shared_data={"a": 1})
    apply(state, done(state.active[1], changes=Changes(written={"a": 9}, removed=["a"])))
    assert state.shared_data == {"a": 9}


def test_each_change_of_a_shared_key_is_a_new_version_of_it() -> None:
    state = job(active=(task(1),), shared_versions={"a": 4})
    apply(state, done(state.active[1], changes=Changes(written={"a": 9}, removed=["b"])))
    assert state.shared_versions == {"a": 5, "b": 1}


def test_entries_are_appended_to_the_shared_log() -> None:
    state = job(active=(task(1),), shared_log=["a"])
    apply(state, done(state.active[1], changes=Changes(logged=["b", "c"])))
    assert state.shared_log == ["a", "b", "c"]


def test_a_routines_own_state_is_replaced_and_has_a_new_version() -> None:
    state = job(active=(task(1),), routines={"worker": RoutineState(state={"n": 1}, version=6)})
    apply(state, done(state.active[1], changes=Changes(state={"n": 2})))
    assert state.routines["worker"] == RoutineState(RoutineStatus.COMPLETED, state={"n": 2}, version=7)


def test_changes_that_leave_the_state_alone_leave_its_version_alone() -> None:
    state = job(active=(task(1),), routines={"worker": RoutineState(state={"n": 1}, version=6)})
    apply(state, done(state.active[1], changes=Changes(logged=[1])))
    assert state.routines["worker"] == RoutineState(RoutineStatus.COMPLETED, state={"n": 1}, version=6)


def test_shared_data_can_be_changed_from_outside() -> None:
    state = job(tasks=[task(1)])
    apply(state, SharedDataSet(Changes(written={"a": 1}, logged=["x"])))
    assert (state.shared_data, state.shared_versions, state.shared_log) == ({"a": 1}, {"a": 1}, ["x"])


def test_a_change_of_shared_data_from_outside_is_an_update() -> None:
    state = job(tasks=[task(1)])
    apply(state, SharedDataSet(Changes(written={"a": 1})))
    assert state.updated_at == NOW


def test_a_change_of_shared_data_from_outside_needs_nothing_more_done() -> None:
    assert apply(job(), SharedDataSet(Changes(written={"a": 1}))) == ()


# A flush.


def test_a_flushing_task_stays_in_flight_and_what_it_emitted_is_ready() -> None:
    state = job(active=(task(1, SOURCE),))
    apply(state, flushed(state.active[1], record("source", "out")))
    assert places(state) == lies(active=[1], ready=[2])


def test_flushes_are_counted_for_a_retry_to_skip_by() -> None:
    state = job(active=(task(1, SOURCE, flushes=2),))
    apply(state, flushed(state.active[1]))
    assert state.active[1].flushes == 3


def test_a_flush_publishes_the_start_and_the_emissions() -> None:
    state = job(active=(task(1, SOURCE),))
    apply(state, flushed(state.active[1], record("source", "out")))
    assert events(state) == ["start", "out"]


def test_a_flush_commits_changes() -> None:
    state = job(active=(task(1, SOURCE),))
    apply(state, flushed(state.active[1], changes=Changes(written={"a": 1}, state={"n": 1})))
    assert (state.shared_data, state.routines["source"].state) == ({"a": 1}, {"n": 1})


def test_a_flush_is_no_outcome() -> None:
    state = job(active=(task(1, SOURCE),))
    apply(state, flushed(state.active[1]))
    assert state.routines == {"source": RoutineState()}


def test_a_flush_settles_nothing() -> None:
    state = job(active=(task(1, SOURCE),))
    assert (apply(state, flushed(state.active[1])), state.status) == ((), RUNNING)


# A task whose slot's predicate does not hold.


def test_an_absorbed_task_is_nowhere() -> None:
    state = job(active=(task(1),), tasks=[task(2)])
    absorb(state, state.active[1])
    assert places(state) == lies(ready=[2])


def test_an_absorbed_task_leaves_no_record() -> None:
    state = job(active=(task(1),))
    absorb(state, state.active[1])
    assert events(state) == []


def test_an_absorbed_task_is_no_outcome() -> None:
    state = job(active=(task(1),))
    absorb(state, state.active[1])
    assert state.routines == {"worker": RoutineState()}


def test_a_job_whose_last_task_is_absorbed_is_completed() -> None:
    state = job(active=(task(1),))
    assert (absorb(state, state.active[1]), state.status) == (STATUS_AND_TIMER, COMPLETED)


def test_an_absorbed_task_is_an_update() -> None:
    state = job(active=(task(1),), tasks=[task(2)], updated_at=EARLIER)
    absorb(state, state.active[1])
    assert state.updated_at == NOW


def test_the_event_of_a_task_is_named_as_its_source() -> None:
    state = job(active=(task(1),))
    apply(state, done(state.active[1], record("worker", "done")))
    assert state.ready.peek().source == DONE
