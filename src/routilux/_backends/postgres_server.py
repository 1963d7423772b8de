"""Connections to a PostgreSQL server, which are made anew when they are lost, and in a forked process."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil, inf

from psycopg import Connection, Error, IsolationLevel, ProgrammingError, connect
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow

from routilux._backends.numbering import closed_store
from routilux._backends.postgres_errors import translated
from routilux._backends.postgres_schema import prepare
from routilux._backends.urls import without_password
from routilux._haste import seconds_left
from routilux.errors import StoreError, StoreUnavailableError

Session = Connection[TupleRow]

_DEFAULTS = {"application_name": "routilux", "connect_timeout": "10", "tcp_user_timeout": "30000"}
"""Of the connection, where the URL does not say otherwise: a server that is gone is noticed."""

_SETTINGS = """
    SELECT set_config('lock_timeout', %(limit)s, false),
        set_config('idle_in_transaction_session_timeout', %(limit)s, false),
        CASE current_setting('synchronous_commit')
            WHEN 'off' THEN set_config('synchronous_commit', 'on', false) END
"""
"""Commits are waited for; whoever holds others up is cut off."""

_WRITING = """
    SELECT set_config('plan_cache_mode', 'force_generic_plan', false), set_config('enable_seqscan', 'off', false)
"""
"""Statements are planned once, and to go by indexes: a plan that was made for a small store is bad for a large one."""


class PostgresServer:
    """A store's database: one connection to write with, one to read with meanwhile.

    `lock_timeout` is how many seconds a write waits for those of other processes. A process that is stopped in the
    middle of a transaction loses it after the same time, so that it holds nobody up (law 6).
    """

    def __init__(self, url: str, lock_timeout: float) -> None:
        self._writing = _Connection(url, lock_timeout, IsolationLevel.READ_COMMITTED, _WRITING)
        self._reading = _Connection(url, lock_timeout, IsolationLevel.REPEATABLE_READ)
        try:
            with self._writing.held() as session:
                prepare(session, self._writing.name)
        except BaseException:
            self._writing.close()
            raise

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """The connection whose statements are on disk, each by itself, when they return."""
        with self._writing.held() as session:
            yield session

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """The same connection: all that is done within is on disk at the end, or nothing is."""
        with self._writing.held() as session, session.transaction():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """The connection to read with: all that is read within is of one moment."""
        with self._reading.held() as session, session.transaction():
            yield session

    def close(self) -> None:
        """Close both connections."""
        self._reading.close()
        self._writing.close()


class _Connection:
    """A connection that one thread at a time holds; PostgreSQL's errors leave it as errors of a store."""

    def __init__(self, url: str, lock_timeout: float, isolation: IsolationLevel, settings: str = "") -> None:
        self.name, self._conninfo = _parsed(url)
        self._lock_timeout = lock_timeout
        self._isolation = isolation
        self._settings = settings
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._session: Session | None = None
        self._inherited: list[Session | None] = []
        self._closed = False
        self._is_hasty = False

    @contextmanager
    def held(self) -> Iterator[Session]:
        if self._pid != os.getpid():
            self._leave_to_parent()
        left = seconds_left()
        if not self._lock.acquire(timeout=-1 if left is None else left):
            raise StoreUnavailableError(f"store {self.name}: another thread has had it for too long; try again")
        try:
            yield self._live(left)
        except Error as error:
            raise translated(error, self.name) from error
        finally:
            self._lock.release()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._session is not None and self._pid == os.getpid():
                self._session.close()

    def _leave_to_parent(self) -> None:
        """A fork must neither use its parent's connection nor close it, so it keeps it, and makes one of its own."""
        self._inherited.append(self._session)
        self._session = None
        self._lock = threading.Lock()
        self._pid = os.getpid()

    def _live(self, left: float | None) -> Session:
        if self._closed:
            raise closed_store(self.name)
        if self._session is None or self._session.closed:
            self._session, self._is_hasty = self._connected(left), False
        if left is not None or self._is_hasty:
            self._wait_for(self._session, left)
        return self._session

    def _wait_for(self, session: Session, left: float | None) -> None:
        """Have the server wait for the locks of others no longer than whoever calls would."""
        self._is_hasty = True
        seconds = self._lock_timeout if left is None else min(left, self._lock_timeout)
        session.execute("SELECT set_config('lock_timeout', %s, false)", (_milliseconds(seconds),))
        self._is_hasty = left is not None

    def _connected(self, left: float | None) -> Session:
        session = connect(self._conninfo if left is None else _sooner(self._conninfo, left), autocommit=True)
        try:
            session.isolation_level = self._isolation
            session.execute(_SETTINGS, {"limit": _milliseconds(self._lock_timeout)})
            if self._settings:
                session.execute(self._settings)
        except BaseException:
            session.close()
            raise
        return session


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))


def _sooner(conninfo: str, left: float) -> str:
    """Parameters by which a connection is not waited for longer than that, in the whole seconds that there are."""
    limit = float(conninfo_to_dict(conninfo)["connect_timeout"] or 0) or inf
    return make_conninfo(conninfo, connect_timeout=ceil(min(left, limit)))


def _parsed(url: str) -> tuple[str, str]:
    """What a store is called in messages, where a password has no place, and the parameters of its connection."""
    try:
        given = conninfo_to_dict(url)
    except ProgrammingError as error:
        reason = without_password(str(error).strip(), url)
        raise StoreError(f"the URL of the store cannot be read: {reason}") from None
    name = f"postgresql://{given.get('user', '')}@{given.get('host', '')}/{given.get('dbname', '')}"
    return name, make_conninfo("", **{**_DEFAULTS, **given})
