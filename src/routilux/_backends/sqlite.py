"""A store in an SQLite file: the embedded default."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from time import time

from msgspec.structs import replace

from routilux._backends.backend import MOVED, Batch, Compaction, JobRecord, StoredJob
from routilux._backends.contents import Request, SnapshotRow, assembled, checksum, damaged, verified
from routilux._backends.numbering import (
    check_covered,
    first_kept,
    fit_one_statement,
    is_untaken,
    moved_out,
    unknown_definition,
    unknown_job,
)
from routilux._backends.sqlite_file import SQLiteFile
from routilux._backends.sqlite_writing import define, leave_answer, write_at_once, write_each

_UPDATED_AT = "coalesce((SELECT written_at FROM journal WHERE job = id ORDER BY number DESC LIMIT 1), updated_at)"
_COLUMNS = f"job_id, flow_id, definition, status, epoch, created_at, {_UPDATED_AT}, owner"

PRUNED_AT_ONCE = 1000


class SQLiteBackend:
    """A store in a file, for the processes of one host (`Backend`).

    Whatever a method has done is safe from a crash of process and host when it returns (WAL, `synchronous=FULL`). The
    file is made where there is none, for its owner's eyes only. `busy_timeout` is how many seconds a write waits for
    those of other programs before it is a StoreUnavailableError.
    """

    def __init__(self, path: str | Path, *, busy_timeout: float = 5.0) -> None:
        self._file = SQLiteFile(Path(path), busy_timeout)

    def definition(self, definition_id: str) -> bytes:
        """A flow's document."""
        with self._file.reading() as connection:
            row = connection.execute(
                "SELECT checksum, document FROM definitions WHERE definition_id = ?", (definition_id,)
            ).fetchone()
        if row is None:
            raise unknown_definition(definition_id)
        return verified(definition_id, "definition", 1, *row)

    def write(self, batches: Sequence[Batch]) -> frozenset[str]:
        """Append records."""
        if fit_one_statement(batches):
            with self._file.writing() as connection:
                if write_at_once(connection, batches):
                    return frozenset()
        with self._file.transaction() as connection:
            return write_each(connection, batches)

    def compact(self, compaction: Compaction) -> bool:
        """Replace records by a snapshot."""
        with self._file.transaction() as connection:
            row = connection.execute(
                f"""
                SELECT id, snapshots.number, first_segment, next_segment,
                    coalesce((SELECT max(number) FROM journal WHERE job = id), snapshots.number)
                FROM jobs JOIN snapshots ON job = id
                WHERE job_id = ? AND created_at = ? AND epoch = ? AND status != '{MOVED}'
                """,
                (compaction.job_id, compaction.created_at, compaction.epoch),
            ).fetchone()
            if row is None:
                return False
            job, covered, first_segment, next_segment, last = row
            check_covered(compaction, last)
            if compaction.number > covered:
                _replace_records(connection, job, compaction)
                _replace_snapshot(connection, job, compaction, first_segment, next_segment)
                _replace_definition(connection, job, compaction)
            return True

    def read(self, job_id: str) -> StoredJob:
        """All of a job."""
        with self._file.reading() as connection:
            return _read(connection, *_job(connection, job_id))

    def acquire(self, record: JobRecord, owner: str) -> StoredJob | None:
        """Raise a job's epoch and make `owner` its owner."""
        with self._file.transaction() as connection:
            job, now = _job(connection, record.job_id)
            if not is_untaken(now, record):
                return None
            connection.execute("UPDATE jobs SET epoch = epoch + 1, owner = ? WHERE id = ?", (owner, job))
            connection.execute("DELETE FROM requests WHERE job = ?", (job,))
            return _read(connection, job, replace(now, epoch=now.epoch + 1, owner=owner))

    def record(self, job_id: str) -> JobRecord | None:
        """A job as it is listed."""
        with self._file.reading() as connection:
            row = connection.execute(f"SELECT {_COLUMNS} FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
        return None if row is None else JobRecord(*row)

    def records(
        self, *, status: str | None = None, flow_id: str | None = None, owner: str | None = None
    ) -> list[JobRecord]:
        """The jobs that fit, oldest first."""
        wanted = {"status": status, "flow_id": flow_id, "owner": owner}
        wanted = {column: value for column, value in wanted.items() if value is not None}
        condition = " AND ".join([f"{column} = :{column}" for column in wanted]) or "true"
        with self._file.reading() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM jobs WHERE {condition} ORDER BY created_at, job_id", wanted
            ).fetchall()
        return [JobRecord(*row) for row in rows]

    def move_out(self, record: JobRecord, *, at: float) -> StoredJob | None:
        """Leave nothing of a job but a tombstone."""
        with self._file.transaction() as connection:
            job, now = _job(connection, record.job_id)
            if now != record:
                return None
            stored = _read(connection, job, now)
            connection.execute(
                f"UPDATE jobs SET epoch = epoch + 1, status = '{MOVED}', owner = NULL, updated_at = ? WHERE id = ?",
                (at, job),
            )
            for table in ("journal", "snapshots", "segments", "requests"):
                connection.execute(f"DELETE FROM {table} WHERE job = ?", (job,))
            return stored

    def delete(self, record: JobRecord) -> bool:
        """Remove a job, or its tombstone, that is as it was listed."""
        with self._file.writing() as connection:
            deleted = connection.execute(
                "DELETE FROM jobs WHERE job_id = ? AND created_at = ? AND epoch = ? AND status = ? AND owner IS ?",
                (record.job_id, record.created_at, record.epoch, record.status, record.owner),
            )
        return deleted.rowcount > 0

    def prune(self, *, before: float, statuses: Sequence[str]) -> int:
        """Remove old jobs, some at a time, so that others may write meanwhile, and definitions that no job needs."""
        old = f"status IN ({', '.join('?' * len(statuses))}) AND {_UPDATED_AT} < ?"
        with self._file.reading() as connection:
            ids = connection.execute(f"SELECT id FROM jobs WHERE {old} ORDER BY id", (*statuses, before)).fetchall()
        pruned = 0
        for start in range(0, len(ids), PRUNED_AT_ONCE):
            part = ids[start : start + PRUNED_AT_ONCE]
            with self._file.writing() as connection:
                pruned += connection.execute(
                    f"DELETE FROM jobs WHERE id BETWEEN ? AND ? AND {old}", (*part[0], *part[-1], *statuses, before)
                ).rowcount
        with self._file.writing() as connection:
            connection.execute("DELETE FROM definitions WHERE definition_id NOT IN (SELECT definition FROM jobs)")
        return pruned

    def beat(self, owner: str) -> None:
        """Say that an owner is alive."""
        with self._file.writing() as connection:
            connection.execute(
                "INSERT INTO owners VALUES (?, ?) ON CONFLICT DO UPDATE SET beaten_at = excluded.beaten_at",
                (owner, time()),
            )

    def silences(self) -> dict[str, float]:
        """For each owner the seconds since its last beat, by this host's clock; if that was set back, until then."""
        with self._file.reading() as connection:
            beats = connection.execute("SELECT owner, beaten_at FROM owners").fetchall()
        now = time()
        return {owner: abs(now - beaten_at) for owner, beaten_at in beats}

    def leave(self, owner: str) -> None:
        """Forget an owner that goes."""
        with self._file.transaction() as connection:
            connection.execute("DELETE FROM owners WHERE owner = ?", (owner,))
            connection.execute("UPDATE jobs SET owner = NULL WHERE owner = ?", (owner,))

    def ask(self, job_id: str, key: str, request: bytes) -> None:
        """Leave a request for whoever owns the job."""
        with self._file.writing() as connection:
            asked = connection.execute(
                f"""
                INSERT INTO requests (job, checksum, content)
                SELECT id, :checksum, :request FROM jobs WHERE job_id = :job_id AND status != '{MOVED}'
                    AND NOT EXISTS (SELECT 1 FROM requests WHERE job = jobs.id AND content = :request)
                    AND NOT EXISTS (SELECT 1 FROM answers WHERE job = jobs.id AND key = :key)
                """,
                {
                    "checksum": checksum(job_id, "request", 0, request),
                    "request": request,
                    "job_id": job_id,
                    "key": key,
                },
            )
            if not asked.rowcount:
                _job(connection, job_id)  # says so where there is none

    def asked(self, owner: str) -> list[tuple[str, bytes]]:
        """The requests for the jobs of an owner."""
        with self._file.reading() as connection:
            requests = _requests(connection, owner)
        if unusable := damaged(requests):
            with self._file.transaction() as connection:
                connection.executemany("DELETE FROM requests WHERE id = ?", [(number,) for number in unusable])
        return [request.verified() for request in requests]

    def dismiss(self, requests: Sequence[tuple[str, bytes]]) -> None:
        """Remove requests that an owner has done with."""
        with self._file.transaction() as connection:
            connection.executemany(
                "DELETE FROM requests WHERE job = (SELECT id FROM jobs WHERE job_id = ?) AND content = ?", requests
            )

    def answer(self, job_id: str, key: str, content: bytes) -> None:
        """Leave an answer for whoever asked."""
        with self._file.writing() as connection:
            leave_answer(connection, job_id, key, content)

    def answered(self, job_id: str, key: str) -> bytes | None:
        """The answer that was left under a key."""
        with self._file.reading() as connection:
            row = connection.execute(
                "SELECT checksum, content FROM answers JOIN jobs ON id = job WHERE job_id = ? AND key = ?",
                (job_id, key),
            ).fetchone()
        return None if row is None else verified(job_id, "answer", 0, *row)

    def acknowledge(self, job_id: str, key: str) -> None:
        """Remove an answer that was received."""
        with self._file.writing() as connection:
            connection.execute(
                "DELETE FROM answers WHERE job = (SELECT id FROM jobs WHERE job_id = ?) AND key = ?", (job_id, key)
            )

    def close(self) -> None:
        """Close the file; the last process that does leaves nothing but the one file."""
        self._file.close()


