"""The tables of a store in a PostgreSQL database, and how an older store becomes one of today."""

from psycopg import Connection
from psycopg.rows import TupleRow

from routilux.errors import StoreFormatError

MAKING = 0x726F7574696C7578  # "routilux"
"""The advisory lock of whoever makes or changes tables: many processes may open a new store at once."""

_FORMAT_1 = (
    """CREATE TABLE routilux_definitions (
        definition_id text PRIMARY KEY,
        checksum bigint NOT NULL,
        document bytea NOT NULL
    )""",
    # `updated_at` counts where a job's journal is empty; else the last record says it, so that a write is one row.
    """CREATE TABLE routilux_jobs (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        job_id text COLLATE "C" NOT NULL UNIQUE,
        flow_id text NOT NULL,
        definition text NOT NULL,
        status text NOT NULL,
        epoch bigint NOT NULL,
        created_at double precision NOT NULL,
        updated_at double precision NOT NULL,
        owner text
    )""",
    "CREATE INDEX routilux_jobs_by_owner ON routilux_jobs (owner) WHERE owner IS NOT NULL",
    """CREATE TABLE routilux_journal (
        job bigint NOT NULL REFERENCES routilux_jobs ON DELETE CASCADE,
        number bigint NOT NULL,
        written_at double precision NOT NULL,
        checksum bigint NOT NULL,
        content bytea NOT NULL,
        PRIMARY KEY (job, number)
    )""",
    """CREATE TABLE routilux_snapshots (
        job bigint PRIMARY KEY REFERENCES routilux_jobs ON DELETE CASCADE,
        number bigint NOT NULL,
        first_segment bigint NOT NULL,
        next_segment bigint NOT NULL,
        checksum bigint NOT NULL,
        content bytea NOT NULL
    )""",
    """CREATE TABLE routilux_segments (
        job bigint NOT NULL REFERENCES routilux_jobs ON DELETE CASCADE,
        number bigint NOT NULL,
        checksum bigint NOT NULL,
        content bytea NOT NULL,
        PRIMARY KEY (job, number)
    )""",
    """CREATE TABLE routilux_requests (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        job bigint NOT NULL REFERENCES routilux_jobs ON DELETE CASCADE,
        checksum bigint NOT NULL,
        content bytea NOT NULL
    )""",
    "CREATE INDEX routilux_requests_by_job ON routilux_requests (job)",
    "CREATE TABLE routilux_owners (owner text PRIMARY KEY, beaten_at timestamptz NOT NULL)",
)

_FORMAT_2 = (
    """CREATE TABLE routilux_answers (
        job bigint NOT NULL REFERENCES routilux_jobs ON DELETE CASCADE,
        key text NOT NULL,
        checksum bigint NOT NULL,
        content bytea NOT NULL,
        PRIMARY KEY (job, key)
    )""",
)

STEPS: tuple[tuple[str, ...], ...] = (_FORMAT_1, _FORMAT_2)
"""The statements that take a store one format on; the first ones make it. They are never edited."""


def prepare(session: Connection[TupleRow], name: str) -> None:
    """Make the tables of a store where there are none, and those of an older format today's."""
    there = session.execute("SELECT to_regclass('routilux_meta') IS NOT NULL").fetchone()
    if there == (True,) and _format_of(session, name) == len(STEPS):
        return
    with session.transaction():
        session.execute("SELECT pg_advisory_xact_lock(%s)", (MAKING,))
        bring_up_to_date(session, name)


def bring_up_to_date(session: Connection[TupleRow], name: str) -> None:
    """Take a store to the newest format; to be called within a transaction that has it for itself."""
    session.execute("CREATE TABLE IF NOT EXISTS routilux_meta (format bigint NOT NULL)")
    for step in STEPS[_format_of(session, name) :]:
        for statement in step:
            session.execute(statement.encode())
    session.execute("DELETE FROM routilux_meta")
    session.execute("INSERT INTO routilux_meta VALUES (%s)", (len(STEPS),))


def _format_of(session: Connection[TupleRow], name: str) -> int:
    """The format of a store, 0 where it is not made yet; StoreFormatError where it is newer than this."""
    ((number,),) = session.execute("SELECT coalesce(max(format), 0) FROM routilux_meta").fetchall()
    if number > len(STEPS):
        raise StoreFormatError(
            f"store {name} is of format {number}, written by a newer routilux; this one knows formats up to "
            f"{len(STEPS)}: install a newer one"
        )
    return int(number)
