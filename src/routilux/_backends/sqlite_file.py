"""An SQLite file with the settings of a store, for threads and forked processes alike."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from math import inf
from pathlib import Path
from time import monotonic, sleep

from routilux._backends.numbering import closed_store
from routilux._backends.sqlite_errors import translated
from routilux._backends.sqlite_schema import bring_up_to_date, is_older
from routilux._forks import take_before_fork
from routilux._haste import seconds_left
from routilux.errors import StoreError, StoreUnavailableError

LOG_KEPT = 16 * 1024 * 1024
"""How many bytes the write-ahead log keeps on disk when it begins anew."""
PAGE_SIZE = 1024
"""Bytes, of which each commit writes whole multiples: a record is far shorter than the 4,096 that are usual."""
LOOKED_AFTER = 1.0
"""Seconds for which it is believed that the file is where it was: to look costs a busy process up to 5 ms."""

_CONNECTING = threading.Lock()
take_before_fork(_CONNECTING)  # SQLite has locks for the whole process: in a fork nobody lets go of them


class SQLiteFile:
    """A store's file, made where there is none: one connection to write, one to read meanwhile.

    `busy_timeout` is how many seconds a write waits for those of other programs.
    """

    def __init__(self, path: Path, busy_timeout: float) -> None:
        self.path = path.absolute()
        self._busy_timeout = busy_timeout
        self._inherited: list[_Connections] = []
        _make(self.path)
        self._connections = _Connections(str(self.path), busy_timeout)

    def writing(self) -> AbstractContextManager[sqlite3.Connection]:
        """The connection whose statements are on disk, each by itself, when they return."""
        return self._mine().writing

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The same connection: all that is done within is on disk at the end, or nothing is."""
        with self.writing() as connection, _all_or_nothing(connection, "BEGIN IMMEDIATE"):
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection to read with: all that is read within is of one moment."""
        with self._mine().reading as connection, _all_or_nothing(connection, "BEGIN"):
            yield connection

    def close(self) -> None:
        """Close the file."""
        self._mine().close()

    def _mine(self) -> "_Connections":
        """The connections of this process; a fork must neither use its parent's nor close them, so it keeps them."""
        if self._connections.pid != os.getpid():
            self._inherited.append(self._connections)
            self._connections = _Connections(str(self.path), self._busy_timeout)
        return self._connections


class _Connections:
    """What one process has open of a file."""

    def __init__(self, path: str, busy_timeout: float) -> None:
        self.pid = os.getpid()
        place = _Place(path)
        self.writing = _Connection(place, busy_timeout)
        try:
            with self.writing as connection:
                left = seconds_left()
                _prepare(connection, path, busy_timeout if left is None else min(left, busy_timeout))
            self.reading = _Connection(place, busy_timeout)
        except BaseException:
            self.writing.close()
            raise

    def close(self) -> None:
        self.reading.close()
        self.writing.close()


class _Place:
    """Where a file, its log and their index are, once they have been seen open.

    Who deletes or replaces one leaves it to those who have it open, where nobody will find it again: all that they
    write would be lost without a word.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._seen: dict[str, tuple[int, int]] = {}
        self._looked_at = -inf
        self._found(path)

    def check(self) -> None:
        """Now and then, look whether they are those that are open; StoreError where they are not."""
        if monotonic() - self._looked_at > LOOKED_AFTER:
            for name in (self.path, f"{self.path}-wal", f"{self.path}-shm"):  # there is no log before it is written
                if name in self._seen or os.path.exists(name):
                    self._look(name)
            self._looked_at = monotonic()

    def check_after(self, error: BaseException) -> None:
        """Look whether something has failed since a file is not the one that is open; StoreError if so."""
        for name in self._seen:
            self._look(name, error)

    def _look(self, name: str, cause: BaseException | None = None) -> None:
        found = self._found(name)
        if self._seen.setdefault(name, found) != found:
            raise StoreError(
                f"store {self.path}: {name} is another file than the one that was opened, to which this process still "
                f"writes; put that back, or close the store and open it again"
            ) from cause

    def _found(self, name: str) -> tuple[int, int]:
        """What tells a file from all others there are; StoreUnavailableError where it is none."""
        try:
            there = os.stat(name)
        except OSError as error:
            raise StoreUnavailableError(
                f"store {self.path}: {name} has gone while it was open ({error.strerror}), and what is written to it "
                f"goes with it; put it back, or close the store and open it again"
            ) from error
        return there.st_dev, there.st_ino


class _Connection:
    """A connection that one thread at a time holds; SQLite's errors leave it as errors of a store."""

    def __init__(self, place: _Place, busy_timeout: float) -> None:
        self._place = place
        self._path = path = place.path
        self._lock = threading.Lock()
        take_before_fork(self._lock)
        self._closed = False
        self._busy_timeout = busy_timeout
        self._is_hasty = False
        try:
            with _CONNECTING:
                self._connection = sqlite3.connect(
                    path, timeout=busy_timeout, isolation_level=None, check_same_thread=False, cached_statements=256
                )
        except sqlite3.Error as error:
            raise translated(error, path) from error

    def __enter__(self) -> sqlite3.Connection:
        left = seconds_left()
        if not self._lock.acquire(timeout=-1 if left is None else left):
            raise StoreUnavailableError(f"store {self._path}: another thread has had it for too long; try again")
        try:
            return self._live(left)
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise

    def _live(self, left: float | None) -> sqlite3.Connection:
        if self._closed:
            raise closed_store(self._path)
        if left is not None or self._is_hasty:
            self._wait_for(left)
        return self._connection

    def _wait_for(self, left: float | None) -> None:
        """Have SQLite wait for other programs no longer than whoever calls would."""
        self._is_hasty = True
        seconds = self._busy_timeout if left is None else min(left, self._busy_timeout)
        self._connection.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")
        self._is_hasty = left is not None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self._lock.release()
        if isinstance(error, sqlite3.Error):
            self._place.check_after(error)
            raise translated(error, self._path) from error
        if error is None:
            self._place.check()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._connection.close()


@contextmanager
def _all_or_nothing(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    try:
        connection.execute(begin)
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # some errors have rolled it back already
            connection.execute("ROLLBACK")
        raise


def _make(path: Path) -> None:
    """Make an empty file that only its owner may read: what jobs work on is nobody else's business."""
    if not path.parent.is_dir():
        raise StoreError(f"store {path}: its folder does not exist; make the folder {path.parent} first")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError as error:
        if path.is_dir():
            raise StoreError(f"store {path}: that is a folder; give the path of a file") from error
    except OSError as error:
        raise StoreError(f"store {path}: the file cannot be made: {error.strerror}") from error


def _prepare(connection: sqlite3.Connection, path: str, busy_timeout: float) -> None:
    older = is_older(connection, path)
    connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")  # of a new file
    _use_write_ahead_log(connection, path, monotonic() + busy_timeout)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA journal_size_limit = {LOG_KEPT}")
    if older:
        with _all_or_nothing(connection, "BEGIN IMMEDIATE"):
            bring_up_to_date(connection, path)


def _use_write_ahead_log(connection: sqlite3.Connection, path: str, deadline: float) -> None:
    """Switch the file to WAL. SQLite does not wait by itself for others that open a new file at the same moment."""
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                raise
            sleep(0.01)
        else:
            break
    if mode != "wal":
        raise StoreError(f"store {path}: its file system has no write-ahead log; use a local disk")