def _job(connection: sqlite3.Connection, job_id: str) -> tuple[int, JobRecord]:
    """A job's row and how it is listed; UnknownJobError where there is none, or but a tombstone."""
    row = connection.execute(f"SELECT id, {_COLUMNS} FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
    if row is None:
        raise unknown_job(job_id)
    record = JobRecord(*row[1:])
    if record.status == MOVED:
        raise moved_out(job_id, record.epoch)
    return row[0], record


def _read(connection: sqlite3.Connection, job: int, record: JobRecord) -> StoredJob:
    snapshot = connection.execute(
        "SELECT number, first_segment, next_segment, checksum, content FROM snapshots WHERE job = ?", (job,)
    ).fetchone()
    return assembled(
        record,
        None if snapshot is None else SnapshotRow(*snapshot),
        _contents(connection, "segments", job),
        _contents(connection, "journal", job),
    )


def _contents(connection: sqlite3.Connection, table: str, job: int) -> list[tuple[int, int, bytes]]:
    return connection.execute(
        f"SELECT number, checksum, content FROM {table} WHERE job = ? ORDER BY number", (job,)
    ).fetchall()


def _replace_records(connection: sqlite3.Connection, job: int, compaction: Compaction) -> None:
    place = (job, compaction.number)
    connection.execute(
        "UPDATE jobs SET updated_at = written_at FROM journal WHERE id = ? AND job = id AND number = ?", place
    )
    connection.execute("DELETE FROM journal WHERE job = ? AND number <= ?", place)


def _replace_snapshot(
    connection: sqlite3.Connection, job: int, compaction: Compaction, first_segment: int, next_segment: int
) -> None:
    if compaction.segment is not None:
        content = compaction.segment
        stored = checksum(compaction.job_id, "segment", next_segment, content)
        connection.execute("INSERT INTO segments VALUES (?, ?, ?, ?)", (job, next_segment, stored, content))
        next_segment += 1
    first = first_kept(compaction, first_segment, next_segment)
    connection.execute("DELETE FROM segments WHERE job = ? AND number < ?", (job, first))
    stored = checksum(compaction.job_id, "snapshot", compaction.number, compaction.snapshot)
    connection.execute(
        """
        UPDATE snapshots SET number = ?, first_segment = ?, next_segment = ?, checksum = ?, content = ? WHERE job = ?
        """,
        (compaction.number, first, next_segment, stored, compaction.snapshot, job),
    )


def _replace_definition(connection: sqlite3.Connection, job: int, compaction: Compaction) -> None:
    if compaction.definition is not None:
        define(connection, compaction.definition)
        connection.execute("UPDATE jobs SET definition = ? WHERE id = ?", (compaction.definition.definition_id, job))


def _requests(connection: sqlite3.Connection, owner: str) -> list[Request]:
    rows = connection.execute(
        """
        SELECT requests.id, job_id, checksum, content FROM requests JOIN jobs ON jobs.id = job
        WHERE owner = ? ORDER BY requests.id
        """,
        (owner,),
    )
    return [Request(*row) for row in rows]
