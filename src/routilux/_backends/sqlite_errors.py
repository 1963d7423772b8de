"""What SQLite's errors mean for a store."""

import sqlite3

from routilux.errors import DamagedRecordError, StoreError, StoreFormatError, StoreUnavailableError

_MEANINGS: dict[int, tuple[type[StoreError], str]] = {
    sqlite3.SQLITE_BUSY: (StoreUnavailableError, "another program has had it locked for too long; try again"),
    sqlite3.SQLITE_LOCKED: (StoreUnavailableError, "it is locked just now; try again"),
    sqlite3.SQLITE_PROTOCOL: (StoreUnavailableError, "its lock is contended for; try again"),
    sqlite3.SQLITE_INTERRUPT: (StoreUnavailableError, "the operation was interrupted; try again"),
    sqlite3.SQLITE_NOMEM: (StoreUnavailableError, "there is no memory left; try again when there is"),
    sqlite3.SQLITE_FULL: (StoreUnavailableError, "the disk is full; make room on it"),
    sqlite3.SQLITE_IOERR: (StoreUnavailableError, "the disk failed to read or write; check it, and whether it is full"),
    sqlite3.SQLITE_CANTOPEN: (
        StoreUnavailableError,
        "it cannot be opened; check that file and folder exist, that both may be written, and how many files are open",
    ),
    sqlite3.SQLITE_READONLY: (StoreError, "it cannot be written; check that file and folder are there and writable"),
    sqlite3.SQLITE_PERM: (StoreError, "access is denied; check the permissions of file and folder"),
    sqlite3.SQLITE_AUTH: (StoreError, "access is denied; check the permissions of file and folder"),
    sqlite3.SQLITE_NOTADB: (StoreFormatError, "it is no SQLite database; give the path of a new or empty file"),
    sqlite3.SQLITE_CORRUPT: (DamagedRecordError, "its pages are damaged; restore it from a backup"),
}


def translated(error: sqlite3.Error, path: str) -> StoreError:
    """The error of this package for one of SQLite's: which file, what is wrong, and what to do."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    kind, advice = _MEANINGS.get(code, (StoreError, "the operation failed"))
    return kind(f"store {path}: {advice} (SQLite says: {error})")
