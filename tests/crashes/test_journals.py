"""A journal does not grow for ever, however long handlers take (law 10)."""

import threading

import pytest

from routilux import Durability
from routilux._backends.memory import MemoryBackend
from routilux._core.job import Job
from routilux._engine import job_log
from routilux._engine.job_log import JobLog, Position
from routilux.stores import Store
from tests.crashes import mill
from tests.crashes.mill import Order

ORDER = Order(hops=20)


@pytest.mark.parametrize("durability", Durability)
def test_a_journal_is_replaced_although_all_is_written_while_handlers_run(
    durability: Durability, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_log, "SMALLEST_JOURNAL", 1000)
    backend = MemoryBackend()
    store = Store(backend, window=60.0)
    longest = 0

    def take_long(task: str) -> None:
        nonlocal longest
        store.ledger.flush()
        stored = backend.record(task.split(":", maxsplit=1)[0])
        if stored is not None:
            longest = max(longest, len(backend.read(stored.job_id).journal))

    monkeypatch.setattr(mill, "_listeners", [take_long])
    job_state = mill.mill("sequential").execute("source", ORDER._asdict(), store=store, durability=durability)
    assert job_state.wait(60)
    assert mill.outcome(job_state) == mill.expected("sequential", ORDER)
    assert 0 < longest < len(job_state.execution_history) / 4


def test_a_store_that_is_closed_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    for _ in range(200):
        store = Store(MemoryBackend())
        store.ledger.mark(JobLog(store.ledger, Job("a", "flow", 0.0), Position(0.0, 0), lambda log: None))
        store.close()
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
        assert not thread.is_alive()
