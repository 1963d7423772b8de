"""Jobs brought to the points at which their golden documents are written."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple
from unittest.mock import patch

from routilux import Flow, JobState, Plan, ResumeError
from routilux._backends.memory import MemoryBackend
from routilux._engine import ledger
from routilux.stores import Store
from routilux.testing.step_runner import Attempt
from tests.golden.cast import BUSY, LARGE, REFUSED, VALUES, opened
from tests.golden.finishing import Stage, Step
from tests.golden.flows import concurrent, counter, keeping, loaded, shop

NEVER = float("inf")


class Frozen(NamedTuple):
    """A job as it is to be written; `attempts` are those in flight."""

    flow: Flow
    job_state: JobState
    attempts: list[Attempt]


class Scene(NamedTuple):
    """How a job gets somewhere, what this is to show, and with which steps it is brought to its end."""

    about: str
    make: Callable[[Stage], Frozen]
    steps: list[Step]


SCENES: dict[str, Scene] = {}
Make = Callable[[Stage], Frozen]


def scene(about: str, *steps: Step) -> Callable[[Make], Make]:
    """Add a scene under the name of the function that makes it."""

    def add(make: Make) -> Make:
        SCENES[make.__name__] = Scene(about, make, list(steps))
        return make

    return add


def begun(stage: Stage, amounts: list[int], steps: int, flow: Flow | None = None, **settings: Any) -> Frozen:
    """A job of the shop after so many activations, each of which takes a second."""
    flow = shop(engine_factory=stage.engine) if flow is None else flow
    job_state = stage.start(flow, "desk", {"amounts": amounts}, **settings)
    for _ in range(steps):
        assert stage.step()
        stage.clock.advance(1.0)
    return Frozen(flow, job_state, [])


def in_flight(stage: Stage, frozen: Frozen, routine_id: str) -> Frozen:
    """Go on until an attempt of that routine has begun."""
    attempt = stage.begin(frozen.job_state)
    while attempt is not None and attempt.routine_id != routine_id:
        attempt.run().commit()
        stage.clock.advance(1.0)
        attempt = stage.begin(frozen.job_state)
    assert attempt is not None
    stage.clock.advance(0.5)
    return frozen._replace(attempts=[attempt])


def paused(frozen: Frozen, reason: str = "moving", **checkpoint: Any) -> Frozen:
    frozen.flow.pause(frozen.job_state, reason, checkpoint)
    return frozen


@scene(
    "paused twice, with queued tasks of several priorities, a slot that has merged, one that waits",
    ["resume"],
    ["deliver", "courier", "signature", {"name": "Ann"}],
)
def paused_in_the_middle(stage: Stage) -> Frozen:
    frozen = paused(begun(stage, [10, LARGE, 30, 40], 5), "lunch", at=(1, 2))
    stage.clock.advance(600.0)
    return paused(frozen, "still lunch")


@scene("written while it runs: a task in flight that has seen an accumulator, others queued", ["resume"])
def written_in_flight(stage: Stage) -> Frozen:
    return in_flight(stage, begun(stage, [10, 20], 1), "shelf")


@scene("a slot's own function has merged the data of a task in flight", ["resume"])
def written_merged(stage: Stage) -> Frozen:
    return in_flight(stage, begun(stage, [10, 20], 1), "scale")


@scene("a task waits for its third attempt, its first has flushed; another has failed for the first time", ["resume"])
def waiting_for_retries(stage: Stage) -> Frozen:
    frozen = begun(stage, [100 + BUSY, 200 + BUSY], 2)
    stage.clock.advance(7.0)
    assert stage.step()
    assert stage.step()
    return paused(frozen)


@scene(
    "two tasks wait for a person, one of them for a minute at most",
    ["deliver", "courier", "signature", {"name": "Ann"}],
    ["resume"],
    ["deliver", "courier", "signature", {"name": "Bob"}],
)
def waiting_for_people(stage: Stage) -> Frozen:
    frozen = begun(stage, [10, 20, 300, 400], 0)
    stage.step()
    while stage.step():
        stage.clock.advance(1.0)
    return paused(frozen)


@scene("nobody delivers in time: the wait goes on where it stood, and ends", ["resume"])
def waiting_in_vain(stage: Stage) -> Frozen:
    frozen = begun(stage, [10, 20], 0)
    while stage.step():
        stage.clock.advance(1.0)
    return frozen


@scene("failed, with a failed task and others that were not started", ["refused", "resume"], ["retry"])
def failed(stage: Stage) -> Frozen:
    return begun(stage, [10, REFUSED, 30], 3)


@scene("failed, and nothing else is left", ["retry"])
def failed_at_the_end(stage: Stage) -> Frozen:
    return begun(stage, [10, REFUSED], 3)


@scene("about to fail: a task in flight is not yet at its end", ["resume"], ["retry"])
def failing_in_flight(stage: Stage) -> Frozen:
    frozen = begun(stage, [REFUSED, 20, 30], 1, concurrent(engine_factory=stage.engine))
    first, second = stage.begin(frozen.job_state), stage.begin(frozen.job_state)
    assert first is not None and second is not None
    first.run().commit()
    return frozen._replace(attempts=[second])


@scene("two tasks of a concurrent job in flight", ["resume"])
def concurrent_in_flight(stage: Stage) -> Frozen:
    frozen = begun(stage, [10, 20, 30], 1, concurrent(engine_factory=stage.engine))
    attempts = [stage.begin(frozen.job_state), stage.begin(frozen.job_state)]
    return frozen._replace(attempts=[attempt for attempt in attempts if attempt is not None])


@scene("only the newest records of its history are kept", ["resume"])
def bounded(stage: Stage) -> Frozen:
    return paused(begun(stage, [10, 20, 30], 9, history_limit=5))


@scene("may run for 20 seconds, has run for 9, and will wait for longer", ["resume"], ["refused", "resume"], ["retry"])
def timed(stage: Stage) -> Frozen:
    frozen = begun(stage, [100 + BUSY], 2, timeout=20.0)
    stage.clock.advance(7.0)
    return paused(frozen)


@scene("cancelled, with tasks that will never run", ["refused", "resume"], ["refused", "retry"])
def cancelled(stage: Stage) -> Frozen:
    frozen = begun(stage, [10, 20, 30], 3)
    frozen.flow.cancel(frozen.job_state, "nobody wants it")
    return frozen


@scene("completed, with a routine that went on in spite of errors", ["refused", "resume"], ["refused", "retry"])
def completed(stage: Stage) -> Frozen:
    frozen = begun(stage, [0, 0], 0)
    stage.run()
    return frozen


@scene("not yet begun, in the only way there is: nobody has executed it", ["resume"])
def pending(stage: Stage) -> Frozen:
    flow, job_state = keeping(engine_factory=stage.engine), JobState()
    job = job_state._job
    job.job_id, job.flow_id, job.created_at, job.updated_at = stage.new_id(), flow.flow_id, *([stage.clock.now()] * 2)
    return Frozen(flow, job_state, [])


@scene("every type of value, everywhere that values can be", ["resume"])
def every_value(stage: Stage) -> Frozen:
    flow = keeping(engine_factory=stage.engine)
    job_state = stage.start(flow, "keeper", {"values": VALUES})
    assert stage.step()
    return paused(Frozen(flow, job_state, []), "values", values=VALUES)


@scene("every type of value in what a task in flight was given", ["resume"])
def every_value_in_flight(stage: Stage) -> Frozen:
    flow = keeping(engine_factory=stage.engine)
    job_state = stage.start(flow, "keeper", {"values": VALUES})
    attempt = stage.begin(job_state)
    assert attempt is not None
    return Frozen(flow, job_state, [attempt])


@scene("data waits in the slots of the flow, which a resume makes tasks of", ["resume"])
def data_in_slots(stage: Stage) -> Frozen:
    frozen = begun(stage, [], 1, shop("golden-slots", engine_factory=stage.engine))
    return paused(frozen)._replace(flow=loaded(engine_factory=stage.engine))


@scene("kept in a store, strictly, and owned for the first time", ["resume"])
def strict(stage: Stage) -> Frozen:
    return kept(stage, Store(MemoryBackend(), window=NEVER), [10, 20], 4)


def kept(stage: Stage, store: Store, amounts: list[int], steps: int, durability: str = "strict") -> Frozen:
    """A job of the shop in a store, paused after so many activations."""
    flow = shop(engine_factory=stage.engine)
    frozen = begun(stage, amounts, steps, flow, store=store, durability=durability)
    return paused(frozen)


@scene(
    "its process died in the middle of what must not be repeated: that was done",
    ["refused", "resume"],
    ["resolve", "golden:10", "done"],
    ["resume"],
)
def ambiguous_and_done(stage: Stage) -> Frozen:
    return died_at_the_courier(stage)


@scene(
    "its process died in the middle of what must not be repeated: that is to be done again",
    ["resolve", "golden:10", "again"],
    ["resume"],
)
def ambiguous_and_not_done(stage: Stage) -> Frozen:
    return died_at_the_courier(stage)


def died_at_the_courier(stage: Stage) -> Frozen:
    """A job whose process died while the courier was under way; whoever took it over found out."""
    backend = MemoryBackend()
    store = Store(backend, window=NEVER)
    flow = shop(engine_factory=stage.engine)
    frozen = begun(stage, [10, 20], 1, flow, store=store, durability="strict")
    in_flight(stage, frozen, "courier")
    stage.abandon(frozen.job_state)
    store.ledger.abandon()
    flow, job_state = Store(backend, window=NEVER).load(frozen.job_state.job_id, flow=stage.flow)
    found_dead(stage, flow, job_state)
    return Frozen(flow, job_state, [])


def found_dead(stage: Stage, flow: Flow, job_state: JobState) -> None:
    """Take a stored job over from a process that has died in the middle of what must not be repeated."""
    job_state._live.now = stage.clock.now
    with patch.object(ledger, "is_gone", lambda owner, silence: True), suppress(ResumeError):
        flow.resume(job_state)
    assert job_state.status == "paused"


PLAN = Plan(
    routines={"cashier": "bank"},
    slots={"cashier.order": "order"},
    parameters={"cashier.order": {"extra": "extra"}},
    classes={"GoldenSpot": "GoldenPoint"},
    config={"desk": opened},
    drop=["desk.trigger", "golden:4"],
    forget=["cashier.order"],
    flow_id="golden-counter",
    reason="the bank has another name",
)


@scene("went on by a plan in a flow with another name for a routine; a task was dropped, and data", ["resume"])
def planned(stage: Stage, **settings: Any) -> Frozen:
    frozen = begun(stage, [10, 20, 30], 2, counter(bank="cashier", engine_factory=stage.engine))
    document = paused(frozen, "to be changed").flow.serialize()
    flow = stage.flow()
    flow.deserialize(document, plan=PLAN)
    flow.resume(frozen.job_state, plan=PLAN, **settings)
    return paused(Frozen(flow, frozen.job_state, []), "changed")
