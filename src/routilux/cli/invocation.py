"""What a command was given that the next one needs too."""

import os
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

from routilux._backends.urls import without_password
from routilux.cli.options import DEFAULT_LIMIT, DEFAULT_STORE, LIMIT_VARIABLE, STORE_VARIABLE
from routilux.cli.quoting import command_of, in_shell


class Invocation(NamedTuple):
    """The store, the modules and the `limit` of lost attempts that a command was given: the next one needs them too.

    A password in the store's URL is left out of what is shown, which may be kept in a log: `***` stands for it.
    """

    store: str
    apps: Sequence[str]
    limit: int | None = None

    @classmethod
    def of(cls, arguments: Sequence[str]) -> "Invocation":
        """What is in a command line, which may be wrong otherwise."""
        options = options_of(arguments)
        stores = [*_values(options, "--store")]
        store = stores[-1] if stores else _said(STORE_VARIABLE, DEFAULT_STORE)
        return cls(store, [*_values(options, "--app")])

    def command(self, verb: str, job_id: str) -> str:
        """What to type for a job; without what the environment says anyway."""
        return command_of(verb, job_id, [*self._store(), *self._limit(), *self._modules()])

    def of_all(self, verb: str) -> str:
        """The same for a command that is about all jobs."""
        return in_shell(["routilux", verb, *self._store(), *self._modules()])

    def plain(self, verb: str, job_id: str) -> str:
        """The same for a command that takes no modules."""
        return command_of(verb, job_id, self._store())

    def _modules(self) -> list[str]:
        return [word for app in self.apps for word in ("--app", app)]

    def _limit(self) -> list[str]:
        is_known = str(self.limit) == _said(LIMIT_VARIABLE, str(DEFAULT_LIMIT))
        return [] if is_known or self.limit is None else ["--max-lost-attempts", str(self.limit)]

    def _store(self) -> list[str]:
        is_known = self.store == _said(STORE_VARIABLE, DEFAULT_STORE)
        return [] if is_known else ["--store", without_password(self.store, self.store)]


def _said(variable: str, default: str) -> str:
    """What the environment says; one that says nothing is as none."""
    return os.environ.get(variable) or default


def options_of(arguments: Sequence[str]) -> list[str]:
    """What of a command line may be options: `--` ends them."""
    return [*takewhile(lambda argument: argument != "--", arguments)]


def _values(arguments: Sequence[str], option: str) -> Iterator[str]:
    for place, argument in enumerate(arguments):
        if argument == option:
            yield from arguments[place + 1 : place + 2]
        elif argument.startswith(f"{option}="):
            yield argument.removeprefix(f"{option}=")
