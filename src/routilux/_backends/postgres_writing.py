"""How records get into a PostgreSQL database: as one statement where that is all, or each within a transaction.

Under READ COMMITTED a statement that has waited for a row's lock goes on with the row as it is then, so whoever has
locked a job's row knows its epoch for certain. Each write locks it, and so does whoever takes the job over, before the
journal is read by a statement of its own. So a write is read by the taker, or finds another epoch (law 6).
"""

from collections.abc import Sequence

from psycopg.errors import NotNullViolation, UniqueViolation

from routilux._backends.backend import MOVED, Batch, Definition, NewJob
from routilux._backends.contents import checksum
from routilux._backends.numbering import Standing, Verdict, judge
from routilux._backends.postgres_server import Session

# `job` is NULL where the job is not there, has another epoch or lacks the record before: then the whole statement is
# refused. Rows are locked in one order everywhere, so that nobody waits for each other.
_APPEND = f"""
    WITH batches AS (
        SELECT * FROM unnest(%b::text[], %b::bigint[], %b::bigint[], %b::double precision[], %b::bigint[], %b::bytea[])
            AS batch (job_id, epoch, number, written_at, checksum, content)
    ), held AS MATERIALIZED (
        SELECT jobs.id, jobs.job_id FROM routilux_jobs jobs JOIN batches USING (job_id)
        WHERE jobs.epoch = batches.epoch AND jobs.status != '{MOVED}'
        ORDER BY jobs.id FOR NO KEY UPDATE OF jobs
    )
    INSERT INTO routilux_journal (job, number, written_at, checksum, content)
    SELECT CASE WHEN EXISTS (SELECT FROM routilux_journal WHERE job = id AND number = batches.number - 1)
                OR (SELECT number FROM routilux_snapshots WHERE job = id) = batches.number - 1 THEN id END,
        number, written_at, checksum, content
    FROM batches LEFT JOIN held USING (job_id)
"""


def append_all(session: Session, batches: Sequence[Batch]) -> bool:
    """Append plain records with one statement; False where not all of them may be, and nothing was written."""
    rows = [(batch.job_id, batch.epoch, *_row(batch)) for batch in batches]
    try:
        session.execute(_APPEND, [list(column) for column in zip(*rows, strict=True)])
    except (NotNullViolation, UniqueViolation):
        return False
    return True


def write_each(session: Session, batches: Sequence[Batch]) -> frozenset[str]:
    """Write any batches, within a transaction; the ids of jobs for which it was refused come back."""
    session.execute(
        "SELECT FROM routilux_jobs WHERE job_id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
        ([batch.job_id for batch in batches],),
    )
    refused: set[str] = set()
    for batch in batches:
        if batch.job_id in refused or not _is_written(session, batch):
            refused.add(batch.job_id)
    return frozenset(refused)


def _is_written(session: Session, batch: Batch) -> bool:
    if batch.new is not None and (created := _create(session, batch, batch.new)) is not None:
        _append(session, created, batch)
        return True
    job, standing, covered = _standing(session, batch.job_id)
    repeated = batch.number <= covered or _stored_checksum(session, job, batch) == _checksum(batch)
    verdict = judge(batch, standing, repeated=repeated)
    if verdict is Verdict.APPENDED:
        _append(session, job, batch)
    return verdict is not Verdict.REFUSED


def _standing(session: Session, job_id: str) -> tuple[int, Standing | None, int]:
    """A job's row, how it stands, and the number that its snapshot covers."""
    row = session.execute(
        """
        SELECT id, coalesce(snapshots.number, 0), epoch, status, owner, created_at,
            coalesce((SELECT max(number) FROM routilux_journal WHERE job = id), snapshots.number, 0)
        FROM routilux_jobs LEFT JOIN routilux_snapshots snapshots ON job = id WHERE job_id = %s
        """,
        (job_id,),
    ).fetchone()
    return (0, None, 0) if row is None else (row[0], Standing(*row[2:]), row[1])


def _stored_checksum(session: Session, job: int, batch: Batch) -> int | None:
    row = session.execute(
        "SELECT checksum FROM routilux_journal WHERE job = %s AND number = %s", (job, batch.number)
    ).fetchone()
    return None if row is None else int(row[0])


def _create(session: Session, batch: Batch, new: NewJob) -> int | None:
    """Store a job without its first record; None where the id is taken."""
    row = session.execute(
        """
        INSERT INTO routilux_jobs (job_id, flow_id, definition, status, epoch, created_at, updated_at, owner)
        VALUES (%s, %s, %s, 'pending', %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING id
        """,
        (batch.job_id, new.flow_id, new.definition.definition_id, batch.epoch, new.created_at, batch.at, new.owner),
    ).fetchone()
    if row is None:
        return None
    define(session, new.definition)
    covered, next_segment = batch.number - 1, 1 if new.segment is None else 2
    session.execute(
        "INSERT INTO routilux_snapshots VALUES (%s, %s, 1, %s, %s, %s)",
        (row[0], covered, next_segment, checksum(batch.job_id, "snapshot", covered, new.snapshot), new.snapshot),
    )
    if new.segment is not None:
        append_segment(session, row[0], batch.job_id, 1, new.segment)
    return int(row[0])


def define(session: Session, definition: Definition) -> None:
    """Keep a definition, if it is not kept already."""
    definition_id, document = definition.definition_id, definition.document
    session.execute(
        "INSERT INTO routilux_definitions VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        (definition_id, checksum(definition_id, "definition", 1, document), document),
    )


def append_segment(session: Session, job: int | None, job_id: str, number: int, content: bytes) -> None:
    """Append a part of a job's history."""
    stored = checksum(job_id, "segment", number, content)
    session.execute("INSERT INTO routilux_segments VALUES (%s, %s, %s, %s)", (job, number, stored, content))


def _append(session: Session, job: int, batch: Batch) -> None:
    session.execute("INSERT INTO routilux_journal VALUES (%s, %s, %s, %s, %s)", (job, *_row(batch)))
    if batch.status is not None or batch.releases:
        session.execute(
            """
            UPDATE routilux_jobs SET status = coalesce(%s, status), owner = CASE WHEN %s THEN NULL ELSE owner END
            WHERE id = %s
            """,
            (batch.status, batch.releases, job),
        )


def _row(batch: Batch) -> tuple[int, float, int, bytes]:
    return batch.number, batch.at, _checksum(batch), batch.content


def _checksum(batch: Batch) -> int:
    return checksum(batch.job_id, "record", batch.number, batch.content)
