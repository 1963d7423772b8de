"""What is damaged on disk is found, named, and never half used."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from routilux._backends.backend import Backend
from routilux._backends.postgres import PostgresBackend
from routilux._backends.sqlite import SQLiteBackend
from routilux.errors import DamagedRecordError
from routilux.testing.conformance_parts import appended, as_seen, compacted, created, deleted, moved_out

Stored = tuple[Backend, Callable[[str], None]]
"""A store, and how to run a statement in it behind its back."""


@pytest.fixture(params=["sqlite", "postgres"])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stored]:
    if request.param == "sqlite":
        with closing(SQLiteBackend(tmp_path / "jobs.db")) as backend:
            yield filled(backend), lambda statement: in_file(tmp_path / "jobs.db", statement)
    else:
        url = request.getfixturevalue("postgres_url")
        with closing(PostgresBackend(url)) as backend:
            yield filled(backend), lambda statement: in_database(url, statement)


def filled(backend: Backend) -> Backend:
    """A job with a snapshot of the first record, two segments, and two records more."""
    backend.write([created("a"), appended("a", 2), appended("a", 3), appended("a", 4), created("b")])
    backend.compact(compacted("a", 1, segment=b"first"))
    backend.compact(compacted("a", 2, segment=b"second"))
    backend.ask("a", "1", b"stop")
    return backend


def in_file(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement.replace("routilux_", ""))


def in_database(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


@pytest.mark.parametrize(
    ("statement", "kind", "number", "problem"),
    [
        ("UPDATE routilux_journal SET content = '{}' WHERE number = 4", "record", 4, "damaged"),
        ("UPDATE routilux_journal SET number = 5 WHERE number = 4", "record", 4, "missing"),
        ("DELETE FROM routilux_journal WHERE number = 3", "record", 3, "missing"),
        ("UPDATE routilux_segments SET content = '{}' WHERE number = 2", "segment", 2, "damaged"),
        ("DELETE FROM routilux_segments WHERE number = 1", "segment", 1, "missing"),
        ("DELETE FROM routilux_segments WHERE number = 2", "segment", 2, "missing"),
        ("UPDATE routilux_snapshots SET content = '{}' WHERE number = 2", "snapshot", 2, "damaged"),
        ("UPDATE routilux_snapshots SET number = 3 WHERE number = 2", "snapshot", 3, "damaged"),
        ("DELETE FROM routilux_snapshots WHERE number = 2", "snapshot", 0, "missing"),
    ],
)
def test_damage_is_named_by_job_kind_and_number(
    stored: Stored, statement: str, kind: str, number: int, problem: str
) -> None:
    backend, run = stored
    run(statement)
    for call in (
        lambda: backend.read("a"),
        lambda: backend.acquire(as_seen("a"), "you"),
        lambda: moved_out(backend, "a"),
    ):
        with pytest.raises(DamagedRecordError, match=f"{kind} {number} of 'a' is {problem}") as refusal:
            call()
        error = refusal.value
        assert (error.kind, error.number, error.job_id, error.definition_id) == (kind, number, "a", None)
    record = backend.record("a")
    assert record is not None
    assert (record.epoch, record.owner, record.status) == (1, "me", "running")
    assert backend.read("b").number == 1
    assert deleted(backend, "a") is True


def test_a_damaged_definition_is_named(stored: Stored) -> None:
    backend, run = stored
    run("UPDATE routilux_definitions SET document = '{}'")
    with pytest.raises(DamagedRecordError, match="definition 1 of 'fingerprint-1' is damaged") as refusal:
        backend.definition("fingerprint-1")
    error = refusal.value
    assert (error.kind, error.number, error.job_id, error.definition_id) == ("definition", 1, None, "fingerprint-1")


def test_a_damaged_request_is_named(stored: Stored) -> None:
    backend, run = stored
    run("UPDATE routilux_requests SET content = '{}'")
    with pytest.raises(DamagedRecordError, match="request 0 of 'a' is damaged") as refusal:
        backend.asked("me")
    assert (refusal.value.kind, refusal.value.job_id) == ("request", "a")
    assert backend.asked("me") == []


def test_no_other_request_is_lost_with_a_damaged_one(stored: Stored) -> None:
    backend, run = stored
    backend.ask("b", "2", b"{}")
    backend.ask("a", "3", b'{"damaged": 1}')
    backend.ask("b", "4", b'{"last": 1}')
    run("UPDATE routilux_requests SET content = 'x' WHERE id = (SELECT max(id) - 1 FROM routilux_requests)")
    with pytest.raises(DamagedRecordError, match="request 0 of 'a' is damaged"):
        backend.asked("me")
    assert backend.asked("me") == [("a", b"stop"), ("b", b"{}"), ("b", b'{"last": 1}')]


def test_records_of_two_jobs_are_not_taken_for_each_other(stored: Stored) -> None:
    backend, run = stored
    run(
        """
        UPDATE routilux_journal SET checksum = (SELECT max(checksum) FROM routilux_journal WHERE number = 1)
        WHERE number = 3
        """
    )
    with pytest.raises(DamagedRecordError, match="record 3 of 'a'"):
        backend.read("a")
