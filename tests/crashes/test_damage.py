"""Contents of a store that are not what was written: refused by name, and nothing of them is used."""

import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from typing import Any

import psycopg
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
Run = Callable[..., Any]
"""Runs a statement behind the back of a store, and gives its rows."""


@pytest.fixture(scope="module")
def left_behind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store whose process was killed, with snapshots, segments and records in it."""
    folder = tmp_path_factory.mktemp("left")
    leave_behind(f"sqlite:///{folder}/jobs.db", folder)
    return folder


def leave_behind(url: str, folder: Path) -> None:
    Host(execute, url, "sequential", "strict", str(folder / "effects"), DIED).ended()


@pytest.fixture
def store_url(request: pytest.FixtureRequest, url: str, tmp_path: Path) -> str:
    """A store that was left behind, on either database."""
    if url.startswith("sqlite"):
        shutil.copytree(request.getfixturevalue("left_behind"), tmp_path / "copy")
        return f"sqlite:///{tmp_path}/copy/jobs.db"
    leave_behind(url, tmp_path)
    return url


@contextmanager
def behind(url: str) -> Iterator[Run]:
    """Somebody who changes rows without asking the store. Statements are as SQLite knows them."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as file:
            yield lambda statement, *values: file.execute(statement, values).fetchall()
        return
    with psycopg.connect(url, autocommit=True) as database:

        def run(statement: str, *values: object) -> list[tuple[Any, ...]]:
            named = re.sub(rf"\b({'|'.join(table for table, _, _ in CONTENTS.values())})\b", r"routilux_\1", statement)
            cursor = database.execute(named.replace("?", "%s").encode(), values)
            return cursor.fetchall() if cursor.description else []

        yield run


def flipped(content: bytes, place: float) -> bytes:
    """A content with one bit that is another."""
    bit, damaged = int(place * len(content) * 8), bytearray(content)
    damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


def torn(content: bytes, place: float) -> bytes:
    """A content of which only the beginning has come to the disk."""
    return content[: int(place * len(content))]


@pytest.mark.parametrize("damage", [flipped, torn])
@pytest.mark.parametrize("kind", CONTENTS)
def test_damage_is_found_and_named(store_url: str, kind: str, damage: Callable[[bytes, float], bytes]) -> None:
    table, column, name = CONTENTS[kind]
    key = "definition_id" if kind == "definition" else "job"
    random = Random(kind)
    for _ in range(rounds(4)):
        with behind(store_url) as run:
            row, content = run(f"SELECT {key}, {column} FROM {table} ORDER BY {key} LIMIT 1")[0]
            damaged = damage(bytes(content), random.random())
            change = f"UPDATE {table} SET {column} = ? WHERE {key} = ? AND {column} = ?"
            run(change, damaged, row, content)
            check_refused(store_url, name)
            run(change, content, row, damaged)
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
