"""Where durable jobs are kept while they are measured, and the least that keeping something there costs."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import psycopg

from bench.pairs import seconds
from tests.stores.postgres_process import PostgresProcess, running_postgres

ROW = bytes(100)
"""About as much as the journal says of an activation."""


class Place(Protocol):
    """A disk with room for stores."""

    def new_store(self) -> str:
        """The URL of a store that is not there yet; what was made before may be gone then."""

    def size(self) -> int:
        """The bytes that the newest store takes on disk, without what a server keeps for all that it serves."""

    def rows(self, number: int, at_once: int) -> float:
        """Seconds for one row of a bare table, written durably, so many in one transaction."""

    def listed(self, number: int) -> float:
        """Seconds to read so many rows of a bare table."""


class SQLiteFolder:
    """A folder of files, on the disk where temporary files are."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count(1)

    def new_store(self) -> str:
        for file in self._folder.iterdir():
            file.unlink()
        return f"sqlite:///{self._folder}/store_{next(self._numbers)}.db"

    def size(self) -> int:
        return sum(file.stat().st_size for file in self._folder.glob("store_*"))

    def rows(self, number: int, at_once: int) -> float:
        with self._bare_table() as connection:
            return seconds(lambda: self._write(connection, number, at_once)) / number

    def listed(self, number: int) -> float:
        with self._bare_table() as connection:
            self._write(connection, number, number)
            return seconds(connection.execute("SELECT id, content FROM bare").fetchall)

    @staticmethod
    def _write(connection: sqlite3.Connection, number: int, at_once: int) -> None:
        for _ in range(number // at_once):
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO bare (content) VALUES (?)", _contents(at_once))
            connection.execute("COMMIT")

    @contextmanager
    def _bare_table(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._folder / f"bare_{next(self._numbers)}.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, content BLOB)")
        try:
            yield connection
        finally:
            connection.close()


class PostgresServer:
    """A server of its own, which waits for the disk at each commit."""

    def __init__(self, server: PostgresProcess) -> None:
        self._url = server.url
        self._numbers = count(1)
        self._schema = ""

    def new_store(self) -> str:
        self._run(f"DROP SCHEMA {self._schema} CASCADE") if self._schema else None
        self._schema = f"store_{next(self._numbers)}"
        self._run(f"CREATE SCHEMA {self._schema}")
        return f"{self._url}&options={quote(f'-c search_path={self._schema}')}"

    def size(self) -> int:
        with psycopg.connect(self._url) as session:
            row = session.execute(
                """
                SELECT sum(pg_total_relation_size(oid)) FROM pg_class
                WHERE relkind = 'r' AND relnamespace = %s::regnamespace
                """,
                (self._schema,),
            ).fetchone()
        assert row is not None
        return int(row[0])

    def rows(self, number: int, at_once: int) -> float:
        with self._bare_table() as session:
            return seconds(lambda: self._write(session, number, at_once)) / number

    def listed(self, number: int) -> float:
        with self._bare_table() as session:
            self._write(session, number, number)
            return seconds(session.execute("SELECT id, content FROM bare").fetchall)

    @staticmethod
    def _write(session: "psycopg.Connection[tuple[int, bytes]]", number: int, at_once: int) -> None:
        for _ in range(number // at_once):
            with session.transaction(), session.cursor() as cursor:
                cursor.executemany("INSERT INTO bare (content) VALUES (%s)", _contents(at_once))

    @contextmanager
    def _bare_table(self) -> "Iterator[psycopg.Connection[tuple[int, bytes]]]":
        with psycopg.connect(self._url, autocommit=True) as session:
            session.execute("DROP TABLE IF EXISTS bare")
            session.execute("CREATE TABLE bare (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, content BYTEA)")
            yield session

    def _run(self, statement: str) -> None:
        with psycopg.connect(self._url, autocommit=True) as session:
            session.execute(statement)


def _contents(number: int) -> Sequence[tuple[bytes]]:
    return [(ROW,)] * number


@contextmanager
def sqlite_folder() -> Iterator[Place]:
    """A folder that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        yield SQLiteFolder(folder)
    finally:
        shutil.rmtree(folder)


@contextmanager
def postgres_server() -> Iterator[Place]:
    """A server that is gone afterwards."""
    with running_postgres(fsync=True) as server:
        yield PostgresServer(server)
