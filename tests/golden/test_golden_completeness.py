"""All that the current format can say is said in some golden document: what is new in a format needs a new one."""

import hashlib
import inspect
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from routilux._backends import postgres_schema, sqlite_schema
from routilux._core import graph_document, journal, shapes, snapshot
from routilux._core.journal import _KINDS, _READERS, Happening
from routilux._flow_document import FlowDocument, RoutineDocument
from routilux._graph import Route, RoutineNode, SlotNode
from routilux._migrations import CURRENT_FORMAT
from routilux._model import (
    Durability,
    ErrorStrategy,
    ExecutionStrategy,
    JobStatus,
    MergeKind,
    RoutineStatus,
    SideEffects,
)
from routilux.connection import ConnectionDocument
from routilux.error_handler import ErrorHandlerDocument
from routilux.event import EventDocument
from routilux.slot import SlotDocument
from routilux.transfer.contents import Transfer
from serilux._decode import TAGS
from serilux._leaves import LEAF_OF_TAG
from tests.golden.golden import FORMATS, number_of, store_format

ROOTS = [root for root in FORMATS if number_of(root) == CURRENT_FORMAT]
NEWEST = max(ROOTS, key=store_format)
NOTHING: tuple[Any, ...] = (None, False, 0, "", [], {})


def documents(pattern: str) -> list[Any]:
    return [json.loads(path.read_text(encoding="utf-8")) for root in ROOTS for path in sorted(root.glob(pattern))]


def rows(columns: str, table: str) -> list[tuple[Any, ...]]:
    return [row for root in ROOTS if has_table(root, table) for row in rows_of(root, columns, table)]


def has_table(root: Path, table: str) -> bool:
    return (table,) in rows_of(root, "name", "sqlite_schema")


