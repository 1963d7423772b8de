"""What became of the jobs that this process ran."""

from collections.abc import Sequence
from typing import Any

from routilux._model import JobStatus
from routilux._records import ErrorInfo
from routilux.cli.ctrl_c import INTERRUPTED
from routilux.cli.failures import FAILED
from routilux.cli.following import Run
from routilux.cli.invocation import Invocation
from routilux.cli.printing import complain, print_json, print_lines, said_anyway
from routilux.errors import StoreUnavailableError

_RESUMABLE = (JobStatus.PAUSED, JobStatus.RUNNING)


def exit_code(runs: Sequence[Run]) -> int:
    """0 if all jobs have completed, 1 if one has failed or is lost, 130 if they wait to be resumed."""
    statuses = {run.job_state.status for run in runs}
    if statuses & {JobStatus.FAILED, JobStatus.CANCELLED} or any(run.lost for run in runs):
        return FAILED
    return INTERRUPTED if statuses - {JobStatus.COMPLETED} else 0


def ending_document(run: Run, invocation: Invocation) -> dict[str, Any]:
    """A job's ending as JSON."""
    progress, error = run.watched.look(), run.job_state.error
    return {
        "job_id": progress.job_id,
        "flow_id": progress.flow_id,
        "status": progress.status.value,
        "seconds": round(progress.seconds, 3),
        "activations": progress.total.activations,
        "events": progress.total.events,
        "errors": progress.total.errors,
        "retries": progress.total.retries,
        "error": None if error is None else error_document(error),
        "lost": None if run.lost is None else str(run.lost),
        "command": _next_command(run, invocation),
    }


def error_document(error: ErrorInfo) -> dict[str, Any]:
    """Why something failed, as JSON, with the place in the user's code."""
    place = error.place
    return {
        "type": error.type,
        "message": error.message,
        "routine_id": error.routine_id,
        "task_id": error.task_id,
        "place": None if place is None else place._asdict(),
        "traceback": error.traceback,
    }


def error_line(error: ErrorInfo) -> str:
    """Why something failed, in one line."""
    place, message = error.place, " ".join(error.message.split())
    routine = "" if error.routine_id is None else f" in routine {error.routine_id!r}"
    return f"{error.type}{routine}: {message}" + ("" if place is None else f" ({place})")


def print_endings(runs: Sequence[Run], invocation: Invocation) -> None:
    """Say what became of jobs: on stderr where that is a failure; an OSError says what stdout does not take."""
    others = [run for run in runs if not _has_failed(run)]
    for run in runs:
        if _has_failed(run):
            complain(_ending(run, invocation))
    with said_anyway(*(_ending(run, invocation) for run in others)):
        print_lines(line for run in others for line in _ending(run, invocation, "\n  ").split("\n"))


def print_documents(runs: Sequence[Run], invocation: Invocation, *, many: bool) -> None:
    """Print what became of jobs, as JSON, a list if there may be `many`; an OSError says it where that cannot be."""
    documents = [ending_document(run, invocation) for run in runs]
    with said_anyway(*(_ending(run, invocation) for run in runs)):
        print_json(documents if many else documents[0])


def _has_failed(run: Run) -> bool:
    return run.lost is not None or run.job_state.error is not None


def _ending(run: Run, invocation: Invocation, before_command: str = " ") -> str:
    """What became of a job."""
    job_id, status, command = run.job_state.job_id, run.job_state.status, _next_command(run, invocation)
    if run.lost is not None:
        return _why_lost(run, command)
    if run.job_state.error is not None:
        return f"job {job_id} failed: {error_line(run.job_state.error)}; once more: {command}"
    if status in _RESUMABLE:
        return f"job {job_id} is {status} and goes on with:{before_command}{command}"
    progress = run.watched.look()
    return f"job {job_id} is {status}: {progress.total.activations} activations, {progress.seconds:.1f} s"


def _why_lost(run: Run, command: str | None) -> str:
    if command is None:
        return str(run.lost)
    return f"job {run.job_state.job_id} was let go, as its store is away: {run.lost}; when it is back: {command}"


def _next_command(run: Run, invocation: Invocation) -> str | None:
    job_id, status = run.job_state.job_id, run.job_state.status
    if run.lost is not None:
        away = isinstance(run.lost, StoreUnavailableError)
        return invocation.command("resume", job_id) if away else None
    if status is JobStatus.FAILED:
        return invocation.command("retry", job_id)
    return invocation.command("resume", job_id) if status in _RESUMABLE else None
