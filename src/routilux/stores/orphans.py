"""Jobs that were running when their owner went, and how they go on in this process."""

from collections.abc import Callable

from routilux._backends.backend import JobRecord
from routilux._backends.numbering import is_untaken
from routilux._engine.ledger import Ledger
from routilux._haste import in_time
from routilux._logging import logger
from routilux._model import JobStatus
from routilux._plan import Plan
from routilux.errors import (
    JobStateError,
    OwnershipLost,
    RecoveryError,
    ResumeError,
    RoutiluxError,
    StoreUnavailableError,
    UnknownJobError,
)
from routilux.flow import Flow
from routilux.job_state import JobState
from routilux.stores.host import Host
from serilux.errors import SeriluxError

HASTE = 0.5
"""Seconds for which a store that has just been waited for in vain is waited for when the next job is claimed."""
Load = Callable[[Flow | None, str, Plan | None], tuple[Flow, JobState]]
"""Reads a job into a flow; where there is none, into the one that it is stored with."""


class Orphans:
    """Finds them, and takes them up one after the other: one that cannot go on here keeps no other from it."""

    def __init__(self, ledger: Ledger, load: Load) -> None:
        self._ledger = ledger
        self._load = load

    def records(self) -> list[JobRecord]:
        """Those there are, oldest first."""
        running = self._ledger.backend.records(status=JobStatus.RUNNING)
        return [record for record in running if not self._ledger.has_owner(record)]

    def taken_up(self, host: Host, on_problem: Callable[[str, Exception], object] | None) -> list[JobState]:
        """Those that go on here. `on_problem` is told of each other; without it a RecoveryError is, of all of them.

        A store that is away is waited for once, until it has been seen to be back: when a job has gone on.
        """
        recovered: list[JobState] = []
        problems: dict[str, Exception] = {}
        patience: float | None = None
        for orphan in self.records():
            try:
                with in_time(patience):
                    job_state = self._taken_up(orphan.job_id, host)
                if job_state is not None:
                    recovered.append(job_state)
                    patience = None
            except (RoutiluxError, SeriluxError) as error:
                problems[orphan.job_id] = error
                patience = HASTE if isinstance(error, StoreUnavailableError) else patience
                if on_problem is not None:
                    on_problem(orphan.job_id, error)
        if problems and on_problem is None:
            raise RecoveryError(problems, recovered)
        return recovered

    def _taken_up(self, job_id: str, host: Host) -> JobState | None:
        """Resume a job; None where somebody else was faster, and has not died of it."""
        orphan = self._record(job_id)
        if orphan is None:
            return None
        extra = {"action": "recover", "job_id": job_id}
        logger.info("job %s has lost its owner, and is taken up here", job_id, extra=extra)
        try:
            plan = host.plan_for(orphan.flow_id)
            flow, job_state = self._load(host.flow_for(orphan.flow_id), job_id, plan)
            host.equipped(flow)
            return flow.resume(job_state, plan=plan, take_over=False)
        except ResumeError:
            if job_state.status is JobStatus.RUNNING:
                raise
            listed = job_state._live.have_listed()
            return self._taken_up(job_id, host) if listed is JobStatus.RUNNING else job_state
        except (JobStateError, OwnershipLost, UnknownJobError):
            left = self._record(job_id)
            if left is not None and is_untaken(left, orphan):
                raise
            return None if left is None else self._taken_up(job_id, host)

    def _record(self, job_id: str) -> JobRecord | None:
        """A job, if it is one of them."""
        record = self._ledger.backend.record(job_id)
        if record is None or record.status != JobStatus.RUNNING or self._ledger.has_owner(record):
            return None
        return record
