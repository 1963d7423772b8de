"""Whatever is done to them, in whatever order, a store in a file and one in memory give the same answers."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

from routilux._backends.backend import MOVED, Backend, Batch, Compaction, Definition, NewJob
from routilux._backends.memory import MemoryBackend
from routilux._backends.sqlite import SQLiteBackend
from routilux.errors import StoreError
from routilux.testing.conformance_parts import as_seen

JOBS = "abc"
OWNERS = ["me", "you"]
STATUSES = ["running", "paused", "completed", MOVED]

jobs = st.sampled_from(JOBS)
owners = st.sampled_from(OWNERS)
epochs = st.integers(1, 4)
created = st.sampled_from([1.0, 1.5])
numbers = st.integers(1, 6)
times = st.integers(0, 9).map(float)
contents = st.sampled_from([b"", b'"\xe6\x97\xa5"', b"1", b"2" * 6000])
new_jobs = st.builds(
    NewJob,
    flow_id=st.sampled_from(["flow-1", "flow-2"]),
    definition=st.builds(Definition, st.sampled_from(["x", "y"]), st.sampled_from([b"1", b"2"])),
    owner=st.none() | owners,
    snapshot=contents,
    replaces=st.none() | epochs,
)
answers = st.sampled_from([(), (), (("x", b"1"),), (("y", b"2"), ("x", b"3"))])
batches = st.builds(
    Batch,
    job_id=jobs,
    created_at=created,
    epoch=epochs,
    number=numbers,
    content=contents,
    at=times,
    status=st.none() | st.sampled_from(STATUSES[:3]),
    releases=st.booleans(),
    new=st.none() | new_jobs,
    answers=answers,
)


class StoresAgree(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "jobs.db"
        self.memory = MemoryBackend()
        self.file = SQLiteBackend(self.path)

    def both(self, ask: Callable[[Backend], object]) -> object:
        """Ask both the same, and compare what they answer, or how they refuse."""
        expected, given = answer(ask, self.memory), answer(ask, self.file)
        assert given == expected
        return expected

    @rule(job=jobs, born=created, new=new_jobs, content=contents, at=times)
    def create(self, job: str, born: float, new: NewJob, content: bytes, at: float) -> None:
        self.both(lambda store: store.write([Batch(job, born, 1, 1, content, at, new=new)]))

    @rule(job=jobs, content=contents, at=times, status=st.none() | st.sampled_from(STATUSES[:3]), said=answers)
    def append(
        self, job: str, content: bytes, at: float, status: str | None, said: tuple[tuple[str, bytes], ...]
    ) -> None:
        record = self.memory.record(job)
        if record is not None and record.status != MOVED:
            number = self.memory.read(job).number + 1
            batch = Batch(job, record.created_at, record.epoch, number, content, at, status, answers=said)
            self.both(lambda store: store.write([batch]))

    @rule(written=st.lists(batches, max_size=4))
    def write(self, written: list[Batch]) -> None:
        self.both(lambda store: store.write(written))

    @rule(job=jobs, born=created, epoch=epochs, number=numbers, segment=st.none() | contents, first=st.integers(0, 4))
    def compact(self, job: str, born: float, epoch: int, number: int, segment: bytes | None, first: int) -> None:
        self.both(lambda store: store.compact(Compaction(job, born, epoch, number, b"snapshot", segment, first)))

    @rule(job=jobs, born=created, owner=owners, epoch=epochs)
    def acquire(self, job: str, born: float, owner: str, epoch: int) -> None:
        self.both(lambda store: store.acquire(as_seen(job, created_at=born, epoch=epoch), owner))

    @rule(job=jobs, changed=st.none() | st.sampled_from(["created_at", "epoch", "updated_at"]), at=times)
    def move_out(self, job: str, changed: str | None, at: float) -> None:
        """As it is, or not quite."""
        if (record := self.memory.record(job)) is not None:
            seen = replace(record, **({} if changed is None else {changed: getattr(record, changed) + 1}))
            self.both(lambda store: store.move_out(seen, at=at))

    @rule(
        job=jobs,
        born=st.none() | created,
        epoch=st.none() | epochs,
        status=st.none() | st.sampled_from(STATUSES),
        owner=st.none() | owners,
    )
    def delete(self, job: str, born: float | None, epoch: int | None, status: str | None, owner: str | None) -> None:
        """As it is, or was once, or never was."""
        if (record := self.memory.record(job)) is not None:
            other = {"created_at": born, "epoch": epoch, "status": status, "owner": owner}
            seen = replace(record, **{name: value for name, value in other.items() if value is not None})
            self.both(lambda store: store.delete(seen))

    @rule(before=times, statuses=st.lists(st.sampled_from(STATUSES), max_size=2))
    def prune(self, before: float, statuses: list[str]) -> None:
        self.both(lambda store: store.prune(before=before, statuses=statuses))

    @rule(job=jobs, key=st.sampled_from("xy"), request=contents)
    def ask(self, job: str, key: str, request: bytes) -> None:
        self.both(lambda store: store.ask(job, key, request))

    @rule(requests=st.lists(st.tuples(jobs, contents), max_size=3))
    def dismiss(self, requests: list[tuple[str, bytes]]) -> None:
        self.both(lambda store: store.dismiss(requests))

    @rule(owner=owners)
    def asked(self, owner: str) -> None:
        self.both(lambda store: store.asked(owner))

    @rule(job=jobs, key=st.sampled_from("xy"), content=contents)
    def answer(self, job: str, key: str, content: bytes) -> None:
        self.both(lambda store: store.answer(job, key, content))

    @rule(job=jobs, key=st.sampled_from("xy"))
    def answered(self, job: str, key: str) -> None:
        self.both(lambda store: store.answered(job, key))

    @rule(job=jobs, key=st.sampled_from("xy"))
    def acknowledge(self, job: str, key: str) -> None:
        self.both(lambda store: store.acknowledge(job, key))

    @rule(owner=owners)
    def beat(self, owner: str) -> None:
        self.both(lambda store: store.beat(owner))

    @rule(owner=owners)
    def leave(self, owner: str) -> None:
        self.both(lambda store: store.leave(owner))

    @rule()
    def reopen(self) -> None:
        self.file.close()
        self.file = SQLiteBackend(self.path)

    @invariant()
    def all_that_is_stored_is_the_same(self) -> None:
        self.both(lambda store: store.records())
        self.both(lambda store: sorted(store.silences()))
        for job in JOBS:
            self.both(lambda store, job=job: store.read(job))
            self.both(lambda store, job=job: store.record(job))
        for definition in "xy":
            self.both(lambda store, definition=definition: store.definition(definition))

    def teardown(self) -> None:
        self.file.close()
        self.folder.cleanup()


def answer(ask: Callable[[Backend], object], store: Backend) -> object:
    try:
        return ask(store)
    except StoreError as error:
        return type(error), str(error)


TestStoresAgree = StoresAgree.TestCase
TestStoresAgree.settings = settings(stateful_step_count=20)
