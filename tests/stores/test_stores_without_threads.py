"""Where the system gives no thread that a store needs."""

import threading
from collections.abc import Iterator

import pytest

from routilux.errors import NoThreadError
from routilux.stores import Store, open_store
from tests.patience import PATIENCE
from tests.stores.stored_flows import counting

THREADS = pytest.mark.parametrize("name", ["routilux-journal", "routilux-heart", "routilux-keeper"])


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store("memory:") as store:
        yield store


class Missing:
    """A thread that cannot be started, once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self.name, self.start = name, threading.Thread.start
        self.started: list[str] = []
        monkeypatch.setattr(threading.Thread, "start", lambda thread: self(thread))  # noqa: PLW0108 - a function, so that it is bound

    def __call__(self, thread: threading.Thread) -> None:
        if thread.name == self.name:
            self.name = ""
            raise RuntimeError("can't start new thread")
        self.started.append(thread.name)
        self.start(thread)


@THREADS
def test_a_job_that_could_not_be_kept_never_begins(store: Store, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    missing = Missing(monkeypatch, name)
    with counting() as flow:
        with pytest.raises(NoThreadError, match=name):
            flow.start("counter", {"n": 1}, store=store, job_id="order-17")
        assert (store.jobs(), flow._engine and len(flow._engine.jobs)) == ([], 0)
        for _ in range(2):
            assert flow.execute("counter", {"n": 1}, store=store).wait(PATIENCE, raise_on_failure=True)
    assert missing.started.count(name) == 1


@THREADS
def test_a_job_that_could_not_be_kept_any_more_stays_as_it_was(
    store: Store, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with counting() as flow:
        job_state = flow.execute("counter", {"n": 0, "ask": True})
        flow.pause(job_state)
        Missing(monkeypatch, name)
        with pytest.raises(NoThreadError, match=name):
            flow.resume(job_state, store=store)
        assert (store.jobs(), job_state.status) == ([], "paused")
        flow.resume(job_state, store=store)
        flow.deliver(job_state, "counter", "answer", {"text": "yes"})
        assert job_state.wait(PATIENCE, raise_on_failure=True)
    assert [job.status for job in store.jobs()] == ["completed"]
