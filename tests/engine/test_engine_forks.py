"""Flows in a forked process: they work as fresh ones do, and what the parent ran is the parent's."""

import gc
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from weakref import ref

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


BUSY = 1500
"""More than what is remembered before what is gone is looked for."""


@pytest.mark.parametrize(("count", "elsewhere"), [(1, False), (10 * BUSY, False), (BUSY, True)])
def test_what_is_added_while_what_is_gone_is_forgotten_is_made_anew(count: int, elsewhere: bool) -> None:
    """As by a signal's handler that starts jobs, or a finalizer; by which a thread waited for itself, for ever."""
    renewal, added = _forks._Renewal(), [Thing() for _ in range(count)]
    locks = [thing.lock for thing in added]

    def add() -> None:
        for thing in added:
            renewal.add(thing)

    def add_meanwhile() -> None:
        """In place of a reference to what is gone, once."""
        renewal._refs[0] = ref(Thing())
        if not elsewhere:
            return add()
        other = threading.Thread(target=add, daemon=True)
        other.start()
        other.join(PATIENCE)

    def crowd() -> None:
        renewal.add(Thing())
        renewal._refs[0] = add_meanwhile  # type: ignore[call-overload]
        for _ in range(BUSY):
            renewal.add(Thing())

    crowding = threading.Thread(target=crowd, daemon=True)
    crowding.start()
    crowding.join(PATIENCE)
    assert not crowding.is_alive()
    renewal.renew_all()
    assert not [thing for thing, lock in zip(added, locks, strict=True) if thing.lock is lock]


def test_a_signals_handler_may_add_something_as_something_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    renewal, things = _forks._Renewal(), [Thing(), Thing()]
    locks = [thing.lock for thing in things]

    def signalled(thing: Thing) -> Any:
        monkeypatch.setattr(_forks, "ref", ref)
        renewal.add(things[1])
        return ref(thing)

    monkeypatch.setattr(_forks, "ref", signalled)
    adding = threading.Thread(target=renewal.add, args=things[:1], daemon=True)
    adding.start()
    adding.join(PATIENCE)
    assert not adding.is_alive()
    renewal.renew_all()
    assert not [thing for thing, lock in zip(things, locks, strict=True) if thing.lock is lock]
