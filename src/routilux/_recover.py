"""Crash recovery, as a function: what it costs to import a store is paid by those who use one."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from routilux._plan import Plan
from routilux.errors import DefinitionError
from routilux.flow import Flow
from routilux.job_state import JobState


class Recoverable(Protocol):
    """A store, as far as recovery goes."""

    def recover(
        self,
        *,
        resources: Mapping[str, object] | None = None,
        flows: Iterable[Flow] = (),
        plans: Iterable[Plan] = (),
        on_problem: Callable[[str, Exception], object] | None = None,
    ) -> list[JobState]:
        """Let every job go on whose owner is gone."""


def recover(
    store: Recoverable,
    *,
    resources: Mapping[str, object] | None = None,
    flows: Iterable[Flow] = (),
    plans: Iterable[Plan] = (),
    on_problem: Callable[[str, Exception], object] | None = None,
) -> list[JobState]:
    """Take over and resume every job of a store whose owner is gone; those that have one are left alone.

    Jobs of these `flows`, by their ids, go on in them; others in the flows they are stored with, whose classes have to
    be registered. `resources` have what their routines need (`Routine.require`). `plans` say what has become of names
    in the jobs, one plan for those of a flow (`Plan`). What comes back runs in this process: `wait()` for it; but a job
    may have paused because a task is ambiguous (`Routine.set_effects`), or failed because its processes died too often.
    RecoveryError, when all have been tried, says which cannot go on here and why (`problems`), and has those that do
    (`recovered`). With `on_problem`, which is called with the id of each such job and its error, nothing is raised: a
    worker goes on with what it can, and tells of the rest.
    """
    if not callable(getattr(store, "recover", None)):
        raise DefinitionError(f"jobs are recovered from a store, as open_store(...) gives it, not from {store!r}")
    return store.recover(resources=resources, flows=flows, plans=plans, on_problem=on_problem)
