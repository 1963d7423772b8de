"""A job that somebody has for long, as a predicate that does not return, holds up none of the others."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from routilux import Flow, OwnershipLost
from routilux._backends.memory import MemoryBackend
from routilux._core.facts import SharedDataSet
from routilux._engine import keeper
from routilux._engine.hands import Hands
from routilux._engine.requests import Answer, PauseAsked, write_request
from routilux._records import Changes
from routilux.stores import Store, open_store
from tests.patience import PATIENCE, until
from tests.stores.patients import patient


@pytest.fixture
def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Store, Store]]:
    """A store, as its owner and as another process have it."""
    monkeypatch.setattr(keeper, "ROUND", 0.001)
    url = f"sqlite:///{tmp_path}/jobs.db"
    with open_store(url, window=0.001) as store, open_store(url) as other:
        yield store, other


@pytest.fixture
def flow() -> Iterator[Flow]:
    flow = patient()
    yield flow
    with suppress(OwnershipLost):
        flow.shutdown(wait=False)


def test_what_is_asked_of_it_waits_alone(stores: tuple[Store, Store], flow: Flow) -> None:
    store, other = stores
    busy, free = [flow.execute("patient", store=store) for _ in range(2)]
    with busy._live.lock:
        store._backend.ask(busy.job_id, "", write_request(PauseAsked("first")))
        other.pause(free.job_id, timeout=PATIENCE)
        assert (busy.status, free.status) == ("running", "paused")
    until(lambda: busy.status == "paused")


class AskedAtOnce(MemoryBackend):
    """Has two requests for one job and one for another, all at the first look."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = [("busy", b"first"), ("busy", b"second"), ("free", b"third")]

    def asked(self, owner: str) -> list[tuple[str, bytes]]:
        return self.requests

    def dismiss(self, requests: Sequence[tuple[str, bytes]]) -> None:
        self.requests = [request for request in self.requests if request not in requests]


class Obeying:
    """Notes what it is asked for, when it is not busy any more."""

    lost, is_waited_for = None, False

    def __init__(self, noted: list[bytes], busy: int) -> None:
        self.noted = noted
        self.busy = busy

    def obey(self, request: bytes, patience: float) -> Answer | None:
        self.busy -= 1
        if self.busy >= 0:
            return None
        self.noted.append(request)
        return Answer(is_done=True)


def test_what_is_asked_of_it_is_done_in_the_order_of_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "ROUND", 0.001)
    keeps, noted = keeper.Keeper(AskedAtOnce(), "me", Hands(), 0.0), list[bytes]()
    with keeps._changed:
        keeps.hold("free", 0, Obeying(noted, busy=0))
        keeps.hold("busy", 0, Obeying(noted, busy=3))
    until(lambda: len(noted) == 3 and not keeps._obeyed)
    keeps.close()
    assert noted == [b"third", b"first", b"second"]


def test_others_are_written_while_it_cannot_be_told_that_it_is_lost(stores: tuple[Store, Store], flow: Flow) -> None:
    store, other = stores
    busy, free = [flow.execute("patient", store=store) for _ in range(2)]
    taken = other.load(busy.job_id)[1]
    with patient() as others, busy._live.lock:
        others.resume(taken, store=other)
        busy._live.apply(SharedDataSet(Changes({"seen": "here"})))
        for number in range(3):
            free._live.apply(SharedDataSet(Changes({"number": number})))
            until(lambda number=number: other.load(free.job_id)[1].shared_data.get("number") == number)
        assert busy._live.lost is None
    with pytest.raises(OwnershipLost):
        busy.wait(PATIENCE)
