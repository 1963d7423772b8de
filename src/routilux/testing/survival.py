"""Whether a flow's jobs survive: checks to be called in tests."""

from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

from routilux._model import JobStatus
from routilux._records import Data
from routilux.flow import Flow
from routilux.testing.checks import Check
from routilux.testing.doubling import Double
from routilux.testing.killing import MEMORY, Kill
from routilux.testing.replays import read_replay
from routilux.testing.roundtrip import RoundTrip
from routilux.testing.session import chosen_seed
from routilux.testing.swapping import Swap
from routilux.testing.trial import Result, trial_of

Source = Flow | Callable[[], Flow]
Deliveries = Iterable[tuple[str, str, Data]]
Setup = Callable[[], object]
_CHECKS: dict[str, Callable[[], Check]] = {kind.name: kind for kind in (RoundTrip, Kill, Double, Swap)}


def roundtrip_every_step(
    flow: Source,
    entry: str,
    params: Data | None = None,
    *,
    deliveries: Deliveries = (),
    result: Result | None = None,
    setup: Setup | None = None,
    ends: str = JobStatus.COMPLETED,
    seed: int | None = None,
    at: Iterable[int] | None = None,
) -> None:
    """Check that a job ends the same if after each step it goes on with what is read from its text.

    A step is that a task is taken, that its handler has run, that what it did is committed, that something is delivered
    or that the clock goes on. `flow` is a flow, or a function that makes a new one each time; `entry` and `params` are
    those of `Flow.execute`. `deliveries`, of (routine_id, slot, data), are given in their order to tasks that wait,
    when nothing else can go on. `result` is what counts of a job that has ended, `outcome` unless another is given.
    `setup` is called before each run. `ends` is the status in which the job ends if it is left alone: "failed" for one
    that is to fail, "running" for one that still waits for a delivery then. Concurrent activations go in an order that
    a `seed` chooses; their results are compared without it. `at` are the numbers of some steps, where all would take
    too long.

    OutcomeChanged says what has become different, and where, and names a file for `replay`. Of the job that is left
    alone, UnexpectedEnd says that it does not end in that status, NotRepeatable that it does not even end the same
    twice, NeverAwaited that deliveries are left then. DefinitionError for what is no check of a flow.
    """
    trial = trial_of(flow, entry, params, deliveries, result, setup, ends, chosen_seed(seed))
    with closing(RoundTrip(_numbers(at))) as check:
        check.check(trial)


def kill_at_every_commit(
    flow: Source,
    entry: str,
    params: Data | None = None,
    *,
    store: str = MEMORY,
    deliveries: Deliveries = (),
    result: Result | None = None,
    setup: Setup | None = None,
    ends: str = JobStatus.COMPLETED,
    seed: int | None = None,
    at: Iterable[int] | None = None,
) -> None:
    """Check that a stored job ends the same if its process dies, at each moment at which that could matter.

    Those are before, in the middle of and after each write to the store, and when a handler has run. The process is an
    imagined one; it may die once more while it takes the job over. `store` is a URL of `open_store`; the job is removed
    from there afterwards. All else is as with `roundtrip_every_step`; `at` are the numbers of some moments.
    """
    trial = trial_of(flow, entry, params, deliveries, result, setup, ends, chosen_seed(seed))
    with closing(Kill(store, _numbers(at))) as check:
        check.check(trial)


def resume_twice(
    flow: Source,
    entry: str,
    params: Data | None = None,
    *,
    deliveries: Deliveries = (),
    result: Result | None = None,
    setup: Setup | None = None,
    ends: str = JobStatus.COMPLETED,
    seed: int | None = None,
    at: Iterable[int] | None = None,
) -> None:
    """Check that a job ends the same if it is resumed while it still runs elsewhere: of a stored one, each step is
    committed by one owner only, and copies of a document that is not stored go on without touching each other.

    All is as with `roundtrip_every_step`.
    """
    trial = trial_of(flow, entry, params, deliveries, result, setup, ends, chosen_seed(seed))
    with closing(Double(_numbers(at))) as check:
        check.check(trial)


def swap_host(
    flow: Source,
    entry: str,
    params: Data | None = None,
    *,
    app: Iterable[str] = (),
    deliveries: Deliveries = (),
    result: Result | None = None,
    setup: Setup | None = None,
    ends: str = JobStatus.COMPLETED,
    seed: int | None = None,
    at: Iterable[int] | None = None,
) -> None:
    """Check that a job ends the same if another process goes on with it: one that knows nothing but the modules.

    For each moment of `kill_at_every_commit`, a process that runs the job in an SQLite store is killed (SIGKILL), and
    another one, which has imported the modules of the flow's routines and functions, and `app`, takes the job over.
    NoOtherHost where there is no `os.fork`, or something of the flow is defined in `__main__`. All else is as with
    `roundtrip_every_step`, but that `setup` is called here, not there.
    """
    trial = trial_of(flow, entry, params, deliveries, result, setup, ends, chosen_seed(seed))
    with closing(Swap(tuple(app), _numbers(at))) as check:
        check.check(trial)


def replay(
    path: str | Path, flow: Source | None = None, *, result: Result | None = None, setup: Setup | None = None
) -> None:
    """Run again what has failed, and just that: the same error where it still does, nothing where it no longer does.

    The flow is read from the file unless it is given; its classes have to be imported before. A `result` and a `setup`
    that were given to the check are to be given again.
    """
    trial, name, place = read_replay(path, flow, result, setup)
    with closing(_CHECKS[name]()) as check:
        check.check_again(trial, place)


def _numbers(at: Iterable[int] | None) -> frozenset[int] | None:
    return None if at is None else frozenset(at)
