"""Whose fault a death is: a task that kills its process fails its job, however long it takes; no innocent task does."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import inf, log10
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routilux import Flow, JobState, ResumeError, Routine
from routilux._backends.memory import MemoryBackend
from routilux._core.crashes import SOLITUDE
from routilux._engine import ledger
from routilux.stores import Store
from routilux.testing import StepRunner
from routilux.testing.step_runner import Attempt
from serilux import register_serializable
from tests.laws.effort import examples

NEVER = float("inf")
LIMIT = 3


@register_serializable(name="SuspectsWork")
class Work(Routine):
    """Has things done, all of them at once."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.send)
        self.define_slot("item", self.do)
        self.define_event("item", ["index"])

    def send(self, count: int) -> None:
        for index in range(count):
            self.emit("item", index=index)

    def do(self, index: int) -> None:
        pass


class Item(NamedTuple):
    """Something to be done: how many seconds that takes, and after how many its process dies of it."""

    lasts: float
    kills_after: float = inf


class Begun(NamedTuple):
    """An attempt in flight, and when it is over, one way or the other."""

    index: int
    attempt: Attempt
    ends: float
    kills: bool


class World:
    """Processes that run one job, one after the other, each until it dies."""

    def __init__(self, items: list[Item], *, written: bool) -> None:
        self.items = items
        self.written = written
        self.runner = StepRunner()
        self.clock = self.runner.clock
        self.backend = MemoryBackend()
        self.store = self._open()
        self.in_flight: list[Begun] = []
        self.deaths: list[list[int]] = []
        flow = Flow("work", "concurrent", engine_factory=self.runner.engine)
        flow.add_routine(Work(), "work")
        flow.connect("work", "item", "work", "item")
        self.job_state: JobState = flow.execute("work", {"count": len(items)}, store=self.store, job_id="job")

    def _open(self) -> Store:
        return Store(self.backend, window=NEVER, max_lost_attempts=LIMIT)

    def begin_all(self) -> None:
        """Begin whatever may begin now."""
        while (attempt := self.runner.begin(self.job_state)) is not None:
            index = attempt._activation.given["index"]
            item, now = self.items[index], self.clock.now()
            kills = item.kills_after < item.lasts
            self.in_flight.append(Begun(index, attempt, now + min(item), kills))

    def die(self) -> None:
        """End the process, when it has `written` all there is or not, and have the next one take the job up."""
        if self.written:
            self.job_state._live.sync()
        assert len(self.deaths) < 30, "it goes on for ever"
        self.deaths.append([begun.index for begun in self.in_flight])
        self.runner.abandon(self.job_state)
        self.store.ledger.abandon()
        self.in_flight, self.store = [], self._open()
        flow, self.job_state = self.store.load("job", flow=lambda: Flow(engine_factory=self.runner.engine))
        with suppress(ResumeError):  # it has failed by the time that it was claimed
            flow.resume(self.job_state)

    def run_until(self, end: float) -> None:
        """Let time pass, and all happen that does, until then or until the job runs no more."""
        while self.job_state.status == "running":
            self.begin_all()
            moment = min([self.clock.next_timer or inf, *(begun.ends for begun in self.in_flight)])
            if moment > end:
                self.clock.advance(end - self.clock.now())
                return
            self.clock.advance(max(moment - self.clock.now(), 0.0))
            self._end_what_is_over()

    def _end_what_is_over(self) -> None:
        over = [begun for begun in self.in_flight if begun.ends <= self.clock.now()]
        for begun in sorted(over, key=lambda begun: begun.ends):
            if begun.kills:
                self.die()
                return
            self.in_flight.remove(begun)
            begun.attempt.run().commit()

    @property
    def convicted(self) -> int | None:
        """The item for which the job has failed."""
        failed = self.job_state._job.failed
        return failed[0].data["index"] if failed else None


@contextmanager
def world(items: list[Item], *, written: bool = True) -> Iterator[World]:
    made = World(items, written=written)
    yield made
    made.store.ledger.abandon()


@pytest.fixture(autouse=True, scope="module")
def nobody_lives() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger, "is_gone", lambda owner, silence: True)
        yield


lasting = st.sampled_from([0.0, 0.01, 0.05, 0.3, 2.0, 30.0, 500.0])
innocent = lasting.map(Item)
guilty = lasting.map(lambda seconds: Item(10_000.0, seconds))


def enough_for(items: list[Item], killers: list[Item]) -> float:
    """How many deaths it may take to find a killer: as many as have to be, where it kills at once and is the only one.

    Else until it has been suspected so often that it is alone for as long as it takes, or what it met has ended.
    """
    if killers[1:] or killers[0].kills_after >= SOLITUDE:
        longest = max(min(item) for item in items)
        return LIMIT + len(killers) + max(log10(max(longest, SOLITUDE) / SOLITUDE), 0.0) + 1
    return LIMIT


@examples(60)
@given(st.lists(innocent, max_size=12), st.lists(guilty, min_size=1, max_size=2), st.randoms(), st.booleans())
def test_what_kills_its_process_fails_its_job_and_nothing_else_does(
    innocents: list[Item], killers: list[Item], chance: Random, written: bool
) -> None:
    items = [*innocents, *killers]
    chance.shuffle(items)
    with world(items, written=written) as it:
        it.run_until(inf)
        assert (it.job_state.status, it.job_state.error.type) == ("failed", "routilux.errors.ProcessLost")
        assert items[it.convicted] in killers
        assert len(it.deaths) <= (not written) + enough_for(items, killers)


@examples(60)
@given(st.lists(innocent, min_size=1, max_size=12), st.lists(st.sampled_from([0.0, 0.01, 0.2, 1.0, 5.0, 60.0, 600.0])))
def test_nobody_is_blamed_who_was_not_alone_at_the_last_of_as_many_deaths_as_it_takes(
    items: list[Item], lives: list[float]
) -> None:
    with world(items) as it:
        for life in lives:
            it.run_until(it.clock.now() + life)
            if it.job_state.status == "running":
                it.die()
        it.run_until(inf)
        if it.job_state.status == "failed":
            seen = Counter(index for death in it.deaths for index in death)
            assert it.deaths[-1] == [it.convicted]
            assert seen[it.convicted] >= LIMIT
        else:
            assert it.job_state.status == "completed"


@pytest.mark.parametrize(("deploys", "seconds"), [(0, 30.0), (1, 50.0), (2, 230.0), (3, 430.0)])
def test_deploys_do_not_fail_handlers_that_wait_and_delay_them_by_so_much(deploys: int, seconds: float) -> None:
    with world([Item(30.0)] * 200) as it:
        for deploy in range(deploys):
            it.run_until(it.clock.now() + (1.0, 25.0, 100.0)[deploy])
            it.die()
        began = it.clock.now()
        it.run_until(inf)
        assert it.job_state.status == "completed"
        assert it.clock.now() - began == pytest.approx(seconds, rel=0.05)
