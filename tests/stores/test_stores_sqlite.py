"""What only a store in a file can do wrong."""

import os
import resource
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from routilux._backends import sqlite, sqlite_file, sqlite_schema
from routilux._backends.backend import Batch
from routilux._backends.sqlite import PRUNED_AT_ONCE, SQLiteBackend
from routilux._backends.sqlite_file import LOG_KEPT, PAGE_SIZE
from routilux._backends.sqlite_schema import APPLICATION_ID, STEPS, bring_up_to_date, format_of
from routilux._haste import in_time
from routilux.errors import DamagedRecordError, StoreError, StoreFormatError, StoreUnavailableError
from routilux.testing.conformance_parts import BEGUN, appended, compacted, created, numbers


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.db"


@pytest.fixture
def backend(path: Path) -> Iterator[SQLiteBackend]:
    with closing(SQLiteBackend(path, busy_timeout=0.05)) as backend:
        yield backend


@contextmanager
def raw(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def test_every_commit_is_waited_for(backend: SQLiteBackend) -> None:
    with backend._file.writing() as connection:
        settings = [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert settings == ["wal", 2, 1]


class Breaking:
    """A connection that fails at one statement, once."""

    def __init__(self, held: Any, statement: str, error: BaseException) -> None:
        self._held, self._real = held, held._connection
        self._statement, self._error = statement, error
        held._connection = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def execute(self, statement: str, *values: Any) -> Any:
        if statement.startswith(self._statement):
            self._held._connection = self._real
            raise self._error
        return self._real.execute(statement, *values)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MemoryError(), MemoryError),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (sqlite3.OperationalError("broken"), StoreError),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_a_connection_that_cannot_be_made_ready_is_free_for_the_next(
    backend: SQLiteBackend, error: BaseException, told: type[BaseException]
) -> None:
    """Its lock stayed taken, and whoever came next waited for ever."""
    reading = backend._file._mine().reading
    for is_hasty in (True, False):
        Breaking(reading, "PRAGMA busy_timeout", error)
        with pytest.raises(told), in_time(1.0 if is_hasty else None):
            backend.record("a")
        was_free = reading._lock.acquire(blocking=False)
        reading._lock.release()  # in any case: the store has to be closed
        assert was_free
    assert backend.record("a") is None
    with reading as connection:
        assert connection.execute("PRAGMA busy_timeout").fetchone() == (50,)


@pytest.mark.parametrize(
    "batches",
    [
        [created("new")],
        [appended("a", 2)],
        [appended("a", 2, status="completed")],
        [appended("a", 2), appended("b", 2, status="failed")],
        [Batch("b", BEGUN, 1, 2, b"x" * 100_000, 1.0, releases=True)],
    ],
    ids=["a new job", "a record", "a status", "two records", "a long record"],
)
def test_a_write_is_one_statement(backend: SQLiteBackend, batches: list[Batch]) -> None:
    backend.write([created("a"), created("b")])
    statements: list[str] = []
    with backend._file.writing() as connection:
        connection.set_trace_callback(statements.append)
    assert backend.write(batches) == frozenset()
    assert len(set(statements)) == 1, "what triggers do is called by the name of the statement"


def test_what_is_freed_by_compactions_is_used_again(backend: SQLiteBackend, path: Path) -> None:
    backend.write([created("a")])
    sizes = []
    for number in range(2, 602):
        backend.write([Batch("a", BEGUN, 1, number, b"x" * 1000, 1.0)])
        if number % 50 == 0:
            backend.compact(compacted("a", number))
            with backend._file.writing() as connection:
                sizes.append(connection.execute("PRAGMA page_count").fetchone()[0])
    assert sizes[-1] <= sizes[0] + 2


def test_the_log_of_a_long_record_does_not_stay(backend: SQLiteBackend, path: Path) -> None:
    backend.write([created("a")])
    backend.write([Batch("a", BEGUN, 1, 2, b"x" * 2 * LOG_KEPT, 1.0)])
    for number in range(3, 6):
        backend.write([appended("a", number)])
    assert path.with_name("jobs.db-wal").stat().st_size <= LOG_KEPT


def test_many_jobs_are_pruned_some_at_a_time(backend: SQLiteBackend) -> None:
    count = 2 * PRUNED_AT_ONCE + 1
    backend.write([created(f"job-{number}", at=float(number)) for number in range(count + 10)])
    assert backend.prune(before=float(count), statuses=["running"]) == count
    assert len(backend.records()) == 10


def test_a_new_file_is_for_its_owner_only(backend: SQLiteBackend, path: Path) -> None:
    backend.write([created("a")])
    modes = {name.name: stat.S_IMODE(name.stat().st_mode) for name in path.parent.iterdir()}
    assert modes == {"jobs.db": 0o600, "jobs.db-wal": 0o600, "jobs.db-shm": 0o600}


def test_closing_leaves_one_file(path: Path) -> None:
    SQLiteBackend(path).close()
    assert list(path.parent.iterdir()) == [path]


def test_a_closed_store_says_so(path: Path) -> None:
    backend = SQLiteBackend(path)
    backend.close()
    with pytest.raises(StoreError, match="closed"):
        backend.records()


def test_a_locked_store_is_unavailable_until_it_is_not(backend: SQLiteBackend, path: Path) -> None:
    backend.write([created("a"), appended("a", 2)])
    with raw(path) as other:
        other.execute("BEGIN IMMEDIATE")
        for write in (
            lambda: backend.write([appended("a", 3)]),
            lambda: backend.write([created("b"), appended("a", 3)]),
            lambda: backend.compact(compacted("a", 2)),
            lambda: backend.beat("me"),
        ):
            with pytest.raises(StoreUnavailableError, match=f"{path}: another program has had it locked"):
                write()
        assert backend.read("a").number == 2
        other.execute("ROLLBACK")
    assert backend.write([appended("a", 3)]) == frozenset()


def test_a_full_disk_is_unavailable_and_nothing_is_half_written(backend: SQLiteBackend) -> None:
    backend.write([created("a")])
    with backend._file.writing() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
    full = [Batch("a", BEGUN, 1, 2, b"x" * 100_000, 1.0), Batch("a", BEGUN, 1, 3, b"x" * 100_000, 1.0)]
    for batches in (full[:1], full):
        with pytest.raises(StoreUnavailableError, match="the disk is full"):
            backend.write(batches)
    assert backend.read("a").number == 1
    with backend._file.writing() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    assert backend.write(full) == frozenset()
    assert backend.read("a").number == 3


def test_a_failing_disk_is_unavailable_and_nothing_is_half_written(backend: SQLiteBackend, path: Path) -> None:
    backend.write([created("a")])
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    record = Batch("a", BEGUN, 1, 2, b"x" * 100_000, 1.0)
    size = path.with_name("jobs.db-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50_000, unlimited[1]))
    try:
        with pytest.raises(StoreUnavailableError, match="the disk failed"):
            backend.write([record])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert backend.read("a").number == 1
    assert backend.write([record]) == frozenset()
    with closing(SQLiteBackend(path)) as reopened:
        assert reopened.read("a").number == 2


def test_a_store_that_cannot_be_written_says_so(backend: SQLiteBackend, path: Path) -> None:
    backend.write([created("a")])
    with backend._file.writing() as connection:
        connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreError, match=f"{path}: it cannot be written") as refusal:
        backend.write([appended("a", 2)])
    assert not isinstance(refusal.value, StoreUnavailableError)
    assert backend.read("a").number == 1


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=f"make the folder {tmp_path / 'data'} first"):
        SQLiteBackend(tmp_path / "data" / "jobs.db")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="that is a folder"):
        SQLiteBackend(tmp_path)


