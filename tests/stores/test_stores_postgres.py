"""What only a store in a database can do wrong: races, lost connections, a server that stops."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TypeVar

import psycopg
import pytest

from routilux._backends import postgres_schema
from routilux._backends.backend import Batch
from routilux._backends.postgres import PostgresBackend
from routilux._backends.postgres_schema import MAKING, STEPS, bring_up_to_date
from routilux._backends.postgres_writing import write_at_once
from routilux.errors import StoreError, StoreFormatError, StoreUnavailableError
from routilux.testing.conformance_parts import appended, as_seen, compacted, created, deleted, numbers
from tests.patience import until
from tests.stores.postgres_process import PostgresProcess

Answer = TypeVar("Answer")


@pytest.fixture
def backend(postgres_url: str) -> Iterator[PostgresBackend]:
    with closing(PostgresBackend(postgres_url)) as backend:
        yield backend


@pytest.fixture
def beside(postgres_url: str, backend: PostgresBackend) -> Iterator[PostgresBackend]:
    with closing(PostgresBackend(postgres_url)) as beside:
        yield beside


@contextmanager
def raw(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@contextmanager
def held_up(url: str, act: Callable[[], Answer]) -> Iterator[Future[Answer]]:
    """Begin something on a thread, and go on when it waits for a lock."""
    with ThreadPoolExecutor(1) as thread, raw(url) as watcher:
        acting = thread.submit(act)
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        while not acting.done() and watcher.execute(waiting).fetchone() == (0,):
            pass
        assert not acting.done()
        yield acting


WRITES: list[list[Batch]] = [
    [appended("a", 2)],
    [appended("a", 2, status="completed")],
    [appended("a", 2), appended("b", 2)],
    [appended("a", 2), appended("a", 3)],
]


@pytest.mark.parametrize("batches", WRITES, ids=["a record", "a status", "two jobs", "two records"])
def test_a_write_that_waits_for_a_taker_is_refused(
    backend: PostgresBackend, beside: PostgresBackend, postgres_url: str, batches: list[Batch]
) -> None:
    backend.write([created("a"), created("b")])
    with beside._server.transaction() as taking:
        taking.execute("UPDATE routilux_jobs SET epoch = epoch + 1, owner = 'you' WHERE job_id = 'a'")
        with held_up(postgres_url, lambda: backend.write(batches)) as writing:
            taking.execute("COMMIT")
            assert writing.result(20) == {"a"}
            taking.execute("BEGIN")
    stored = backend.read("a")
    assert (stored.number, stored.record.epoch, stored.record.status) == (1, 2, "running")
    assert backend.read("b").number == len({batch.job_id for batch in batches})


@pytest.mark.parametrize("batches", WRITES[:3], ids=["a record", "a status", "two jobs"])
def test_a_taker_that_waits_for_a_write_reads_it(
    backend: PostgresBackend, beside: PostgresBackend, postgres_url: str, batches: list[Batch]
) -> None:
    backend.write([created("a"), created("b")])
    with backend._server.transaction() as writing:
        assert write_at_once(writing, batches) is True
        with held_up(postgres_url, lambda: beside.acquire(as_seen("a"), "you")) as taking:
            writing.execute("COMMIT")
            stored = taking.result(20)
            writing.execute("BEGIN")
    assert stored is not None
    assert (stored.number, stored.record.epoch) == (2, 2)
    assert stored.record.status == (batches[0].status or "running")
    assert stored == backend.read("a")


def test_a_compaction_that_waits_for_a_write_leaves_its_record(
    backend: PostgresBackend, beside: PostgresBackend, postgres_url: str
) -> None:
    backend.write([created("a"), appended("a", 2)])
    with backend._server.transaction() as writing:
        assert write_at_once(writing, [appended("a", 3)]) is True
        with held_up(postgres_url, lambda: beside.compact(compacted("a", 2))) as compacting:
            writing.execute("COMMIT")
            assert compacting.result(20) is True
            writing.execute("BEGIN")
    assert numbers(backend.read("a")) == [b"3"]


def test_a_compaction_that_waits_for_a_taker_changes_nothing(
    backend: PostgresBackend, beside: PostgresBackend, postgres_url: str
) -> None:
    backend.write([created("a"), appended("a", 2)])
    with beside._server.transaction() as taking:
        taking.execute("UPDATE routilux_jobs SET epoch = epoch + 1, owner = 'you' WHERE job_id = 'a'")
        with held_up(postgres_url, lambda: backend.compact(compacted("a", 2))) as compacting:
            taking.execute("COMMIT")
            assert compacting.result(20) is False
            taking.execute("BEGIN")
    assert numbers(backend.read("a")) == [b"1", b"2"]


def test_of_two_takers_one_waits_and_finds_another_epoch(
    backend: PostgresBackend, beside: PostgresBackend, postgres_url: str
) -> None:
    backend.write([created("a")])
    with beside._server.transaction() as taking:
        taking.execute("UPDATE routilux_jobs SET epoch = epoch + 1, owner = 'you' WHERE job_id = 'a'")
        with held_up(postgres_url, lambda: backend.acquire(as_seen("a"), "me")) as second:
            taking.execute("COMMIT")
            assert second.result(20) is None
            taking.execute("BEGIN")
    assert backend.read("a").record.owner == "you"


def test_a_definition_is_not_pruned_under_a_job_that_is_being_stored(
    backend: PostgresBackend, beside: PostgresBackend, postgres_url: str
) -> None:
    backend.write([created("a")])
    deleted(backend, "a")
    with backend._server.transaction() as writing:
        assert write_at_once(writing, [created("b")]) is True
        with held_up(postgres_url, lambda: beside.prune(before=0.0, statuses=[])) as pruning:
            writing.execute("COMMIT")
            pruning.result(20)
            writing.execute("BEGIN")
    assert backend.definition("fingerprint-1") == b'{"flow": 1}'


def test_whoever_stops_in_the_middle_of_a_transaction_holds_nobody_up(postgres_url: str) -> None:
    with (
        closing(PostgresBackend(postgres_url, lock_timeout=0.2)) as stopped,
        closing(PostgresBackend(postgres_url, lock_timeout=20.0)) as taker,
    ):
        stopped.write([created("a")])
        with pytest.raises(StoreUnavailableError), stopped._server.transaction() as session:  # noqa: PT012
            assert write_at_once(session, [appended("a", 2)]) is True
            stored = taker.acquire(as_seen("a"), "you")
        assert stored is not None
        assert (stored.number, stored.record.epoch) == (1, 2)
        assert stopped.write([appended("a", 2)]) == {"a"}


def test_a_job_that_is_locked_for_too_long_is_unavailable(postgres_url: str, beside: PostgresBackend) -> None:
    with closing(PostgresBackend(postgres_url, lock_timeout=0.1)) as backend:
        backend.write([created("a")])
        with beside._server.transaction() as other:
            other.execute("SELECT FROM routilux_jobs FOR UPDATE")
            with pytest.raises(StoreUnavailableError, match="another program has had a job locked"):
                backend.write([appended("a", 2)])
        assert backend.write([appended("a", 2)]) == frozenset()


def cut_connections(url: str) -> None:
    with raw(url) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'routilux'"
        )


def test_a_cut_connection_is_unavailable_once_and_then_made_anew(backend: PostgresBackend, postgres_url: str) -> None:
    backend.write([created("a")])
    backend.read("a")
    cut_connections(postgres_url)
    with pytest.raises(StoreUnavailableError, match="cannot be reached"):
        backend.write([appended("a", 2)])
    with pytest.raises(StoreUnavailableError, match="cannot be reached"):
        backend.read("a")
    assert backend.write([appended("a", 2)]) == frozenset()
    assert backend.read("a").number == 2


def test_a_connection_cut_in_the_middle_leaves_nothing_half_written(
    backend: PostgresBackend, postgres_url: str
) -> None:
    backend.write([created("a")])
    with pytest.raises(StoreUnavailableError), backend._server.transaction() as session:  # noqa: PT012
        assert write_at_once(session, [appended("a", 2)]) is True
        cut_connections(postgres_url)
    assert backend.read("a").number == 1
    assert backend.write([appended("a", 2), appended("a", 3)]) == frozenset()


def test_a_server_that_stops_and_starts_again_loses_nothing(
    postgres: PostgresProcess, backend: PostgresBackend, postgres_url: str
) -> None:
    backend.write([created("a")])
    postgres.stop("immediate")
    try:
        for _ in range(2):
            with pytest.raises(StoreUnavailableError, match="cannot be reached"):
                backend.write([appended("a", 2)])
        with pytest.raises(StoreUnavailableError, match="cannot be reached"):
            PostgresBackend(postgres_url)
    finally:
        postgres.start()
    assert backend.write([appended("a", 2)]) == frozenset()
    assert backend.read("a").number == 2


def test_commits_are_waited_for_even_where_the_server_would_not(postgres_url: str) -> None:
    careless = postgres_url.replace("options=", "options=-c%20synchronous_commit%3Doff%20")
    with raw(careless) as connection:
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("off",)
    with closing(PostgresBackend(careless)) as backend, backend._server.writing() as session:
        assert session.execute("SHOW synchronous_commit").fetchone() == ("on",)


def test_a_closed_store_says_so(postgres_url: str) -> None:
    backend = PostgresBackend(postgres_url)
    backend.close()
    with pytest.raises(StoreError, match="closed"):
        backend.records()


def test_whoever_makes_the_tables_is_waited_for(postgres_url: str) -> None:
    with raw(postgres_url) as making:
        making.execute("BEGIN")
        making.execute("SELECT pg_advisory_xact_lock(%s)", (MAKING,))
        with held_up(postgres_url, lambda: PostgresBackend(postgres_url)) as opening:
            bring_up_to_date(making, "here")
            making.execute("COMMIT")
            with closing(opening.result(20)) as backend:
                assert backend.write([created("a")]) == frozenset()


def test_a_newer_format_is_refused_by_its_number(backend: PostgresBackend, postgres_url: str) -> None:
    with raw(postgres_url) as newer:
        newer.execute("UPDATE routilux_meta SET format = %s", (len(STEPS) + 1,))
    with pytest.raises(StoreFormatError, match=f"is of format {len(STEPS) + 1}, written by a newer routilux"):
        PostgresBackend(postgres_url)


def test_an_older_format_is_brought_up_to_date_step_by_step(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = (("CREATE TABLE first (x int)",), ("CREATE TABLE second (x int)", "INSERT INTO first VALUES (2)"))
    with raw(postgres_url) as connection:
        monkeypatch.setattr(postgres_schema, "STEPS", steps[:1])
        bring_up_to_date(connection, "here")
        connection.execute("INSERT INTO first VALUES (1)")
        monkeypatch.setattr(postgres_schema, "STEPS", steps)
        bring_up_to_date(connection, "here")
        assert connection.execute("SELECT x FROM first").fetchall() == [(1,), (2,)]
        assert connection.execute("SELECT format FROM routilux_meta").fetchall() == [(2,)]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://me:secret@/jobs?host=/nowhere", "postgresql://me@/nowhere/jobs: it cannot be reached"),
        ("postgresql://me:secret@host/jobs?nonsense=1", "the URL of the store cannot be read: invalid .*nonsense"),
        ("postgresql://me:secret%zz@host/jobs", r"cannot be read: invalid percent-encoded token: \"\*\*\*\""),
        ("postgresql://host/jobs?password=secret%zz", r"cannot be read: invalid percent-encoded token: \"\*\*\*\""),
        ("postgresql://me:secret@[::1]x/jobs", r"cannot be read: unexpected character .*//me:\*\*\*@\[::1\]x/jobs"),
    ],
)
def test_what_cannot_be_opened_says_why_and_shows_no_password(url: str, words: str) -> None:
    with pytest.raises(StoreError, match=words) as refusal:
        PostgresBackend(url)
    assert "secret" not in str(refusal.value)


def test_who_may_not_write_is_told_so(postgres: PostgresProcess, postgres_url: str) -> None:
    with raw(postgres.url) as admin:
        admin.execute("DROP ROLE IF EXISTS guest")
        admin.execute("CREATE ROLE guest LOGIN")
    with raw(postgres_url) as admin:
        admin.execute("DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO guest', current_schema()); END $$")
    with pytest.raises(StoreError, match="access is denied") as refusal:
        PostgresBackend(postgres_url.replace("postgres@", "guest@"))
    assert not isinstance(refusal.value, StoreUnavailableError)


def test_a_read_only_server_is_no_passing_trouble(postgres_url: str, backend: PostgresBackend) -> None:
    replica = postgres_url.replace("options=", "options=-c%20default_transaction_read_only%3Don%20")
    with closing(PostgresBackend(replica)) as reader:
        assert reader.records() == []
        with pytest.raises(StoreError, match="read only") as refusal:
            reader.beat("me")
    assert not isinstance(refusal.value, StoreUnavailableError)


OPENING = """
import sys
from routilux._backends.postgres import PostgresBackend
from routilux.testing.conformance_parts import appended, created
sys.stdin.readline()
backend = PostgresBackend(sys.argv[1])
backend.write([created(sys.argv[2])])
for number in range(2, 30):
    assert not backend.write([appended(sys.argv[2], number)])
