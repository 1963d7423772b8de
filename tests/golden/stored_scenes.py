"""Jobs brought into a store, and left there: each by a process of its own, most of which die."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple
from unittest.mock import patch

from routilux import Flow, JobState, ResumeError
from routilux._backends.backend import Backend, Batch, NewJob
from routilux._core.crashes import SOLITUDE
from routilux._core.facts import Fact, JobResumed, JobRetried, JobStarted
from routilux._core.graph_document import write_definition
from routilux._core.job import Job
from routilux._core.journal import write_record
from routilux._core.snapshot import write_snapshot
from routilux._core.transition import transition
from routilux._engine import ledger
from routilux._engine.custody import definition_of
from routilux._engine.requests import Answer, CancelAsked, PauseAsked, delivery_of, write_answer, write_request
from routilux._engine.watchers import is_settled
from routilux._model import EventKey, JobStatus, SlotKey
from routilux._records import Addressee, Task
from routilux.stores import Store
from tests.golden.cast import BUSY, REFUSED, VALUES
from tests.golden.finishing import Stage, Step
from tests.golden.flows import concurrent, keeping, loaded, shop
from tests.golden.scenes import NEVER, Frozen, begun, found_dead, in_flight, paused

Leave = Callable[["Host"], JobState]


class Host:
    """A process with a store."""

    def __init__(self, stage: Stage, backend: Backend) -> None:
        self.stage = stage
        self.backend = backend
        self.store = Store(backend, window=NEVER)

    def begun(self, amounts: list[int], steps: int, make: Callable[..., Flow] = shop, **settings: Any) -> Frozen:
        """A stored job after so many activations."""
        flow = make(engine_factory=self.stage.engine)
        return begun(self.stage, amounts, steps, flow, store=self.store, **settings)

    def written(self, frozen: Frozen) -> Frozen:
        """Have all so far in the store, as one record."""
        frozen.job_state._live.sync()
        return frozen

    def closed(self, frozen: Frozen) -> JobState:
        """End this process in good order."""
        self.written(frozen)
        self.store.ledger.abandon()
        self.backend.leave(self.store.ledger.owner)
        return frozen.job_state

    def dead(self, frozen: Frozen) -> JobState:
        """End this process here and now, when it has just written all there is."""
        self.written(frozen)
        self.stage.abandon(frozen.job_state)
        self.store.ledger.abandon()
        return frozen.job_state

    def taken_over(self, frozen: Frozen) -> Frozen:
        """Find the job in another process, as its owner has left it."""
        self.dead(frozen)
        self.store = Store(self.backend, window=NEVER)
        flow, job_state = self.store.load(frozen.job_state.job_id, flow=self.stage.flow)
        job_state._live.now = self.stage.clock.now
        return Frozen(flow, job_state, [])

    def compacted(self, frozen: Frozen) -> Frozen:
        """Have a snapshot in the place of the journal."""
        log = self.written(frozen).job_state._live.log
        assert log is not None
        log.compact(self.stage.clock.now())
        return frozen


class StoredScene(NamedTuple):
    """How a job gets into a store, what this is to show, and with which steps it is brought to its end."""

    about: str
    leave: Leave
    steps: list[Step]


STORED_SCENES: dict[str, StoredScene] = {}


def stored(about: str, *steps: Step) -> Callable[[Leave], Leave]:
    """Add a scene under the name of the function that makes it."""

    def add(leave: Leave) -> Leave:
        STORED_SCENES[leave.__name__] = StoredScene(about, leave, list(steps))
        return leave

    return add


OVER: list[Step] = [["refused", "resume"], ["refused", "retry"]]


@stored("a job that has run to its end, in several records", *OVER)
def completed(host: Host) -> JobState:
    frozen = host.begun([100 + BUSY, 10, 30], 0)
    while host.stage.step() or host.stage.clock.advance_to_next_timer():
        host.written(frozen)
        host.stage.clock.advance(0.25)
    return host.closed(frozen)


@stored("values of every type in its records", ["resume"])
def values(host: Host) -> JobState:
    return host.dead(paused(kept(host), "values", values=VALUES))


@stored("values of every type, then gone again", *OVER)
def values_gone(host: Host) -> JobState:
    frozen = host.written(kept(host))
    host.stage.run()
    return host.closed(frozen)


@stored("values of every type in its snapshot and segments", ["resume"])
def values_in_a_snapshot(host: Host) -> JobState:
    return host.dead(host.compacted(kept(host)))


def kept(host: Host) -> Frozen:
    """A stored job that has put values wherever values can be."""
    flow = keeping(engine_factory=host.stage.engine)
    job_state = host.stage.start(flow, "keeper", {"values": VALUES}, store=host.store)
    assert host.stage.step()
    return Frozen(flow, job_state, [])


@stored("its process died in the middle: one task was in flight, one waits for its retry", ["resume"])
def orphan(host: Host) -> JobState:
    frozen = host.begun([100 + BUSY, 10, 20], 2)
    return host.dead(in_flight(host.stage, frozen, "shelf"))


@stored("its process died while a slot's own function had merged", ["resume"])
def orphan_merged(host: Host) -> JobState:
    return host.dead(in_flight(host.stage, host.begun([10, 20], 2), "scale"))


@stored("three tasks were in flight at once", ["resume"])
def orphan_concurrent(host: Host) -> JobState:
    frozen = host.begun([10, 20, 30, 40], 1, concurrent)
    for _ in range(3):
        assert host.stage.begin(frozen.job_state) is not None
    return host.dead(frozen)


@stored("its process let it go while it ran", ["resume"])
def released(host: Host) -> JobState:
    return host.closed(host.begun([10, 20], 4))


@stored("paused, strictly", ["resume"])
def paused_strictly(host: Host) -> JobState:
    return host.dead(paused(host.begun([10, 20, 30], 5, durability="strict"), "night", at=(1,)))


@stored("a pause waits for a task in flight; that is in its snapshot", ["resume"])
def pausing(host: Host) -> JobState:
    frozen = host.begun([10, 20, 30], 1, concurrent)
    first, second = host.stage.begin(frozen.job_state), host.stage.begin(frozen.job_state)
    assert first is not None and second is not None
    frozen.job_state._live.pause("lunch", {"at": (1,)})
    first.run().commit()
    return host.dead(host.compacted(frozen))


@stored("a task waits for its retry; that is in its snapshot", ["resume"])
def delayed(host: Host) -> JobState:
    return host.dead(host.compacted(host.begun([100 + BUSY, 10, 20], 2)))


@stored("resumed: nobody has waited for it yet; that is in its snapshot", ["resume"])
def just_resumed(host: Host) -> JobState:
    frozen = paused(host.begun([10], 2))
    frozen.flow.resume(frozen.job_state)
    return host.dead(frozen)


@stored("resumed, then waited for, so that it could settle early", *OVER)
def waited_for(host: Host) -> JobState:
    frozen = paused(host.begun([], 1))
    frozen.flow.resume(frozen.job_state)
    frozen.job_state._live.wait_until(is_settled)
    return host.closed(frozen)


@stored("failed", ["retry"])
def failed(host: Host) -> JobState:
    return host.closed(host.begun([10, REFUSED, 30], 3))


@stored("cancelled", *OVER)
def cancelled(host: Host) -> JobState:
    frozen = host.begun([10, 20], 3)
    frozen.flow.cancel(frozen.job_state, "nobody wants it")
    return host.closed(frozen)


@stored("ran longer than it may, while a task was in flight", ["retry"])
def timed_out(host: Host) -> JobState:
    frozen = in_flight(host.stage, host.begun([10], 1, timeout=20.0), "bank")
    host.stage.clock.advance(30.0)
    return host.closed(frozen)


@stored("a person has delivered to one task, and was waited for in vain by another", *OVER)
def people(host: Host) -> JobState:
    frozen = host.begun([10, 20, 30, 40], 0)
    while host.stage.step():
        pass
    frozen.flow.deliver(frozen.job_state, "courier", "signature", {"name": "Ann"})
    host.stage.run()
    return host.closed(frozen)


@stored("paused; shared data was changed, and a person delivered, while it did not run", ["resume"])
def paused_and_changed(host: Host) -> JobState:
    frozen = host.begun([10, 20], 0)
    while host.stage.step():
        pass
    paused(frozen)
    frozen.job_state.update_shared_data("by hand", (1, 2))
    frozen.job_state.append_to_shared_log({"by": "hand"})
    frozen.flow.deliver(frozen.job_state, "courier", "signature", {"name": "Ann"})
    return host.closed(frozen)


@stored(
    "its process died in the middle of what must not be repeated",
    ["refused", "resume"],
    ["resolve", "ambiguous:10", "again"],
    ["resume"],
)
def ambiguous(host: Host) -> JobState:
    frozen = host.taken_over(in_flight(host.stage, host.begun([10, 20], 1), "courier"))
    found_dead(host.stage, frozen.flow, frozen.job_state)
    return host.closed(frozen)


@stored("what became of an ambiguous task has been said", ["resume"])
def resolved(host: Host) -> JobState:
    frozen = host.taken_over(in_flight(host.stage, host.begun([10, 20], 1), "courier"))
    found_dead(host.stage, frozen.flow, frozen.job_state)
    frozen.flow.resolve(frozen.job_state, "resolved:10", "done")
    return host.closed(frozen)


@stored("an ambiguous task is to be done again", ["resume"])
def resolved_again(host: Host) -> JobState:
    frozen = host.taken_over(in_flight(host.stage, host.begun([10, 20], 1), "courier"))
    found_dead(host.stage, frozen.flow, frozen.job_state)
    frozen.flow.resolve(frozen.job_state, "resolved_again:10", "again")
    return host.closed(frozen)


@stored(
    "tasks in flight at a death begin again one by one, the last first; two of them are when it dies again", ["resume"]
)
def suspected(host: Host) -> JobState:
    frozen = host.begun([10, 20, 30, 40], 1, concurrent)
    for _ in range(3):
        assert host.stage.begin(frozen.job_state) is not None
    frozen = host.taken_over(frozen)
    with patch.object(ledger, "is_gone", lambda owner, silence: True):
        frozen.flow.resume(frozen.job_state)
    assert host.stage.begin(frozen.job_state) is not None
    assert host.stage.begin(frozen.job_state) is None
    host.stage.clock.advance(SOLITUDE)
    assert host.stage.begin(frozen.job_state) is not None
    return host.dead(frozen)


@stored("what a task had emitted that was ambiguous has been said", ["resume"])
def resolved_with_emissions(host: Host) -> JobState:
    frozen = host.taken_over(in_flight(host.stage, host.begun([10, 20], 1), "courier"))
    found_dead(host.stage, frozen.flow, frozen.job_state)
    emitted = [("signed", {"name": "Ann"})]
    frozen.flow.resolve(frozen.job_state, "resolved_with_emissions:10", "done", emitted=emitted)
    return host.closed(frozen)


@stored("its process died three times in the middle of one task", ["refused", "resume"], ["retry"])
def lost_too_often(host: Host) -> JobState:
    frozen = in_flight(host.stage, host.begun([10, 20], 1), "bank")
    for _ in range(3):
        frozen = host.taken_over(frozen)
        with patch.object(ledger, "is_gone", lambda owner, silence: True), suppress(ResumeError):
            frozen.flow.resume(frozen.job_state)
        if frozen.job_state.status == "running":
            frozen = in_flight(host.stage, frozen, "bank")
    return host.closed(frozen)


@stored("its history lies in several segments", ["resume"])
def segmented(host: Host) -> JobState:
    frozen = host.begun([10, 20, 30, 40], 0)
    for _ in range(3):
        for _ in range(3):
            assert host.stage.step()
        host.compacted(frozen)
    assert host.stage.step()
    return host.dead(paused(frozen))


@stored("of its history only the newest records are kept, and the segments that hold them", ["resume"])
def bounded(host: Host) -> JobState:
    frozen = host.begun([10, 20, 30, 40], 0, history_limit=5)
    for _ in range(4):
        for _ in range(3):
            assert host.stage.step()
        host.compacted(frozen)
    assert host.stage.step()
    return host.dead(paused(frozen))


@stored("runs, and others ask its owner for something", ["resume"])
def asked(host: Host) -> JobState:
    frozen = host.begun([10], 2)
    host.dead(frozen)
    for request in (
        PauseAsked("lunch"),
        CancelAsked("nobody wants it"),
        delivery_of(Addressee(SlotKey("courier", "signature")), {"name": ("Ann",)}),
    ):
        host.backend.ask("asked", "", write_request(request))
    return frozen.job_state


@stored(
    "runs; others ask its owner under a key, and the owner has said to others what has become of theirs", ["resume"]
)
def answered(host: Host) -> JobState:
    frozen = host.begun([10], 2)
    host.dead(frozen)
    host.backend.ask("answered", "of-who-asks", write_request(PauseAsked("lunch"), "of-who-asks"))
    for key, answer in (
        ("done", Answer(is_done=True)),
        ("refused", Answer(refusal="it is lunch time")),
        ("again", Answer()),
    ):
        host.backend.answer("answered", key, write_answer(answer))
    return frozen.job_state


@stored("moved out: there is a tombstone, and what was exported")
def moved(host: Host) -> JobState:
    return host.closed(paused(host.begun([10, 20], 3)))


# What no journal has today, since a snapshot is taken then; it is part of the format.


@stored("a journal that begins with the beginning", ["resume"])
def started(host: Host) -> JobState:
    flow = shop(engine_factory=host.stage.engine)
    now, graph = host.stage.clock.now(), flow._compile()[0]
    job = Job("started", flow.flow_id, now)
    definition = definition_of(write_definition(flow.serialize(), graph))
    new = NewJob(job.flow_id, definition, None, write_snapshot(job, now))
    host.backend.write([Batch("started", now, 0, 1, write_record([]), now, None, new=new)])
    task = Task(
        0, SlotKey("desk", "trigger"), {"amounts": [10], "extra": (1,)}, EventKey("desk", "order"), 3, retry_count=1
    )
    return appended(host, flow, JobState._of(lambda: job), JobStarted(task))


@stored("a journal that has a resume with tasks made of what lay in the flow's slots", ["resume"])
def resumed(host: Host) -> JobState:
    frozen = paused(host.begun([10], 1, loaded))
    flow = frozen.flow
    recovered = flow._recovery(frozen.job_state._live, None).tasks(frozen.job_state._job, flow._compile()[0])
    host.dead(frozen)
    fact = JobResumed("sha256:of-then", recovered, host.stage.clock.now() + 0.25)
    return appended(host, flow, frozen.job_state, fact)


@stored("a journal that has a retry", ["resume"])
def retried(host: Host) -> JobState:
    frozen = host.begun([10, REFUSED, 30], 3)
    host.dead(frozen)
    return appended(host, frozen.flow, frozen.job_state, JobRetried("sha256:of-then", host.stage.clock.now() + 0.25))


def appended(host: Host, flow: Flow, job_state: JobState, fact: Fact) -> JobState:
    """One more record for the journal of a job that nobody runs."""
    now, stored_job = host.stage.clock.now(), host.backend.read(job_state.job_id)
    content = write_record([(fact, now)])
    transition(flow._compile()[0], job_state._job, fact, now)
    record, number = stored_job.record, stored_job.number + 1
    status = JobStatus.RUNNING.value
    host.backend.write([Batch(record.job_id, record.created_at, record.epoch, number, content, now, status)])
    return job_state
