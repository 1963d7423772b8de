"""How an engine comes to rest: what has not settled starts nothing more, and nothing of it is lost."""

import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from math import inf
from threading import get_ident

from routilux._engine.awaited import Awaited, TimeIsUp, left_until
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
    calls it meanwhile does all of it, too. Who is in the middle of something that others need to get on, as a handler
    of what is logged, or of a signal, has it done apart from that, and does not wait; if he is in the middle of a call
    of this, that goes on in the time of both.
    """
    if sys.is_finalizing():
        return
    me, deadline = get_ident(), inf if patience is None else engine.clock.now() + patience
    around = engine.deadlines.get(me)
    if engine.is_at_rest:  # a signal may have kept somebody from being told
        engine.came_to_rest.come_true()
        engine.tell_of_closed_first()
    elif not (is_in_the_middle() or _has_what_others_need(engine)):
        _shut_down(engine, wait, deadline)
    elif around is not None:
        engine.deadlines[me] = min(around, _end(engine, wait, deadline))
    else:
        _shut_down_apart(engine, wait, deadline)


def _shut_down(engine: Engine, wait: bool, deadline: float) -> None:
    me = get_ident()
    around = engine.deadlines.get(me)
    engine.stop_admitting()
    engine.deadlines[me] = deadline
    try:
        _come_to_rest(engine, wait, partial(_deadline, engine, me))
    finally:
        _restore(engine.deadlines, me, around)


def _shut_down_apart(engine: Engine, wait: bool, deadline: float) -> None:
    """Have it done elsewhere, unless that is so already, and by then: handlers of what is logged may ask often."""
    end, before = _end(engine, wait, deadline), engine.ends_at
    if before is not None and before <= end:
        return

    def do() -> None:
        try:
            engine.stop_admitting()
            _come_to_rest(engine, wait, lambda: None if deadline == inf else deadline, engine.came_to_rest)
        finally:
            if engine.ends_at == end:
                engine.ends_at = None

    def needs(ledger: object) -> bool:
        return any(live.custody is not None and live.custody.is_kept_in(ledger) for live in _jobs_of(engine))

    engine.ends_at = end  # before it is begun: the next record may come at once
    try:
        engine.shut_down_apart(do, needs, partial(_has_what_others_need, engine))
    except BaseException:
        engine.ends_at = before
        raise
    engine.stop_admitting()


def _end(engine: Engine, wait: bool, deadline: float) -> float:
    """When running jobs have no more time."""
    return deadline if wait else engine.clock.now()


def _has_what_others_need(engine: Engine) -> bool:
    """Whether this thread is in the middle of a call without whose end the workers may not get on.

    A job that has just come to rest is none of the engine's any more, and a worker may yet wait for its lock: so each
    job of this process is looked at, which takes some 0.3 us.
    """
    return (
        engine.workers.is_in_use
        or engine.clock.is_in_use
        or any(live.custody is not None and live.custody.is_in_use for live in _jobs_of(engine))
        or any(live.engine is engine and live.is_in_use for live in living(LiveJob))
    )


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


def _come_to_rest(engine: Engine, wait: bool, deadline: Deadline, enough: Awaited | None = None) -> None:
    """Bring it to rest, and wait no longer where it is `enough`: somebody else may have more haste."""
    jobs = _jobs_of(engine)
    lost: Lost = {}
    if wait:
        _with_each(jobs, lost, LiveJob.submit)  # whose caller may have been kept from it by a signal
        _with_each(jobs, lost, lambda live: _wait_for(live, is_not_running_or_stuck, deadline, enough))
    _with_each(jobs, lost, lambda live: _pause(live, deadline()))
    if wait:
        _with_each(jobs, lost, lambda live: _wait_for(live, is_not_running, deadline, enough))
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


def _wait_for(live: LiveJob, condition: Condition, deadline: Deadline, enough: Awaited | None) -> None:
    with suppress(TimeIsUp):
        awaited = live.wait_until(condition, left_until(deadline(), live.now()))
        if enough is not None:
            enough.tell(awaited.come_true)
        live.block_on(awaited, left_until(deadline(), live.now()))
