"""A store of jobs, as its users see it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from types import TracebackType

from routilux._backends.backend import MOVED, Backend, StoredJob
from routilux._core.job import Job
from routilux._engine.awaited import checked_patience
from routilux._engine.custody import Custody
from routilux._engine.keeping import Custodian, KeepsJobs
from routilux._engine.ledger import Ledger
from routilux._engine.rebuilding import definition_behind, due_for, opaque_job
from routilux._engine.requests import CancelAsked, PauseAsked
from routilux._graph import check_delivery
from routilux._model import SETTLED, JobStatus, SlotKey
from routilux._plan import NO_PLAN, Plan, checked_plan
from routilux._records import Addressee, Data, Task
from routilux._resources import Resources
from routilux._texts import checked_text
from routilux.errors import JobStateError
from routilux.flow import Flow
from routilux.job_state import JobState
from routilux.stores.arguments import (
    MAX_LOST_ATTEMPTS,
    PATIENCE,
    WINDOW,
    asked_id,
    checked_age,
    checked_flow_id,
    checked_settings,
    checked_status,
    may_have,
    record_of,
)
from routilux.stores.asking import Asking
from routilux.stores.checking import Checked, Checker, checked_jobs
from routilux.stores.host import Host, empty_flow
from routilux.stores.job_view import JobSummary, JobView, summary_of, view_of
from routilux.stores.orphans import Orphans
from routilux.stores.transfer import admit_file, admit_transfer, export_file, transfer_of
from routilux.stores.uninterrupted import uninterrupted
from routilux.transfer.keys import KeyRing
from routilux.transfer.packing import MAX_SIZE, packing
from routilux.transfer.passing import File
from serilux import clone_fields
from serilux.errors import SeriluxError


class Store(KeepsJobs):
    """Jobs that outlive the processes that run them. `open_store` opens one.

    It belongs to the process that opened it, is shared by all flows and threads there, and knows nothing of handlers:
    `jobs`, `peek`, `pause`, `cancel` and `deliver` need none of a flow's classes. The last three need those of a job's
    values only where nobody runs it, since it is read and written here then: SeriluxError says which is not registered.
    While the store cannot be reached every method raises StoreUnavailableError, those with a `timeout` within that;
    `pause`, `cancel` and `deliver` when they have looked again for its `patience`. All but `delete` raise
    UnknownJobError for a job that it has not.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        window: float = WINDOW,
        patience: float = PATIENCE,
        max_lost_attempts: int = MAX_LOST_ATTEMPTS,
    ) -> None:
        self._backend = uninterrupted(backend)
        self._ledger = Ledger(self._backend, *checked_settings(window, patience, max_lost_attempts))
        self._asking = Asking(self._ledger, self._look, self._seen)
        self._orphans = Orphans(self._ledger, self._load_into)

    @property
    def ledger(self) -> Ledger:
        """What this process writes to the store with."""
        return self._ledger

    def custody(self) -> Custodian:
        """Keep one more job; `Flow.execute(store=)` and `Flow.resume` ask for it."""
        return Custody(self._ledger)

    def has_custody(self, custodian: Custodian) -> bool:
        """Whether it is this store that keeps a job."""
        return isinstance(custodian, Custody) and custodian.ledger is self._ledger

    def load(
        self,
        job_id: str,
        *,
        resources: Mapping[str, object] | None = None,
        flow: Callable[[], Flow] = Flow,
        plan: Plan | None = None,
    ) -> tuple[Flow, JobState]:
        """A job and its flow, as they are stored; `flow.resume(job_state)` lets it go on.

        Whoever runs the job goes on running it: what comes back is a copy to look at, until it is resumed.
        SeriluxError lists what of the flow is not known here. `resources` are given to the flow (`Routine.require`);
        `flow` makes the one that is read into, else it is of the class that is stored. With a `plan` both are read as
        that says, unless it was applied to the job before; give it to `resume`, too.
        """
        given, stored = Resources(resources), self._backend.read(asked_id(job_id))
        due = due_for(stored, checked_plan(plan))
        read = self._flow_of(stored, flow, due)
        read.resources.update(given)
        return read, self._handle(stored, due)

    def _load_into(self, flow: Flow | None, job_id: str, plan: Plan | None) -> tuple[Flow, JobState]:
        return self.load(job_id, plan=plan) if flow is None else (flow, self.load_job(job_id, plan=plan))

    def load_job(self, job_id: str, *, plan: Plan | None = None) -> JobState:
        """A job without its flow, to go on in one of your code: `flow.resume(job_state)`.

        SeriluxError says which class of its values is not known here; a `plan` may say what that is called now.
        """
        return self._handle(self._backend.read(asked_id(job_id)), checked_plan(plan))

    def _flow_of(self, stored: StoredJob, make: Callable[[], Flow], plan: Plan = NO_PLAN) -> Flow:
        document, _ = definition_behind(self._backend, stored)
        flow = empty_flow(document, plan) if make is Flow else make()
        flow.deserialize(document, plan=plan)
        return flow

    def _handle(self, stored: StoredJob, plan: Plan = NO_PLAN) -> JobState:
        custody = Custody(self._ledger)
        job, graph = custody.read(stored, plan)
        job_state = JobState._of(lambda: job)
        job_state._live.custody, job_state._live.graph = custody, graph
        return job_state

    def _look(self, job_id: str) -> JobState:
        return self._handle(self._backend.read(job_id))

    def _seen(self, job_id: str) -> Job:
        """The job with its values left as JSON: to see how far it has come where its classes are not known."""
        stored = self._backend.read(job_id)
        return opaque_job(stored, definition_behind(self._backend, stored)[1])

    def jobs(self, status: JobStatus | str | None = None, flow_id: str | None = None) -> list[JobSummary]:
        """The jobs there are, oldest first; those of one status (`moved` for exported ones), or of one flow.

        DefinitionError for what is no status.
        """
        records = self._backend.records(status=checked_status(status), flow_id=checked_flow_id(flow_id))
        return [summary_of(record) for record in records]

    def summary(self, job_id: str) -> JobSummary:
        """A job as it is listed, also one that was moved out; UnknownJobError where there is none."""
        return summary_of(record_of(self._backend, job_id))

    def peek(self, job_id: str) -> JobView:
        """A job as it is stored, to be looked at: what it is made of need not be registered here."""
        stored = self._backend.read(asked_id(job_id))
        graph = definition_behind(self._backend, stored)[1]
        return view_of(stored, graph, datetime.now(UTC).timestamp())

    def orphans(self) -> list[JobSummary]:
        """The jobs that were running when their owner went, oldest first: those that `recover` lets go on."""
        return [summary_of(record) for record in self._orphans.records()]

    def check(
        self,
        *,
        resources: Mapping[str, object] | None = None,
        flows: Iterable[Flow] = (),
        plans: Iterable[Plan] = (),
    ) -> Iterator[Checked]:
        """Say of each job that has not settled, one after the other, whether it could go on with the code of now.

        Nothing is claimed or changed, and whoever runs the jobs goes on. What is given is meant as for `recover`. What
        of a job or its flow cannot be read here is among the problems.
        """
        return checked_jobs(self._backend, Checker(Host(resources, flows, plans)))

    def recover(
        self,
        *,
        resources: Mapping[str, object] | None = None,
        flows: Iterable[Flow] = (),
        plans: Iterable[Plan] = (),
        on_problem: Callable[[str, Exception], object] | None = None,
    ) -> list[JobState]:
        """Let every job go on whose owner is gone; those that have one are left alone.

        Jobs of these `flows`, by their ids, go on in them; others in the flows they are stored with. `resources` are
        given to all of these: a name that one does not need does no harm. `plans` say what has become of names in the
        jobs, one plan for those of a flow. What comes back runs here, has paused because a task is ambiguous, or has
        failed because its process died too often. RecoveryError, when all others have been tried, for jobs that cannot
        go on here; with `on_problem`, which is called with the id and the error of each, nothing is raised.
        """
        return self._orphans.taken_up(Host(resources, flows, plans), on_problem)

    def pause(self, job_id: str, reason: str = "", *, timeout: float | None = None) -> None:
        """Pause a job, whoever runs it; what is paused already stays so. JobStateError for a failed or cancelled one.

        One that has completed is paused, too, as by `Flow.pause`: its work may have run out just before, and nothing is
        left to do when it is resumed. TimeoutError after `timeout` seconds: whoever runs the job will still pause it.
        """
        request, patience = PauseAsked(checked_text(reason, "a reason")), checked_patience(timeout)
        status = self._asking.until(job_id, request, lambda job: job.pause(reason, {}), _is_still, patience)
        if status != JobStatus.PAUSED:
            raise JobStateError(f"job {job_id!r} is {status}: it cannot be paused", job_id=job_id)

    def cancel(self, job_id: str, reason: str = "", *, timeout: float | None = None) -> None:
        """Settle a job as cancelled, whoever runs it. JobStateError for one that has settled otherwise."""
        request, patience = CancelAsked(checked_text(reason, "a reason")), checked_patience(timeout)
        status = self._asking.until(job_id, request, lambda job: job.cancel(reason), _is_settled, patience)
        if status != JobStatus.CANCELLED:
            raise JobStateError(f"job {job_id!r} is {status}: it cannot be cancelled", job_id=job_id)

    def deliver(
        self,
        job_id: str,
        routine_id: str,
        slot: str,
        data: Data,
        *,
        task_id: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Give a task that waits on a slot (`Routine.expect`) its data, whoever runs the job.

        It is the one of that id, as `peek` and `explain()` name it, or else the one that has waited longest. When this
        returns, these very data are on disk as what it got. JobStateError where it does not wait there, or not
        any more, as a plan has come in between, or another's data: then these were not delivered. BindingError for data
        that the handler cannot take, by what is stored of its parameters: none of its code need be known here.
        SeriluxError where nobody runs the job and a class of its values is not registered here: import its module.
        UnknownJobError where the job is deleted, or moved out, before it is seen whose data it got. A StoreError says
        where it is not known whether they were delivered, and they may be yet: a StoreUnavailableError, or its cause.
        """
        own, to = clone_fields(data, "data"), Addressee.of(routine_id, slot, task_id)
        patience = checked_patience(timeout)
        self._asking.deliver(partial(self._awaiting, asked_id(job_id), to, own), to, own, patience)

    def _awaiting(self, job_id: str, to: Addressee, own: Data) -> tuple[Job, Task]:
        self._check_binding(job_id, to.slot, own)
        job = self._seen(job_id)
        if (task := job.awaited(to)) is None:
            raise JobStateError(f"job {job_id!r} ({job.status}) {job.unawaited(to)}", job_id=job_id)
        return job, task

    def _check_binding(self, job_id: str, target: SlotKey, data: Data) -> None:
        """Refuse what the handler cannot take: by what is stored of it, or where that is too old, by its code."""
        stored = self._backend.read(job_id)
        slot = definition_behind(self._backend, stored)[1].slots.get(target)
        if slot is not None and slot.binding is not None:
            check_delivery(slot, slot.binding, data)
            return
        with suppress(SeriluxError):
            self._flow_of(stored, Flow)._checked_delivery(target, data)

    def export(self, job_id: str, *, copy: bool = False) -> Data:
        """Move a job out: a document of it and its flow, of which a tombstone stays here, so that one copy goes on.

        JobStateError for one that runs: pause it first. With `copy` the job stays, and what comes back is another job;
        one that runs may be copied too: where it goes on, what ran just then is tried again.
        """
        return transfer_of(self._backend, asked_id(job_id), copy=copy, patience=self._ledger.patience)

    def export_file(
        self,
        job_id: str,
        file: File,
        *,
        copy: bool = False,
        keys: KeyRing | None = None,
        compress: bool = False,
        encrypt: bool = False,
    ) -> None:
        """`export` to a file, as `routilux.transfer.write` makes it; when this returns, the file is on disk.

        A job that cannot be written there is where it was; at a path, which is to be that of a new file, it is on disk
        before it leaves the store. StrandedJobError, which has the job, where it may be in neither; TransferKeyError
        where the keys cannot do it.
        """
        made = packing(keys, compress=compress, encrypt=encrypt)
        export_file(self._backend, asked_id(job_id), file, made.pack, copy=copy, patience=self._ledger.patience)

    def admit(self, transfer: Data, *, reclaim: bool = False, plan: Plan | None = None) -> str:
        """Take in a job that was exported; its id comes back. JobStateError where it is here, or was moved out later.

        `reclaim` takes back what was exported from here and, as only you can know, imported nowhere. Classes of values
        may have been renamed since: a `plan` says so. All else of it is done by `Flow.resume`.
        """
        return admit_transfer(self._backend, transfer, reclaim=reclaim, plan=plan)

    def admit_file(
        self,
        file: File,
        *,
        keys: KeyRing | None = None,
        reclaim: bool = False,
        max_size: int = MAX_SIZE,
        plan: Plan | None = None,
    ) -> str:
        """`admit` from a file, or from the plain JSON of what `export` gave; what `routilux.transfer.read` refuses is.

        TransferReplayedError, a JobStateError, where the job is here, or was moved out later.
        """
        return admit_file(self._backend, file, keys, max_size, reclaim=reclaim, plan=plan)

    def delete(self, job_id: str) -> bool:
        """Remove a job with all that is kept of it; False if there is none. JobStateError where somebody runs it.

        Whoever takes the job over in the meantime is not robbed of it: then it is being run. Nor is another job that
        has its id by then: this one was deleted by somebody else.
        """
        record = first = self._backend.record(job_id) if may_have(job_id) else None
        while record is not None and first is not None and record.created_at == first.created_at:
            if self._ledger.has_owner(record):
                raise JobStateError(f"job {job_id!r} is being run; cancel it first", job_id=job_id)
            if self._backend.delete(record):
                return True
            record = self._backend.record(job_id)
        return False

    def prune(self, *, older_than: timedelta | float) -> int:
        """Remove the jobs that settled longer ago than that (seconds, or a timedelta); how many comes back.

        Tombstones of exported jobs go, too, and definitions that no job needs any more. Running and paused jobs stay.
        DefinitionError for what is no age.
        """
        before = datetime.now(UTC).timestamp() - checked_age(older_than)
        return self._backend.prune(before=before, statuses=[*sorted(SETTLED), MOVED])

    def close(self) -> None:
        """Write what is waiting, and let go. Jobs that still run here have no owner from then on: who waits is told.

        In the middle of another call (a finalizer, a handler of what is logged) it does not wait until that is done.
        When the interpreter ends (`__del__`, an unfinished generator) nothing is done, as if the process had died.
        """
        self._ledger.close()

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _is_still(status: str) -> bool:
    return status not in (JobStatus.PENDING, JobStatus.RUNNING, JobStatus.COMPLETED)


def _is_settled(status: str) -> bool:
    return status in SETTLED
