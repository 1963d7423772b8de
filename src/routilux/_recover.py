"""Crash recovery, as a function: what it costs to import a store is paid by those who use one."""

from collections.abc import Mapping
from typing import Protocol

from routilux.job_state import JobState


class Recoverable(Protocol):
    """A store, as far as recovery goes."""

    def recover(self, *, resources: Mapping[str, object] | None = None) -> list[JobState]:
        """Let every job go on whose owner is gone."""


def recover(store: Recoverable, *, resources: Mapping[str, object] | None = None) -> list[JobState]:
    """Take over and resume every job of a store whose owner is gone; those that have one are left alone.

    The classes of their flows have to be registered, and `resources` have what their routines need
    (`Routine.require`). What comes back runs in this process: `wait()` for it; but a job may have paused because a task
    is ambiguous (`Routine.set_effects`), or failed because its processes died too often. RecoveryError, when all have
    been tried, says which cannot go on here and why.
    """
    return store.recover(resources=resources)
