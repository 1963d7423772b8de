"""The tables of a store in an SQLite file, and how an older file becomes one of today."""

import sqlite3

from routilux.errors import StoreFormatError

APPLICATION_ID = 0x726F7574  # "rout", in the header of each file
"""What tells a store from other SQLite files (`PRAGMA application_id`)."""

_FORMAT_1 = (
    """CREATE TABLE definitions (
        definition_id TEXT PRIMARY KEY,
        checksum INTEGER NOT NULL,
        document BLOB NOT NULL
    ) WITHOUT ROWID""",
    # `updated_at` counts where a job's journal is empty; else the last record says it, so that a write is one row.
    """CREATE TABLE jobs (
        id INTEGER PRIMARY KEY,
        job_id TEXT NOT NULL UNIQUE,
        flow_id TEXT NOT NULL,
        definition TEXT NOT NULL,
        status TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        created_at REAL NOT NULL,
        updated_at REAL NOT NULL,
        owner TEXT
    )""",
    "CREATE INDEX jobs_by_owner ON jobs (owner) WHERE owner IS NOT NULL",
    # Rows lie in the order they came in, so that one write for many jobs fills few pages. Contents are last in every
    # table: what is behind a long one costs the reading of it.
    """CREATE TABLE journal (
        job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        written_at REAL NOT NULL,
        status TEXT,
        releases INTEGER NOT NULL,
        checksum INTEGER NOT NULL,
        content BLOB NOT NULL,
        PRIMARY KEY (job, number)
    )""",
    """CREATE TRIGGER job_changes AFTER INSERT ON journal WHEN new.status IS NOT NULL OR new.releases BEGIN
        UPDATE jobs SET status = coalesce(new.status, status), owner = iif(new.releases, NULL, owner)
        WHERE id = new.job;
    END""",
    """CREATE TABLE snapshots (
        job INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        first_segment INTEGER NOT NULL,
        next_segment INTEGER NOT NULL,
        checksum INTEGER NOT NULL,
        content BLOB NOT NULL
    )""",
    """CREATE TABLE segments (
        job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        checksum INTEGER NOT NULL,
        content BLOB NOT NULL,
        PRIMARY KEY (job, number)
    )""",
    # A view to write to, not to read: a job is stored by one statement, too.
    """CREATE VIEW new_jobs AS SELECT
        NULL AS job_id, NULL AS flow_id, NULL AS definition, NULL AS definition_checksum, NULL AS document,
        NULL AS epoch, NULL AS created_at, NULL AS owner, NULL AS snapshot_checksum, NULL AS snapshot,
        NULL AS segment_checksum, NULL AS segment,
        NULL AS number, NULL AS written_at, NULL AS status, NULL AS releases, NULL AS checksum, NULL AS content
    """,
    """CREATE TRIGGER job_is_new INSTEAD OF INSERT ON new_jobs BEGIN
        INSERT INTO jobs (job_id, flow_id, definition, status, epoch, created_at, updated_at, owner) VALUES
            (new.job_id, new.flow_id, new.definition, 'pending', new.epoch, new.created_at, new.written_at, new.owner);
        INSERT INTO definitions VALUES (new.definition, new.definition_checksum, new.document) ON CONFLICT DO NOTHING;
        INSERT INTO snapshots
            SELECT id, new.number - 1, 1, iif(new.segment IS NULL, 1, 2), new.snapshot_checksum, new.snapshot
            FROM jobs WHERE job_id = new.job_id;
        INSERT INTO segments SELECT id, 1, new.segment_checksum, new.segment
            FROM jobs WHERE job_id = new.job_id AND new.segment IS NOT NULL;
        INSERT INTO journal
            SELECT id, new.number, new.written_at, new.status, new.releases, new.checksum, new.content
            FROM jobs WHERE job_id = new.job_id;
    END""",
    """CREATE TABLE requests (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        checksum INTEGER NOT NULL,
        content BLOB NOT NULL
    )""",
    "CREATE INDEX requests_by_job ON requests (job)",
    "CREATE TABLE owners (owner TEXT PRIMARY KEY, beaten_at REAL NOT NULL) WITHOUT ROWID",
)

_FORMAT_2 = (
    """CREATE TABLE answers (
        job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        key TEXT NOT NULL,
        checksum INTEGER NOT NULL,
        content BLOB NOT NULL,
        PRIMARY KEY (job, key)
    )""",
)

STEPS: tuple[tuple[str, ...], ...] = (_FORMAT_1, _FORMAT_2)
"""The statements that take a store one format on; the first ones make an empty file a store. They are never edited."""

_HEADER = """
    SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
    FROM pragma_application_id, pragma_user_version
"""
"""One statement: another process may be making the tables."""


def format_of(connection: sqlite3.Connection, path: str) -> int:
    """The format of a store, 0 for an empty file; StoreFormatError where it is something else, or newer than this."""
    application, number, tables = connection.execute(_HEADER).fetchone()
    if application != APPLICATION_ID and (application, number, tables) != (0, 0, 0):
        raise StoreFormatError(f"{path} is an SQLite database of another program; give the path of a new or empty file")
    if number > len(STEPS):
        raise StoreFormatError(
            f"{path} is a store of format {number}, written by a newer routilux; this one knows formats up to "
            f"{len(STEPS)}: install a newer one"
        )
    return int(number)


def is_older(connection: sqlite3.Connection, path: str) -> bool:
    """Whether a store has yet to be brought up to date; StoreFormatError where it is none, or newer than this."""
    return format_of(connection, path) < len(STEPS)


def bring_up_to_date(connection: sqlite3.Connection, path: str) -> None:
    """Make the tables, or those of an older format today's; to be called within a transaction."""
    for step in STEPS[format_of(connection, path) :]:
        for statement in step:
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {len(STEPS)}")
