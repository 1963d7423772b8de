"""What an activation did becomes part of its job: its records, one task per emission and connection, its changes."""

from typing import Protocol

from routilux._core.facts import NOTHING, TIMER_CHANGED, Effects
from routilux._core.job import Job
from routilux._core.settling import touch
from routilux._graph import Source
from routilux._model import SlotKey
from routilux._records import Changes, Emission, Expectation, HistoryRecord, Task


class Published(Protocol):
    """What an activation did, its changes aside; `TaskSucceeded` says what is what."""

    @property
    def task(self) -> Task:
        """What it was activated for."""

    @property
    def started(self) -> HistoryRecord | None:
        """Its start record, unless a flush has published that."""

    @property
    def outbox(self) -> list[HistoryRecord]:
        """What it emitted."""

    @property
    def routing(self) -> dict[int, Emission] | None:
        """How some of that are to be routed, by index."""


def publish(job: Job, source: Source, done: Published, changes: Changes | None, now: float) -> Effects:
    """Commit what an activation did: its records, its emissions as one task per connection, its changes."""
    if done.started is not None:
        job.history.append(done.started)
    job.history.extend(done.outbox)
    effects = NOTHING
    for index, record in enumerate(done.outbox):
        emission = _AS_CONNECTED if done.routing is None else done.routing.get(index, _AS_CONNECTED)
        for route in source.routes[record.event_name]:
            priority = route.priority if emission.priority is None else emission.priority
            task = Task(0, route.target, route.mapped(record.content), route.source, priority, emission.metadata)
            if emission.delay is not None:
                task.due = now + emission.delay
                effects = TIMER_CHANGED
            enlist(job, task, now)
    job.updated_at = now
    return effects if changes is None else effects + _apply_changes(job, source.routine_id, changes, now)


_AS_CONNECTED = Emission(None, None)


def enlist(job: Job, task: Task, now: float) -> None:
    """Give a new task its number, and put it where its data says it belongs."""
    task.number = job.next_number
    task.since = now
    job.next_number += 1
    job.enlist(task)


def _apply_changes(job: Job, routine_id: str, changes: Changes, now: float) -> Effects:
    apply_shared(job, changes)
    if changes.state is not None:
        touch(job, routine_id, state=changes.state, version=job.routines[routine_id].version + 1)
    for expectation in changes.expected:
        enlist(job, _expecting_task(routine_id, expectation, now), now)
    return TIMER_CHANGED if changes.expected else NOTHING


def _expecting_task(routine_id: str, expectation: Expectation, now: float) -> Task:
    patience = expectation.patience
    deadline = None if patience is None else now + patience
    return Task(0, SlotKey(routine_id, expectation.slot), None, deadline=deadline, patience=patience)


def apply_shared(job: Job, changes: Changes) -> None:
    """Change the shared data and the shared log."""
    for key in changes.removed:
        job.shared_data.pop(key, None)
    job.shared_data.update(changes.written)
    for key in (*changes.removed, *changes.written):
        job.shared_versions[key] = job.shared_versions.get(key, 0) + 1
    job.add_logged(changes.logged)
