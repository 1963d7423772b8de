"""A store in a PostgreSQL database: for jobs of several hosts."""

from collections.abc import Sequence

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
from routilux._backends.postgres_server import PostgresServer, Session
from routilux._backends.postgres_writing import define, leave_answer, write_at_once, write_each

_ALIVE = 0x726F7574  # "rout"
_ASKING = 0x61736B73  # "asks"
_HELD = f"""
    SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = {_ALIVE}
        AND objid = (hashtext(%(owner)s)::bigint & 4294967295)::oid
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
"""The lock that the connection of an owner holds."""

_UPDATED_AT = (
    "coalesce((SELECT written_at FROM routilux_journal WHERE job = id ORDER BY number DESC LIMIT 1), updated_at)"
)
_COLUMNS = f"job_id, flow_id, definition, status, epoch, created_at, {_UPDATED_AT}, owner"


class PostgresBackend:
    """A store in a database, in tables whose names begin with `routilux_` (`Backend`).

    Whatever a method has done is safe from a crash of process and server when it returns, unless the server was told
    otherwise (`fsync`). The tables are made where there are none. `lock_timeout` is how many seconds a write waits for
    those of other processes before it is a StoreUnavailableError. A lost connection is one, too, and the next call
    makes a new one.
    """

    def __init__(self, url: str, *, lock_timeout: float = 5.0) -> None:
        self._server = PostgresServer(url, lock_timeout)

    def definition(self, definition_id: str) -> bytes:
        """A flow's document."""
        with self._server.reading() as session:
            row = session.execute(
                "SELECT checksum, document FROM routilux_definitions WHERE definition_id = %s", (definition_id,)
            ).fetchone()
        if row is None:
            raise unknown_definition(definition_id)
        return verified(definition_id, "definition", 1, *row)

    def write(self, batches: Sequence[Batch]) -> frozenset[str]:
        """Append records."""
        if fit_one_statement(batches):
            with self._server.writing() as session:
                if write_at_once(session, batches):
                    return frozenset()
        with self._server.transaction() as session:
            return write_each(session, batches)

    def compact(self, compaction: Compaction) -> bool:
        """Replace records by a snapshot."""
        with self._server.transaction() as session:
            job = _lock(session, compaction.job_id)
            row = session.execute(
                f"""
                SELECT number, first_segment, next_segment,
                    coalesce((SELECT max(number) FROM routilux_journal WHERE job = id), number)
                FROM routilux_jobs JOIN routilux_snapshots ON job = id
                WHERE id = %s AND created_at = %s AND epoch = %s AND status != '{MOVED}'
                """,
                (job, compaction.created_at, compaction.epoch),
            ).fetchone()
            if row is None:
                return False
            covered, first_segment, next_segment, last = row
            check_covered(compaction, last)
            if compaction.number > covered:
                _replace_records(session, job, compaction)
                _replace_snapshot(session, job, compaction, first_segment, next_segment)
                _replace_definition(session, job, compaction)
            return True

    def read(self, job_id: str) -> StoredJob:
        """All of a job."""
        with self._server.reading() as session:
            return _read(session, *_job(session, job_id))

    def acquire(self, record: JobRecord, owner: str) -> StoredJob | None:
        """Raise a job's epoch and make `owner` its owner."""
        with self._server.transaction() as session:
            _lock(session, record.job_id)
            job, now = _job(session, record.job_id)
            if not is_untaken(now, record):
                return None
            session.execute("UPDATE routilux_jobs SET epoch = epoch + 1, owner = %s WHERE id = %s", (owner, job))
            session.execute("DELETE FROM routilux_requests WHERE job = %s", (job,))
            return _read(session, job, replace(now, epoch=now.epoch + 1, owner=owner))

    def record(self, job_id: str) -> JobRecord | None:
        """A job as it is listed."""
        with self._server.reading() as session:
            row = session.execute(f"SELECT {_COLUMNS} FROM routilux_jobs WHERE job_id = %s", (job_id,)).fetchone()
        return None if row is None else JobRecord(*row)

    def records(
        self, *, status: str | None = None, flow_id: str | None = None, owner: str | None = None
    ) -> list[JobRecord]:
        """The jobs that fit, oldest first."""
        wanted = {"status": status, "flow_id": flow_id, "owner": owner}
        wanted = {column: value for column, value in wanted.items() if value is not None}
        condition = " AND ".join([f"{column} = %({column})s" for column in wanted]) or "true"
        with self._server.reading() as session:
            rows = session.execute(
                f"SELECT {_COLUMNS} FROM routilux_jobs WHERE {condition} ORDER BY created_at, job_id", wanted
            ).fetchall()
        return [JobRecord(*row) for row in rows]

    def move_out(self, record: JobRecord, *, at: float) -> StoredJob | None:
        """Leave nothing of a job but a tombstone."""
        with self._server.transaction() as session:
            _lock(session, record.job_id)
            job, now = _job(session, record.job_id)
            if now != record:
                return None
            stored = _read(session, job, now)
            session.execute(
                f"""
                UPDATE routilux_jobs SET epoch = epoch + 1, status = '{MOVED}', owner = NULL, updated_at = %s
                WHERE id = %s
                """,
                (at, job),
            )
            for table in ("journal", "snapshots", "segments", "requests"):
                session.execute(f"DELETE FROM routilux_{table} WHERE job = %s", (job,))
            return stored

    def delete(self, record: JobRecord) -> bool:
        """Remove a job, or its tombstone, that is as it was listed."""
        with self._server.writing() as session:
            deleted = session.execute(
                """
                DELETE FROM routilux_jobs WHERE job_id = %s AND created_at = %s AND epoch = %s AND status = %s
                    AND owner IS NOT DISTINCT FROM %s
                """,
                (record.job_id, record.created_at, record.epoch, record.status, record.owner),
            )
        return deleted.rowcount > 0

    def prune(self, *, before: float, statuses: Sequence[str]) -> int:
        """Remove old jobs, then definitions that no job needs."""
        with self._server.writing() as session:
            deleted = session.execute(
                f"DELETE FROM routilux_jobs WHERE status = ANY(%s) AND {_UPDATED_AT} < %s", (list(statuses), before)
            )
        with self._server.transaction() as session:
            # Whoever stores a job with its definition is waited for, and waits.
            session.execute("LOCK TABLE routilux_definitions IN SHARE ROW EXCLUSIVE MODE")
            session.execute(
                """
                DELETE FROM routilux_definitions
                WHERE NOT EXISTS (SELECT FROM routilux_jobs WHERE definition = definition_id)
                """
            )
        return deleted.rowcount

    def beat(self, owner: str) -> None:
        """Say that an owner is alive, and have the server know it as long as the connection is there.

        A handler that computes without ever letting other threads run holds up beats, but not a connection.
        """
        with self._server.writing() as session:
            session.execute(
                f"SELECT pg_try_advisory_lock({_ALIVE}, hashtext(%(owner)s)) WHERE NOT EXISTS ({_HELD} AND pid = "
                "pg_backend_pid())",
                {"owner": owner},
            )
            session.execute(
                """
                INSERT INTO routilux_owners VALUES (%s, clock_timestamp())
                ON CONFLICT (owner) DO UPDATE SET beaten_at = excluded.beaten_at
                """,
                (owner,),
            )

    def silences(self) -> dict[str, float]:
        """For each owner the seconds since its last beat, by the server's clock; 0 while it is connected.

        Where that clock was set back since, it is the seconds until the beat.
        """
        with self._server.reading() as session:
            rows = session.execute(
                """
                SELECT owner, CASE WHEN EXISTS ({held}) THEN 0
                    ELSE abs(extract(epoch FROM clock_timestamp() - beaten_at)) END::double precision
                FROM routilux_owners
                """.format(held=_HELD.replace("%(owner)s", "owner"))
            ).fetchall()
        return dict(rows)

    def leave(self, owner: str) -> None:
        """Forget an owner that goes."""
        with self._server.transaction() as session:
            session.execute("DELETE FROM routilux_owners WHERE owner = %s", (owner,))
            session.execute("SELECT FROM routilux_jobs WHERE owner = %s ORDER BY id FOR NO KEY UPDATE", (owner,))
            session.execute("UPDATE routilux_jobs SET owner = NULL WHERE owner = %s", (owner,))

    def ask(self, job_id: str, key: str, request: bytes) -> None:
        """Leave a request for whoever owns the job.

        Where a connection was lost as it did so, the server may be at it still, with the lock: that is waited for.
        """
        with self._server.transaction() as session:
            session.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_ASKING, key))
            asked = session.execute(
                f"""
                INSERT INTO routilux_requests (job, checksum, content)
                SELECT id, %(checksum)s, %(request)s
                FROM routilux_jobs jobs WHERE job_id = %(job_id)s AND status != '{MOVED}'
                    AND NOT EXISTS (SELECT FROM routilux_requests WHERE job = jobs.id AND content = %(request)s)
                    AND NOT EXISTS (SELECT FROM routilux_answers WHERE job = jobs.id AND key = %(key)s)
                """,
                {
                    "checksum": checksum(job_id, "request", 0, request),
                    "request": request,
                    "job_id": job_id,
                    "key": key,
                },
            )
            if not asked.rowcount:
                _job(session, job_id)  # says so where there is none

    def asked(self, owner: str) -> list[tuple[str, bytes]]:
        """The requests for the jobs of an owner."""
        with self._server.writing() as session:
            rows = session.execute(
                """
                SELECT requests.id, job_id, checksum, content
                FROM routilux_requests requests JOIN routilux_jobs jobs ON jobs.id = job
                WHERE owner = %s ORDER BY requests.id
                """,
                (owner,),
            ).fetchall()
            requests = [Request(*row) for row in rows]
            if unusable := damaged(requests):
                session.execute("DELETE FROM routilux_requests WHERE id = ANY(%s)", (unusable,))
        return [request.verified() for request in requests]

    def dismiss(self, requests: Sequence[tuple[str, bytes]]) -> None:
        """Remove requests that an owner has done with."""
        with self._server.writing() as session:
            session.execute(
                """
                DELETE FROM routilux_requests requests
                USING unnest(%s::text[], %s::bytea[]) AS done (job_id, content) JOIN routilux_jobs jobs USING (job_id)
                WHERE requests.job = jobs.id AND requests.content = done.content
                """,
                ([job_id for job_id, _ in requests], [request for _, request in requests]),
            )

    def answer(self, job_id: str, key: str, content: bytes) -> None:
        """Leave an answer for whoever asked."""
        with self._server.writing() as session:
            leave_answer(session, job_id, key, content)

    def answered(self, job_id: str, key: str) -> bytes | None:
        """The answer that was left under a key."""
        with self._server.writing() as session:
            row = session.execute(
                """
                SELECT checksum, content FROM routilux_answers JOIN routilux_jobs ON id = job
                WHERE job_id = %s AND key = %s
                """,
                (job_id, key),
            ).fetchone()
        return None if row is None else verified(job_id, "answer", 0, *row)

    def acknowledge(self, job_id: str, key: str) -> None:
        """Remove an answer that was received."""
        with self._server.writing() as session:
            session.execute(
                """
                DELETE FROM routilux_answers
                WHERE job = (SELECT id FROM routilux_jobs WHERE job_id = %s) AND key = %s
                """,
                (job_id, key),
            )

    def close(self) -> None:
        """Close the connections."""
        self._server.close()


