"""A folder with a user's module in it, which is where commands run, and a store there."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.commands import end_all, routilux


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    shutil.copy(Path(__file__).with_name("shop.py"), tmp_path / "shop.py")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delenv("ROUTILUX_STORE", raising=False)
    yield tmp_path
    sys.modules.pop("shop", None)


@pytest.fixture(autouse=True)
def no_command_outlives_its_test() -> Iterator[None]:
    yield
    end_all()


@pytest.fixture
def gate(folder: Path) -> Path:
    """A pipe that a handler waits for until the test writes to it."""
    path = folder / "gate"
    os.mkfifo(path)
    return path


@pytest.fixture
def completed(folder: Path) -> str:
    """A job that has completed."""
    return ran("[20, 130]")


@pytest.fixture
def failed(folder: Path) -> str:
    """A job that has failed."""
    return ran("[20, 50, -5]")


def ran(amounts: str) -> str:
    result = routilux("run", "shop:flow", "--entry", "orders", "--param", f"amounts={amounts}", "--json")
    job_id: str = json.loads(result.stdout)["job_id"]
    return job_id
