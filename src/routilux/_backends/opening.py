"""Which store a URL means."""

from pathlib import Path

from routilux._backends.backend import Backend
from routilux._backends.memory import MemoryBackend
from routilux._backends.sqlite import SQLiteBackend
from routilux._backends.urls import without_password
from routilux.errors import StoreError

_KNOWN = "'sqlite:///jobs.db', 'sqlite:////var/lib/app/jobs.db', 'postgresql://user@host/database' or 'memory:'"


def open_backend(url: str) -> Backend:
    """Open the store that a URL names; StoreError where it names none.

    "sqlite:///jobs.db" is a file beside the program, "sqlite:////var/lib/app/jobs.db" an absolute path; "memory:" lasts
    as long as the object.
    """
    if not isinstance(url, str):
        raise StoreError(f"a store is named by the text of a URL like {_KNOWN}, not by {url!r}")
    if url == "memory:":
        return MemoryBackend()
    if url.startswith(("postgresql://", "postgres://")):
        return _postgres(url)
    if url.startswith("sqlite:///") and len(url) > len("sqlite:///"):
        return _sqlite(url.removeprefix("sqlite:///"))
    raise StoreError(f"{without_password(url, url)!r} is no URL of a store; give one like {_KNOWN}")


def _sqlite(path: str) -> SQLiteBackend:
    if path == ":memory:":
        raise StoreError("'sqlite:///:memory:' is no store that outlives anything; give 'memory:' for one in memory")
    return SQLiteBackend(Path(path))


def _postgres(url: str) -> Backend:
    try:  # an extra, which takes longer to import than all the rest
        from routilux._backends.postgres import PostgresBackend  # noqa: PLC0415
    except ImportError as error:
        raise StoreError(f"PostgreSQL needs psycopg; pip install 'routilux[postgres]' ({error})") from error
    return PostgresBackend(url)
