"""How records get into an SQLite file: as one statement where that is all, or each by itself within a transaction."""

import sqlite3
from collections.abc import Sequence

from routilux._backends.backend import MOVED, Batch, Definition, NewJob
from routilux._backends.contents import checksum
from routilux._backends.numbering import Standing, Verdict, judge

_FOLLOWS = """(
    EXISTS (SELECT 1 FROM journal WHERE job = jobs.id AND number = {number} - 1)
    OR (SELECT number FROM snapshots WHERE job = jobs.id) = {number} - 1
)"""

# In both, `job` is NULL where the job is not there, has another epoch or lacks the record before: then SQLite refuses
# the whole statement. The first does not copy the content on its way; the second takes any number of rows.
_APPEND_ONE = f"""
    INSERT INTO journal (job, number, written_at, checksum, content) VALUES (
        (SELECT id FROM jobs
            WHERE job_id = ?1 AND epoch = ?2 AND status != '{MOVED}' AND {_FOLLOWS.format(number="?3")}),
        ?3, ?4, ?5, ?6
    )
"""
_APPEND_SEVERAL = f"""
    INSERT INTO journal (job, number, written_at, checksum, content)
    SELECT iif(epoch = column2 AND status != '{MOVED}' AND {_FOLLOWS.format(number="column3")}, id, NULL),
        column3, column4, column5, column6
    FROM (VALUES {{rows}}) LEFT JOIN jobs ON job_id = column1
"""


def append_all(connection: sqlite3.Connection, batches: Sequence[Batch]) -> bool:
    """Append plain records with one statement; False where not all of them may be, and nothing was written.

    Each call of SQLite costs up to 5 ms where another thread computes, and waits to be given the interpreter back.
    """
    values = [value for batch in batches for value in (batch.job_id, batch.epoch, *_row(batch))]
    if len(batches) == 1:
        statement = _APPEND_ONE
    else:
        statement = _APPEND_SEVERAL.format(rows=", ".join(["(?, ?, ?, ?, ?, ?)"] * len(batches)))
    try:
        connection.execute(statement, values)
    except sqlite3.IntegrityError:
        return False
    return True


def write_each(connection: sqlite3.Connection, batches: Sequence[Batch]) -> frozenset[str]:
    """Write any batches, within a transaction; the ids of jobs for which it was refused come back."""
    refused: set[str] = set()
    for batch in batches:
        if batch.job_id in refused or not _is_written(connection, batch):
            refused.add(batch.job_id)
    return frozenset(refused)


def _is_written(connection: sqlite3.Connection, batch: Batch) -> bool:
    job, standing, covered = _standing(connection, batch.job_id)
    repeated = batch.number <= covered or _stored_checksum(connection, job, batch) == _checksum(batch)
    verdict = judge(batch, standing, repeated=repeated)
    if verdict is Verdict.APPENDED:
        _append(connection, job if batch.new is None else _create(connection, batch, batch.new), batch)
    return verdict is not Verdict.REFUSED


def _standing(connection: sqlite3.Connection, job_id: str) -> tuple[int, Standing | None, int]:
    """A job's row, how it stands, and the number that its snapshot covers."""
    row = connection.execute(
        """
        SELECT id, coalesce(snapshots.number, 0), epoch, status, owner, created_at,
            coalesce((SELECT max(number) FROM journal WHERE job = id), snapshots.number, 0)
        FROM jobs LEFT JOIN snapshots ON job = id WHERE job_id = ?
        """,
        (job_id,),
    ).fetchone()
    return (0, None, 0) if row is None else (row[0], Standing(*row[2:]), row[1])


def _stored_checksum(connection: sqlite3.Connection, job: int, batch: Batch) -> int | None:
    row = connection.execute(
        "SELECT checksum FROM journal WHERE job = ? AND number = ?", (job, batch.number)
    ).fetchone()
    return None if row is None else int(row[0])


def _create(connection: sqlite3.Connection, batch: Batch, new: NewJob) -> int:
    define(connection, new.definition)
    job = connection.execute(
        """
        INSERT INTO jobs (job_id, flow_id, definition, status, epoch, created_at, updated_at, owner)
        VALUES (?, ?, ?, 'pending', ?, ?, ?, ?)
        """,
        (batch.job_id, new.flow_id, new.definition.definition_id, batch.epoch, new.created_at, batch.at, new.owner),
    ).lastrowid
    covered, next_segment = batch.number - 1, 1 if new.segment is None else 2
    connection.execute(
        "INSERT INTO snapshots VALUES (?, ?, 1, ?, ?, ?)",
        (job, covered, next_segment, checksum(batch.job_id, "snapshot", covered, new.snapshot), new.snapshot),
    )
    assert job is not None
    if new.segment is not None:
        append_segment(connection, job, batch.job_id, 1, new.segment)
    return job


def define(connection: sqlite3.Connection, definition: Definition) -> None:
    """Keep a definition, if it is not kept already."""
    definition_id, document = definition.definition_id, definition.document
    connection.execute(
        "INSERT INTO definitions VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (definition_id, checksum(definition_id, "definition", 1, document), document),
    )


def append_segment(connection: sqlite3.Connection, job: int, job_id: str, number: int, content: bytes) -> None:
    """Append a part of a job's history."""
    stored = checksum(job_id, "segment", number, content)
    connection.execute("INSERT INTO segments VALUES (?, ?, ?, ?)", (job, number, stored, content))


def _append(connection: sqlite3.Connection, job: int, batch: Batch) -> None:
    connection.execute("INSERT INTO journal VALUES (?, ?, ?, ?, ?)", (job, *_row(batch)))
    if batch.status is not None or batch.releases:
        connection.execute(
            "UPDATE jobs SET status = coalesce(?, status), owner = iif(?, NULL, owner) WHERE id = ?",
            (batch.status, batch.releases, job),
        )


def _row(batch: Batch) -> tuple[int, float, int, bytes]:
    return batch.number, batch.at, _checksum(batch), batch.content


def _checksum(batch: Batch) -> int:
    return checksum(batch.job_id, "record", batch.number, batch.content)
