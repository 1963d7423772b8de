"""How an engine comes to rest: what has not settled starts nothing more, and nothing of it is lost."""

import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from math import inf
from threading import get_ident

from routilux._engine.awaited import TimeIsUp, left_until
from routilux._engine.engine import Engine
from routilux._engine.live_job import LiveJob
from routilux._engine.patience import within
from routilux._engine.watchers import Condition, is_not_running, is_not_running_or_stuck
from routilux._forks import living
from routilux._haste import GRACE, LEAST, in_time
from routilux._midst import is_in_the_middle
from routilux.errors import BlockingCallError, RoutiluxError

Lost = dict[LiveJob, RoutiluxError]
"""Jobs that are out of this process's hands, and why."""
Deadline = Callable[[], float | None]
"""Until when there is time, None for ever: it comes nearer where a signal has another call made in the middle."""


def shut_down(engine: Engine, *, wait: bool, patience: float | None) -> None:
    """Pause the jobs that still run, and end the threads; with `wait`, give them up to `patience` seconds before.

    A job that is lost, since its store is, keeps no other from that; why it is so is raised at the end. So it is of one
    that is lost by now, if its store was closed while it ran. Threads of an interpreter that ends stand still, with
    whatever locks they have: then nothing is done. What a signal has broken off is done by who calls it again; who
    calls it meanwhile does all of it, too. BlockingCallError in the middle of a call on the same thread that others
    need to get on; if that is a call of this, it goes on in the time of both. Who must not wait (`_midst`), as a
    handler of what is logged, has it done apart from what he is in the middle of.
    """
    if sys.is_finalizing():
        return
    deadline = inf if patience is None else engine.clock.now() + patience
    if is_in_the_middle():
        _shut_down_apart(engine, wait, deadline)
    else:
        _shut_down(engine, wait, deadline)


def _shut_down_apart(engine: Engine, wait: bool, deadline: float) -> None:
    """Have it done elsewhere, unless that is so already, and by then: handlers of what is logged may ask often."""
    end = _end(engine, wait, deadline)
    if engine.is_at_rest or (engine.ends_at is not None and engine.ends_at <= end):
        return

    def do() -> None:
        try:
            _shut_down(engine, wait, deadline)
        finally:
            engine.ends_at = None

    engine.ends_at = end  # before it is begun: the next record may come at once
    try:
        engine.shut_down_apart(do)
    except BaseException:
        engine.ends_at = None
        raise
    engine.stop_admitting()


def _end(engine: Engine, wait: bool, deadline: float) -> float:
    """When running jobs have no more time."""
    return deadline if wait else engine.clock.now()


def _shut_down(engine: Engine, wait: bool, deadline: float) -> None:
    me = get_ident()
    around = engine.deadlines.get(me)
    doing = None if engine.is_at_rest else _what_this_thread_does(engine)
    if doing is None:
        engine.stop_admitting()
        engine.deadlines[me] = deadline
        try:
            if engine.is_at_rest:
                engine.tell_of_closed_first()  # a signal may have kept operators from being told
            else:
                _come_to_rest(engine, wait, partial(_deadline, engine, me))
        finally:
            _restore(engine.deadlines, me, around)
    elif around is not None:
        engine.deadlines[me] = min(around, _end(engine, wait, deadline))
    else:
        raise BlockingCallError(
            f"a flow cannot be shut down in the middle of a call on the same thread that {doing}: it would wait for "
            f"that. A signal's handler raises something, or sets what is read later; the handler of a job leaves it to "
            f"whoever executes that"
        )


def _what_this_thread_does(engine: Engine) -> str | None:
    """In the middle of what a signal has come: nothing of that gets on meanwhile.

    A job that has just come to rest is none of the engine's any more, and a worker may yet wait for its lock: so each
    job of this process is looked at, which takes some 0.3 us.
    """
    for live in living(LiveJob):
        if live.engine is engine and live.is_in_use:
            return f"has a job of it ({live.job.job_id!r})"
    for live in _jobs_of(engine):
        if live.custody is not None and live.custody.is_in_use:
            return f"uses the store of a job of it ({live.job.job_id!r})"
    if engine.workers.is_in_use:
        return "hands a job of it to its workers"
    return "sets a timer, by the clock that it shares with others" if engine.clock.is_in_use else None


def _restore(deadlines: dict[int, float], thread: int, deadline: float | None) -> None:
    if deadline is None:
        deadlines.pop(thread, None)
    else:
        deadlines[thread] = deadline


def _deadline(engine: Engine, thread: int) -> float | None:
    deadline = engine.deadlines[thread]
    return None if deadline == inf else deadline


def _jobs_of(engine: Engine) -> list[LiveJob]:
    return [job for job in list(engine.jobs) if isinstance(job, LiveJob) and job.lost is None]


def _come_to_rest(engine: Engine, wait: bool, deadline: Deadline) -> None:
    jobs = _jobs_of(engine)
    lost: Lost = {}
    if wait:
        _with_each(jobs, lost, LiveJob.submit)  # whose caller may have been kept from it by a signal
        _with_each(jobs, lost, lambda live: _wait_for(live, is_not_running_or_stuck, deadline))
    _with_each(jobs, lost, lambda live: _pause(live, deadline()))
    if wait:
        _with_each(jobs, lost, lambda live: _wait_for(live, is_not_running, deadline))
    closed_first = engine.tell_of_closed_first()
    engine.close()
    for error in (*lost.values(), *closed_first):
        raise error.with_traceback(None)  # where in here it was raised tells nobody anything


def _with_each(jobs: Iterable[LiveJob], lost: Lost, do: Callable[[LiveJob], None]) -> None:
    for live in jobs:
        try:
            if live not in lost:
                do(live)
        except BlockingCallError:  # of a signal's handler
            raise
        except RoutiluxError as error:
            lost[live] = error


def _pause(live: LiveJob, deadline: float | None) -> None:
    """Pause a job; one that has no time for that pauses by itself, when its store is there again.

    Where the time is up each still has a moment, until all have had GRACE seconds.
    """

    def pause() -> None:
        live.pause_if_running("shutdown")

    if deadline is None:
        live.uninterrupted(pause)
        return
    left = deadline - live.now()
    with suppress(TimeIsUp), in_time(max(left, 0.0)):
        within(max(left, min(LEAST, left + GRACE), 0.0), pause)


def _wait_for(live: LiveJob, condition: Condition, deadline: Deadline) -> None:
    with suppress(TimeIsUp):
        awaited = live.wait_until(condition, left_until(deadline(), live.now()))
        live.block_on(awaited, left_until(deadline(), live.now()))
