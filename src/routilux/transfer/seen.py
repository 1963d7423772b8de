"""Which jobs have passed through a host, without a store: so that an old file of a job is not read again."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from routilux.errors import TransferError, TransferReplayedError

_WAIT = 30.0
_MAKE = "CREATE TABLE IF NOT EXISTS seen (job_id TEXT PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID"
_NOTE = """
    INSERT INTO seen (job_id, epoch) VALUES (?, ?)
    ON CONFLICT (job_id) DO UPDATE SET epoch = excluded.epoch WHERE excluded.epoch > epoch
"""


class SeenEpochs:
    """A register, in a file, of the newest epoch that was read or written here of each job.

    A file is refused whose epoch is not newer: each file can be read once, and not after a newer one of its job. Give
    the same register to `read` and to `write`, and one register to all processes of a host; they may use it at once. It
    knows nothing of other hosts, and what was in it is forgotten if it is lost or restored from a backup.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)

    def __repr__(self) -> str:
        return f"<SeenEpochs {str(self._path)!r}>"

    def epoch_of(self, job_id: str) -> int | None:
        """The newest epoch that was seen of a job."""
        with self._opened() as register:
            row = register.execute("SELECT epoch FROM seen WHERE job_id = ?", (job_id,)).fetchone()
        return None if row is None else int(row[0])

    def check(self, job_id: str, epoch: int) -> None:
        """Refuse an epoch that is not newer than what was seen, with a TransferReplayedError."""
        known = self.epoch_of(job_id)
        if known is not None and epoch <= known:
            raise TransferReplayedError(
                f"job {job_id!r} has been here as of epoch {known}, and the file is of epoch {epoch}: it may have gone "
                f"on since; forget({job_id!r}) if you know that it has not",
                job_id=job_id,
                epoch=epoch,
                known=known,
            )

    def note(self, job_id: str, epoch: int) -> None:
        """See an epoch; TransferReplayedError where it is not newer. Of two that note it at once, one succeeds."""
        with self._opened() as register:
            noted = register.execute(_NOTE, (job_id, epoch)).rowcount
        if not noted:
            self.check(job_id, epoch)

    def forget(self, job_id: str) -> None:
        """Let a file of the job be read again, whatever its epoch."""
        with self._opened() as register:
            register.execute("DELETE FROM seen WHERE job_id = ?", (job_id,))

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """The register for one question; a connection that is kept would not survive a fork."""
        try:
            with closing(sqlite3.connect(self._path, timeout=_WAIT, isolation_level=None)) as register:
                register.execute(_MAKE)
                yield register
        except (sqlite3.Error, UnicodeEncodeError) as error:
            raise TransferError(f"the register {str(self._path)!r} cannot be used: {error}") from error