def _lock(session: Session, job_id: str) -> int | None:
    """Keep others from writing to a job until the end of the transaction; its row, or None where there is no job.

    What is read afterwards, by another statement, is all that they have written.
    """
    row = session.execute("SELECT id FROM routilux_jobs WHERE job_id = %s FOR NO KEY UPDATE", (job_id,)).fetchone()
    return None if row is None else int(row[0])


def _job(session: Session, job_id: str) -> tuple[int, JobRecord]:
    """A job's row and how it is listed; UnknownJobError where there is none, or but a tombstone."""
    row = session.execute(f"SELECT id, {_COLUMNS} FROM routilux_jobs WHERE job_id = %s", (job_id,)).fetchone()
    if row is None:
        raise unknown_job(job_id)
    record = JobRecord(*row[1:])
    if record.status == MOVED:
        raise moved_out(job_id, record.epoch)
    return row[0], record


def _read(session: Session, job: int, record: JobRecord) -> StoredJob:
    snapshot = session.execute(
        "SELECT number, first_segment, next_segment, checksum, content FROM routilux_snapshots WHERE job = %s",
        (job,),
        binary=True,
    ).fetchone()
    return assembled(
        record,
        None if snapshot is None else SnapshotRow(*snapshot),
        _contents(session, "segments", job),
        _contents(session, "journal", job),
    )


