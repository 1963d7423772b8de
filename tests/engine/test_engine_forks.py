"""Flows in a forked process: they work as fresh ones do, and what the parent ran is the parent's."""

import gc
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from routilux import _forks
from tests.engine.forking import CASES
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("case", CASES)
def test_a_flow_works_in_a_forked_process(case: str) -> None:
    run = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-m", "tests.engine.forking", case],
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
        cwd=ROOT,
    )
    assert (run.returncode, run.stderr) == (0, "")


class Thing:
    """Something with a lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def _begin_anew(self) -> None:
        self.lock = threading.Lock()


def test_what_is_gone_is_not_made_anew_nor_remembered() -> None:
    renewal, kept = _forks._Renewal(), Thing()
    lock = kept.lock
    renewal.add(kept)
    for _ in range(5000):
        renewal.add(Thing())
    gc.collect()
    renewal.renew_all()
    assert kept.lock is not lock
    assert len(renewal._refs) <= 1024 + 2
