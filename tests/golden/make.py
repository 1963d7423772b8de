"""Makes golden documents: `python -m tests.golden.make FOLDER`, with the code that writes the format.

This is how those of a format were made, once, and how those of the next one will be. What is in the repository is not
made again: it is what was written then. With names of stored scenes behind the folder only stores with these jobs are
made: for what a format can say since then (`format_1_later`).
"""

import json
import sqlite3
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import chain, count
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import psycopg

from routilux import JobState
from routilux._backends import postgres_schema
from routilux._backends.backend import Backend
from routilux._backends.memory import MemoryBackend
from routilux._backends.postgres import PostgresBackend
from routilux._backends.sqlite import SQLiteBackend
from routilux._core.document import write_history, write_job
from routilux._engine import attempt, ledger
from routilux.stores import open_store
from routilux.stores.transfer import transfer_of
from routilux.transfer import Key, KeyRing, pack, packing, save_keys
from tests.golden.finishing import START, Stage, finish, finish_stored, outcome, stored_document, unordered
from tests.golden.flows import concurrent, equipped, keeping, loaded, noted, secretive, shop
from tests.golden.rows import postgres_script, sqlite_script
from tests.golden.scenes import SCENES, Frozen, Scene, planned
from tests.golden.stored_scenes import STORED_SCENES, Host, StoredScene
from tests.stores.postgres_process import running_postgres

ELSEWHERE = {"host": "elsewhere", "machine": "another", "pid": 4242, "started": "1"}
MOVED, MOVED_TOO = "moved", ("failed", "ambiguous", "values", "bounded")
PLANNED, KNOWN = "planned", "known_parameters"
FLOWS = {
    "shop": shop,
    "values": keeping,
    "concurrent": concurrent,
    "slots": loaded,
    "noted": noted,
    "equipped": equipped,
    "secretive": secretive,
}