backend.close()
"""


def test_many_processes_may_make_a_store_at_once(postgres_url: str) -> None:
    commands = [[sys.executable, "-c", OPENING, postgres_url, f"job-{number}"] for number in range(4)]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) for command in commands]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60)[1] for process in processes] == [b""] * 4
    with closing(PostgresBackend(postgres_url)) as backend:
        assert [backend.read(f"job-{number}").number for number in range(4)] == [29] * 4


FORKING = """
import os, sys
from routilux._backends.postgres import PostgresBackend
from routilux.testing.conformance_parts import appended, created
backend = PostgresBackend(sys.argv[1])
backend.write([created("a")])
with backend._server.writing():
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
def test_a_forked_process_has_connections_of_its_own(postgres_url: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", FORKING, postgres_url], capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    with closing(PostgresBackend(postgres_url)) as backend:
        assert numbers(backend.read("a")) == [b"1", b"2", b"3"]


def test_an_owner_is_not_silent_as_long_as_it_is_connected(
    postgres_url: str, backend: PostgresBackend, beside: PostgresBackend
) -> None:
    backend.beat("me")
    backend.beat("me")
    with raw(postgres_url) as connection:
        connection.execute("UPDATE routilux_owners SET beaten_at = beaten_at - interval '1 hour'")
        assert beside.silences() == {"me": 0.0}
        backend.close()
        until(lambda: beside.silences() != {"me": 0.0})
        assert beside.silences()["me"] > 3000
        connection.execute("UPDATE routilux_owners SET beaten_at = beaten_at + interval '2 hours'")
        assert beside.silences()["me"] > 3000, "who died before the clock was set back is not thought to live"


def test_tables_that_are_dropped_are_missed(postgres_url: str, backend: PostgresBackend) -> None:
    backend.write([created("a")])
    with raw(postgres_url) as connection:
        connection.execute("DROP TABLE routilux_journal")
    for call in (lambda: backend.write([appended("a", 2)]), lambda: backend.read("a")):
        with pytest.raises(StoreError, match="its tables are not there any more"):
            call()
