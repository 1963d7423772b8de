"""Stores of every format that was ever written are opened, and the jobs in them brought to their end."""

import json
import sqlite3
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest

from routilux import JobStateError, UnknownJobError
from routilux._backends import postgres_schema, sqlite_schema
from routilux._engine.requests import Answer, CancelAsked, PauseAsked, read_answer, read_request
from routilux._model import SlotKey
from routilux.stores import Store, open_store
from tests.golden import flows  # noqa: F401  # whose classes the jobs name
from tests.golden.finishing import finish_stored, outcome, stored_document, unordered
from tests.golden.golden import FORMATS, store_format
from tests.stores.postgres_fixtures import fresh_schema

KINDS = ("sqlite", "postgres")
STORIES = [path for root in FORMATS for path in sorted((root / "stores" / "jobs").glob("*.json"))]
ORPHANS = {
    *("orphan", "orphan_concurrent", "orphan_merged", "released", "pausing", "just_resumed", "asked"),
    *("values_in_a_snapshot", "started", "resumed", "retried"),
}


STORES = [pytest.param((kind, root), id=f"{root.name}-{kind}") for kind in KINDS for root in FORMATS]
WHOLE = [each for each in STORES if (each.values[0][1] / "transfers").exists()]  # type: ignore[index]
ANSWERED = [each for each in STORES if (each.values[0][1] / "stores/jobs/answered.json").exists()]  # type: ignore[index]
CONCURRENT = ("orphan_concurrent", "suspected")
ADDED = {"suspected", "answered", "delayed"}
"""Orphans of what was added to a format."""


def filled(kind: str, root: Path, folder: Path, request: pytest.FixtureRequest) -> str:
    """The URL of a store with the rows of a golden one."""
    script = (root / "stores" / f"{kind}.sql").read_text(encoding="utf-8")
    if kind == "postgres":
        url = fresh_schema(request.getfixturevalue("postgres"))
        with psycopg.connect(url) as database:
            database.execute(script.encode())
        return url
    with sqlite3.connect(folder / "jobs.db") as file:
        file.executescript(script)
    file.close()
    return f"sqlite:///{folder / 'jobs.db'}"


@pytest.fixture(scope="module")
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Path], str]:
    """Stores for tests that touch one job each."""
    return cache(lambda kind, root: filled(kind, root, tmp_path_factory.mktemp("golden"), request))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", STORIES, ids=lambda path: f"{path.parts[-4]}-{path.stem}")
def test_a_stored_job_is_what_it_was_and_comes_to_its_end(
    kind: str, path: Path, shared: Callable[[str, Path], str]
) -> None:
    story = json.loads(path.read_text(encoding="utf-8"))
    url = shared(kind, path.parents[2])
    with open_store(url) as store:
        assert stored_document(store.ledger.backend, path.stem, story["at"]) == story["document"]
        job_state = finish_stored(store, path.stem, story["at"], story["steps"])
        assert compared(path.stem, outcome(job_state)) == compared(path.stem, story["end"])
    with open_store(url) as store:
        assert compared(path.stem, outcome(store.load(path.stem)[1])) == compared(path.stem, story["end"])


def compared(name: str, end: dict[str, Any]) -> dict[str, Any]:
    """An outcome; without the order of commits where activations were in flight at once (law 3)."""
    return unordered(end) if name in CONCURRENT else end


@pytest.fixture(params=WHOLE)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    with open_store(filled(*request.param, tmp_path, request)) as opened:
        yield opened


@pytest.mark.parametrize("stored", STORES)
def test_every_job_has_a_story_and_those_whose_process_is_gone_are_found(
    stored: tuple[str, Path], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    root, moved = stored[1], {path.name for path in (stored[1] / "transfers").glob("moved")}
    names = {path.stem for path in (root / "stores" / "jobs").glob("*.json")} | moved
    with open_store(filled(*stored, tmp_path, request)) as store:
        assert {job.job_id for job in store.jobs()} == names
        assert {job.job_id for job in store.orphans()} == (ORPHANS | ADDED) & names


def test_what_was_asked_of_an_owner_is_handed_to_it(store: Store) -> None:
    owner = store.summary("asked").owner
    assert owner is not None
    asked = [(job_id, read_request(content)) for job_id, content in store.ledger.backend.asked(owner)]
    pause, cancel, (job_id, delivery) = asked
    assert (pause, cancel) == (("asked", PauseAsked("lunch")), ("asked", CancelAsked("nobody wants it")))
    assert (job_id, delivery.target, delivery.data) == ("asked", SlotKey("courier", "signature"), {"name": ("Ann",)})


@pytest.mark.parametrize("stored", ANSWERED)
def test_what_an_owner_has_answered_is_there_for_who_asked(
    stored: tuple[str, Path], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with open_store(filled(*stored, tmp_path, request)) as store:
        backend, owner = store.ledger.backend, store.summary("answered").owner
        assert owner is not None
        ((job_id, content),) = backend.asked(owner)
        assert (job_id, read_request(content)) == ("answered", PauseAsked("lunch", "of-who-asks"))
        answers = [backend.answered("answered", key) for key in ("done", "refused", "again", "never asked")]
        read = [content and read_answer(content) for content in answers]
        assert read == [Answer(is_done=True), Answer(refusal="it is lunch time"), Answer(), None]


def test_a_tombstone_stays_until_the_job_comes_back(store: Store) -> None:
    transfer = json.loads((FORMATS[0] / "transfers" / "moved" / "transfer.json").read_text())
    assert store.summary("moved").status == "moved"
    with pytest.raises(UnknownJobError):
        store.load("moved")
    with pytest.raises(JobStateError, match="was moved out of this store"):
        store.admit(transfer)
    assert store.admit(transfer, reclaim=True) == "moved"


@pytest.mark.parametrize("root", FORMATS, ids=lambda root: root.name)
def test_the_tables_of_a_format_are_made_as_they_were(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number = store_format(root)
    golden, made = sqlite3.connect(":memory:"), sqlite3.connect(":memory:")
    golden.executescript((root / "stores" / "sqlite.sql").read_text(encoding="utf-8"))
    monkeypatch.setattr(sqlite_schema, "STEPS", sqlite_schema.STEPS[:number])
    sqlite_schema.bring_up_to_date(made, "here")
    assert tables(made) == tables(golden)
    script = (root / "stores" / "postgres.sql").read_text(encoding="utf-8")
    for statement in (statement for step in postgres_schema.STEPS[:number] for statement in step):
        assert statement in script


def tables(connection: sqlite3.Connection) -> list[Any]:
    rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema").fetchall()
    connection.close()
    return sorted(rows, key=str)
