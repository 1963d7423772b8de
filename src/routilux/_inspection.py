"""Whether a job can go on in a flow, and what is worth knowing before it does (law 7)."""

from collections.abc import Iterator, Mapping

from routilux._compile import unbindable
from routilux._core.job import Job
from routilux._graph import Graph, misfits
from routilux._handler import Handlers
from routilux._recovery import data_left
from routilux._verdict import Finding, Verdict
from routilux.error_handler import ErrorHandler
from routilux.errors import MissingResourceError
from routilux.routine import Routine


def inspect_job(
    job: Job,
    graph: Graph,
    handlers: Handlers,
    routines: Mapping[str, Routine],
    flow_policy: ErrorHandler | None,
) -> Verdict:
    """What does not fit, and, as notes, what has changed and what `resume` will leave undone."""
    problems = list(misfits(graph, job.unfinished(), job.slot_data)) or list(unbindable(handlers, job))
    problems += _ambiguous(job)
    problems += _lacking(routines)
    notes = [*_changed_flow(job, graph), *_odd_slots(routines), *data_left(job, routines, flow_policy)]
    return Verdict(problems, notes)


def check_given(flow_id: str, routines: Mapping[str, Routine]) -> None:
    """Refuse to start a job whose handlers would not find what they need; MissingResourceError lists all of it."""
    problems = list(_lacking(routines))
    if problems:
        missing = dict.fromkeys(name for routine in routines.values() for name in routine._lacks())
        lines = "\n  - ".join([f"flow {flow_id!r} runs no job here:", *problems])
        raise MissingResourceError(lines, missing)


def _lacking(routines: Mapping[str, Routine]) -> Iterator[Finding]:
    """What routines need of their host and are not given; which of them a job will reach is not known."""
    for routine_id, routine in routines.items():
        for name, lack in routine._lacks().items():
            yield Finding(f"routine {routine_id!r} needs {name!r}: {lack}", f"routines.{routine_id}", routine_id)


def _ambiguous(job: Job) -> Iterator[Finding]:
    for index, task in enumerate(job.pending()):
        if task.ambiguous:
            place = f"pending_tasks[{index}]"
            yield Finding(
                f"{place} may not be repeated, and its process died in the middle; say with Flow.resolve what became "
                f"of it",
                place,
                *task.target,
            )


def _changed_flow(job: Job, graph: Graph) -> Iterator[Finding]:
    if job.fingerprint not in ("", graph.fingerprint):
        yield Finding(
            f"flow {graph.flow_id!r} has another fingerprint than when the job last ran: its routines, classes, "
            f"references or connections have changed",
            "flow_fingerprint",
        )


def _odd_slots(routines: Mapping[str, Routine]) -> Iterator[Finding]:
    """Slots that only the document or only the class has (DESIGN: Registration and trust)."""
    for routine_id, routine in routines.items():
        for name, said_by in routine.unmatched_slots.items():
            yield Finding(
                f"slot {name!r} of routine {routine_id!r} is only in its {said_by}; it was "
                f"{'created' if said_by == 'document' else 'kept'}",
                f"routines.{routine_id}._slots.{name}",
                routine_id,
                name,
            )
