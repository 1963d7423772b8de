"""How records get into a PostgreSQL database: as one statement where that is all, or each within a transaction.

Under READ COMMITTED a statement that has waited for a row's lock goes on with the row as it is then, so whoever has
locked a job's row knows its epoch for certain. Each write locks it, and so does whoever takes the job over, before the
journal is read by a statement of its own. So a write is read by the taker, or finds another epoch (law 6).
"""

from collections.abc import Iterable, Sequence

from msgspec.structs import asdict
from psycopg.errors import NotNullViolation, UniqueViolation
from psycopg.types.numeric import Int8

from routilux._backends.backend import MOVED, Batch, Definition, NewJob
from routilux._backends.contents import checksum
from routilux._backends.numbering import Standing, Verdict, judge, replaced_by
from routilux._backends.postgres_server import Session

_APPEND_ONE = """
    WITH held AS MATERIALIZED (
        SELECT id FROM routilux_jobs WHERE job_id = %s AND created_at = %s AND epoch = %s FOR NO KEY UPDATE
    )
    INSERT INTO routilux_journal SELECT id, %s, %s, %s, %s FROM held
    WHERE %s = coalesce(
        (SELECT number FROM routilux_journal WHERE job = id AND number = %s),
        (SELECT number FROM routilux_snapshots WHERE job = id)
    )
"""

# `job` is NULL where that job is not there, has another epoch or lacks the record before, as a tombstone does; then the
# whole statement is refused. Rows are locked in one order everywhere, so that nobody waits for each other.
_APPEND = """
    WITH batches AS (
        SELECT * FROM unnest(
            %b::text[], %b::double precision[], %b::bigint[], %b::bigint[], %b::double precision[], %b::text[],
            %b::boolean[], %b::bigint[], %b::bytea[]
        ) AS batch (job_id, created_at, epoch, number, written_at, status, releases, checksum, content)
    ), held AS MATERIALIZED (
        SELECT jobs.id, jobs.job_id FROM routilux_jobs jobs JOIN batches USING (job_id)
        WHERE jobs.created_at = batches.created_at AND jobs.epoch = batches.epoch
        ORDER BY jobs.id FOR NO KEY UPDATE OF jobs
    ), changed AS (
        UPDATE routilux_jobs jobs
        SET status = coalesce(batches.status, jobs.status), owner = CASE WHEN NOT releases THEN owner END
        FROM batches JOIN held USING (job_id)
        WHERE jobs.id = held.id AND (batches.status IS NOT NULL OR releases)
    )
    INSERT INTO routilux_journal (job, number, written_at, checksum, content)
    SELECT CASE batches.number - 1 WHEN coalesce(
            (SELECT number FROM routilux_journal WHERE job = id AND number = batches.number - 1),
            (SELECT number FROM routilux_snapshots WHERE job = id)
        ) THEN id END,
        number, written_at, checksum, content
    FROM batches LEFT JOIN held USING (job_id)
"""

_CREATE = """
    WITH created AS (
        INSERT INTO routilux_jobs (job_id, flow_id, definition, status, epoch, created_at, updated_at, owner) VALUES
            (%(job_id)s, %(flow_id)s, %(definition_id)s, %(status)s, %(epoch)s, %(created_at)s, %(at)s, %(owner)s)
        ON CONFLICT DO NOTHING RETURNING id
    ), definition AS (
        INSERT INTO routilux_definitions
        SELECT %(definition_id)s, %(definition_checksum)s, %(document)s FROM created ON CONFLICT DO NOTHING
    ), snapshot AS (
        INSERT INTO routilux_snapshots
        SELECT id, %(covered)s, 1, %(next_segment)s, %(snapshot_checksum)s, %(snapshot)s FROM created
    ), segment AS (
        INSERT INTO routilux_segments
        SELECT id, 1, %(segment_checksum)s, %(segment)s FROM created WHERE %(next_segment)s > 1
    )
    INSERT INTO routilux_journal SELECT id, %(number)s, %(at)s, %(checksum)s, %(content)s FROM created
"""


def write_at_once(session: Session, batches: Sequence[Batch]) -> bool:
    """Write a new job, or records, with one statement; False where not all of it may be, and nothing was written."""
    first = batches[0]
    if first.new is not None:
        return _is_created(session, first, first.new)
    try:
        if len(batches) > 1 or first.status is not None or first.releases:
            return _are_appended(session, batches)
        return _is_appended(session, first)
    except (NotNullViolation, UniqueViolation):
        return False


