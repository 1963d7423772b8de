"""The records a job is made of. Values in them are owned: whoever hands them out hands out copies."""

from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

import msgspec

from routilux._model import ErrorStrategy, EventKey, RoutineStatus, SlotKey
from routilux._places import Place, users_place
from routilux._texts import checked_text
from serilux import copy_fields, decode
from serilux.errors import DocumentError

Data = dict[str, Any]
_Struct = TypeVar("_Struct", bound=msgspec.Struct)


def changed_often(struct: type[_Struct]) -> type[_Struct]:
    """Have attributes set as those of any object with slots are, for which the interpreter has a way of its own.

    What msgspec does besides is to tell the garbage collector of an object that it did not have to look at so far:
    there are none of a class with `gc=False`, nor of one whose objects hold from the first what it has to look at.
    """
    for name in ("__setattr__", "__delattr__"):  # one slot in C, which takes what is the same for both
        setattr(struct, name, getattr(object, name))
    return struct


def read_data(document: Any, path: str, spare: int = 0) -> Data:
    """Data by name from its document; DocumentError where that is something else.

    `spare` levels are kept free for what will be put around its values.
    """
    value = decode(document, path, spare=spare)
    if type(value) is not dict or not all(type(name) is str for name in value):
        raise DocumentError(f"an object with named values is expected, not {type(value).__name__}", path)
    return value


LIST_OF_APPEND = 1
"""Levels that a slot which appends puts around the values that arrive."""


def values_seen(seen: Any) -> list[Any]:
    """The values of a parameter that a slot which appends has seen; a document may have a single one by itself."""
    return seen if isinstance(seen, list) else [seen]


class HistoryRecord(msgspec.Struct, gc=False):
    """One line of a job's history: an activation's `start`, an emitted event, or what became of a failure.

    `event_name` is `start`, `error`, `error_continued`, `skipped` or the name of the emitted event; `content` is
    what was emitted, or details of the other kinds; `at` is in seconds since the epoch.
    """

    routine_id: str
    event_name: str
    content: Data
    at: float

    @property
    def data(self) -> Data:
        """A copy of what was emitted: the job keeps its own."""
        return copy_fields(self.content)

    @property
    def timestamp(self) -> datetime:
        """When it happened, aware and in UTC."""
        return datetime.fromtimestamp(self.at, UTC)


@changed_often
class Task(msgspec.Struct, gc=False):
    """One delivery of data to one slot of one job.

    `data` is None while the task waits to be delivered to (`Routine.expect`). When the task is first taken, `merged`
    becomes what its handler is given; for a slot that appends, `seen` how many values of each parameter it is given.
    `lost_attempts` counts those whose process died; a task whose effects must not be repeated is `ambiguous` then.
    `since` is when it was queued, started or began to wait; `due` when a retry, or what was emitted with a delay, is to
    run; `deadline` when an expectation gives up, and `patience` how many seconds it was given.
    """

    number: int
    target: SlotKey
    data: Data | None
    source: EventKey | None = None
    priority: int = 0
    metadata: Data | None = None
    since: float = 0.0
    retry_count: int = 0
    flushes: int = 0
    merged: Data | None = None
    seen: dict[str, int] | None = None
    due: float | None = None
    deadline: float | None = None
    patience: float | None = None
    lost_attempts: int = 0
    ambiguous: bool = False


def task_id(job_id: str, number: int) -> str:
    """How a task is known outside of its job: an idempotency key (law 2)."""
    return f"{job_id}:{number}"


def task_number(name: str) -> int:
    """The number that the id of a task ends with; 0 for what is none."""
    number = name.rpartition(":")[2]
    return int(number) if number.isdecimal() and len(number) <= _DIGITS else 0


_DIGITS = 16


class Addressee(NamedTuple):
    """Whom a delivery is for: the task of that id, if it waits on the slot, or else the one that has waited longest."""

    slot: SlotKey
    task_id: str | None = None

    @classmethod
    def of(cls, routine_id: str, slot: str, task_id: str | None) -> "Addressee":
        """Whom somebody means; DefinitionError for a `task_id` that is no text."""
        return cls(SlotKey(routine_id, slot), None if task_id is None else checked_text(task_id, "a task_id"))


class ErrorInfo(msgspec.Struct, frozen=True, gc=False):
    """Why an attempt failed: the exception's qualified type, its message and its traceback as text.

    As a text it is one for people: `ValueError: a bill of -5, at /srv/shop.py:31, in bill`.
    """

    type: str
    message: str
    routine_id: str | None
    task_id: str | None
    traceback: str

    @property
    def place(self) -> Place | None:
        """Where in the user's code it was raised: `file`, `line` and `function`; None where the traceback has none."""
        return users_place(self.traceback)

    def __str__(self) -> str:
        what = f"{self.type}: {self.message}" if self.message else self.type
        return what if self.place is None else f"{what}, at {self.place}"


class Decision(msgspec.Struct, frozen=True):
    """What a failure means, and for a retry how many seconds from now it is to be."""

    strategy: ErrorStrategy
    delay: float = 0.0


RESERVED_IN_STATE = frozenset({"status", "error"})
"""What a routine's own `state` cannot be told by, since `get_routine_state` says more under these names."""


class RoutineState(msgspec.Struct, frozen=True, gc=False):
    """What a job remembers of one routine: the worst outcome so far, the last error, its own `state`."""

    outcome: RoutineStatus | None = None
    error: ErrorInfo | None = None
    state: Data = {}
    version: int = 0


class PausePoint(msgspec.Struct, frozen=True):
    """When, why and with which note of the caller's a job was paused."""

    at: float
    reason: str
    checkpoint: Data


class AppliedPlan(msgspec.Struct, frozen=True):
    """A plan by which a job went on in a changed flow (`Plan`), and what was dropped by it: all of them as JSON.

    `fingerprint` is that of the flow which it left.
    """

    at: float
    fingerprint: str
    plan: dict[str, Any]
    dropped_tasks: list[dict[str, Any]]
    dropped_data: dict[str, dict[str, Any]]


class Emission(msgspec.Struct, gc=False):
    """How an emission that says more than its data is to be routed, and how many seconds later."""

    priority: int | None
    metadata: Data | None
    delay: float | None = None


class Expectation(msgspec.Struct, gc=False):
    """A slot that waits to be delivered to, for `patience` seconds or for ever."""

    slot: str
    patience: float | None


class Changes(msgspec.Struct):
    """What an activation does to its job besides emitting; applied at its commit.

    `written` maps shared keys to new values, `removed` lists keys to drop, `logged` are entries of the shared log,
    `state` is the routine's new state, `expected` what it waits for from outside.
    """

    written: Data = msgspec.field(default_factory=dict)
    removed: list[str] = msgspec.field(default_factory=list)
    logged: list[Any] = msgspec.field(default_factory=list)
    state: Data | None = None
    expected: list[Expectation] = msgspec.field(default_factory=list)
