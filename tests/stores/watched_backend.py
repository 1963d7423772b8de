"""A backend of which a test says what happens before or after a call, and which keeps what was written."""

from collections.abc import Callable, Sequence

from routilux._backends.backend import Batch, JobRecord, StoredJob
from routilux._backends.memory import MemoryBackend
from routilux.errors import StoreUnavailableError


def away() -> None:
    raise StoreUnavailableError("the disk is full")


class Watched(MemoryBackend):
    """Has something happen before or after a call of it, once, and keeps what was written."""

    def __init__(self) -> None:
        super().__init__()
        self.before: dict[str, Callable[[], object]] = {}
        self.after: dict[str, Callable[[], object]] = {}
        self.written: list[Batch] = []

    def write(self, batches: Sequence[Batch]) -> frozenset[str]:
        self._happen(self.before, "write")
        refused = super().write(batches)
        self.written += batches
        self._happen(self.after, "write")
        return refused

    def acquire(self, record: JobRecord, owner: str) -> StoredJob | None:
        stored = super().acquire(record, owner)
        self._happen(self.after, "acquire")
        return stored

    def read(self, job_id: str) -> StoredJob:
        stored = super().read(job_id)
        self._happen(self.after, "read")
        return stored

    def definition(self, definition_id: str) -> bytes:
        self._happen(self.before, "definition")
        return super().definition(definition_id)

    def beat(self, owner: str) -> None:
        self._happen(self.before, "beat")
        super().beat(owner)

    def _happen(self, events: dict[str, Callable[[], object]], name: str) -> None:
        events.pop(name, lambda: None)()
