"""What becomes of attempts that were in flight when the process that made them went."""

from msgspec.structs import replace

from routilux._core.facts import NOTHING, AttemptsLost, Effects, TaskResolved, TaskSucceeded
from routilux._core.job import Job, PauseRequest
from routilux._core.publishing import publish
from routilux._core.ready_queue import ReadyQueue
from routilux._core.record_kinds import RecordKind, answer_record, failure_record
from routilux._core.settling import close, doom, put_first, record, touch, worsen
from routilux._graph import Graph
from routilux._model import RoutineStatus, SideEffects
from routilux._records import ErrorInfo, Task, task_id
from routilux.error_handler import qualified_name
from routilux.errors import ProcessLost

SOLITUDE = 0.1
"""Seconds after one death; with each further one it is ten times as long."""
MOST_DOUBTS = 9
"""Deaths that make it longer: four months are enough."""


def attempts_lost(graph: Graph, job: Job, fact: AttemptsLost, now: float) -> Effects:
    """Put tasks back in front of the queue, but for those that have lost too many attempts: they fail the job.

    Those whose effects must not be repeated make it pause.
    """
    lost = [_lost(graph, task, fact) for task in job.active.values()]
    job.active.clear()
    job.hold_until = None
    over = [task for task in lost if task.lost_attempts >= fact.limit] if _is_evidence(fact, lost) else []
    for task in over:
        _give_up(job, task, fact, now)
    left = [task for task in lost if task not in over]
    put_first(job, left[::-1] if fact.alone and fact.died else left)  # who began last is the likeliest cause
    ambiguous = [task.number for task in left if task.ambiguous]
    if ambiguous and job.closing is None:
        job.closing = PauseRequest("the process died in the middle of what must not be repeated", {"tasks": ambiguous})
    return close(job, now)


def _is_evidence(fact: AttemptsLost, lost: list[Task]) -> bool:
    """Whether what has happened says that a task is the cause."""
    return not fact.alone or (fact.died and len(lost) == 1)


def solitude(task: Task) -> float:
    """For how many seconds nothing begins beside a task, since processes have died in the middle of it before.

    What kills its process at once is found alone at once. What takes longer is, some deaths later; and what is innocent
    holds up its job for no longer than it has been suspected often.
    """
    return SOLITUDE * 10.0 ** (min(task.lost_attempts, MOST_DOUBTS) - 1) if task.lost_attempts else 0.0


def _lost(graph: Graph, task: Task, fact: AttemptsLost) -> Task:
    once = graph.routines[task.target.routine_id].effects is SideEffects.AT_MOST_ONCE
    return replace(task, lost_attempts=task.lost_attempts + fact.died, ambiguous=once)


def _give_up(job: Job, task: Task, fact: AttemptsLost, now: float) -> None:
    routine_id, name = task.target.routine_id, task_id(job.job_id, task.number)
    error = ErrorInfo(qualified_name(ProcessLost), _why(task, fact), routine_id, name, "")
    record(job, [failure_record(RecordKind.ERROR, task, error, now)], now)
    touch(job, routine_id, error=error)
    worsen(job, routine_id, RoutineStatus.FAILED)
    job.add_failed(task)
    doom(job, error)


def _why(task: Task, fact: AttemptsLost) -> str:
    died = f"the process died {task.lost_attempts} times while {task.target} was being handled"
    if not fact.alone:  # as a line of a former journal has always been told
        return f"{died}; that it dies of it is likely, so it is not tried again unless the job is retried"
    return (
        f"{died} (max_lost_attempts={fact.limit}), the last time with nothing else of the job in flight; find out what "
        f"it died of, and retry the job, which counts anew; where that was killed from outside, raise max_lost_attempts"
    )


def task_resolved(graph: Graph, job: Job, fact: TaskResolved, now: float) -> Effects:
    """Let an ambiguous task be tried again, or be as if its handler had emitted that, and returned."""
    task, left = fact.task, [task for task in job.ready if task is not fact.task]
    job.ready = ReadyQueue()
    put_first(job, [replace(task, ambiguous=False, lost_attempts=0), *left] if fact.again else left)
    routine_id = task.target.routine_id
    record(job, [answer_record(task, now, again=fact.again)], now)
    if fact.again:
        return NOTHING
    worsen(job, routine_id, RoutineStatus.COMPLETED)
    return publish(job, graph.routines[routine_id], TaskSucceeded(task, None, fact.outbox, None, None), None, now)
