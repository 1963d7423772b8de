"""How an engine comes to rest: what has not settled starts nothing more, and nothing of it is lost."""

from contextlib import suppress

from routilux._engine.awaited import left_until
from routilux._engine.engine import Engine
from routilux._engine.live_job import LiveJob
from routilux._engine.watchers import Condition, is_not_running, is_not_running_or_stuck


def shut_down(engine: Engine, *, wait: bool, patience: float | None) -> None:
    """Pause the jobs that still run, and end the threads; with `wait`, give them up to `patience` seconds before."""
    if not engine.stop_admitting():
        return
    deadline = None if patience is None else engine.clock.now() + patience
    jobs = [job for job in list(engine.jobs) if isinstance(job, LiveJob)]
    if wait:
        _wait_for_all(jobs, is_not_running_or_stuck, deadline)
    for live in jobs:
        live.pause_if_running("shutdown")
    if wait:
        _wait_for_all(jobs, is_not_running, deadline)
    engine.close()


def _wait_for_all(jobs: list[LiveJob], condition: Condition, deadline: float | None) -> None:
    for live in jobs:
        with suppress(TimeoutError):
            awaited = live.wait_until(condition, left_until(deadline, live.now()))
            live.block_on(awaited, left_until(deadline, live.now()))
