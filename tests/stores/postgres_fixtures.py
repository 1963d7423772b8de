"""One PostgreSQL server for all tests of a process, started by the first that needs it, and a place in it for each."""

from collections.abc import Iterator
from itertools import count
from urllib.parse import quote

import psycopg
import pytest

from tests.stores.postgres_process import PostgresProcess, running_postgres

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresProcess]:
    with running_postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresProcess) -> str:
    """A schema that no other test has seen."""
    return fresh_schema(postgres)


def fresh_schema(postgres: PostgresProcess) -> str:
    """Where a new schema of a server is to be reached."""
    schema = f"test_{next(_numbers)}"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
    return f"{postgres.url}&options={quote(f'-c search_path={schema}')}"
