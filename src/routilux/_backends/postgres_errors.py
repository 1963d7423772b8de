"""What PostgreSQL's errors mean for a store."""

from psycopg import Error, InterfaceError, OperationalError

from routilux.errors import DamagedRecordError, StoreError, StoreUnavailableError

_LATER = (StoreUnavailableError, "it cannot be reached or used just now; try again")

_MEANINGS: dict[str, tuple[type[StoreError], str]] = {
    "XX001": (DamagedRecordError, "its pages are damaged; restore it from a backup"),
    "XX002": (DamagedRecordError, "an index of it is damaged; have it rebuilt (REINDEX)"),
    "53100": (StoreUnavailableError, "the disk of its server is full; make room on it"),
    "53300": (StoreUnavailableError, "its server allows no more connections just now; try again"),
    "55P03": (StoreUnavailableError, "another program has had a job locked for too long; try again"),
    "25006": (StoreError, "it cannot be written: it is a replica, or set to read only; give the URL of the primary"),
    "3F000": (StoreError, "there is no schema to keep tables in; check `search_path`, and the rights of its user"),
    "42P01": (StoreError, "its tables are not there any more; restore them, or close the store and open it again"),
    "42501": (StoreError, "access is denied; give its user the right to read, write and make tables"),
}
"""By what PostgreSQL calls SQLSTATE; of those that are not here, the first two characters tell."""

_PASSING = ("08", "25", "40", "53", "55", "57", "58")
"""Lost connections, timeouts, deadlocks, lack of resources, shutdowns and failing disks."""


def translated(error: Error, name: str) -> StoreError:
    """The error of this package for one of PostgreSQL's: which store, what is wrong, and what to do."""
    lost = isinstance(error, OperationalError | InterfaceError)
    state = error.sqlstate or ("08000" if lost else "")
    meant = _LATER if state.startswith(_PASSING) else (StoreError, "the operation failed")
    kind, advice = _MEANINGS.get(state, meant)
    return kind(f"store {name}: {advice} (PostgreSQL says: {str(error).strip()})")
