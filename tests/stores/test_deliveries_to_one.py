"""A delivery for one task of several that wait on a slot, whoever runs the job: no other one gets it."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from routilux import DefinitionError, Flow, JobState, JobStateError, Routine
from routilux._engine import requests
from routilux._engine.custody import Custody
from routilux._engine.requests import (
    CancelAsked,
    DeliveryAsked,
    DeliveryToOneAsked,
    PauseAsked,
    delivery_of,
    read_request,
    write_request,
)
from routilux._model import SlotKey
from routilux._records import Addressee
from routilux.stores import Store
from serilux import register_serializable
from tests.patience import PATIENCE, until
from tests.stores.stored_flows import open_another

__all__ = ["open_another"]  # a fixture
SLOT = SlotKey("desk", "answer")


@register_serializable(name="DeliveriesToOneDesk")
class Desk(Routine):
    """Waits for two answers on one slot, and notes which task has got what."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.ask)
        self.define_slot("answer", self.hear)

    def ask(self) -> None:
        self.expect("answer")
        self.expect("answer")

    def hear(self, text: str) -> None:
        context = self.get_execution_context()
        context.job_state.append_to_shared_log([context.task_id, text])


def desk() -> Flow:
    flow = Flow("desk")
    flow.add_routine(Desk(), "desk")
    return flow


class Asked:
    """A job that waits for two answers, its owner, and a process elsewhere that delivers to it."""

    def __init__(self, open_another: Callable[..., Store]) -> None:
        self.owner, self.elsewhere = open_another(), open_another()
        self.flow = desk()
        keeper = self.owner.ledger.keeper
        self.look, keeper._look = keeper._look, lambda: None  # type: ignore[method-assign]
        self.job_state: JobState = self.flow.execute("desk", store=self.owner)
        self.first, self.second = waiting_in(self.job_state)
        self._threads = ThreadPoolExecutor(1)

    def deliver(self, text: str, task_id: str | None) -> "Future[None]":
        """Have the owner asked; he has not looked yet."""
        call = self._threads.submit(self.elsewhere.deliver, *self.order(text), task_id=task_id, timeout=PATIENCE)
        until(lambda: self.requests() or call.done())
        return call

    def requests(self) -> list[bytes]:
        return [content for _, content in self.owner.ledger.backend.asked(self.owner.ledger.owner)]

    def order(self, text: str) -> tuple[str, str, str, dict[str, Any]]:
        return self.job_state.job_id, "desk", "answer", {"text": text}

    def close(self) -> None:
        self._threads.shutdown()
        self.job_state._live.abandon()


@pytest.fixture
def asked(open_another: Callable[..., Store]) -> Iterator[Asked]:
    asked = Asked(open_another)
    yield asked
    asked.close()


def waiting_in(job_state: JobState) -> list[str]:
    return [note.task_id for note in job_state.explain().waiting_for_delivery]


def test_the_owner_gives_it_to_the_task_that_is_named(asked: Asked) -> None:
    call = asked.deliver("B", asked.second)
    asked.look()
    call.result(PATIENCE)
    until(lambda: asked.job_state.shared_log == [[asked.second, "B"]])
    assert waiting_in(asked.job_state) == [asked.first]


def test_no_value_of_the_job_is_decoded_for_that(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Custody, "read")
    call = asked.deliver("B", asked.second)
    asked.look()
    call.result(PATIENCE)
    assert waiting_in(asked.job_state) == [asked.first]


def test_where_another_was_faster_nobody_else_gets_it(asked: Asked) -> None:
    call = asked.deliver("late", asked.second)
    asked.flow.deliver(asked.job_state, "desk", "answer", {"text": "B"}, task_id=asked.second)
    asked.look()
    said = f"refuses: .* has no task '{asked.second}' that waits on desk.answer; there waits '{asked.first}'"
    with pytest.raises(JobStateError, match=said):
        call.result(PATIENCE)
    assert waiting_in(asked.job_state) == [asked.first]


def test_an_owner_who_knows_nothing_of_ids_gives_it_to_nobody(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    former = msgspec.json.Decoder(PauseAsked | CancelAsked | DeliveryAsked)
    call = asked.deliver("B", asked.second)
    monkeypatch.setattr(requests, "_reader", former)
    asked.look()
    with pytest.raises(JobStateError, match="refuses: a request cannot be read"):
        call.result(PATIENCE)
    assert waiting_in(asked.job_state) == [asked.first, asked.second]


def test_one_that_names_nobody_is_for_the_one_that_has_waited_longest(asked: Asked) -> None:
    call = asked.deliver("A", None)
    asked.look()
    call.result(PATIENCE)
    assert waiting_in(asked.job_state) == [asked.second]


def test_a_job_that_nobody_runs_has_it_for_that_task_when_it_goes_on(asked: Asked) -> None:
    asked.flow.pause(asked.job_state)
    asked.elsewhere.deliver(*asked.order("B"), task_id=asked.second)
    job_state = desk().resume(asked.elsewhere.load_job(asked.job_state.job_id))
    until(lambda: job_state.shared_log == [[asked.second, "B"]])
    assert waiting_in(job_state) == [asked.first]
    job_state._live.abandon()


def test_a_task_that_does_not_wait_there_is_refused_at_once(asked: Asked) -> None:
    job_id = asked.job_state.job_id
    said = (
        rf"job '{job_id}' \(running\) has no task '{job_id}:1' that waits on desk.answer; there wait '{asked.first}', "
    )
    with pytest.raises(JobStateError, match=said):
        asked.elsewhere.deliver(*asked.order("B"), task_id=f"{job_id}:1", timeout=PATIENCE)
    with pytest.raises(DefinitionError, match="a task_id is a text, not 3"):
        asked.elsewhere.deliver(*asked.order("B"), task_id=3)  # type: ignore[arg-type]
    assert asked.requests() == []


def test_requests_are_written_as_they_have_been_and_those_for_one_as_a_kind_of_their_own() -> None:
    plain = b'{"type":"deliver","target":["desk","answer"],"document":{"text":"x"}}'
    named = b'{"type":"deliver to","target":["desk","answer"],"document":{"text":"x"},"task_id":"j:2"}'
    data = {"text": "x"}
    assert write_request(delivery_of(Addressee(SLOT), data)) == plain
    assert write_request(delivery_of(Addressee(SLOT, "j:2"), data)) == named
    assert read_request(plain) == DeliveryAsked(SLOT, data)
    assert read_request(named) == DeliveryToOneAsked(SLOT, data, task_id="j:2")
