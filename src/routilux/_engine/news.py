"""What operators are told of a job: it is noted under the job's lock, and told without it, since logging has locks too.

Logging is slow to import, and comes with the first that is told.
"""

import threading
from collections.abc import Sequence
from typing import NamedTuple

from routilux._core.explanation import JoinNote, unmet_joins
from routilux._core.job import Job
from routilux._midst import in_the_middle
from routilux._model import ErrorStrategy, JobStatus
from routilux._records import Decision, ErrorInfo, Task, task_id
from routilux._texts import printable
from routilux.errors import RoutiluxError


class AttemptFailed(NamedTuple):
    """An attempt has failed, and that is what its policy makes of it."""

    task: Task
    error: ErrorInfo
    decision: Decision

    @property
    def what_follows(self) -> str:
        """What becomes of the task, in words."""
        match self.decision.strategy:
            case ErrorStrategy.RETRY:
                return f" and is tried again in {self.decision.delay:g} s"
            case ErrorStrategy.CONTINUE:
                return ", and its job goes on"
            case ErrorStrategy.SKIP:
                return " and is skipped"
            case _:
                return ", while its job fails already"


class JobFailed(NamedTuple):
    """A job has failed."""

    error: ErrorInfo


class JoinsUnmet(NamedTuple):
    """A job has completed, and slots have data on which no handler has run."""

    joins: Sequence[JoinNote]


class JobLost(NamedTuple):
    """A job is in this process's hands no more."""

    error: RoutiluxError


class PauseHeard(NamedTuple):
    """A job pauses, since somebody has asked for that by way of its store."""

    reason: str


News = AttemptFailed | JobFailed | JoinsUnmet | JobLost | PauseHeard


def news_of_ending(job: Job) -> Sequence[News]:
    """What there is to tell of a job that runs no more: a failure, and work that was left where it was."""
    if job.status is JobStatus.FAILED and job.error is not None:
        return [JobFailed(job.error)]
    if job.status is JobStatus.COMPLETED and None in [state.outcome for state in job.routines.values()]:
        return [JoinsUnmet(unmet_joins(job))]
    return []


class Bulletin:
    """What has been noted of one job, and is not yet told."""

    __slots__ = ("_lock", "_news")

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._news: list[News] = []

    def add(self, news: News) -> None:
        """Note something; the job's lock is held."""
        self._news.append(news)

    def tell(self, job_id: str, flow_id: str) -> None:
        """Tell all of it; return when that is done, whoever did it.

        Who comes into the middle of it on this thread, as a signal's handler, does not wait (`_midst`): it has a lock.
        """
        in_the_middle(self._tell, job_id, flow_id)

    def _tell(self, job_id: str, flow_id: str) -> None:
        with self._lock:
            while self._news:
                tell(job_id, flow_id, self._news.pop(0))


def tell(job_id: str, flow_id: str, news: News) -> None:
    """Log what has happened to a job; nothing of it is a secret, as errors are recorded without."""
    from routilux._logging import logger  # noqa: PLC0415 - see this module's docstring

    extra = {"job_id": job_id, "flow_id": flow_id}
    match news:
        case AttemptFailed(task, error, decision):
            extra |= {"action": decision.strategy.value, "task_id": task_id(job_id, task.number)}
            words = "job %s: attempt %d of %s failed%s: %s"
            place, why = printable(str(task.target)), printable(str(error))
            logger.warning(words, job_id, task.retry_count + 1, place, news.what_follows, why, extra=extra)
        case JobFailed(error):
            extra |= {"action": "fail", "task_id": error.task_id or ""}
            why, trace = printable(str(error)), printable(error.traceback.rstrip(), keeping="\n")
            logger.error("job %s of flow %r failed: %s\n%s", job_id, flow_id, why, trace, extra=extra)
        case JobLost(error):
            logger.warning("job %s is let go: %s", job_id, printable(str(error)), extra=extra | {"action": "lose"})
        case PauseHeard(reason):
            why = f": {printable(reason)}" if reason else ""
            words = "job %s of flow %r pauses, as somebody has asked for by way of its store%s"
            logger.info(words, job_id, flow_id, why, extra=extra | {"action": "pause"})
        case JoinsUnmet(joins):
            words = "job %s of flow %r has completed, and no handler has run on what came to %s: its `when` never held"
            logger.warning(
                words, job_id, flow_id, printable("; ".join(map(str, joins))), extra=extra | {"action": "complete"}
            )
