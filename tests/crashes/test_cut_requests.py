"""What is asked by way of a database is done, and once, although a connection is cut in place of any answer."""

from collections.abc import Iterator

import pytest

from routilux import Flow, JobState
from routilux._engine import keeper
from routilux.stores import Store, open_store
from tests.crashes.cutting import Cut, cut_off
from tests.patience import PATIENCE, until
from tests.stores.answering import twice

OWNERS = {
    "requests are read": (b'"type":"deliver"'.hex().encode(), b""),
    "a request is dismissed": (b"DELETE FROM routilux_requests", b""),
    "a delivery is written, and its answer": (b"INSERT INTO routilux_answers", b""),
    "both are committed": (b"INSERT INTO routilux_answers", b"COMMIT"),
}
ASKERS = {
    "a request is left": (b"INSERT INTO routilux_requests", b""),
    "that is committed": (b"INSERT INTO routilux_requests", b"COMMIT"),
    "the answer is read": (b'"is_done":true'.hex().encode(), b""),
    "the answer is acknowledged": (b"DELETE FROM routilux_answers", b""),
}


@pytest.fixture
def flow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Flow]:
    monkeypatch.setattr(keeper, "ROUND", 0.005)
    with twice() as flow:
        yield flow


def is_delivered_once(job_state: JobState, other: Store) -> None:
    """Of two tasks that wait on one slot, each gets one of two deliveries."""
    for text in "AB":
        other.deliver(job_state.job_id, "twice", "answer", {"text": text}, timeout=PATIENCE)
        until(lambda text=text: job_state.shared_log[-1:] == [text])
    assert job_state.wait(PATIENCE) and job_state.shared_log == ["A", "B"]


@pytest.mark.parametrize("when", OWNERS)
def test_the_owner_does_not_hear_that(postgres_url: str, flow: Flow, when: str) -> None:
    cut = Cut(*OWNERS[when])
    with cut_off(postgres_url, cut) as url, open_store(url) as owner, open_store(postgres_url) as other:
        is_delivered_once(flow.execute("twice", store=owner), other)
    assert cut.is_made


@pytest.mark.parametrize("when", ASKERS)
def test_who_asks_does_not_hear_that(postgres_url: str, flow: Flow, when: str) -> None:
    cut = Cut(*ASKERS[when])
    with cut_off(postgres_url, cut) as url, open_store(postgres_url) as owner, open_store(url) as other:
        is_delivered_once(flow.execute("twice", store=owner), other)
    assert cut.is_made
