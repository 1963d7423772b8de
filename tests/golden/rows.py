"""The rows of a store as statements of SQL, and a store of such statements: readable, and the same on any machine."""

import sqlite3
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import TupleRow

TABLES = ("definitions", "jobs", "journal", "snapshots", "segments", "requests", "answers", "owners")
NUMBERED = ("jobs", "requests")


def sqlite_rows(path: Path) -> dict[str, list[Any]]:
    """All rows of a store in a file, in the order of their keys."""
    with sqlite3.connect(path) as connection:
        return {table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in TABLES}


def postgres_rows(connection: psycopg.Connection[TupleRow]) -> dict[str, list[Any]]:
    """All rows of a store in a database, in the order of their keys."""
    return {
        table: connection.execute(f"SELECT * FROM routilux_{table} ORDER BY 1, 2".encode()).fetchall()
        for table in TABLES
    }


def sqlite_script(path: Path) -> str:
    """A store in a file as statements: its tables, its rows, then what acts when rows come."""
    with sqlite3.connect(path) as connection:
        made = connection.execute(
            "SELECT type, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
        header = [
            f"PRAGMA {name} = {connection.execute(f'PRAGMA {name}').fetchone()[0]}"
            for name in ("application_id", "user_version")
        ]
    tables = [sql for kind, sql in made if kind == "table"]
    others = [sql for kind, sql in made if kind != "table"]
    rows = [_insert(table, row, "CAST({} AS BLOB)") for table, rows in sqlite_rows(path).items() for row in rows]
    return _script([*header, *tables, *rows, *others])


def postgres_script(connection: psycopg.Connection[TupleRow], made: list[str]) -> str:
    """A store in a database as statements: those that made its tables, its rows, what numbers the next ones."""
    ((number,),) = connection.execute("SELECT format FROM routilux_meta").fetchall()
    meta = ["CREATE TABLE routilux_meta (format bigint NOT NULL)", f"INSERT INTO routilux_meta VALUES ({number})"]
    rows = [
        _insert(f"routilux_{table}", row, "convert_to({}, 'UTF8')", table in NUMBERED)
        for table, rows in postgres_rows(connection).items()
        for row in rows
    ]
    numbers = [
        f"SELECT setval(pg_get_serial_sequence('routilux_{table}', 'id'), (SELECT max(id) FROM routilux_{table}))"
        for table in NUMBERED
    ]
    return _script([*meta, *made, *rows, *numbers])


def _script(statements: list[str]) -> str:
    return "".join(f"{statement};\n\n" for statement in statements)


def _insert(table: str, row: tuple[Any, ...], blob: str, numbered: bool = False) -> str:
    system = " OVERRIDING SYSTEM VALUE" if numbered else ""
    return f"INSERT INTO {table}{system} VALUES ({', '.join(_literal(value, blob) for value in row)})"


def _literal(value: Any, blob: str) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return blob.format(_literal(value.decode(), blob))
    return repr(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"
