"""A store that is away while a job runs, or locked while somebody looks."""

import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from routilux.stores import SQLiteBackend, open_store
from tests.cli.commands import documents, routilux
from tests.stores.patients import patient

LOCKS = """
import sqlite3
from routilux import Flow, Routine
from serilux import register_serializable

held = []

@register_serializable
class Locking(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", handler=self.lock)

    def lock(self):
        held.append(sqlite3.connect("routilux.db", isolation_level=None, check_same_thread=False))
        held[0].execute("BEGIN IMMEDIATE")

flow = Flow("locking")
flow.add_routine(Locking(), "locking")
"""
RUN = ("run", "locks:flow", "--entry", "locking", "--job-id", "m1")


@pytest.fixture
def locks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module whose handler locks the store, which is waited for half a second."""
    (folder / "locks.py").write_text(LOCKS)
    monkeypatch.setattr(SQLiteBackend.__init__, "__kwdefaults__", {"busy_timeout": 0.01})
    monkeypatch.setattr("routilux.cli.running.open_store", partial(open_store, patience=0.5))
    yield folder
    for connection in sys.modules.pop("locks").held:
        connection.close()


def test_it_is_said_at_once_and_once_and_at_the_end_what_resumes_the_job(
    locks: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    result = routilux(*RUN)
    assert result.exit_code == 1
    assert capfd.readouterr().out.count("waiting for the store: ") == 1
    assert "routilux: job m1 was let go, as its store is away: " in result.stderr
    assert "; when it is back: routilux resume m1 --app locks:flow\n" in result.stderr


def test_with_json_too(locks: Path) -> None:
    result = routilux(*RUN, "--json")
    assert json.loads(result.stdout)["command"] == "routilux resume m1 --app locks:flow"
    assert result.stderr.count("waiting for the store: ") == 1


ASKING = [("cancel", "m1"), ("deliver", "m1", "patient", "answer", "--param", "text=heard")]


@pytest.mark.parametrize("arguments", ASKING, ids=lambda arguments: arguments[0])
def test_who_asks_something_of_a_job_is_told_that_the_store_is_away(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    with open_store("sqlite:///routilux.db") as store, patient() as flow:
        flow.pause(flow.execute("patient", store=store, job_id="m1"))
    monkeypatch.setattr(SQLiteBackend.__init__, "__kwdefaults__", {"busy_timeout": 0.01})
    with closing(sqlite3.connect("routilux.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        result = routilux(*arguments, "--timeout", "0.3")
    assert result.exit_code != 0
    assert result.stderr.count("waiting for the store: ") == 1


@pytest.mark.parametrize("arguments", [("jobs",), ("show", "m1"), ("explain", "m1"), ("export", "m1", "--copy")])
def test_who_only_looks_waits_for_no_lock(folder: Path, arguments: tuple[str, ...]) -> None:
    routilux("run", "shop:flow", "--entry", "orders", "--param", "amounts=[1]", "--job-id", "m1")
    with closing(sqlite3.connect("routilux.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        result = routilux(*arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    assert documents("jobs")[0]["status"] == "completed"
