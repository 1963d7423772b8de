"""One run of a flow, as its users see it."""

import os
import time
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

import msgspec

from routilux._context import has_left, own_activation, running_activation
from routilux._core.document import read_job, write_history, write_job, write_tasks
from routilux._core.explanation import Explanation, explain
from routilux._core.job import Job
from routilux._core.plan_records import write_plans
from routilux._dealings import LookedAt, SharedCopy, key_changed
from routilux._engine.awaited import Awaited, TimeIsUp, checked_patience, left_until
from routilux._engine.coroutines import call_in_thread, until_true
from routilux._engine.live_job import LiveJob
from routilux._engine.watchers import is_settled
from routilux._model import SETTLED, JobStatus, RoutineStatus
from routilux._plan import Plan, checked_plan
from routilux._records import Changes, Data, ErrorInfo, HistoryRecord
from routilux._reentry import Named, refuse_deciding
from routilux.errors import BlockingCallError, DefinitionError, JobFailedError, JobStateError
from serilux import Serializable, clone, clone_fields, copy_fields, register_serializable, renamed_classes


@register_serializable
class JobState(Serializable):
    """All the data of one run of a flow, and a handle to the run while it is in this process.

    `serialize` gives, at any moment, a document with which any host goes on (law 4). A `JobState()` of one's own is
    there to read such a document into.

    >>> import json
    >>> from routilux import Flow, JobState, Routine
    >>> from serilux import register_serializable
    >>> @register_serializable
    ... class Asker(Routine):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.define_slot("trigger", handler=self.ask)
    ...         self.define_slot("answer", handler=self.hear)
    ...
    ...     def ask(self):
    ...         self.expect("answer")
    ...
    ...     def hear(self, text):
    ...         self.get_execution_context().job_state.append_to_shared_log(text)
    >>> flow = Flow("asking")
    >>> name = flow.add_routine(Asker(), "asker")
    >>> job = flow.execute("asker")
    >>> flow.pause(job, reason="until tomorrow")
    >>> text = json.dumps({"flow": flow.serialize(), "job_state": job.serialize()})

    And tomorrow, wherever the text has gone:

    >>> documents = json.loads(text)
    >>> flow, job = Flow(), JobState()
    >>> flow.deserialize(documents["flow"])
    >>> job.deserialize(documents["job_state"])
    >>> flow.resume(job).status.value
    'running'
    >>> flow.deliver(job, "asker", "answer", {"text": "yes"})
    >>> job.wait(timeout=10), job.shared_log
    (True, ['yes'])
    """

    _may_be_data = False

    def __init__(self) -> None:
        super().__init__()
        self._take(LiveJob(lambda: Job(uuid4().hex, "", time.time()), type(self)))

    @classmethod
    def _of(cls, new_job: Callable[[], Job]) -> "JobState":
        """A handle, and then the job."""
        job_state = cls.__new__(cls)
        job_state._take(LiveJob(new_job, cls))
        return job_state

    @classmethod
    def _around(cls, live: LiveJob) -> "JobState":
        job_state = cls.__new__(cls)
        job_state._take(live)
        return job_state

    def _take(self, live: LiveJob) -> None:
        self._live = live
        live.known_as(self)

    def __repr__(self) -> str:
        return f"<JobState {self.job_id} of flow {self.flow_id!r}: {self.status}>"

    @property
    def _job(self) -> Job:
        return self._live.job

    @property
    def job_id(self) -> str:
        """The job's id, unique everywhere."""
        return self._job.job_id

    @property
    def flow_id(self) -> str:
        """The id of the flow that the job is a run of."""
        return self._job.flow_id

    @property
    def status(self) -> JobStatus:
        """How far the job has come; equal to its name, e.g. `"paused"`. A stored job has settled when it is on disk."""
        return self._live.status

    @property
    def epoch(self) -> int:
        """How often the job has changed owners (law 6), or was handed on in a transfer file."""
        return self._job.epoch

    @property
    def error(self) -> ErrorInfo | None:
        """Why the job failed: `type`, `message`, `routine_id`, `task_id` and `traceback` as text; else None."""
        return self._job.error

    @property
    def created_at(self) -> datetime:
        """When the job was created, aware and in UTC."""
        return datetime.fromtimestamp(self._job.created_at, UTC)

    @property
    def updated_at(self) -> datetime:
        """When the job last changed, aware and in UTC."""
        return datetime.fromtimestamp(self._job.updated_at, UTC)

    @property
    def execution_history(self) -> list[HistoryRecord]:
        """What has happened, oldest first: a copy of the list."""
        with self._live.looking():
            return list(self._job.records())

    def get_execution_history(self, routine_id: str | None = None) -> list[HistoryRecord]:
        """What has happened in one routine, oldest first; without an id, in all of them."""
        records = self.execution_history
        return records if routine_id is None else [record for record in records if record.routine_id == routine_id]

    @property
    def routine_states(self) -> dict[str, Data]:
        """`get_routine_state` of every routine that has had something to do."""
        with self._live.looking():
            job = self._job
            open_ids = {task.target.routine_id for task in job.pending()}
            statuses = job.routine_statuses(sorted(open_ids | job.routines.keys()))
        return {routine_id: self._routine_state(routine_id, status) for routine_id, status in statuses.items()}

    def get_routine_state(self, routine_id: str) -> Data | None:
        """A routine's `status`, last `error` and what it keeps in its `state`; None if it has had nothing to do."""
        with self._live.looking():
            status = self._job.routine_status(routine_id)
            return None if status is None else self._routine_state(routine_id, status)

    def _routine_state(self, routine_id: str, status: RoutineStatus | None) -> Data:
        state = self._job.routines.get(routine_id)
        if state is None:
            return {"status": status, "error": None}
        return {"status": status, "error": state.error, **clone(state.state)}

    @property
    def pending_tasks(self) -> list[Data]:
        """The tasks that a resume will take up, as documents; empty while the job runs here or is settled."""
        with self._live.looking():
            if self._live.attached or self._job.settled:
                return []
            return write_tasks(self.job_id, self._job.pending(), "pending_tasks")

    @property
    def pause_points(self) -> list[Data]:
        """When (aware, UTC), why and with which checkpoint the job was paused."""
        with self._live.looking():
            return [
                {
                    "timestamp": datetime.fromtimestamp(point.at, UTC),
                    "reason": point.reason,
                    "checkpoint": clone(point.checkpoint),
                }
                for point in self._job.pause_points
            ]

    @property
    def plans(self) -> list[Data]:
        """The plans by which the job went on in changed flows, as documents: when, which one, and what it dropped."""
        with self._live.looking() as job:
            return write_plans(job.plans)

    @property
    def shared_data(self) -> MutableMapping[str, Any]:
        """Data that all routines of the job share.

        In a handler: what is committed plus the handler's own writes, committed with the activation; where another one
        has changed a key meanwhile that this one had read and changes, it fails (`SharedDataConflict`). Elsewhere: the
        plain dict itself; of a job that is in a store a copy, which refuses to be written to: what is changed by
        `update_shared_data` is in the store, too.
        """
        activation = own_activation(self._live)
        if activation is not None:
            view = activation.dealings.shared_view()
            return LookedAt(copy_fields(dict(view))) if activation.is_deciding else view
        if self._live.custody is None and not has_left(self._live):
            return self._job.shared_data
        with self._live.looking() as job:
            return SharedCopy(copy_fields(job.shared_data))

    @shared_data.setter
    def shared_data(self, value: object) -> None:
        if value is not self.shared_data:  # what `|=` has changed is put back where it was
            raise AttributeError(
                "shared_data cannot be replaced: change it (shared_data.update(...), update_shared_data(key, value))"
            )

    @property
    def shared_log(self) -> list[Any]:
        """The entries of the shared log: a copy. What is appended to that is not in the log: `append_to_shared_log`."""
        with self._live.looking():
            return [clone(entry) for entry in self._job.shared_log]

    def update_shared_data(self, key: str, value: Any | Callable[[Any], Any]) -> None:
        """Set a key to a value, or to a pure function of its old value (None at first); never a conflict.

        In a handler it is applied when the activation commits, and the function called only then: bind what a loop
        changes (`lambda old, item=item: ...`).
        """
        refuse_deciding("change shared data of")
        activation = own_activation(self._live, "change shared data")
        if activation is not None:
            activation.dealings.update_shared(key, value)
            return
        self._live.uninterrupted(lambda: self._live.share(partial(key_changed, key, value)))

    def append_to_shared_log(self, entry: Any) -> None:
        """Append to the shared log; in a handler when the activation commits."""
        refuse_deciding("write to the shared log of")
        activation = own_activation(self._live, "write to the shared log")
        if activation is not None:
            activation.dealings.log(entry)
        else:
            own = clone_fields({"entry": entry}, "shared_log")["entry"]
            self._live.uninterrupted(lambda: self._live.share(lambda _: Changes(logged=[own])))

    @staticmethod
    def wait_for_completion(
        flow: Named, job_state: "JobState", timeout: float | None = None, *, raise_on_failure: bool = False
    ) -> bool:
        """Wait until the job has settled: True, or False after `timeout` seconds. A paused job is waited for."""
        if not isinstance(job_state, JobState) or not hasattr(flow, "flow_id"):
            raise DefinitionError(f"a Flow and a JobState are expected, not {flow!r} and {job_state!r}")
        if flow.flow_id != job_state.flow_id:
            raise JobStateError(
                f"job {job_state.job_id!r} is a run of flow {job_state.flow_id!r}, not of {flow.flow_id!r}"
            )
        return job_state.wait(timeout, raise_on_failure=raise_on_failure)

    def wait(self, timeout: float | None = None, *, raise_on_failure: bool = False) -> bool:
        """Wait until the job has settled: True, or False after `timeout` seconds.

        A paused job is waited for until somebody resumes it here. JobFailedError only if asked for. For a job in a
        store it may be OwnershipLost, also a second or two after another process has resumed, settled or deleted one
        that is paused here; or a StoreError, also as the store is closed: then nothing more of it begins here.
        BlockingCallError inside a handler of its flow.
        """
        self._refuse_waiting_inside()
        patience = checked_patience(timeout)
        if self.status in SETTLED:
            self._live.tell_news()
            return self._settled(raise_on_failure)
        began = self._live.now()
        try:
            future = self._live.wait_until(is_settled, patience)
        except TimeIsUp:
            return False
        try:
            self._live.block_on(future, self._left_of(patience, began))
        except TimeIsUp:
            self._live.forget(future)
            return False
        return self._settled(raise_on_failure)

    async def wait_async(self, timeout: float | None = None, *, raise_on_failure: bool = False) -> bool:
        """`wait` for coroutines."""
        self._refuse_waiting_inside()
        patience, began = checked_patience(timeout), self._live.now()
        try:
            future = await self._watched(patience)
        except TimeoutError:
            return False
        try:
            await until_true(future, self._left_of(patience, began))
        except TimeoutError:
            return False
        finally:
            self._live.forget(future)
        return self._settled(raise_on_failure)

    async def _watched(self, patience: float | None) -> Awaited:
        """A future that is done when the job has settled; the event loop waits neither for its lock nor its store."""
        with suppress(TimeIsUp):
            return self._live.wait_until(is_settled, 0.0)
        return await call_in_thread(lambda: self._live.wait_until(is_settled, patience))

    def _left_of(self, patience: float | None, began: float) -> float | None:
        return left_until(None if patience is None else began + patience, self._live.now())

    def _settled(self, raise_on_failure: bool) -> bool:
        if raise_on_failure and self.status is JobStatus.FAILED:
            error = self.error
            raise JobFailedError(
                f"job {self.job_id!r} failed: {error.type}: {error.message}\n{error.traceback}"
                if error is not None
                else f"job {self.job_id!r} failed"
            )
        return True

    def _check_paused(self) -> None:
        """Refuse a job that has ended otherwise, when it should have paused."""
        if self.status in (JobStatus.FAILED, JobStatus.CANCELLED):
            raise JobStateError(
                f"job {self.job_id!r} became {self.status} before it could pause",
                job_id=self.job_id,
                status=self.status,
            )

    def _refuse_waiting_inside(self) -> None:
        refuse_deciding("wait for")
        activation = running_activation()
        if activation is not None and (activation.host is self._live or activation.host.flow is self._live.flow):
            raise BlockingCallError(
                f"a handler of flow {self.flow_id!r} cannot wait for job {self.job_id!r} of that flow: it would keep "
                f"the flow from running it; emit an event when the work is done"
            )

    def explain(self) -> Explanation:
        """What is queued, what waits for what, what runs and why it failed: as data, and with `str()` as text."""
        live = self._live
        with live.looking() as job:
            explanation = explain(job, live.now())
        status = live.status
        if explanation.status is status:
            return explanation
        note = f"it is {explanation.status} as soon as that is on disk; its store is waited for"
        return msgspec.structs.replace(explanation, status=status, note=note)

    def serialize(self) -> dict[str, Any]:
        """All of the job as a document, at any moment a consistent cut (law 4).

        A task whose handler runs just now is in it as one that has not been started. A job that was let go as a signal
        came in the middle of its change is not written: RoutiluxError, or StoreError if a store has it.
        """
        with self._live.looking() as job:
            self._live.check_whole()
            document = write_job(job, self._live.now())
            records = list(job.records())
        document["execution_history"] = write_history(records)
        self._live.secrecy.check_document(document, "job")
        return document

    def deserialize(self, data: dict[str, Any], *, plan: Plan | None = None) -> None:
        """Read a document; one that is refused leaves this job as it was (law 8).

        DocumentError, or another SeriluxError, says what is wrong and where. JobStateError for a job that runs here.
        Classes of values may have been renamed since: a `plan` says so. All else of it is done by `Flow.resume`.
        """
        if self._live.attached:
            raise JobStateError(f"job {self.job_id!r} is running here; read the document into a new JobState()")
        with renamed_classes(checked_plan(plan).classes):
            job = read_job(data)
        self._take(LiveJob(lambda: job, type(self)))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the document to a file, atomically: after a crash there is the old file or the new one.

        The flow is not in it. OSError where the file cannot be written.
        """
        from routilux._files import write_document  # noqa: PLC0415 - see that module's docstring

        write_document(path, self.serialize())

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, plan: Plan | None = None) -> "JobState":
        """Read a job from a file, as `deserialize` does; DocumentError or LimitError where it holds no job."""
        from routilux._files import read_document  # noqa: PLC0415 - see that module's docstring

        job_state = cls()
        job_state.deserialize(read_document(path), plan=plan)
        return job_state


def checked_job(job_state: JobState) -> JobState:
    """What a caller gave as a job; DefinitionError where it is none."""
    if not isinstance(job_state, JobState):
        raise DefinitionError(f"a JobState is expected, not {type(job_state).__name__}")
    return job_state
