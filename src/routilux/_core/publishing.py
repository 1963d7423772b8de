"""What an activation did becomes part of its job: its records, one task per emission and connection, its changes."""

from routilux._core.facts import NOTHING, TIMER_CHANGED, Effects, TaskFailed, TaskFlushed, TaskSucceeded
from routilux._core.job import Job
from routilux._graph import Graph
from routilux._model import SlotKey
from routilux._records import Changes, Emission, Expectation, Task


def publish(graph: Graph, job: Job, fact: TaskSucceeded | TaskFlushed | TaskFailed, now: float) -> Effects:
    """Commit what an activation did: its records, its emissions as one task per connection, its changes."""
    if fact.started is not None:
        job.history.append(fact.started)
    if fact.outbox:
        job.history.extend(fact.outbox)
        routes, number = graph.routines[fact.task.target.routine_id].routes, job.next_number
        for index, record in enumerate(fact.outbox):
            for route in routes[record.event_name]:
                content = record.content if route.mapping is None else route.mapped(record.content)
                task = Task(number, route.target, content, route.source, route.priority, None, now)
                number += 1
                if fact.routing is not None and index in fact.routing:
                    _address(task, fact.routing[index])
                if task.priority == 0:
                    job.ready.plain.append(task)
                else:
                    job.ready.push(task)
        job.next_number = number
    job.updated_at = now
    if fact.changes is None:
        return NOTHING
    return _apply_changes(job, fact.task.target.routine_id, fact.changes, now)


def _address(task: Task, emission: Emission) -> None:
    task.metadata = emission.metadata
    if emission.priority is not None:
        task.priority = emission.priority


def enlist(job: Job, task: Task, now: float) -> None:
    """Give a new task its number, and put it where its data says it belongs."""
    task.number = job.next_number
    task.since = now
    job.next_number += 1
    job.enlist(task)


def _apply_changes(job: Job, routine_id: str, changes: Changes, now: float) -> Effects:
    apply_shared(job, changes)
    if changes.state is not None:
        state = job.routines[routine_id]
        state.state = changes.state
        state.version += 1
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
    job.shared_log.extend(changes.logged)
