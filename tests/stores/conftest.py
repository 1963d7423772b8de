"""Fixtures of more than one file about stores."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from routilux.stores import Store, open_store


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Store]]:
    """A store, as a job's owner and as another process have it."""
    if request.param == "memory":
        with open_store("memory:") as store, Store(store._backend) as other:
            yield [store, other]
        return
    url = f"sqlite:///{tmp_path}/jobs.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    with open_store(url) as store, open_store(url) as other:
        yield [store, other]