def _contents(session: Session, table: str, job: int) -> list[tuple[int, int, bytes]]:
    rows = session.execute(
        f"SELECT number, checksum, content FROM routilux_{table} WHERE job = %s ORDER BY number", (job,), binary=True
    ).fetchall()
    return [(number, stored, content) for number, stored, content in rows]


def _replace_records(session: Session, job: int | None, compaction: Compaction) -> None:
    place = (job, compaction.number)
    session.execute(
        """
        UPDATE routilux_jobs SET updated_at = written_at FROM routilux_journal
        WHERE id = %s AND job = id AND number = %s
        """,
        place,
    )
    session.execute("DELETE FROM routilux_journal WHERE job = %s AND number <= %s", place)


def _replace_snapshot(
    session: Session, job: int | None, compaction: Compaction, first_segment: int, next_segment: int
) -> None:
    if compaction.segment is not None:
        content = compaction.segment
        stored = checksum(compaction.job_id, "segment", next_segment, content)
        session.execute("INSERT INTO routilux_segments VALUES (%s, %s, %s, %s)", (job, next_segment, stored, content))
        next_segment += 1
    first = first_kept(compaction, first_segment, next_segment)
    session.execute("DELETE FROM routilux_segments WHERE job = %s AND number < %s", (job, first))
    stored = checksum(compaction.job_id, "snapshot", compaction.number, compaction.snapshot)
    session.execute(
        """
        UPDATE routilux_snapshots
        SET number = %s, first_segment = %s, next_segment = %s, checksum = %s, content = %s WHERE job = %s
        """,
        (compaction.number, first, next_segment, stored, compaction.snapshot, job),
    )


def _replace_definition(session: Session, job: int | None, compaction: Compaction) -> None:
    if compaction.definition is not None:
        definition_id = compaction.definition.definition_id
        session.execute("UPDATE routilux_jobs SET definition = %s WHERE id = %s", (definition_id, job))
        define(session, compaction.definition)
