"""What a job begins with, as its caller says it."""

from collections.abc import Callable

from msgspec import Struct

from routilux._choices import chosen
from routilux._core.history import BoundedHistory
from routilux._core.job import Job
from routilux._durations import checked_timeout
from routilux._graph import Graph
from routilux._model import Durability, SlotKey
from routilux._numbers import checked_count
from routilux._records import Data, Task
from routilux._texts import checked_id
from routilux.errors import DefinitionError
from serilux import clone_fields

ENTRY_SLOT = "trigger"


class Beginning(Struct, frozen=True):
    """Where a job begins, with what, and how it is to be; DefinitionError where that cannot be.

    `timeout` is in seconds, None for that of the flow; `history_limit` counts records; `job_id` is None where any will
    do.
    """

    entry_routine_id: str
    entry_params: Data | None = None
    timeout: float | None = None
    history_limit: int | None = None
    job_id: str | None = None

    def job(self, flow_id: str, new_id: Callable[[], str], now: float, timeout: float | None) -> Job:
        """The job before it begins; `new_id` and `timeout` count where nothing else is said."""
        job = Job(new_id() if self.job_id is None else checked_id(self.job_id, "a job_id"), flow_id, now)
        job.timeout = timeout if self.timeout is None else checked_timeout(self.timeout, "timeout")
        if self.history_limit is not None:
            job.history = BoundedHistory((), checked_count(self.history_limit, "history_limit"))
        return job

    def task(self, graph: Graph) -> Task:
        """The first task; DefinitionError where the routine is no entry."""
        key = SlotKey(self.entry_routine_id, ENTRY_SLOT)
        node = graph.slots.get(key)
        if node is None or not node.has_handler:
            raise DefinitionError(
                f"routine {self.entry_routine_id!r} cannot be an entry: it needs a slot {ENTRY_SLOT!r} with a handler"
            )
        params = {} if self.entry_params is None else self.entry_params
        if type(params) is not dict:
            raise DefinitionError(f"entry_params is a dict of parameters, not {params!r}")
        return Task(0, node.key, clone_fields(params, "entry_params"))


def checked_durability(durability: Durability | str | None) -> Durability | None:
    """A durability by its name, None for None, or DefinitionError."""
    return None if durability is None else chosen(Durability, durability, "durability")
