"""What an activation does to its job besides emitting: to shared data, to its routine's state, and what it expects."""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager
from typing import Any, NoReturn, Protocol, Self

from routilux._core.job import Job
from routilux._current import updating
from routilux._records import RESERVED_IN_STATE, Changes, Data, Expectation, RoutineState
from routilux.errors import BlockingCallError, DefinitionError, JobStateError, RoutiluxError, SharedDataConflict
from serilux import clone, clone_fields, copy_fields, identical

_ABSENT: Any = object()


class Guarded(Protocol):
    """A job's data, and the lock under which it is read and changed."""

    job: Job

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Guards the job's data."""


class SharedView(MutableMapping[str, Any]):
    """Committed shared data plus the activation's own writes (DESIGN section 6).

    What is read is a private copy; at the commit a copy that was changed in place counts as written.
    """

    def __init__(self, guarded: Guarded) -> None:
        self._guarded = guarded
        self._read: dict[str, tuple[int, Any, Any]] = {}
        self._written: Data = {}
        self._removed: set[str] = set()
        self._blind: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self._blind.discard(key)
        if key in self._written:
            return self._written[key]
        value = _ABSENT if key in self._removed else self._committed(key)
        if value is _ABSENT:
            raise KeyError(key)
        return value

    def __setitem__(self, key: str, value: Any) -> None:
        clone_fields({key: value}, "shared_data")
        self._written[key] = value
        self._removed.discard(key)

    def __delitem__(self, key: str) -> None:
        self[key]
        self._written.pop(key, None)
        self._removed.add(key)

    def __ior__(self, other: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> Self:
        self.update(other)
        return self

    def __iter__(self) -> Iterator[str]:
        with self._guarded.lock:
            committed = list(self._guarded.job.shared_data)
        yield from (key for key in committed if key not in self._removed and key not in self._written)
        yield from list(self._written)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr(dict(self))

    def _committed(self, key: str) -> Any:
        if key not in self._read:
            with self._guarded.lock:
                job = self._guarded.job
                value = job.shared_data.get(key, _ABSENT)
                version = job.shared_versions.get(key, 0)
            copy = value if value is _ABSENT else clone(value, f"shared_data.{key}")
            self._read[key] = (version, value, copy)
        return self._read[key][2]

    def collect(self, changes: Changes) -> None:
        """Add to `changes` what was done through this view; SharedDataConflict where another was faster."""
        written = self._all_written()
        for key in (*written, *self._removed):
            if not (key in self._written and key in self._blind):
                self._check_unchanged(key)
        changes.written.update(clone_fields(written, "shared_data"))
        changes.removed.extend(sorted(self._removed))

    def _all_written(self) -> Data:
        changed = {
            key: copy
            for key, (_, original, copy) in self._read.items()
            if key not in self._written and key not in self._removed and _changed(original, copy)
        }
        return self._written | changed

    def start_over(self, updated: Iterable[str]) -> None:
        """Go on from what a flush has just committed; what the handler holds stays its copy of it.

        A key that was written without being read before may be written so again. `updated` are keys whose values the
        handler does not know.
        """
        job = self._guarded.job
        for key, value in self._all_written().items():
            if key not in self._read:
                self._blind.add(key)
            self._read[key] = (job.shared_versions[key], job.shared_data[key], value)
        for key in (*self._removed, *updated):
            self._read.pop(key, None)
        self._written, self._removed = {}, set()

    def _check_unchanged(self, key: str) -> None:
        if key in self._read and self._guarded.job.shared_versions.get(key, 0) != self._read[key][0]:
            raise SharedDataConflict(
                f"shared_data[{key!r}] was read and then changed here, and another activation changed it "
                f"in between; retry, or use update_shared_data({key!r}, function)"
            )


def _changed(original: Any, copy: Any) -> bool:
    return original is not copy and not identical(original, copy)


class StateView:
    """A private copy of the state that a routine keeps in this job."""

    def __init__(self, guarded: Guarded, routine_id: str) -> None:
        self._guarded = guarded
        self._routine_id = routine_id
        with guarded.lock:
            committed = guarded.job.routines.get(routine_id, RoutineState())
            self._version, self._original = committed.version, committed.state
        self.state = copy_fields(self._original, f"routine_states.{routine_id}.state")

    def collect(self, changes: Changes) -> None:
        """Add the new state to `changes` if there is one; SharedDataConflict where another was faster."""
        if identical(self._original, self.state):
            return
        reserved = RESERVED_IN_STATE & self.state.keys()
        if reserved:
            raise DefinitionError(
                f"the state of routine {self._routine_id!r} has {sorted(reserved)[0]!r}, a name that "
                f"get_routine_state uses itself; choose another"
            )
        if self._guarded.job.routines.get(self._routine_id, RoutineState()).version != self._version:
            raise SharedDataConflict(
                f"the state of routine {self._routine_id!r} was changed by another activation in between; "
                f"retry, or let one activation at a time change it"
            )
        changes.state = clone_fields(self.state, f"routine_states.{self._routine_id}.state")

    def start_over(self) -> None:
        """Go on from what a flush has just committed."""
        if not identical(self._original, self.state):
            committed = self._guarded.job.routines[self._routine_id]
            self._version, self._original = committed.version, committed.state


class LookedAt(dict[str, Any]):
    """A copy of shared data or of a state, for somebody who may only look."""

    def _refusal(self) -> RoutiluxError:
        return BlockingCallError(
            "a predicate, merge function, update or policy cannot change shared data or a state: it may only look; "
            "let the handler do it, or take a dict(...) of this copy"
        )

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise self._refusal()

    __setitem__ = __delitem__ = __ior__ = update = setdefault = pop = popitem = clear = _refuse

    def __reduce__(self) -> tuple[type[Data], tuple[Data]]:
        """A copy of it is a plain dict."""
        return dict, (dict(self),)


class SharedCopy(LookedAt):
    """The shared data of a job in a store, as seen from outside of its handlers, or by one whose attempt has ended."""

    def _refusal(self) -> RoutiluxError:
        return JobStateError(
            "this is a copy of shared data, of a job in a store or for a handler whose attempt has ended: "
            "change them by job_state.update_shared_data(key, value), or take a dict(...) of the copy"
        )


class Dealings:
    """What an activation does to its job besides emitting."""

    def __init__(self, guarded: Guarded, routine_id: str) -> None:
        self._guarded = guarded
        self._routine_id = routine_id
        self._shared: SharedView | None = None
        self._state: StateView | None = None
        self._updates: list[tuple[str, Any]] = []
        self._logged: list[Any] = []
        self._expected: list[Expectation] = []

    def shared_view(self) -> SharedView:
        """The activation's view of the job's shared data."""
        if self._shared is None:
            self._shared = SharedView(self._guarded)
        return self._shared

    def own_state(self) -> Data:
        """The routine's state in this job, to be changed in place."""
        if self._state is None:
            self._state = StateView(self._guarded, self._routine_id)
        return self._state.state

    def update_shared(self, key: str, value: Any) -> None:
        """Set a shared key at the commit, to a value or to a function of its old value."""
        kept = clone_fields({key: None if callable(value) else value}, "shared_data")
        self._updates.append((key, value if callable(value) else kept[key]))

    def log(self, entry: Any) -> None:
        """Append to the shared log at the commit."""
        self._logged.append(clone_fields({"entry": entry}, "shared_log")["entry"])

    def expect(self, slot: str, patience: float | None) -> None:
        """Leave a task without data, to be delivered to from outside."""
        self._expected.append(Expectation(slot, patience))

    def changes(self) -> Changes:
        """All of it as data. Call it under the guarded's lock, right before the commit."""
        changes = Changes(logged=self._logged, expected=self._expected)
        if self._shared is not None:
            self._shared.collect(changes)
        if self._state is not None:
            self._state.collect(changes)
        for key, value in self._updates:
            self._apply_update(changes, key, value)
        return changes

    def start_over(self) -> None:
        """Forget what a flush has just committed; views that the handler holds go on from there."""
        if self._shared is not None:
            self._shared.start_over([key for key, _ in self._updates])
        if self._state is not None:
            self._state.start_over()
        self._updates, self._logged, self._expected = [], [], []

    def _apply_update(self, changes: Changes, key: str, value: Any) -> None:
        if callable(value):
            old = clone(self._value_so_far(changes, key), f"shared_data.{key}")
            try:
                value = value(old)
            except BaseException as error:
                error.add_note(
                    f"the function given to update_shared_data({key!r}) is called when the activation commits"
                )
                raise
        changes.written.update(clone_fields({key: value}, "shared_data"))
        changes.removed = [removed for removed in changes.removed if removed != key]

    def _value_so_far(self, changes: Changes, key: str) -> Any:
        if key in changes.written:
            return changes.written[key]
        return None if key in changes.removed else self._guarded.job.shared_data.get(key)


def key_changed(key: str, value: Any, shared_data: Data) -> Changes:
    """What somebody outside of any handler makes of a key of shared data, by a value or a function of the old one.

    The function is asked under the job's lock, and may only look.
    """
    if callable(value):
        before = updating.set(True)
        try:
            value = value(clone(shared_data.get(key)))
        finally:
            updating.reset(before)
    return Changes(written=clone_fields({key: value}, "shared_data"))
