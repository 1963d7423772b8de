"""A job whose timers were set by a clock that is ahead of the one here."""

from routilux._core.facts import JobResumed
from routilux._model import JobStatus
from tests.core.hand_made import ANSWER, EARLIER, HASH, LATER, NOW, SINK, apply, expectation, job, task

DAYS = 3 * 86_400.0


def test_it_waits_no_longer_than_was_asked() -> None:
    ahead = NOW + DAYS
    state = job(
        JobStatus.PAUSED,
        tasks=[
            task(1, since=ahead, due=ahead + 2.0),
            expectation(2, since=ahead, deadline=ahead + 5.0, patience=5.0),
            expectation(3, SINK, since=ahead),
        ],
    )
    apply(state, JobResumed(HASH, [], LATER))
    (delayed,), waiting = [entry[2] for entry in state.delayed], state.expecting.tasks
    assert (delayed.since, delayed.due) == (NOW, NOW + 2.0)
    assert (waiting[2].since, waiting[2].deadline, state.expecting.next_deadline()) == (NOW, NOW + 5.0, NOW + 5.0)
    assert (waiting[3].since, waiting[3].deadline, state.expecting.oldest(ANSWER)) == (NOW, None, waiting[2])


def test_what_was_not_set_by_that_clock_stays_as_it_is() -> None:
    kept = [task(1, due=LATER), expectation(2, deadline=LATER)]
    state = job(JobStatus.PAUSED, tasks=[*kept, task(3, since=NOW + DAYS, due=NOW + DAYS)])
    apply(state, JobResumed(HASH, [], LATER))
    assert [entry[2] for entry in sorted(state.delayed) if entry[2].number == 1] == [kept[0]]
    assert state.expecting.tasks[2] is kept[1]


def test_where_the_clocks_agree_nothing_changes() -> None:
    tasks = [task(1, since=EARLIER, due=LATER), expectation(2, since=NOW, deadline=LATER)]
    state = job(JobStatus.PAUSED, tasks=tasks)
    delayed, expecting = state.delayed, state.expecting
    apply(state, JobResumed(HASH, [], LATER))
    assert (state.delayed is delayed, state.expecting is expecting) == (True, True)
