"""What jobs run with: an engine, a flow as it is compiled, and what that brings to a job that goes on."""

from contextlib import AbstractContextManager
from typing import Any, Protocol

from msgspec import Struct

from routilux._core.job import Job
from routilux._engine.engine import Engine
from routilux._graph import Graph
from routilux._handler import Handlers
from routilux._records import Task
from routilux._secrecy import Secrecy


class Setting(Struct, frozen=True):
    """What a job needs to run."""

    engine: Engine
    flow: object
    graph: Graph
    handlers: Handlers
    secrecy: Secrecy


class Recovering(AbstractContextManager[object], Protocol):
    """What a resume finds waiting in the slots of a flow, where it waits again if the resume fails."""

    def tasks(self, job: Job, graph: Graph) -> list[Task]:
        """Take it out, as tasks."""


NO_SECRETS = Secrecy()


class Handles(Protocol):
    """The class of the handles that users have of jobs."""

    def _around(self, live: Any) -> object:
        """A handle for a job of this process."""