def rows_of(root: Path, columns: str, table: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript((root / "stores" / "sqlite.sql").read_text(encoding="utf-8"))
        return connection.execute(f"SELECT {columns} FROM {table}").fetchall()


def contents(table: str) -> list[Any]:
    return [json.loads(content) for (content,) in rows("content", table)]


TRANSFERS = documents("transfers/*/transfer.json")
JOBS = documents("jobs/*/job.json") + [transfer["job"] for transfer in TRANSFERS]
FLOWS = documents("flows/*.json") + documents("jobs/*/flow.json")
GRAPHS = [transfer["graph"] for transfer in TRANSFERS] + [
    json.loads(document)["graph"] for (document,) in rows("document", "definitions")
]
RECORDS, SNAPSHOTS, SEGMENTS = contents("journal"), contents("snapshots"), contents("segments")
TASKS = [task for job in JOBS for name in ("pending_tasks", "failed_tasks") for task in job.get(name, [])]
PLANS = [applied for job in JOBS for applied in job.get("plans", [])]
STATES = [state for job in JOBS for state in job.get("routine_states", {}).values()]
ROUTINES = [each for flow in FLOWS for each in flow.get("routines", {}).values()]
SLOTS = [slot for each in ROUTINES for slot in each.get("_slots", {}).values()]
HANDLERS = [
    each[name] for each in (*FLOWS, *ROUTINES) for name in ("error_handler", "_error_handler") if each.get(name)
]


def fields_of(struct: Any) -> tuple[str, ...]:
    names: tuple[str, ...] = struct.__struct_encode_fields__
    return names


FIELDS: dict[str, tuple[Iterable[str], list[Any]]] = {
    "JobState": (fields_of(shapes.JobDocument), JOBS),
    "history record": (
        fields_of(shapes.HistoryDocument),
        [each for job in JOBS for each in job.get("execution_history", [])],
    ),
    "task": (fields_of(shapes.TaskDocument), TASKS),
    "source of a task": (
        fields_of(shapes.SourceDocument),
        [task["connection"] for task in TASKS if task.get("connection")],
    ),
    "error": (fields_of(shapes.ErrorDocument), [each["error"] for each in (*JOBS, *STATES) if each.get("error")]),
    "routine state": (fields_of(shapes.RoutineStateDocument), STATES),
    "pause point": (
        fields_of(shapes.PausePointDocument),
        [point for job in JOBS for point in job.get("pause_points", [])],
    ),
    "applied plan": (fields_of(shapes.AppliedPlanDocument), PLANS),
    "plan": (fields_of(shapes.PlanDocument), [applied["plan"] for applied in PLANS]),
    "Flow": (fields_of(FlowDocument), FLOWS),
    "routine": (fields_of(RoutineDocument), ROUTINES),
    "slot": (fields_of(SlotDocument), SLOTS),
    "event": (fields_of(EventDocument), [event for each in ROUTINES for event in each.get("_events", {}).values()]),
    "connection": (fields_of(ConnectionDocument), [each for flow in FLOWS for each in flow.get("connections", [])]),
    "error handler": (fields_of(ErrorHandlerDocument), HANDLERS),
    "transfer": (fields_of(Transfer), TRANSFERS),
    "graph": (fields_of(graph_document.GraphDocument), GRAPHS),
    "node of a routine": (fields_of(RoutineNode), [node for graph in GRAPHS for node in graph["routines"]]),
    "node of a slot": (fields_of(SlotNode), [node for graph in GRAPHS for node in graph["slots"]]),
    "route": (
        fields_of(Route),
        [
            route
            for graph in GRAPHS
            for node in graph["routines"]
            for routes in node["routes"].values()
            for route in routes
        ],
    ),
    "snapshot": (fields_of(snapshot._Snapshot), SNAPSHOTS),
    "pause of a snapshot": (fields_of(snapshot._Pause), [each["pause"] for each in SNAPSHOTS if each["pause"]]),
    "segment": (fields_of(snapshot._Segment), SEGMENTS),
}


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_says_something_in_some_document(name: str) -> None:
    fields, nodes = FIELDS[name]
    assert {field for field in fields if all(node.get(field) in NOTHING for node in nodes)} == set()


WORDS: dict[str, tuple[Iterable[StrEnum], Iterable[Any]]] = {
    "job": (JobStatus, [job["status"] for job in JOBS]),
    "routine": (RoutineStatus, [state["status"] for state in STATES]),
    "policy": (ErrorStrategy, [handler.get("strategy") for handler in HANDLERS]),
    "strategy": (ExecutionStrategy, [flow.get("execution_strategy") for flow in FLOWS]),
    "durability": (Durability, [job.get("durability") for job in JOBS]),
    "effects": (SideEffects, [each.get("_effects", SideEffects.REPEATABLE) for each in ROUTINES]),
    "merge": (MergeKind, [node["merge"] for graph in GRAPHS for node in graph["slots"]]),
}


@pytest.mark.parametrize("name", WORDS)
def test_every_word_is_in_some_document(name: str) -> None:
    words, said = WORDS[name]
    assert set(words) - set(said) == set()


def test_every_tag_is_in_some_document() -> None:
    assert set(LEAF_OF_TAG) | set(TAGS) <= set(tags([JOBS, FLOWS]))


def test_every_tag_is_in_some_journal_and_some_segment() -> None:
    assert set(LEAF_OF_TAG) | set(TAGS) <= set(tags(RECORDS)) & set(tags(SEGMENTS))


def tags(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (name for name in node if name.startswith("$"))
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from tags(item)


def test_every_fact_has_a_kind_of_line() -> None:
    assert set(_KINDS) == set(Happening.__args__)


def parts_of(kind: str) -> list[str]:
    """What a line of a kind may say, by the names of the parameters that read it."""
    parts: list[str] = []
    for name, parameter in list(inspect.signature(_READERS[kind]).parameters.items())[2:]:
        further = {"published": (journal._read_published, 2), "task": (journal._read_new, 1)}
        if parameter.kind is not inspect.Parameter.VAR_POSITIONAL:
            parts.append(name)
        else:
            function, skipped = further[name]
            parts += list(inspect.signature(function).parameters)[skipped:]
    return parts


@pytest.mark.parametrize("kind", _READERS)
def test_every_kind_of_line_says_all_it_can_in_some_journal(kind: str) -> None:
    lines = [line[2:] for _, _, lines in RECORDS for line in lines if line[0] == kind]
    assert lines != []
    parts = parts_of(kind)
    assert {len(line) for line in lines} <= set(range(len(parts) + 1))
    said = {part for line in lines for part, value in zip(parts, line, strict=False) if value not in NOTHING}
    assert set(parts) - said == set()


def test_every_kind_of_change_is_in_some_journal() -> None:
    parts = inspect.getsource(journal._read_changes).partition(" = changes")[0].splitlines()[-1].strip().split(", ")
    changes = [
        dict(zip(parts_of(line[0]), line[2:], strict=False)).get("changes") for _, _, lines in RECORDS for line in lines
    ]
    said = {part for change in changes if change for part, value in zip(parts, change, strict=True) if value}
    assert said == set(parts) == {"written", "removed", "logged", "state", "expected"}


def test_values_are_both_plain_and_not() -> None:
    assert {plain for _, plain, _ in RECORDS} == {segment["plain"] for segment in SEGMENTS} == {True, False}


@pytest.mark.parametrize(
    "table", ["definitions", "jobs", "journal", "snapshots", "segments", "requests", "answers", "owners"]
)
def test_every_column_says_something_in_some_row(table: str) -> None:
    columns = [name for (name,) in rows_of(NEWEST, "name", f"pragma_table_info('{table}')")]
    assert columns != []
    assert [column for column in columns if all(row[0] in NOTHING for row in rows(column, table))] == []


def test_there_are_stores_of_the_newest_format() -> None:
    assert store_format(NEWEST) == len(sqlite_schema.STEPS) == len(postgres_schema.STEPS)


@pytest.mark.parametrize("root", FORMATS, ids=lambda root: root.name)
def test_golden_documents_are_never_edited(root: Path) -> None:
    listed = dict(reversed(line.split("  ")) for line in (root / "SHA256SUMS").read_text().splitlines())
    found = {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file() and path.name != "SHA256SUMS"
    }
    assert found == listed
