"""What disks, locks and servers do: a job waits for them to come back, or ends with a clear error and is resumed."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event

import psycopg
import pytest

from routilux import StoreUnavailableError, recover
from routilux._backends.postgres import PostgresBackend
from routilux._backends.sqlite import SQLiteBackend
from routilux.stores import Store, open_store
from tests.crashes import mill
from tests.crashes.failing_backend import NoticingBackend
from tests.crashes.full_disks import run_until_there_is_room, write_as_nobody
from tests.crashes.gates import close_gates, gated, open_gates
from tests.crashes.hosts import Host
from tests.crashes.millers import ORDER
from tests.stores.postgres_process import PostgresProcess, running_postgres


@pytest.fixture(autouse=True)
def closed_gates() -> Iterator[None]:
    close_gates()
    yield
    open_gates()


def test_a_job_waits_until_there_is_room_on_the_disk(tmp_path: Path) -> None:
    said = Host(run_until_there_is_room, str(tmp_path / "jobs.db"), 60.0).ended()
    assert said == ["noticed"] * 3 + ["completed"]


def test_a_job_that_finds_the_disk_full_for_too_long_is_resumed_later(tmp_path: Path) -> None:
    *noticed, raised, status = Host(run_until_there_is_room, str(tmp_path / "jobs.db"), 0.0).ended()
    assert (set(noticed), status) == ({"noticed"}, "completed")
    assert "the disk failed to read or write; check it, and whether it is full" in raised


def test_a_job_waits_until_the_file_is_unlocked(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        backend = SQLiteBackend(path, busy_timeout=0.01)
        store = Store(NoticingBackend(backend, lambda times: other.rollback() if times == 3 else None), window=0.001)
        job_state = gated().execute("gated", store=store)
        other.execute("BEGIN IMMEDIATE")
        open_gates()
        assert job_state.wait(60)
        assert store.load(job_state.job_id)[1].status == "completed"
        store.close()


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that everybody may look into."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_file_that_may_not_be_written_is_refused(public_folder: Path) -> None:
    path = public_folder / "jobs.db"
    open_store(f"sqlite:///{path}").close()
    path.chmod(0o444)
    public_folder.chmod(0o555)
    (said,) = Host(write_as_nobody, str(path)).ended()
    assert f"store {path}: it cannot be" in said
    assert "writ" in said


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresProcess]:
    with running_postgres() as server:
        yield server


def test_a_job_waits_until_its_server_is_back(server: PostgresProcess) -> None:
    noticed = Event()
    store = Store(NoticingBackend(PostgresBackend(server.url), lambda _: noticed.set()), window=0.001, patience=60.0)
    job_state = gated().execute("gated", store=store)
    server.stop("immediate")
    open_gates()
    assert noticed.wait(60)
    server.start()
    assert job_state.wait(60)
    assert store.load(job_state.job_id)[1].status == "completed"
    store.close()


def test_a_job_whose_server_is_away_for_too_long_is_resumed_later(server: PostgresProcess) -> None:
    store = open_store(server.url, window=0.001, patience=0.0)
    job_state = gated().execute("gated", store=store)
    server.stop("immediate")
    open_gates()
    with pytest.raises(StoreUnavailableError, match="cannot be reached or used just now; try again"):
        job_state.wait(60)
    server.start()
    (recovered,) = recover(store)
    assert recovered.wait(60)
    assert store.load(job_state.job_id)[1].status == "completed"
    store.close()


def test_connections_may_be_cut_over_and_over(server: PostgresProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    cuts = []

    def cut(_: str) -> None:
        if len(cuts) < 20:
            cuts.append(other.execute(CUT).rowcount)

    monkeypatch.setattr(mill, "_listeners", [cut])
    with psycopg.connect(server.url, autocommit=True) as other, open_store(server.url, window=0.001) as store:
        job_state = mill.mill("sequential").execute("source", ORDER._asdict(), store=store)
        assert job_state.wait(60)
        assert mill.outcome(store.load(job_state.job_id)[1]) == mill.expected("sequential", ORDER)
    assert sum(cuts) > 3


CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'routilux'"
