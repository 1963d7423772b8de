"""What a URL opens."""

import subprocess
import sys
from contextlib import chdir, closing
from pathlib import Path

import pytest

from routilux._backends.memory import MemoryBackend
from routilux._backends.opening import open_backend
from routilux._backends.postgres import PostgresBackend
from routilux.errors import StoreError
from routilux.testing.conformance_parts import created


def test_a_relative_path_is_a_file_of_the_folder_it_was_opened_in(tmp_path: Path) -> None:
    with chdir(tmp_path), closing(open_backend("sqlite:///jobs.db")) as backend:
        with chdir("/"):
            backend.write([created("a")])
        assert (tmp_path / "jobs.db").exists()


def test_an_absolute_path_has_four_strokes(tmp_path: Path) -> None:
    with closing(open_backend(f"sqlite:///{tmp_path}/my jobs.db")) as backend:
        backend.write([created("a")])
    with closing(open_backend(f"sqlite:////{tmp_path}/my jobs.db")) as backend:
        assert backend.read("a").number == 1


def test_memory_is_new_each_time() -> None:
    first = open_backend("memory:")
    first.write([created("a")])
    assert isinstance(first, MemoryBackend)
    assert open_backend("memory:").records() == []


def test_a_server_is_reached_by_its_url(postgres_url: str) -> None:
    with closing(open_backend(postgres_url)) as backend:
        assert isinstance(backend, PostgresBackend)
        assert backend.records() == []


@pytest.mark.parametrize(
    "url", ["", "jobs.db", "sqlite://", "sqlite:///", "mysql://host/db", "memory", "sqlite:jobs.db"]
)
def test_other_urls_are_refused_with_what_to_give(url: str) -> None:
    with pytest.raises(StoreError, match="give one like 'sqlite:") as refusal:
        open_backend(url)
    assert repr(url) in str(refusal.value)


@pytest.mark.parametrize("password", ["secret", "sec@ret", "sec:ret", "sec/ret"])
def test_a_password_is_not_shown_with_what_is_refused(password: str) -> None:
    with pytest.raises(StoreError, match=r"'postgresql\+psycopg://me:\*\*\*@host/db' is no URL") as refusal:
        open_backend(f"postgresql+psycopg://me:{password}@host/db")
    assert password not in str(refusal.value)


def test_sqlite_in_memory_is_refused() -> None:
    with pytest.raises(StoreError, match="give 'memory:'"):
        open_backend("sqlite:///:memory:")


WITHOUT_PSYCOPG = """
import sys
sys.modules["psycopg"] = None
from routilux._backends.opening import open_backend
from routilux.errors import StoreError
open_backend("memory:")
try:
    open_backend("postgresql://localhost/jobs")
except StoreError as error:
    raise SystemExit("pip install 'routilux[postgres]'" not in str(error))
"""


def test_psycopg_is_needed_only_for_postgres_and_the_error_says_how_to_get_it() -> None:
    run = subprocess.run([sys.executable, "-c", WITHOUT_PSYCOPG], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
