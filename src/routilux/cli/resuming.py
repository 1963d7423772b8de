"""The command that lets a job go on."""

import os
import shlex
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from routilux._backends.urls import without_password
from routilux._model import JobStatus
from routilux.cli.options import DEFAULT_STORE, STORE_VARIABLE
from routilux.stores import Store
from serilux.errors import SeriluxError

_VERBS = {
    JobStatus.PENDING: "resume",
    JobStatus.RUNNING: "resume",
    JobStatus.PAUSED: "resume",
    JobStatus.FAILED: "retry",
}


class Invocation(NamedTuple):
    """The store and the modules that a command was given: the next one needs them too.

    A password in the store's URL is left out of what is shown, which may be kept in a log: `***` stands for it.
    """

    store: str
    apps: Sequence[str]

    @classmethod
    def of(cls, arguments: Sequence[str]) -> "Invocation":
        """What is in a command line, which may be wrong otherwise."""
        stores = [*_values(arguments, "--store")]
        store = stores[-1] if stores else os.environ.get(STORE_VARIABLE, DEFAULT_STORE)
        return cls(store, [*_values(arguments, "--app")])

    def command(self, verb: str, job_id: str) -> str:
        """What to type for a job; without what the environment says anyway."""
        return shlex.join([*self._words(verb, job_id), *(word for app in self.apps for word in ("--app", app))])

    def plain(self, verb: str, job_id: str) -> str:
        """The same for a command that takes no modules."""
        return shlex.join(self._words(verb, job_id))

    def _words(self, verb: str, job_id: str) -> list[str]:
        words = ["routilux", verb, job_id]
        if self.store != os.environ.get(STORE_VARIABLE, DEFAULT_STORE):
            words += ["--store", without_password(self.store, self.store)]
        return words


def _values(arguments: Sequence[str], option: str) -> Iterator[str]:
    for place, argument in enumerate(arguments):
        if argument == option:
            yield from arguments[place + 1 : place + 2]
        elif argument.startswith(f"{option}="):
            yield argument.removeprefix(f"{option}=")


def next_command(store: Store, job_id: str, given: Invocation) -> str | None:
    """What to type so that a stored job goes on; None for one that has completed, was cancelled or moved out.

    Where its classes are not known here, whoever types it has to put the module that registers them for MODULE.
    """
    verb = _VERBS.get(JobStatus(status)) if (status := store.summary(job_id).status) in [*JobStatus] else None
    if verb is None:
        return None
    return given.command(verb, job_id) + ("" if _is_known(store, job_id) else " --app MODULE")


def _is_known(store: Store, job_id: str) -> bool:
    try:
        store.load(job_id)
    except SeriluxError:
        return False
    return True


def going_on(status: str, job_id: str, command: str | None) -> str:
    """How a job is, and the command that lets it go on, in a line."""
    if command is None:
        return f"job {job_id} is {status}"
    unknown = "; MODULE is the one that registers its classes" if command.endswith(" --app MODULE") else ""
    return f"job {job_id} is {status}; it goes on with: {command}{unknown}"
