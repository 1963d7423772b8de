"""A store that somebody else has locked is waited for no longer than whoever asks said."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import psycopg
import psycopg.conninfo
import pytest

from routilux import Flow, StoreError
from routilux._backends import postgres_server
from routilux._backends.postgres import PostgresBackend
from routilux._backends.sqlite import SQLiteBackend
from routilux._haste import LEAST, in_time, seconds_left, without_haste
from routilux.errors import StoreUnavailableError
from routilux.stores import Store
from routilux.testing.conformance_parts import created
from tests.stores.patients import patient

FAR = 3600.0
"""Seconds for which a store waits by itself: longer than any test may take."""

LOCKING = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
if sys.argv[2] == "whole":
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE jobs SET flow_id = flow_id")
print("locked", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.db"


@pytest.fixture
def flow() -> Iterator[Flow]:
    with patient() as flow:
        yield flow


def locking(path: Path, what: str) -> subprocess.Popen[str]:
    """Another process that has a file locked until it is told to end."""
    process = subprocess.Popen(
        [sys.executable, "-c", LOCKING, str(path), what], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    return process


class Place(NamedTuple):
    """A store: as its owner has it, as somebody with all the time has it, and another program that locks it."""

    owner: Store
    patient: Store
    locked: Callable[[], AbstractContextManager[object]]
    told: str


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, path: Path) -> Iterator[Place]:
    if request.param == "sqlite":
        owner, store = Store(SQLiteBackend(path)), Store(SQLiteBackend(path, busy_timeout=FAR))
        made = Place(owner, store, lambda: locked_file(path), "another program has had it locked for too long")
    else:
        url = request.getfixturevalue("postgres_url")
        owner, store = Store(PostgresBackend(url)), Store(PostgresBackend(url, lock_timeout=FAR))
        made = Place(owner, store, lambda: locked_jobs(url), "another program has had a job locked for too long")
    yield made
    owner.close()
    store.close()


@contextmanager
def locked_file(path: Path) -> Iterator[None]:
    with locking(path, "writes") as other:
        yield
        other.communicate("\n")


@contextmanager
def locked_jobs(url: str) -> Iterator[None]:
    with psycopg.connect(url) as other:
        other.execute("SELECT FROM routilux_jobs FOR UPDATE")
        yield


@pytest.mark.parametrize("asked", ["pause", "cancel", "deliver"])
@pytest.mark.parametrize("is_run", [True, False])
def test_who_asks_is_answered_in_time(place: Place, flow: Flow, asked: str, is_run: bool) -> None:
    owner = place.owner
    job_state = flow.execute("patient", store=owner)
    if not is_run:
        job_state._live.abandon()
        owner._backend.leave(owner.ledger.owner)
    more = ("patient", "answer", {"text": "x"}) if asked == "deliver" else ()
    with place.locked():
        begun = monotonic()
        with pytest.raises(StoreUnavailableError, match=place.told):
            getattr(place.patient, asked)(job_state.job_id, *more, timeout=0.3)
        assert monotonic() - begun < FAR / 60
    getattr(place.patient, asked)(job_state.job_id, *more, timeout=FAR)


def test_the_next_caller_waits_as_before(path: Path) -> None:
    backend = SQLiteBackend(path, busy_timeout=FAR)
    with in_time(5.0):
        backend.write([created("a")])
        assert busy_timeout(backend) <= 5000
    backend.write([created("b")])
    assert busy_timeout(backend) == FAR * 1000
    backend.close()


def busy_timeout(backend: SQLiteBackend) -> int:
    return int(backend._file._connections.writing._connection.execute("PRAGMA busy_timeout").fetchone()[0])


def test_a_file_that_cannot_even_be_read_is_not_opened_for_longer(path: Path) -> None:
    SQLiteBackend(path).close()
    with locking(path, "whole") as other:
        with in_time(0.2), pytest.raises(StoreError, match="locked"):
            SQLiteBackend(path, busy_timeout=FAR)
        other.communicate("\n")
    SQLiteBackend(path).close()


def test_another_thread_that_has_the_file_is_not_waited_for_longer(path: Path) -> None:
    backend = SQLiteBackend(path)
    has, done = threading.Event(), threading.Event()

    def hold() -> None:
        with backend._file.writing():
            has.set()
            done.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    has.wait(60)
    with in_time(0.1), pytest.raises(StoreUnavailableError, match="another thread has had it for too long"):
        backend.beat("me")
    done.set()
    holder.join(60)
    backend.beat("me")
    backend.close()


def test_postgres_lets_the_next_caller_wait_as_before(postgres_url: str) -> None:
    with closing(PostgresBackend(postgres_url, lock_timeout=FAR)) as backend:
        for limit, waited in ((None, "1h"), (5.0, "5s"), (2.0, "2s"), (2 * FAR, "1h"), (None, "1h")):
            with in_time(limit), backend._server.writing() as session:
                assert session.execute("SHOW lock_timeout").fetchone() == (waited,)


def test_a_connection_is_in_haste_no_longer_although_that_could_not_be_told_once(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(PostgresBackend(postgres_url, lock_timeout=FAR)) as backend:
        with in_time(5.0):
            backend.beat("me")
        with monkeypatch.context() as patched:
            patched.setattr(postgres_server, "_milliseconds", lambda _: "nonsense")
            with pytest.raises(StoreError):
                backend.beat("me")
        with backend._server.writing() as session:
            assert session.execute("SHOW lock_timeout").fetchone() == ("1h",)


def test_another_thread_that_has_the_connection_is_not_waited_for_longer(postgres_url: str) -> None:
    with closing(PostgresBackend(postgres_url)) as backend:
        with backend._server.writing(), in_time(0.1), pytest.raises(StoreUnavailableError, match="another thread"):
            backend.beat("me")
        backend.beat("me")


def test_a_connection_is_not_waited_for_longer(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where whoever calls has less time than the URL gives it, or than a store does by itself."""
    limits = []

    def refused(conninfo: str, **_: object) -> None:
        limits.append(psycopg.conninfo.conninfo_to_dict(conninfo)["connect_timeout"])
        raise psycopg.OperationalError("not now")

    monkeypatch.setattr(postgres_server, "connect", refused)
    for url in (postgres_url, f"{postgres_url}&connect_timeout=3", f"{postgres_url}&connect_timeout=0"):
        for left in (None, 1.5, 60.0):
            monkeypatch.setattr(postgres_server, "seconds_left", lambda left=left: left)
            with pytest.raises(StoreUnavailableError, match="not now"):
                PostgresBackend(url)
    assert limits == ["10", "2", "10", "3", "2", "3", "0", "2", "60"]


def test_the_earlier_limit_counts_and_what_must_not_be_left_half_done_has_none() -> None:
    assert seconds_left() is None
    with in_time(50.0), in_time(100.0), in_time(None):
        left = seconds_left()
        assert left is not None
        assert 40.0 < left <= 50.0
        with without_haste():
            assert seconds_left() is None
        with in_time(0.0):
            assert seconds_left() == LEAST
    assert seconds_left() is None
