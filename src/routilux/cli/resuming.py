"""The command that lets a job go on."""

import os
import shlex
from collections.abc import Sequence
from typing import NamedTuple

from routilux.cli.options import DEFAULT_STORE, STORE_VARIABLE


class Invocation(NamedTuple):
    """The store and the modules that a command was given: the next one needs them too."""

    store: str
    apps: Sequence[str]

    def command(self, verb: str, job_id: str) -> str:
        """What to type for a job; without what the environment says anyway."""
        words = ["routilux", verb, job_id]
        if self.store != os.environ.get(STORE_VARIABLE, DEFAULT_STORE):
            words += ["--store", self.store]
        for app in self.apps:
            words += ["--app", app]
        return shlex.join(words)
