"""Whatever happens in whatever order, a task is in exactly one place until it settles (law 2)."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from routilux._core.facts import (
    Delivered,
    HoldLifted,
    JobCancelled,
    JobResumed,
    JobStarted,
    JobTimedOut,
    PauseRequested,
    TaskAbsorbed,
    TimersFired,
)
from routilux._core.job import Job
from routilux._model import ErrorStrategy, JobStatus, SlotKey
from routilux._records import HistoryRecord, Task
from tests.core.hand_made import (
    SINK,
    SOURCE,
    WRONG,
    again,
    apply,
    done,
    expecting,
    failed,
    fields_of,
    flushed,
    job,
    pausing,
    places,
    record,
    take_from,
    task,
)

EMISSIONS = {
    "source": ["out", "both", "urgent", "unheard"],
    "worker": ["done"],
    "sink": [],
}
choices = st.integers(0, 1000)
strategies = st.sampled_from(ErrorStrategy)


class AnyJob(RuleBasedStateMachine):
    """A job to which the engine does all that it may do, in any order; and a model of which tasks there must be."""

    state: Job
    left: set[int]

    @initialize(concurrent=st.booleans(), timeout=st.sampled_from([None, 50.0]))
    def start(self, concurrent: bool, timeout: float | None) -> None:
        self.now, self.concurrent = 1000.0, concurrent
        self.state = job(JobStatus.PENDING, timeout=timeout)
        self.left = {1}
        self.apply(JobStarted(task(0, SOURCE)))

    def apply(self, fact: Any) -> None:
        self.now += 1.0
        apply(self.state, fact, self.now, concurrent=self.concurrent)

    def settle(self, fact: Any, *, gone: bool) -> None:
        """Apply a fact on a task: the tasks that it makes are new, and its own may be gone."""
        first = self.state.next_number
        self.apply(fact)
        self.left |= set(range(first, self.state.next_number))
        if gone:
            self.left.remove(fact.task.number)

    def running(self) -> bool:
        return self.state.status is JobStatus.RUNNING

    def in_flight(self) -> bool:
        return bool(self.state.active)

    def chosen(self, number: int) -> Task:
        entries = list(self.state.active.values())
        return entries[number % len(entries)]

    def outbox(self, entry: Task, number: int) -> list[HistoryRecord]:
        names = EMISSIONS[entry.target.routine_id]
        return [record(entry.target.routine_id, name, x=number) for name in names[: number % 3]]

    @rule()
    def take(self) -> None:
        take_from(self.state, self.now, concurrent=self.concurrent)

    @precondition(in_flight)
    @rule(number=choices, expects=st.booleans())
    def succeed(self, number: int, expects: bool) -> None:
        entry = self.chosen(number)
        changes = expecting(5.0) if expects and entry.target.routine_id == "worker" else None
        self.settle(done(entry, *self.outbox(entry, number), changes=changes), gone=True)

    @precondition(in_flight)
    @rule(number=choices)
    def flush(self, number: int) -> None:
        entry = self.chosen(number)
        self.settle(flushed(entry, *self.outbox(entry, number)), gone=False)

    @precondition(in_flight)
    @rule(number=choices)
    def absorb(self, number: int) -> None:
        self.settle(TaskAbsorbed(self.chosen(number)), gone=True)

    @precondition(in_flight)
    @rule(number=choices, strategy=strategies, delay=st.sampled_from([0.0, 3.0]))
    def fail(self, number: int, strategy: ErrorStrategy, delay: float) -> None:
        entry = self.chosen(number)
        gone = strategy in (ErrorStrategy.CONTINUE, ErrorStrategy.SKIP)
        self.settle(failed(entry, strategy, *self.outbox(entry, number), delay=delay), gone=gone)

    @precondition(lambda self: self.running() and self.state.expecting.tasks)
    @rule(strategy=strategies)
    def miss(self, strategy: ErrorStrategy) -> None:
        entry = next(iter(self.state.expecting.tasks.values()))
        self.settle(failed(entry, strategy), gone=strategy in (ErrorStrategy.CONTINUE, ErrorStrategy.SKIP))

    @precondition(lambda self: not self.state.settled and self.state.expecting.tasks)
    @rule()
    def deliver(self) -> None:
        self.apply(Delivered(next(iter(self.state.expecting.tasks.values())), {"x": 1}))

    @precondition(running)
    @rule(seconds=st.sampled_from([0.0, 10.0]))
    def fire_timers(self, seconds: float) -> None:
        self.now += seconds
        self.apply(TimersFired())

    @precondition(running)
    @rule()
    def lift_hold(self) -> None:
        self.apply(HoldLifted())

    @precondition(lambda self: self.state.status in (JobStatus.RUNNING, JobStatus.PAUSED, JobStatus.COMPLETED))
    @rule()
    def pause(self) -> None:
        self.apply(PauseRequested(**pausing()))

    @precondition(lambda self: self.state.status is JobStatus.PAUSED)
    @rule(slots=st.lists(st.sampled_from([SOURCE, SINK]), max_size=2))
    def resume(self, slots: list[SlotKey]) -> None:
        first = self.state.next_number
        self.apply(JobResumed("", [task(0, slot) for slot in slots], self.now + 5.0))
        self.left |= set(range(first, self.state.next_number))

    @precondition(lambda self: self.running() and self.state.next_number > 8)
    @rule()
    def time_out(self) -> None:
        self.apply(JobTimedOut(WRONG))

    @precondition(lambda self: not self.state.settled and self.state.next_number > 8)
    @rule()
    def cancel(self) -> None:
        self.apply(JobCancelled(""))

    @precondition(lambda self: not self.state.settled)
    @rule()
    def move_to_another_host(self) -> None:
        self.state = again(self.state, self.now)
        if self.running():
            self.resume([])

    @invariant()
    def each_task_left_is_in_exactly_one_place(self) -> None:
        assert sorted(number for group in places(self.state).values() for number in group) == sorted(self.left)

    @invariant()
    def no_number_is_given_twice(self) -> None:
        assert self.state.next_number > max(self.left, default=0)

    @invariant()
    def only_one_activation_is_in_flight_where_the_flow_is_sequential(self) -> None:
        assert self.concurrent or len(self.state.active) <= 1

    @invariant()
    def nothing_is_in_flight_unless_the_job_runs(self) -> None:
        assert self.running() or not self.state.active

    @invariant()
    def a_job_that_is_not_running_neither_closes_nor_holds(self) -> None:
        assert self.running() or (self.state.closing, self.state.hold_until, self.state.running_since) == (None,) * 3

    @invariant()
    def a_completed_job_has_no_work_left(self) -> None:
        assert self.state.status is not JobStatus.COMPLETED or self.state.idle

    @invariant()
    def what_is_written_says_the_same_when_it_was_read(self) -> None:
        if not self.running():
            assert fields_of(again(again(self.state))) == fields_of(again(self.state))


TestAnyJob = AnyJob.TestCase
TestAnyJob.settings = settings(stateful_step_count=40)
