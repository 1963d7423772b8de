"""Every store passes the suite that is shipped for those of users."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from routilux._backends.backend import Backend
from routilux._backends.memory import MemoryBackend
from routilux._backends.postgres import PostgresBackend
from routilux._backends.sqlite import SQLiteBackend
from routilux.testing import BackendConformance


class TestMemory(BackendConformance):
    @pytest.fixture
    def backend(self) -> Backend:
        return MemoryBackend()

    @pytest.fixture
    def beside(self, backend: Backend) -> Backend:
        return backend


class TestSQLite(BackendConformance):
    @pytest.fixture
    def backend(self, tmp_path: Path) -> Iterator[Backend]:
        with closing(SQLiteBackend(tmp_path / "jobs.db")) as backend:
            yield backend

    @pytest.fixture
    def beside(self, tmp_path: Path, backend: Backend) -> Iterator[Backend]:
        with closing(SQLiteBackend(tmp_path / "jobs.db")) as beside:
            yield beside


class TestPostgres(BackendConformance):
    @pytest.fixture
    def backend(self, postgres_url: str) -> Iterator[Backend]:
        with closing(PostgresBackend(postgres_url)) as backend:
            yield backend

    @pytest.fixture
    def beside(self, postgres_url: str, backend: Backend) -> Iterator[Backend]:
        with closing(PostgresBackend(postgres_url)) as beside:
            yield beside