def test_a_file_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be made: File name too long"):
        SQLiteBackend(tmp_path / ("x" * 300))


def test_another_kind_of_file_is_refused_and_stays_as_it_was(path: Path) -> None:
    path.write_bytes(b"not a database, but a text that is long enough to be looked at" * 20)
    before = path.read_bytes()
    with pytest.raises(StoreFormatError, match=f"{path}: it is no SQLite database"):
        SQLiteBackend(path)
    assert path.read_bytes() == before


def test_another_programs_database_is_refused_and_stays_as_it_was(path: Path) -> None:
    with raw(path) as other:
        other.execute("CREATE TABLE jobs (mine TEXT)")
    before = path.read_bytes()
    with pytest.raises(StoreFormatError, match=f"{path} is an SQLite database of another program"):
        SQLiteBackend(path)
    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.touch()
    with closing(SQLiteBackend(path)) as backend:
        assert backend.records() == []


def test_a_file_that_another_process_is_making_a_store_of_is_waited_for(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with raw(path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailableError, match="another program has had it locked"):
            SQLiteBackend(path, busy_timeout=0.0)
        monkeypatch.setattr(sqlite_file, "sleep", lambda _: other.execute("ROLLBACK"))
        with closing(SQLiteBackend(path)) as backend:
            assert backend.records() == []


@pytest.mark.parametrize(("made_with", "kept"), [(None, PAGE_SIZE), (4096, 4096)])
def test_a_new_file_has_small_pages_and_an_old_one_keeps_its_own(path: Path, made_with: int | None, kept: int) -> None:
    if made_with is not None:
        with raw(path) as connection:
            connection.execute(f"PRAGMA page_size = {made_with}")
            connection.execute("BEGIN IMMEDIATE")
            bring_up_to_date(connection, str(path))
            connection.execute("COMMIT")
    with closing(SQLiteBackend(path)) as backend:
        assert backend.write([created("a")]) == frozenset()
    with raw(path) as connection:
        assert connection.execute("PRAGMA page_size").fetchone() == (kept,)


def test_a_newer_format_is_refused_by_its_number(path: Path) -> None:
    SQLiteBackend(path).close()
    with raw(path) as newer:
        newer.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    with pytest.raises(StoreFormatError, match=f"{path} is a store of format {len(STEPS) + 1}, .* newer routilux"):
        SQLiteBackend(path)


def test_an_older_format_is_brought_up_to_date_step_by_step(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = (("CREATE TABLE first (x)",), ("CREATE TABLE second (x)", "INSERT INTO first VALUES (2)"))
    with raw(path) as connection:
        monkeypatch.setattr(sqlite_schema, "STEPS", steps[:1])
        bring_up_to_date(connection, str(path))
        connection.execute("INSERT INTO first VALUES (1)")
        monkeypatch.setattr(sqlite_schema, "STEPS", steps)
        bring_up_to_date(connection, str(path))
        assert connection.execute("SELECT x FROM first").fetchall() == [(1,), (2,)]
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)


def test_a_process_that_dies_while_it_makes_the_tables_leaves_an_empty_file(path: Path) -> None:
    with raw(path) as dying:
        dying.execute("BEGIN IMMEDIATE")
        bring_up_to_date(dying, str(path))
    with raw(path) as connection:
        assert format_of(connection, str(path)) == 0
    with closing(SQLiteBackend(path)) as backend:
        assert backend.write([created("a")]) == frozenset()


def test_damaged_pages_are_damage_and_not_an_empty_store(path: Path) -> None:
    with closing(SQLiteBackend(path)) as backend:
        backend.write([created(f"job-{number}") for number in range(200)])
    with path.open("r+b") as file:
        file.seek(PAGE_SIZE)
        file.write(b"\xff" * (path.stat().st_size - PAGE_SIZE))
    with (
        pytest.raises(DamagedRecordError, match=f"{path}: its pages are damaged"),
        closing(SQLiteBackend(path)) as backend,
    ):
        backend.records()


OPENING = """
import sys
from routilux._backends.sqlite import SQLiteBackend
from routilux.testing.conformance_parts import appended, created
sys.stdin.readline()
backend = SQLiteBackend(sys.argv[1])
backend.write([created(sys.argv[2])])
for number in range(2, 30):
    assert not backend.write([appended(sys.argv[2], number)])
"""


def test_many_processes_may_make_a_store_at_once(path: Path) -> None:
    commands = [[sys.executable, "-c", OPENING, str(path), f"job-{number}"] for number in range(4)]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) for command in commands]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60)[1] for process in processes] == [b""] * 4
    with closing(SQLiteBackend(path)) as backend:
        assert [backend.read(f"job-{number}").number for number in range(4)] == [29] * 4


FORKING = """
import os, sys
from routilux._backends.sqlite import SQLiteBackend
from routilux.testing.conformance_parts import appended, created
backend = SQLiteBackend(sys.argv[1])
backend.write([created("a")])
with backend._file.writing():
    child = os.fork()
    if child == 0:
        backend.write([appended("a", 2)])
        backend.close()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
backend.write([appended("a", 3)])
backend.close()
raise SystemExit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_has_connections_of_its_own(path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", FORKING, str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    with closing(SQLiteBackend(path)) as backend:
        assert numbers(backend.read("a")) == [b"1", b"2", b"3"]


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_a_clock_that_jumps_hides_no_death(
    backend: SQLiteBackend, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    """Who lives beats again within seconds, by the clock as it is now."""
    backend.beat("dead")
    monkeypatch.setattr(sqlite, "time", lambda: time.time() + jump)
    backend.beat("alive")
    silences = backend.silences()
    assert silences["dead"] == pytest.approx(3600.0, abs=60.0)
    assert silences["alive"] < 60.0
