"""Contents of a store that are not what was written: refused by name, and nothing of them is used."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from routilux import recover
from routilux._engine.fault_points import FaultPoint
from routilux.errors import RecoveryError
from routilux.stores import open_store
from tests.crashes.hosts import Host
from tests.crashes.mill import expected, outcome
from tests.crashes.millers import ORDER, End, execute
from tests.laws.effort import rounds

DIED = End(FaultPoint.RECORDS_WRITTEN, 60)
CONTENTS = {
    "definition": ("definitions", "document", "definition 1 of"),
    "snapshot": ("snapshots", "content", "snapshot"),
    "segment": ("segments", "content", "segment"),
    "record": ("journal", "content", "record"),
}


@pytest.fixture(scope="module")
def left_behind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store whose process was killed, with snapshots, segments and records in it."""
    folder = tmp_path_factory.mktemp("left")
    host = Host(execute, f"sqlite:///{folder}/jobs.db", "sequential", "strict", str(folder / "effects"), DIED)
    host.ended()
    return folder


@pytest.fixture
def store_url(left_behind: Path, tmp_path: Path) -> str:
    shutil.copytree(left_behind, tmp_path / "copy")
    return f"sqlite:///{tmp_path}/copy/jobs.db"


def flips(kind: str) -> Iterator[float]:
    random = Random(kind)
    return (random.random() for _ in range(rounds(4)))


@pytest.mark.parametrize("kind", CONTENTS)
def test_a_flipped_bit_is_found_and_named(store_url: str, kind: str) -> None:
    table, column, name = CONTENTS[kind]
    for place in flips(kind):
        with closing(sqlite3.connect(store_url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
            rowid = "definition_id" if kind == "definition" else "job"
            row, content = connection.execute(f"SELECT {rowid}, {column} FROM {table} ORDER BY {rowid}").fetchone()
            (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            assert count > 0
            bit = int(place * len(content) * 8)
            damaged = bytearray(content)
            damaged[bit // 8] ^= 1 << bit % 8
            change = f"UPDATE {table} SET {column} = ? WHERE {rowid} = ? AND {column} = ?"
            connection.execute(change, (bytes(damaged), row, content))
            check_refused(store_url, name)
            connection.execute(change, (content, row, bytes(damaged)))
    check_goes_on(store_url)


def check_refused(url: str, name: str) -> None:
    with open_store(url) as store:
        before = [store._backend.record(summary.job_id) for summary in store.jobs()]
        with pytest.raises(RecoveryError, match=f"{name}.* is damaged: it is not what was written"):
            recover(store)
        assert [store._backend.record(summary.job_id) for summary in store.jobs()] == before


def check_goes_on(url: str) -> None:
    with open_store(url) as store:
        (job_state,) = recover(store)
        assert job_state.wait(60)
        assert outcome(job_state) == expected("sequential", ORDER)


def test_a_torn_end_of_the_write_ahead_log_costs_no_more_than_the_end(left_behind: Path, tmp_path: Path) -> None:
    size = os.path.getsize(left_behind / "jobs.db-wal")
    whole = histories(copied(left_behind, tmp_path / "whole", size))
    random, found = Random("torn"), set()
    for number in range(rounds(20)):
        url = copied(left_behind, tmp_path / str(number), random.randrange(size))
        for job_id, history in histories(url).items():
            assert history == whole[job_id][: len(history)]
            found.add(len(history))
            check_goes_on(url)
    assert len(found) > 3


def copied(folder: Path, to: Path, length: int) -> str:
    """A copy of a store of whose write-ahead log so many bytes have come to the disk."""
    to.mkdir()
    shutil.copy(folder / "jobs.db", to)
    (to / "jobs.db-wal").write_bytes((folder / "jobs.db-wal").read_bytes()[:length])
    return f"sqlite:///{to}/jobs.db"


def histories(url: str) -> dict[str, list[object]]:
    with open_store(url) as store:
        return {summary.job_id: list(store.load(summary.job_id)[1].execution_history) for summary in store.jobs()}
