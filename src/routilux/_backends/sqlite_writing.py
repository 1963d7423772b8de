"""How records get into an SQLite file: as one statement where that is all, or each by itself within a transaction."""

import sqlite3
from collections.abc import Iterable, Sequence

from msgspec.structs import asdict

from routilux._backends.backend import MOVED, Batch, Definition, NewJob
from routilux._backends.contents import checksum
from routilux._backends.numbering import Standing, Verdict, judge, replaced_by

_FOLLOWS = """coalesce(
    (SELECT number FROM journal WHERE job = jobs.id AND number = {number} - 1),
    (SELECT number FROM snapshots WHERE job = jobs.id)
) = {number} - 1"""

# In both, `job` is NULL where that job is not there, has another epoch or lacks the record before, as a tombstone does;
# then SQLite refuses the whole statement. The first does not copy the content on its way; the second takes many rows.
_APPEND_ONE = f"""
    INSERT INTO journal VALUES (
        (SELECT id FROM jobs WHERE job_id = ?1 AND created_at = ?2 AND epoch = ?3 AND {_FOLLOWS.format(number="?4")}),
        ?4, ?5, ?6, ?7, ?8, ?9
    )
"""
_APPEND_SEVERAL = f"""
    INSERT INTO journal SELECT
        iif(created_at = column2 AND epoch = column3 AND {_FOLLOWS.format(number="column4")}, id, NULL),
        column4, column5, column6, column7, column8, column9
    FROM (VALUES {{rows}}) LEFT JOIN jobs ON job_id = column1
"""
_CREATE = """
    INSERT INTO new_jobs VALUES (
        :job_id, :flow_id, :definition_id, :definition_checksum, :document,
        :epoch, :created_at, :owner, :snapshot_checksum, :snapshot, :segment_checksum, :segment,
        :number, :at, :status, :releases, :checksum, :content
    )
"""


def write_at_once(connection: sqlite3.Connection, batches: Sequence[Batch]) -> bool:
    """Write a new job, or records, with one statement; False where not all of it may be, and nothing was written.

    Each call of SQLite costs up to 5 ms where another thread computes, and waits to be given the interpreter back.
    """
    try:
        connection.execute(*_statement(batches))
    except sqlite3.IntegrityError:
        return False
    return True


def _statement(batches: Sequence[Batch]) -> tuple[str, Sequence[object] | dict[str, object]]:
    if batches[0].new is not None:
        return _CREATE, _new_row(batches[0], batches[0].new)
    if len(batches) == 1:
        return _APPEND_ONE, (*_place(batches[0]), *_row(batches[0]))
    values = [value for batch in batches for value in (*_place(batch), *_row(batch))]
    return _APPEND_SEVERAL.format(rows=", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?)"] * len(batches))), values


def write_each(connection: sqlite3.Connection, batches: Sequence[Batch]) -> frozenset[str]:
    """Write any batches, within a transaction; the ids of jobs for which it was refused come back."""
    refused: set[str] = set()
    for batch in batches:
        if batch.job_id in refused or not _is_written(connection, batch):
            refused.add(batch.job_id)
    return frozenset(refused)


def _is_written(connection: sqlite3.Connection, batch: Batch) -> bool:
    epoch = replaced_by(batch)
    kept = [] if epoch is None else _without_tombstone(connection, batch.job_id, epoch)
    if batch.new is not None and write_at_once(connection, [batch]):
        _leave_answers(connection, batch.job_id, [*kept, *batch.answers])
        return True
    job, standing, covered = _standing(connection, batch.job_id)
    repeated = batch.number <= covered or _stored_checksum(connection, job, batch) == _checksum(batch)
    verdict = judge(batch, standing, repeated=repeated)
    if verdict is Verdict.APPENDED:
        connection.execute("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?)", (job, *_row(batch)))
        _leave_answers(connection, batch.job_id, batch.answers)
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


def _without_tombstone(connection: sqlite3.Connection, job_id: str, up_to: int) -> list[tuple[str, bytes]]:
    """Remove a tombstone, if its epoch is not a later one; the answers that were left there come back."""
    row = connection.execute(
        f"SELECT id FROM jobs WHERE job_id = ? AND status = '{MOVED}' AND epoch <= ?", (job_id, up_to)
    ).fetchone()
    if row is None:
        return []
    kept = connection.execute("SELECT key, content FROM answers WHERE job = ?", row).fetchall()
    connection.execute("DELETE FROM jobs WHERE id = ?", row)
    return kept


def _leave_answers(connection: sqlite3.Connection, job_id: str, answers: Iterable[tuple[str, bytes]]) -> None:
    for key, content in answers:
        leave_answer(connection, job_id, key, content)


def leave_answer(connection: sqlite3.Connection, job_id: str, key: str, content: bytes) -> None:
    """Leave an answer for whoever asked, unless there is one already."""
    connection.execute(
        f"""
        INSERT INTO answers SELECT id, ?, ?, ? FROM jobs WHERE job_id = ? AND status != '{MOVED}'
        ON CONFLICT DO NOTHING
        """,
        (key, checksum(job_id, "answer", 0, content), content, job_id),
    )


def define(connection: sqlite3.Connection, definition: Definition) -> None:
    """Keep a definition, if it is not kept already."""
    definition_id, document = definition.definition_id, definition.document
    connection.execute(
        "INSERT INTO definitions VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (definition_id, checksum(definition_id, "definition", 1, document), document),
    )


def _new_row(batch: Batch, new: NewJob) -> dict[str, object]:
    definition_id, document = new.definition.definition_id, new.definition.document
    checksums = {
        "definition_checksum": checksum(definition_id, "definition", 1, document),
        "snapshot_checksum": checksum(batch.job_id, "snapshot", batch.number - 1, new.snapshot),
        "segment_checksum": checksum(batch.job_id, "segment", 1, new.segment or b""),
        "checksum": _checksum(batch),
    }
    return asdict(batch) | asdict(new) | asdict(new.definition) | checksums


def _place(batch: Batch) -> tuple[str, float, int]:
    return batch.job_id, batch.created_at, batch.epoch


def _row(batch: Batch) -> tuple[int, float, str | None, bool, int, bytes]:
    return batch.number, batch.at, batch.status, batch.releases, _checksum(batch), batch.content


def _checksum(batch: Batch) -> int:
    return checksum(batch.job_id, "record", batch.number, batch.content)
