"""Law 6 where an id is freed and taken again: who had it, and only seemed to be dead, is no owner of the next job."""

from signal import SIGSTOP

import pytest

from routilux._engine.fault_points import FaultPoint
from routilux.stores import open_store
from tests.crashes.hosts import Host
from tests.crashes.millers import End
from tests.crashes.namesakes import ORDER_ID, serve


@pytest.mark.parametrize("records", [2, 3])
def test_who_ran_a_deleted_job_writes_nothing_into_the_next_of_its_id(url: str, records: int) -> None:
    """Both stand still with the same record made: by its number and epoch the first one's fits the second job."""
    stops = End(FaultPoint.RECORDS_MADE, records, SIGSTOP)
    first = Host(serve, url, "Ann", stops)
    first.wait_until_stopped()
    with open_store(url) as store:
        flow, taken = store.load(ORDER_ID)
        flow.resume(taken)
        assert (taken.wait(60), taken.status) == (True, "completed")
        assert store.delete(ORDER_ID) is True
        second = Host(serve, url, "Bob", stops)
        second.wait_until_stopped()
        before = store.ledger.backend.read(ORDER_ID)
        first.wake()
        (told,) = first.ended()
        assert told == (
            f"lost job '{ORDER_ID}' was deleted from its store while it ran here; the store has another one of that id"
        )
        assert store.ledger.backend.read(ORDER_ID) == before
        second.wake()
        assert second.ended() == ["True completed"]
        assert store.load_job(ORDER_ID).shared_log == ["begun for Bob", "ended for Bob"]
        assert (store.summary(ORDER_ID).epoch, store.summary(ORDER_ID).owner) == (0, None)
