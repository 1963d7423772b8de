"""Jobs whose store is away, or refuses what they write."""

import asyncio
from typing import Any

import pytest

from routilux import (
    ErrorHandler,
    JobState,
)
from routilux._backends.backend import Backend
from routilux._backends.memory import MemoryBackend
from routilux.errors import (
    StoreError,
    StoreUnavailableError,
)
from routilux.stores import Store
from tests.stores.stored_flows import LONG, counting, finished, open_another, store

__all__ = ["open_another", "store"]  # fixtures


class Broken:
    """A backend whose writes fail as often as a test says."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.failures: list[Exception] = []
        self.looks = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def write(self, batches: Any) -> frozenset[str]:
        if self.failures:
            raise self.failures.pop()
        return self._backend.write(batches)

    def asked(self, owner: str) -> Any:
        self.looks += 1
        if self.looks == 1:
            raise ZeroDivisionError
        return self._backend.asked(owner)


def test_what_a_backend_raises_that_is_no_error_of_a_store_is_told_as_one_and_ends_no_thread() -> None:
    broken = Broken(MemoryBackend())
    with Store(broken) as store:
        flow = counting()
        job_state = flow.execute("counter", {"n": 0, "ask": True}, store=store)
        broken.failures = [ValueError("a mistake in it")]
        with pytest.raises(StoreError, match=r"^the store failed at 'write': ValueError: a mistake in it$"):
            flow.deliver(job_state, "counter", "answer", {"text": "lost"})
        flow.resume(job_state)
        Store(broken).deliver(job_state.job_id, "counter", "answer", {"text": "kept"}, timeout=LONG)
        assert job_state.wait(LONG)
        assert (job_state.shared_log, broken.looks > 1) == (["kept"], True)


def test_a_job_waits_for_a_store_that_comes_back() -> None:
    broken = Broken(MemoryBackend())
    broken.failures = [StoreUnavailableError("busy")] * 3
    store = Store(broken, patience=LONG)
    assert finished(store).status == "completed"
    assert broken.failures == []
    store.close()


def test_a_job_is_let_go_when_its_store_stays_away() -> None:
    broken = Broken(MemoryBackend())
    store = Store(broken, patience=0.0)
    flow = counting()
    job_state = flow.execute("counter", {"n": 0, "ask": True}, store=store)
    broken.failures = [StoreUnavailableError("the disk is full")]
    with pytest.raises(StoreUnavailableError, match="the disk is full"):
        flow.deliver(job_state, "counter", "answer", {"text": "lost"})
    with pytest.raises(StoreUnavailableError, match="the disk is full"):
        job_state.wait(LONG)
    again = flow.resume(job_state)
    flow.deliver(again, "counter", "answer", {"text": "kept"})
    assert again.wait(LONG)
    assert again.shared_log == ["kept"]
    store.close()


def test_a_job_never_settles_before_that_is_on_disk() -> None:
    broken = Broken(MemoryBackend())
    store = Store(broken, patience=0.0, window=LONG)
    broken.failures = [StoreUnavailableError("the disk is full")]
    with pytest.raises(StoreUnavailableError):
        counting().execute("counter", {"n": 0}, store=store)
    assert store.jobs() == []
    store.close()


def test_one_jobs_fault_is_not_anothers() -> None:
    class Choosy(Broken):
        def write(self, batches: Any) -> frozenset[str]:
            if any(b"poison" in batch.content for batch in batches):
                raise StoreError("too much")
            return self._backend.write(batches)

    store = Store(Choosy(MemoryBackend()), window=LONG)
    flow = counting()
    flow.set_error_handler(ErrorHandler("stop"))
    jobs = [flow.execute("counter", {"n": 0, "ask": True}, store=store) for _ in range(2)]
    for job_state, text in zip(jobs, ["poison", "fine"], strict=True):
        live = job_state._live
        live.log.record(live.job.status, 0.0)
        assert live.log is not None
    with pytest.raises(StoreError, match="too much"):
        flow.deliver(jobs[0], "counter", "answer", {"text": "poison"})
    flow.deliver(jobs[1], "counter", "answer", {"text": "fine"})
    assert jobs[1].wait(LONG)
    store.close()


def test_an_event_loop_is_not_held_up_by_a_store_that_is_away() -> None:
    broken, beats = Broken(MemoryBackend()), list[int]()
    store = Store(broken, patience=LONG)
    broken.failures = [StoreUnavailableError("busy")] * 4

    async def beat() -> None:
        while broken.failures:
            beats.append(len(broken.failures))
            await asyncio.sleep(0)

    async def both() -> JobState:
        beating = asyncio.create_task(beat())
        job_state = await counting().execute_async("counter", {"n": 0, "ask": True}, store=store)
        await beating
        return job_state

    assert asyncio.run(both()).status == "running"
    assert len(set(beats)) > 1
    store.close()
