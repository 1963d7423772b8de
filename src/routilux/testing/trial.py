"""A flow and a job of it that is run again and again: as it should go, and disturbed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple
from uuid import uuid4

from routilux._model import Durability, ExecutionStrategy, JobStatus
from routilux._records import Data
from routilux.errors import DefinitionError, listed
from routilux.flow import Flow
from routilux.job_state import JobState
from routilux.stores.store import Store
from routilux.testing.failed_checks import NeverAwaited, NotRepeatable, UnexpectedEnd, listed_lines
from routilux.testing.given import read_deliveries, read_status
from routilux.testing.moves import Course, Delivery, Move, Progress
from routilux.testing.outcomes import differences, outcome
from routilux.testing.step_runner import StepRunner
from routilux.testing.virtual_clock import VirtualClock

Result = Callable[[JobState], Any]
MOST_STEPS = 100_000
FEW_ORDERS, MANY_ORDERS = 3, 100


class Ran(NamedTuple):
    """What a run has come to, and the moves that it was made of."""

    result: Any
    moves: list[Move]


@dataclass(frozen=True)
class Trial:
    """A flow, or what makes one, and what a job of it is to do.

    `setup` is called before each run, so that what handlers touch outside of the job is as it was at first. Left
    alone, the job is to come to the status that `ends` says.
    """

    source: Flow | Callable[[], Flow]
    entry: str
    params: Data
    deliveries: tuple[Delivery, ...]
    result: Result
    setup: Callable[[], object]
    seed: int
    document: Data
    ends: JobStatus = JobStatus.COMPLETED
    job_id: str = field(default_factory=lambda: f"check-{uuid4().hex}")

    def host(self, now: float | None = None) -> StepRunner:
        """A host whose clock shows this time."""
        return StepRunner(None if now is None else VirtualClock(now))

    @property
    def concurrent(self) -> bool:
        """Whether the order of what the job does is a matter of chance."""
        return bool(self.document["execution_strategy"] == ExecutionStrategy.CONCURRENT.value)

    def blank(self, runner: StepRunner) -> Flow:
        """A flow to read a document into, on a host of its own."""
        flow = _like(self.source) if isinstance(self.source, Flow) else made(self.source)
        flow._engine_factory = runner.engine
        return flow

    def flow(self, runner: StepRunner) -> Flow:
        """The flow as its first host has it."""
        flow = self.blank(runner)
        if isinstance(self.source, Flow):
            self.read_into(flow, self.document)
        return flow

    def read_into(self, flow: Flow, document: Data) -> None:
        """Read a document into a flow, as another host would."""
        flow.deserialize(document)
        self.equip(flow)

    def equip(self, flow: Flow) -> None:
        """Give a flow that was read the secrets that are in no document, as its host would."""
        (self.source if isinstance(self.source, Flow) else made(self.source))._give_secrets(flow)

    def discreet(self, text: str) -> str:
        """A text without the secrets of the flow."""
        return (self.source if isinstance(self.source, Flow) else made(self.source))._secrecy.without(text)

    def progress(self, seed: int | None = None, *, most: int | None = None) -> Progress:
        """A run that has not begun."""
        random = Random(self.seed if seed is None else seed)
        return Progress(random, self.deliveries, MOST_STEPS if most is None else most)

    def begin(self, runner: StepRunner, progress: Progress, store: Store | None = None) -> Course:
        """Start the job, without running anything of it. Its id is the same in all runs, as handlers may look at it."""
        kept = {} if store is None else {"store": store, "durability": Durability.STRICT}
        flow = self.flow(runner)
        job_state = runner.start(flow, self.entry, self.params, job_id=self.job_id, **kept)
        return Course(runner, flow, job_state, progress)

    def undisturbed(self, seed: int | None = None) -> Ran:
        """What becomes of the job if nothing happens to it; NeverAwaited where that leaves deliveries."""
        return self._ran(self._left_alone(seed))

    def _ran(self, course: Course) -> Ran:
        return Ran(self.result(course.job_state), course.progress.moves)

    def _left_alone(self, seed: int | None = None) -> Course:
        self.setup()
        course = self.begin(self.host(), self.progress(seed))
        finish(course)
        self._check_delivered(course)
        return course

    def _check_end(self, job_state: JobState) -> None:
        status = job_state.status
        if status is self.ends:
            return
        message = (
            f"left alone, flow {self.document['flow_id']!r} from {self.entry!r} ends {_account(job_state)}, where it "
            f"is to end {self.ends.value}, so whether it survives cannot be told. Mend the flow, or the params and "
            f"deliveries of the check; if it is meant to end so, say ends={status.value!r}\n{job_state.explain()}"
        )
        raise UnexpectedEnd(message, seed=self.seed, status=status, expected=self.ends, error=job_state.error)

    def _check_delivered(self, course: Course) -> None:
        left = self.deliveries[course.progress.delivered :]
        if not left:
            return
        routine = self.document["routines"].get(left[0].routine_id)
        known = f"the slots of that routine: {listed(routine['_slots'])}" if routine else "there is no such routine"
        message = (
            f"nothing of flow {self.document['flow_id']!r} has waited for deliveries[{course.progress.delivered}], to "
            f"'{left[0].routine_id}.{left[0].slot}' ({known}), and the job is {_account(course.job_state)}. Deliveries "
            f"go to what a handler expects (Routine.expect), in their order"
        )
        raise NeverAwaited(
            message,
            seed=self.seed,
            deliveries=[(each.routine_id, each.slot) for each in left],
        )

    def repeatable(self) -> Ran:
        """The same, tried several times; UnexpectedEnd where it ends otherwise than it is to, NotRepeatable where that
        differs.
        """
        course = self._left_alone()
        self._check_end(course.job_state)
        first = self._ran(course)
        self._compare(first, self.undisturbed(), _NO_FUNCTIONS)
        self.check_orders(first, FEW_ORDERS)
        return first

    def check_orders(self, first: Ran, count: int) -> None:
        """Try some other orders of concurrent activations; NotRepeatable where one makes a difference."""
        for seed in range(self.seed + 1, self.seed + 1 + count) if self.concurrent else ():
            self._compare(first, self.undisturbed(seed), _BY_ORDER)

    def _compare(self, first: Ran, again: Ran, why: str) -> None:
        found = list(differences(first.result, again.result))
        if found:
            raise NotRepeatable(
                f"two undisturbed runs of flow {self.document['flow_id']!r} differ{why}"
                f"{listed_lines(found)}\n(seed {self.seed})",
                seed=self.seed,
                differences=found,
            )


_NO_FUNCTIONS = """, so what a disturbance changes cannot be told. That is not the
library's doing: handlers look at a clock, at chance, at ids, or at something outside that the first run has changed.
Give them that as data, set it back with `setup=`, or compare less with `result=`. The second run differs in:"""
_BY_ORDER = """ if their concurrent activations go in another order, so what a
disturbance changes cannot be told. That is not the library's doing: the result depends on which of them is first.
Make it independent of that, or compare less with `result=`. In another order:"""


def trial_of(
    flow: Flow | Callable[[], Flow],
    entry: str,
    params: Data | None,
    deliveries: Iterable[tuple[str, str, Data]],
    result: Result | None,
    setup: Callable[[], object] | None,
    ends: str,
    seed: int,
) -> Trial:
    """A trial of a flow; DefinitionError where that is none, or what it is given is nothing of the kind."""
    status, delivered = read_status(ends), read_deliveries(deliveries)
    document = (flow if isinstance(flow, Flow) else made(flow)).serialize()
    return Trial(
        source=flow,
        entry=entry,
        params={} if params is None else params,
        deliveries=delivered,
        result=outcome if result is None else result,
        setup=_nothing if setup is None else setup,
        seed=seed,
        document=document,
        ends=status,
    )


def _like(flow: Flow) -> Flow:
    """An empty flow that gives its handlers the same resources."""
    like = type(flow)()
    like.resources.update(flow.resources)
    return like


def made(factory: Callable[[], Flow]) -> Flow:
    """A flow that a function makes; DefinitionError where it makes none, or one that is in use."""
    flow = factory() if callable(factory) else None
    if not isinstance(flow, Flow):
        raise DefinitionError(f"a check takes a Flow, or a function that makes one, not {factory!r}")
    if flow._engine is not None:
        raise DefinitionError(f"flow {flow.flow_id!r} has run jobs already; let the function make a new one each time")
    return flow


def _account(job_state: JobState) -> str:
    """How a job has ended, and why it failed."""
    return f"{job_state.status.value}{f' ({job_state.error})' if job_state.error else ''}"


def _nothing() -> None:
    pass


def finish(course: Course) -> None:
    """Let a job go on until nothing can."""
    while course.move() is not None:
        pass
