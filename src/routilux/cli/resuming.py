"""How a stored job goes on: by which command, or in whose hands."""

from typing import Any, NamedTuple

from routilux._engine.owner import shown
from routilux._model import JobStatus
from routilux.cli.invocation import Invocation
from routilux.cli.printing import print_done
from routilux.cli.wording import for_the_command_line
from routilux.stores import Store
from serilux.errors import SeriluxError

_VERBS = {
    JobStatus.PENDING: "resume",
    JobStatus.RUNNING: "resume",
    JobStatus.PAUSED: "resume",
    JobStatus.FAILED: "retry",
}


class Outlook(NamedTuple):
    """How a stored job is, and what is next.

    `command` is what to type so that it goes on; `owner` the process that runs it, so that nothing is to be typed;
    `problem` why it cannot go on with the modules that were given. Of one that is over there is none of these.
    `needs_module` says that MODULE stands for one in the command.
    """

    job_id: str
    status: str
    command: str | None = None
    owner: str | None = None
    problem: str | None = None
    needs_module: bool = False

    def document(self) -> dict[str, Any]:
        """The same as JSON."""
        return {"job_id": self.job_id, "status": self.status, "command": self.command, "problem": self.problem}

    def __str__(self) -> str:
        job = f"job {self.job_id} is {self.status}"
        if self.owner is not None:
            return f"{job}; it goes on in {self.owner}"
        if self.problem is not None:
            return f"{job}; it cannot go on with the modules given: {self.problem}"
        if self.command is None:
            return job
        unknown = "; MODULE is the one that registers its classes" if self.needs_module else ""
        return f"{job}; it goes on with: {self.command}{unknown}"


def print_outlook(store: Store, job_id: str, given: Invocation, *, as_json: bool) -> None:
    """Say how a stored job is, and what is next; UnknownJobError where there is none."""
    outlook = outlook_of(store, job_id, given)
    print_done(outlook.document(), *str(outlook).split("\n"), as_json=as_json)


def outlook_of(store: Store, job_id: str, given: Invocation) -> Outlook:
    """How a stored job is, and what is next.

    Where no module was given that registers its classes, whoever types the command has to put that for MODULE.
    """
    summary = store.summary(job_id)
    verb = _VERBS.get(JobStatus(summary.status)) if summary.status in [*JobStatus] else None
    plain = Outlook(job_id, summary.status)
    if verb is None:
        return plain
    if (owner := _owner(store, job_id)) is not None:
        return plain._replace(owner=shown(owner))
    problem = _problem(store, job_id)
    if problem is None:
        return plain._replace(command=given.command(verb, job_id))
    if not given.apps:
        return plain._replace(command=given._replace(apps=["MODULE"]).command(verb, job_id), needs_module=True)
    words = for_the_command_line(problem, given)
    return plain._replace(
        problem=f"{words}; `{given.of_all('check')}` says of all that have not settled what they need; with a flow of "
        f"your code (--app MODULE:FLOW) and a --plan it may say otherwise, and `{given.command(verb, job_id)}` too"
    )


def _owner(store: Store, job_id: str) -> str | None:
    """Who runs a job; None where nobody does who lives."""
    record = store.ledger.backend.record(job_id)
    return record.owner if record is not None and store.ledger.has_owner(record) else None


def _problem(store: Store, job_id: str) -> str | None:
    """Why a job cannot be read here."""
    try:
        store.load(job_id)
    except SeriluxError as error:
        return str(error)
    return None
