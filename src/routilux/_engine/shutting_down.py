"""How an engine comes to rest: what has not settled starts nothing more, and nothing of it is lost."""

import sys
from collections.abc import Callable, Iterable
from contextlib import suppress

from routilux._engine.awaited import TimeIsUp, left_until
from routilux._engine.engine import Engine
from routilux._engine.live_job import LiveJob
from routilux._engine.patience import within
from routilux._engine.watchers import Condition, is_not_running, is_not_running_or_stuck
from routilux._haste import GRACE, LEAST, in_time
from routilux.errors import BlockingCallError, RoutiluxError

Lost = dict[LiveJob, RoutiluxError]
"""Jobs that are out of this process's hands, and why."""


def shut_down(engine: Engine, *, wait: bool, patience: float | None) -> None:
    """Pause the jobs that still run, and end the threads; with `wait`, give them up to `patience` seconds before.

    A job that is lost, since its store is, keeps no other from that; why it is so is raised at the end. So it is of one
    that is lost by now, if its store was closed while it ran. Threads of an interpreter that ends stand still, with
    whatever locks they have: then nothing is done. What a signal has broken off is done by who calls it again; who
    calls it meanwhile does all of it, too. BlockingCallError in the midst of a call on the same thread, by a signal.
    """
    if sys.is_finalizing():
        return
    for live in _jobs_of(engine):
        if live.is_in_use:
            raise BlockingCallError(
                f"a signal's handler cannot shut a flow down in the middle of a call that changes a job of it "
                f"({live.job.job_id!r}): it would wait for that; have it raise something, or set what is read later"
            )
    engine.stop_admitting()
    if not engine.is_at_rest:
        _come_to_rest(engine, wait, patience)


def _jobs_of(engine: Engine) -> list[LiveJob]:
    return [job for job in list(engine.jobs) if isinstance(job, LiveJob) and job.lost is None]


def _come_to_rest(engine: Engine, wait: bool, patience: float | None) -> None:
    deadline = None if patience is None else engine.clock.now() + patience
    jobs = _jobs_of(engine)
    lost: Lost = {}
    if wait:
        _with_each(jobs, lost, LiveJob.submit)  # whose caller may have been kept from it by a signal
        _with_each(jobs, lost, lambda live: _wait_for(live, is_not_running_or_stuck, deadline))
    _pause_each(jobs, lost, deadline)
    if wait:
        _with_each(jobs, lost, lambda live: _wait_for(live, is_not_running, deadline))
    engine.close()
    engine.tell_of_closed_first()
    for error in (*lost.values(), *engine.closed_first.values()):
        raise error.with_traceback(None)  # where in here it was raised tells nobody anything


def _with_each(jobs: Iterable[LiveJob], lost: Lost, do: Callable[[LiveJob], None]) -> None:
    for live in jobs:
        try:
            if live not in lost:
                do(live)
        except RoutiluxError as error:
            lost[live] = error


def _pause_each(jobs: Iterable[LiveJob], lost: Lost, deadline: float | None) -> None:
    """Pause them; one that has no time for that pauses by itself, when its store is there again.

    Where the time is up each still has a moment, until all have had GRACE seconds.
    """

    def pause(live: LiveJob) -> None:
        def call() -> None:
            live.pause_if_running("shutdown")

        if deadline is None:
            live.uninterrupted(call)
            return
        left = deadline - live.now()
        with suppress(TimeIsUp), in_time(max(left, 0.0)):
            within(max(left, min(LEAST, left + GRACE), 0.0), call)

    _with_each(jobs, lost, pause)


def _wait_for(live: LiveJob, condition: Condition, deadline: float | None) -> None:
    with suppress(TimeIsUp):
        awaited = live.wait_until(condition, left_until(deadline, live.now()))
        live.block_on(awaited, left_until(deadline, live.now()))
