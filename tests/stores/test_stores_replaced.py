"""A store's file that is deleted or replaced while it is open: nobody is told that something is kept in it."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from routilux import Flow, Routine, StoreError
from routilux._backends import sqlite_file
from routilux._backends.sqlite import SQLiteBackend
from routilux.errors import StoreUnavailableError
from routilux.stores import Store
from routilux.testing.conformance_parts import appended, as_seen, compacted, created, numbers
from serilux import register_serializable


@pytest.fixture(autouse=True)
def looked_after_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "LOOKED_AFTER", -1.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.db"


@pytest.fixture
def backend(path: Path) -> Iterator[SQLiteBackend]:
    with closing(SQLiteBackend(path, busy_timeout=0.05)) as backend:
        backend.write([created("a"), appended("a", 2)])
        yield backend


CALLS: dict[str, Callable[[SQLiteBackend], object]] = {
    "write": lambda backend: backend.write([appended("a", 3)]),
    "write several": lambda backend: backend.write([created("b"), appended("a", 3)]),
    "compact": lambda backend: backend.compact(compacted("a", 2)),
    "acquire": lambda backend: backend.acquire(as_seen("a"), "you"),
    "beat": lambda backend: backend.beat("me"),
    "read": lambda backend: backend.read("a"),
    "records": lambda backend: backend.records(),
    "asked": lambda backend: backend.asked("me"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
def test_what_is_deleted_is_missed(backend: SQLiteBackend, path: Path, suffix: str, call: str) -> None:
    os.unlink(f"{path}{suffix}")
    with pytest.raises(StoreError, match=rf"store {path}: {path}{suffix} (has gone while|is another file than)"):
        CALLS[call](backend)


@pytest.mark.parametrize("call", CALLS)
def test_another_file_in_its_place_is_seen(backend: SQLiteBackend, path: Path, call: str) -> None:
    shutil.copy(path, f"{path}.backup")
    os.replace(f"{path}.backup", path)
    with pytest.raises(StoreError, match=f"{path} is another file than the one that was opened") as refusal:
        CALLS[call](backend)
    assert not isinstance(refusal.value, StoreUnavailableError)


def test_a_file_that_is_put_back_has_all_that_was_written_meanwhile(backend: SQLiteBackend, path: Path) -> None:
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).rename(path.with_name(f"away-{name}"))
    with pytest.raises(StoreUnavailableError, match="has gone"):
        backend.write([appended("a", 3)])
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(f"away-{name}").rename(path.with_name(name))
    assert backend.write([appended("a", 3)]) == frozenset()
    assert backend.write([appended("a", 4)]) == frozenset()
    with closing(SQLiteBackend(path)) as other:
        assert numbers(other.read("a")) == numbers(backend.read("a"))


def test_a_fork_of_a_process_whose_file_has_gone_makes_no_new_one(backend: SQLiteBackend, path: Path) -> None:
    os.unlink(path)
    backend._file._connections.pid = -1
    with pytest.raises(StoreUnavailableError, match="has gone"):
        backend.records()
    assert not path.exists()
    backend._file._connections = backend._file._inherited.pop()
    backend._file._connections.pid = os.getpid()


def test_the_file_is_looked_after_once_in_a_while(
    backend: SQLiteBackend, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "LOOKED_AFTER", 3600.0)
    backend.write([appended("a", 3)])
    looked: list[str] = []
    monkeypatch.setattr(sqlite_file._Place, "_look", lambda place, name: looked.append(name))
    for number in range(4, 100):
        backend.write([appended("a", number)])
    assert looked == []
    monkeypatch.setattr(sqlite_file, "LOOKED_AFTER", 0.0)
    backend.read("a")
    assert looked == [str(path), f"{path}-wal", f"{path}-shm"]


def test_a_store_that_had_no_log_yet_may_have_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that was copied by another program."""
    SQLiteBackend(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    with closing(SQLiteBackend(path)) as backend:
        backend.write([created("a")])
        os.unlink(f"{path}-wal")
        with pytest.raises(StoreUnavailableError, match=r"jobs\.db-wal has gone"):
            backend.write([appended("a", 2)])


@register_serializable(name="StoresReplacedStep")
class Step(Routine):
    """Waits to be told to end."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.ask)
        self.define_slot("end", self.end)

    def ask(self) -> None:
        self.expect("end")

    def end(self) -> None:
        pass


@pytest.mark.parametrize(("deleted", "patience"), [(True, 0.0), (False, 3600.0)])
def test_a_job_whose_file_is_no_more_is_not_completed(path: Path, deleted: bool, patience: float) -> None:
    flow = Flow("step")
    flow.add_routine(Step(), "step")
    store = Store(SQLiteBackend(path), patience=patience)
    job_state = flow.execute("step", store=store)
    shutil.copy(path, f"{path}.backup")
    os.unlink(path) if deleted else os.replace(f"{path}.backup", path)
    with pytest.raises(StoreError, match="has gone" if deleted else "is another file"):
        flow.deliver(job_state, "step", "end", {})
    with pytest.raises(StoreError, match="has gone" if deleted else "is another file"):
        job_state.wait(60)
    assert job_state.status == "running"
    store.ledger.abandon()
    store.ledger.backend.close()
