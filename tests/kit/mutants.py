"""Engines that are broken in one way each: what a test of a user's flow has to notice."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from routilux import Flow, JobState
from routilux._backends.memory import MemoryBackend
from routilux._backends.numbering import Standing
from routilux._core import crashes, transition
from routilux._core.facts import AttemptsLost, Delivered, JobResumed, TaskFailed, TaskSucceeded, TimersFired
from routilux._core.journal import TaskMerged
from routilux._engine import kept_job, rebuilding
from routilux._engine.job_log import JobLog
from routilux.testing import kill_at_every_commit, resume_twice, roundtrip_every_step

Document = dict[str, Any]
Break = Callable[[pytest.MonkeyPatch], None]


def job_written(change: Callable[[Document], Any]) -> Break:
    """Jobs are written wrongly while they run: `change` changes the document."""

    def apply(patch: pytest.MonkeyPatch) -> None:
        original = JobState.serialize

        def serialize(self: JobState) -> Document:
            document = original(self)
            if document["status"] in ("running", "paused"):
                change(document)
            return document

        patch.setattr(JobState, "serialize", serialize)

    return apply


def each_task(**fields: Any) -> Break:
    """Tasks are written with these values, whatever theirs are."""
    return job_written(lambda document: [task.update(fields) for task in document["pending_tasks"]])


def part(**fields: Any) -> Break:
    """A job is written with these parts, whatever its are."""
    return job_written(lambda document: document.update(fields))


def tasks(change: Callable[[list[Document]], list[Document]]) -> Break:
    """A job is written with other tasks."""
    return job_written(lambda document: document.update(pending_tasks=change(document["pending_tasks"])))


def states(**fields: Any) -> Break:
    """The states of routines are written with these values."""
    return job_written(lambda document: [state.update(fields) for state in document["routine_states"].values()])


def flow_written(change: Callable[[Document], Any]) -> Break:
    """Flows are written wrongly."""

    def apply(patch: pytest.MonkeyPatch) -> None:
        original = Flow.serialize

        def serialize(self: Flow) -> Document:
            document = original(self)
            change(document)
            return document

        patch.setattr(Flow, "serialize", serialize)

    return apply


def each_slot(**fields: Any) -> Break:
    """Slots are written with these values."""
    return flow_written(
        lambda document: [
            slot.update(fields) for routine in document["routines"].values() for slot in routine["_slots"].values()
        ]
    )


def each_routine(**fields: Any) -> Break:
    """Routines are written with these values."""
    return flow_written(lambda document: [routine.update(fields) for routine in document["routines"].values()])


def each_connection(**fields: Any) -> Break:
    """Connections are written with these values."""
    return flow_written(lambda document: [connection.update(fields) for connection in document["connections"]])


def resumed(change: Callable[[Any], Any]) -> Break:
    """`change` is done to each job that goes on."""

    def apply(patch: pytest.MonkeyPatch) -> None:
        original = transition._APPLY[JobResumed]

        def apply_it(graph: Any, job: Any, fact: Any, now: float) -> Any:
            effects = original(graph, job, fact, now)
            change(job)
            return effects

        patch.setitem(transition._APPLY, JobResumed, apply_it)

    return apply


def not_journalled(*kinds: type[Any]) -> Break:
    """What is of these kinds is not written to the journal of a stored job."""

    def apply(patch: pytest.MonkeyPatch) -> None:
        original = JobLog.record

        def record(self: JobLog, what: Any, at: float) -> None:
            if not isinstance(what, kinds):
                original(self, what, at)

        patch.setattr(JobLog, "record", record)

    return apply


def replayed(change: Callable[[Any], Any]) -> Break:
    """`change` is done to each stored job that is read."""

    def apply(patch: pytest.MonkeyPatch) -> None:
        original = rebuilding.rebuild

        def rebuild(stored: Any, graph: Any) -> Any:
            rebuilt = original(stored, graph)
            change(rebuilt.job)
            return rebuilt

        for module in ("routilux._engine.custody", "routilux.stores.transfer"):
            patch.setattr(f"{module}.rebuild", rebuild)

    return apply


def committed_twice_when_lost(patch: pytest.MonkeyPatch) -> None:
    """What was in flight with a process that died is queued twice."""
    original = transition._APPLY[AttemptsLost]

    def lost(graph: Any, job: Any, fact: Any, now: float) -> Any:
        active = list(job.active.values())
        effects = original(graph, job, fact, now)
        for task in active:
            job.enlist(replace(task, number=job.next_number))
            job.next_number += 1
        return effects

    patch.setitem(transition._APPLY, AttemptsLost, lost)


def lost_with_the_process(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(crashes, "put_first", lambda job, tasks: None)


def no_epochs(patch: pytest.MonkeyPatch) -> None:
    """A store lets anybody write."""
    patch.setattr(Standing, "lets", lambda self, writing: True)
    patch.setattr("routilux._backends.memory._after", _after_unjudged)


def _after_unjudged(batch: Any, job: Any) -> Any:
    from routilux._backends import memory  # noqa: PLC0415

    if job is None:
        assert batch.new is not None
        job = memory._created(batch, batch.new)
    return job.appended(replace(batch, number=job.number + 1))


def last_record_lost(patch: pytest.MonkeyPatch) -> None:
    """A store says that it has written a record, and has not."""
    original = MemoryBackend.acquire

    def acquire(self: MemoryBackend, job_id: str, owner: str, *, epoch: int) -> Any:
        job = self._jobs[job_id]
        if job.number - job.covered > 1:
            self._jobs[job_id] = replace(job, number=job.number - 1, journal=job.journal[:-1])
        return original(self, job_id, owner, epoch=epoch)

    patch.setattr(MemoryBackend, "acquire", acquire)


def shared_by_copies(patch: pytest.MonkeyPatch) -> None:
    """A job that is read keeps the data of its document, not a copy, and goes on with them."""
    original = JobState.deserialize

    def deserialize(self: JobState, data: Document) -> None:
        original(self, data)
        self._live.job.shared_data = data["shared_data"]

    patch.setattr(JobState, "deserialize", deserialize)
    patch.setattr(kept_job, "copied", lambda job: job)


def error_forgotten(patch: pytest.MonkeyPatch) -> None:
    """A retry that is decided on is not made where the job has been resumed."""
    original = transition._APPLY[TaskFailed]

    def failed(graph: Any, job: Any, fact: Any, now: float) -> Any:
        effects = original(graph, job, fact, now)
        if job.epoch > 1 and job.delayed:
            job.delayed.pop()
        return effects

    patch.setitem(transition._APPLY, TaskFailed, failed)


def emitted_twice_when_resumed(patch: pytest.MonkeyPatch) -> None:
    """A job that was resumed commits twice what its first activation has emitted."""
    original = transition._APPLY[TaskSucceeded]

    def succeeded(graph: Any, job: Any, fact: Any, now: float) -> Any:
        if job.epoch > 1 and fact.outbox and len(job.history) < 12:
            fact.outbox.append(fact.outbox[-1])
        return original(graph, job, fact, now)

    patch.setitem(transition._APPLY, TaskSucceeded, succeeded)


MUTANTS: dict[str, tuple[Break, Callable[..., None]]] = {
    "a task is dropped": (tasks(lambda found: found[:-1]), roundtrip_every_step),
    "what is in flight is dropped": (tasks(lambda found: found[1:]), roundtrip_every_step),
    "the order of tasks is turned round": (tasks(lambda found: found[::-1]), roundtrip_every_step),
    "expectations are dropped": (tasks(lambda f: [t for t in f if t["data"] is not None]), roundtrip_every_step),
    "expectations wait for ever": (each_task(deadline=None, patience=None), roundtrip_every_step),
    "retry counts are forgotten": (each_task(retry_count=0), roundtrip_every_step),
    "due times are forgotten": (each_task(due=None), roundtrip_every_step),
    "priorities are forgotten": (each_task(priority=0), roundtrip_every_step),
    "metadata are forgotten": (each_task(metadata=None), roundtrip_every_step),
    "data is merged once more": (each_task(merged=None), roundtrip_every_step),
    "data is appended once more": (each_task(seen=None), roundtrip_every_step),
    "the data of slots is forgotten": (part(slot_data={}), roundtrip_every_step),
    "shared data is forgotten": (part(shared_data={}), roundtrip_every_step),
    "the shared log is forgotten": (part(shared_log=[]), roundtrip_every_step),
    "the history is forgotten": (part(execution_history=[]), roundtrip_every_step),
    "the states of routines are forgotten": (states(state={}), roundtrip_every_step),
    "the outcomes of routines are forgotten": (states(outcome=None, status="pending"), roundtrip_every_step),
    "policies are forgotten": (each_routine(_error_handler=None), roundtrip_every_step),
    "predicates are forgotten": (each_slot(when=None), roundtrip_every_step),
    "merge strategies are forgotten": (each_slot(merge_strategy="override"), roundtrip_every_step),
    "param mappings are forgotten": (each_connection(param_mapping=None), roundtrip_every_step),
    "a resume empties the queue": (resumed(lambda job: job.ready.plain.clear()), roundtrip_every_step),
    "a resume wakes all that waits": (resumed(lambda job: job.delayed.clear()), roundtrip_every_step),
    "what was in flight is lost with its process": (lost_with_the_process, kill_at_every_commit),
    "what was in flight is done twice": (committed_twice_when_lost, kill_at_every_commit),
    "merged data is not journalled": (not_journalled(TaskMerged), kill_at_every_commit),
    "deliveries are not journalled": (not_journalled(Delivered), kill_at_every_commit),
    "timers are not journalled": (not_journalled(TimersFired), kill_at_every_commit),
    "shared data is lost with the process": (replayed(lambda job: job.shared_data.clear()), kill_at_every_commit),
    "the last record is lost": (last_record_lost, kill_at_every_commit),
    "retries are lost after a crash": (error_forgotten, kill_at_every_commit),
    "a commit is made twice after a crash": (emitted_twice_when_resumed, kill_at_every_commit),
    "a former owner may write": (no_epochs, resume_twice),
    "copies share their data": (shared_by_copies, resume_twice),
}