def written(path: Path, document: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


@contextmanager
def the_same_each_time(stage: Stage) -> Iterator[None]:
    """Nothing that is written tells where and when it was: tracebacks name no files, owners no host."""
    numbers = count(1)

    def without_files(error: BaseException) -> str:
        return "".join(traceback.format_exception_only(error))

    with (
        patch.object(attempt, "_formatted", without_files),
        patch.object(
            ledger,
            "this_process",
            lambda: json.dumps(ELSEWHERE | {"key": f"{stage.new_id()}-{next(numbers)}"}, sort_keys=True),
        ),
        patch.object(ledger, "time", stage.clock.now),
    ):
        yield


def make_flows(folder: Path) -> None:
    for name, make in FLOWS.items():
        written(folder / f"{name}.json", make().serialize())


def make_jobs(folder: Path) -> None:
    for name, scene in SCENES.items():
        stage = Stage(job_id="golden")
        with the_same_each_time(stage):
            frozen = scene.make(stage)
            flow, job = frozen.flow.serialize(), frozen.job_state.serialize()
            at = stage.clock.now()
            end = end_of_document(flow, job, at, scene.steps)
            assert unordered(end) == unordered(end_without_document(stage, frozen, scene)), name
        written(folder / name / "flow.json", flow)
        written(folder / name / "job.json", job)
        written(folder / name / "story.json", {"about": scene.about, "at": at, "steps": scene.steps, "end": end})


def end_of_document(flow: Any, job: Any, at: float, steps: list[Any]) -> dict[str, Any]:
    stage, job_state = Stage(at), JobState()
    read = stage.flow()
    read.deserialize(json.loads(json.dumps(flow)))
    job_state.deserialize(json.loads(json.dumps(job)))
    finish(stage, read, job_state, steps)
    return outcome(job_state)


def end_without_document(stage: Stage, frozen: Frozen, scene: Scene) -> dict[str, Any]:
    """What becomes of the job if it goes on where it is, never having been a document."""
    steps = list(scene.steps)
    for each in frozen.attempts:
        each.run().commit()
    if frozen.job_state._live.attached:
        stage.run()
    if steps[0] == ["resume"] and frozen.job_state.status in ("completed", "failed"):
        steps.pop(0)
    finish(stage, frozen.flow, frozen.job_state, steps)
    return outcome(frozen.job_state)


def make_stores(folder: Path, names: Sequence[str] = ()) -> None:
    """The same jobs in a file and in a database; what they are to become is told once."""
    scenes = {name: scene for name, scene in STORED_SCENES.items() if not names or name in names}
    with tempfile.TemporaryDirectory() as place, running_postgres() as server:
        path = Path(place) / "jobs.db"
        left = leave_all(SQLiteBackend(path), scenes)
        assert leave_all(PostgresBackend(server.url), scenes) == left
        with sqlite3.connect(path) as file:
            file.execute("UPDATE owners SET beaten_at = ?", (START,))
        with psycopg.connect(server.url, autocommit=True) as database:
            database.execute("SET TIME ZONE 'UTC'")
            database.execute("UPDATE routilux_owners SET beaten_at = to_timestamp(%s)", (START,))
            write_script(
                folder / "stores" / "postgres.sql", postgres_script(database, [*chain(*postgres_schema.STEPS)])
            )
        write_script(folder / "stores" / "sqlite.sql", sqlite_script(path))
        make_stories(folder, path, left)


def make_stories(folder: Path, path: Path, left: dict[str, Any]) -> None:
    """What the jobs of a store are, and are to become: in the store, and moved out of it."""
    with open_store(f"sqlite:///{path}") as store:
        if MOVED in left:
            written(folder / "transfers" / MOVED / "transfer.json", left.pop(MOVED))
        for name, story in left.items():
            assert stored_document(store.ledger.backend, name, story["at"]) == story["document"], name
            if name in MOVED_TOO:
                written(folder / "transfers" / name / "transfer.json", store.export(name, copy=False))
                store.admit(json.loads((folder / "transfers" / name / "transfer.json").read_text()), reclaim=True)
            job_state = finish_stored(store, name, story["at"], story["steps"])
            written(folder / "stores" / "jobs" / f"{name}.json", story | {"end": outcome(job_state)})
    for path in sorted(folder.glob("transfers/*/")):
        if path.name in STORED_SCENES:
            make_transfer(path, STORED_SCENES[path.name])


def make_transfer(folder: Path, scene: StoredScene | Scene) -> None:
    steps, at = scene.steps or [["resume"]], START + 100.0
    with open_store("memory:") as store:
        job_id = store.admit(json.loads((folder / "transfer.json").read_text()))
        end = outcome(finish_stored(store, job_id, at, steps))
    written(folder / "story.json", {"about": scene.about, "at": at, "steps": steps, "end": end})


KEYS = KeyRing(
    [
        Key("golden-ed25519", "Ed25519", bytes(range(1, 33))),
        Key("golden-hmac", "HMAC-SHA256", bytes(range(32))),
        Key("golden-aes", "AES-256-GCM", bytes(range(2, 34))),
        Key("golden-old", "Ed25519", public=bytes(range(3, 35)), retired=True),
    ]
)
FILES: dict[str, dict[str, Any]] = {
    "plain": {},
    "compressed": {"compress": True},
    "hmac": {"keys": KeyRing([KEYS.keys[1]])},
    "ed25519": {"keys": KeyRing([KEYS.keys[0]])},
    "encrypted": {"keys": KeyRing([KEYS.keys[2]]), "encrypt": True},
    "everything": {"keys": KEYS, "compress": True, "encrypt": True},
}
"""How one job is written as a file. The keys are for this, and secret to nobody."""


def make_files(folder: Path, transfer: dict[str, Any]) -> None:
    """One job as files of all kinds, and the keys that they were written with."""
    then = SimpleNamespace(now=lambda zone: datetime.fromtimestamp(START, zone))
    folder.mkdir(parents=True)
    with patch.object(packing, "datetime", then), patch.object(packing.secrets, "token_bytes", bytes):
        for name, settings in FILES.items():
            (folder / f"{name}.transfer").write_bytes(pack(transfer, **settings))
    save_keys(folder / "keys.json", KEYS)


def write_script(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script, encoding="utf-8")


def make_planned(folder: Path) -> None:
    """A job that is past a plan, moved out of a store."""
    stage = Stage(job_id="golden")
    with the_same_each_time(stage), open_store("memory:") as store:
        planned(stage, store=store)
        written(folder / "transfer.json", store.export("golden"))
    make_transfer(folder, SCENES[PLANNED])


def make_known(folder: Path) -> None:
    """A job that was moved out of a store with a definition that tells what each handler takes."""
    backend, scene = MemoryBackend(), STORED_SCENES["failed"]
    leave_all(backend, {"failed": scene})
    written(folder / "transfer.json", transfer_of(backend, "failed", copy=False))
    make_transfer(folder, scene)


def leave_all(backend: Backend, scenes: Mapping[str, StoredScene]) -> dict[str, Any]:
    left: dict[str, Any] = {}
    for name, scene in scenes.items():
        stage = Stage(job_id=name)
        with the_same_each_time(stage):
            job = scene.leave(Host(stage, backend))._job
            at = stage.clock.now()
            document = write_job(job, at) | {"execution_history": write_history(list(job.history))}
        left[name] = {"about": scene.about, "at": at, "document": document, "steps": scene.steps}
    if MOVED in scenes:
        left[MOVED] = transfer_of(backend, MOVED, copy=False)
    return json.loads(json.dumps(left))


if __name__ == "__main__":
    target, names = Path(sys.argv[1]), sys.argv[2:]
    if not names:
        make_flows(target / "flows")
        make_jobs(target / "jobs")
    make_stores(target, names)
    if not names:
        make_files(target / "files", json.loads((target / "transfers" / MOVED / "transfer.json").read_text()))
        make_planned(target / "transfers" / PLANNED)
        make_known(target / "transfers" / KNOWN)
