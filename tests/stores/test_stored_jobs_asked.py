"""Jobs that are paused, cancelled and delivered to by way of their store, wherever they are run."""

from collections.abc import Callable

import pytest

from routilux import (
    JobStateError,
)
from routilux.errors import (
    BindingError,
    UnknownJobError,
)
from routilux.stores import Store
from tests.stores.stored_flows import (
    LONG,
    Gate,
    counting,
    dies_in_the_middle,
    dying,
    finished,
    gate,
    gated,
    open_another,
    run_in_background,
    store,
)

__all__ = ["dying", "gate", "open_another", "store"]  # fixtures


def test_a_job_that_another_process_runs_is_paused_through_the_store(
    store: Store, open_another: Callable[..., Store], gate: type[Gate]
) -> None:
    job_state = run_in_background(gated(), store)
    gate.opened.set()
    waiting = counting().execute("counter", {"n": 0, "ask": True}, store=store)
    open_another().pause(waiting.job_id, "from afar", timeout=LONG)
    assert waiting.status == "paused"
    assert waiting.pause_points[0]["reason"] == "from afar"
    assert job_state.wait(LONG)


def test_a_job_that_another_process_runs_is_cancelled_through_the_store(
    store: Store, open_another: Callable[..., Store]
) -> None:
    waiting = counting().execute("counter", {"n": 0, "ask": True}, store=store)
    open_another().cancel(waiting.job_id, "enough", timeout=LONG)
    assert waiting.status == "cancelled"


def test_a_job_that_another_process_runs_is_delivered_to_through_the_store(
    store: Store, open_another: Callable[..., Store]
) -> None:
    waiting = counting().execute("counter", {"n": 0, "ask": True}, store=store)
    open_another().deliver(waiting.job_id, "counter", "answer", {"text": "hello"}, timeout=LONG)
    assert waiting.wait(LONG)
    assert waiting.shared_log == ["hello"]


def test_an_owner_that_does_not_answer_is_not_waited_for_for_ever(
    store: Store, open_another: Callable[..., Store], gate: type[Gate]
) -> None:
    job_state = run_in_background(gated(), store)
    with pytest.raises(TimeoutError, match="its owner has been asked"):
        open_another().pause(job_state.job_id, timeout=0.0)


def test_a_job_that_nobody_runs_is_paused_and_cancelled_here(
    dying: Callable[..., Store], store: Store, gate: type[Gate]
) -> None:
    job_state = dies_in_the_middle(gated(), dying())
    store.pause(job_state.job_id)
    assert store.jobs()[0].status == "paused"
    store.pause(job_state.job_id)
    store.cancel(job_state.job_id, "enough")
    assert store.jobs()[0].status == "cancelled"
    with pytest.raises(JobStateError, match="is cancelled: it cannot be paused"):
        store.pause(job_state.job_id)


def test_a_job_whose_work_has_run_out_is_paused_as_a_flow_does_it(store: Store) -> None:
    job_state = finished(store)
    store.pause(job_state.job_id, "just too late")
    assert store.summary(job_state.job_id).status == "paused"
    flow, loaded = store.load(job_state.job_id)
    assert (loaded.pending_tasks, [point["reason"] for point in loaded.pause_points]) == ([], ["just too late"])
    assert flow.resume(loaded).wait(LONG) and loaded.status == "completed"
    assert len(loaded.execution_history) == len(job_state.execution_history)


def test_what_is_asked_of_a_job_that_is_not_there_is_refused(store: Store) -> None:
    for ask in (store.pause, store.cancel, store.export, store.load):
        with pytest.raises(UnknownJobError, match="'gone'"):
            ask("gone")


def test_nothing_is_delivered_where_nothing_waits(store: Store) -> None:
    with pytest.raises(JobStateError, match=r"waits for nothing on counter\.answer"):
        store.deliver(finished(store).job_id, "counter", "answer", {"text": "?"})


def test_what_a_handler_cannot_take_is_not_delivered_through_the_store_either(store: Store) -> None:
    waiting = counting().execute("counter", {"n": 0, "ask": True}, store=store)
    with pytest.raises(BindingError, match="text"):
        store.deliver(waiting.job_id, "counter", "answer", {"texxt": "typo"}, timeout=LONG)
    store.deliver(waiting.job_id, "counter", "answer", {"text": "right"}, timeout=LONG)
    assert waiting.wait(LONG)