def _is_appended(session: Session, batch: Batch) -> bool:
    before = Int8(batch.number - 1)
    number, at, _, _, stored, content = _row(batch)
    values = (*_place(batch), number, at, stored, content, before, before)
    return session.execute(_APPEND_ONE, values).rowcount == 1


def _are_appended(session: Session, batches: Sequence[Batch]) -> bool:
    rows = [(*_place(each), *_row(each)) for each in batches]
    session.execute(_APPEND, [list(column) for column in zip(*rows, strict=True)])
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
    epoch = replaced_by(batch)
    kept = [] if epoch is None else _without_tombstone(session, batch.job_id, epoch)
    if batch.new is not None and _is_created(session, batch, batch.new):
        _leave_answers(session, batch.job_id, [*kept, *batch.answers])
        return True
    job, standing, covered = _standing(session, batch.job_id)
    repeated = batch.number <= covered or _stored_checksum(session, job, batch) == _checksum(batch)
    verdict = judge(batch, standing, repeated=repeated)
    if verdict is Verdict.APPENDED:
        _append(session, job, batch)
        _leave_answers(session, batch.job_id, batch.answers)
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


def _is_created(session: Session, batch: Batch, new: NewJob) -> bool:
    """Store a job and its first record, and say whether its id was free."""
    definition_id, document, covered = new.definition.definition_id, new.definition.document, batch.number - 1
    values = {
        "status": batch.status or "pending",
        "owner": None if batch.releases else new.owner,
        "covered": covered,
        "definition_checksum": checksum(definition_id, "definition", 1, document),
        "next_segment": 1 if new.segment is None else 2,
        "snapshot_checksum": checksum(batch.job_id, "snapshot", covered, new.snapshot),
        "segment_checksum": checksum(batch.job_id, "segment", 1, new.segment or b""),
        "checksum": _checksum(batch),
    }
    return session.execute(_CREATE, asdict(batch) | asdict(new) | asdict(new.definition) | values).rowcount == 1


def _without_tombstone(session: Session, job_id: str, up_to: int) -> list[tuple[str, bytes]]:
    """Remove a tombstone, if its epoch is not a later one; the answers that were left there come back."""
    row = session.execute(
        f"SELECT id FROM routilux_jobs WHERE job_id = %s AND status = '{MOVED}' AND epoch <= %s FOR UPDATE",
        (job_id, up_to),
    ).fetchone()
    if row is None:
        return []
    kept = session.execute("SELECT key, content FROM routilux_answers WHERE job = %s", row).fetchall()
    session.execute("DELETE FROM routilux_jobs WHERE id = %s", row)
    return kept


def _leave_answers(session: Session, job_id: str, answers: Iterable[tuple[str, bytes]]) -> None:
    for key, content in answers:
        leave_answer(session, job_id, key, content)


def leave_answer(session: Session, job_id: str, key: str, content: bytes) -> None:
    """Leave an answer for whoever asked, unless there is one already."""
    session.execute(
        f"""
        INSERT INTO routilux_answers
        SELECT id, %s, %s, %s FROM routilux_jobs WHERE job_id = %s AND status != '{MOVED}'
        ON CONFLICT DO NOTHING
        """,
        (key, checksum(job_id, "answer", 0, content), content, job_id),
    )


def define(session: Session, definition: Definition) -> None:
    """Keep a definition, if it is not kept already."""
    definition_id, document = definition.definition_id, definition.document
    session.execute(
        "INSERT INTO routilux_definitions VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        (definition_id, checksum(definition_id, "definition", 1, document), document),
    )


def _append(session: Session, job: int, batch: Batch) -> None:
    session.execute(
        "INSERT INTO routilux_journal VALUES (%s, %s, %s, %s, %s)",
        (job, batch.number, batch.at, _checksum(batch), batch.content),
    )
    if batch.status is not None or batch.releases:
        session.execute(
            """
            UPDATE routilux_jobs SET status = coalesce(%s, status), owner = CASE WHEN NOT %s THEN owner END
            WHERE id = %s
            """,
            (batch.status, batch.releases, job),
        )


def _place(batch: Batch) -> tuple[str, float, Int8]:
    return batch.job_id, batch.created_at, Int8(batch.epoch)


def _row(batch: Batch) -> tuple[Int8, float, str | None, bool, Int8, bytes]:
    """A record's values; of one type always, since for others the statement would be planned again."""
    return Int8(batch.number), batch.at, batch.status, batch.releases, Int8(_checksum(batch)), batch.content


def _checksum(batch: Batch) -> int:
    return checksum(batch.job_id, "record", batch.number, batch.content)
