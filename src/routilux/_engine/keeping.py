"""What a job asks of the store that keeps it, as ports: without a store, nothing of one is loaded."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from routilux._core.facts import Happening
from routilux._core.job import Job
from routilux._engine.requests import Answer
from routilux._graph import Graph
from routilux._model import Durability, JobStatus
from routilux._plan import NO_PLAN, Plan
from routilux._records import Data, Task
from routilux.errors import RoutiluxError

TURN = 0.02
"""Seconds for which a job's lock is waited for by whoever has something else to do, or to look at, too."""


class Log(Protocol):
    """Takes down what happens to a job, under the job's lock; `failure` says why that is written no more."""

    failure: RoutiluxError | None
    told: JobStatus

    @property
    def has_let_go(self) -> bool:
        """Whether others may have the job with what was written last."""

    def record(self, what: Happening | JobStatus, at: float) -> None:
        """Take down what has happened, or the status that the job has got by it."""

    def answering(self, key: str, content: bytes) -> AbstractContextManager[None]:
        """Leave an answer for whoever asks by that key, in one transaction with what is taken down meanwhile."""

    def begin(self, task: Task, at: float, *, recorded: bool) -> bool:
        """Take down that a task was taken, and say whether that has to be on disk before its attempt begins."""

    def is_behind(self, now: float) -> bool:
        """Whether there is something for `keep_up` to do."""

    def keep_up(self, now: float) -> None:
        """Write what has been waiting for too long."""

    def sync(self) -> None:
        """Return when all that has happened is on disk; OwnershipLost or StoreError where it never will be."""

    def release(self, now: float) -> None:
        """Write what is left, and let others have the job."""


OnFailure = Callable[[Log], bool]
"""Have the job of a log that failed let go; False where somebody has the job, and it has to be told again."""


class Servant(Protocol):
    """A job that this process runs; `lost` says why it does not any more, if it is in other hands, or will be."""

    lost: RoutiluxError | None

    @abstractmethod
    def obey(self, request: bytes, patience: float) -> Answer | None:
        """Do what somebody elsewhere asks for, and say what has become of it.

        None where somebody has the job for more than `patience` seconds. RoutiluxError or SeriluxError where it cannot
        be done.
        """

    @abstractmethod
    def find_out(self, patience: float) -> None:
        """Find out whether the job is in other hands, and let go of it if so.

        Where somebody has it for more than `patience` seconds, that is for another time.
        """

    @property
    @abstractmethod
    def is_waited_for(self) -> bool:
        """Whether somebody waits for something to become true of the job."""

    @abstractmethod
    def learn(self, patience: float) -> None:
        """Find out what others have made of a job that does not run here, and tell those who wait if they do in vain.

        Its store is looked into first; where somebody has the job for more than `patience` seconds after that, they are
        told another time. StoreError where the store does not say.
        """

    @abstractmethod
    def close_log(self, error: RoutiluxError) -> None:
        """Have nothing more of the job begin here, or be written; whoever has it holds that up by nothing.

        The job itself is lost with the next that it has to begin, or to write.
        """

    @abstractmethod
    def tell_who_waits(self) -> None:
        """Tell those who wait for the job, also where it does not run here, that its store has been closed."""


class Claimed(NamedTuple):
    """A job that this process owns from now on, and the graph it ran with; `died` says whether its last owner did."""

    job: Job
    graph: Graph | None = None
    died: bool = False


class FlowDefinition(NamedTuple):
    """What a job runs with: the document of its flow, and the graph that this was compiled to."""

    document: Data
    graph: Graph


class Custodian(Protocol):
    """What becomes of one job is kept in a store. Calls are made under the job's lock, but for `overtaken`."""

    @property
    def is_in_use(self) -> bool:
        """Whether the calling thread is in the middle of a call that keeps others from the store's jobs."""

    def is_kept_in(self, ledger: object) -> bool:
        """Whether that is where it is kept."""

    @property
    def graph(self) -> Graph | None:
        """The graph that the job ran with when it was read; None where it was not."""

    @property
    def is_stored(self) -> bool:
        """Whether the job, which does not run here, is known to be in the store."""

    @property
    def is_unsure(self) -> bool:
        """Whether the job may have got into the store, which did not say so."""

    @property
    def is_unanswered(self) -> bool:
        """Whether it may have, as the store gave no answer when the job was let go."""

    def is_nowhere(self, job: Job) -> bool:
        """Whether a job of which that was not known turns out not to be in the store."""

    @property
    def max_lost_attempts(self) -> int:
        """How often a task's process may die before the task fails its job."""

    def naming(self, job_id: str) -> AbstractContextManager[None]:
        """Store a new job under the id that its caller has chosen; JobExistsError where that is taken."""

    def in_hand(self, job_id: str) -> AbstractContextManager[None]:
        """Have the job to oneself while it is claimed, or first stored: other threads of this process wait."""

    def claim(self, job: Job, *, take_over: bool, plan: Plan = NO_PLAN) -> Claimed:
        """Own the job as it is stored now, its classes called as a plan says that it is not past.

        JobStateError for one that is not to be taken over.
        """

    def take_down(self, job: Job, on_failure: OnFailure, *, held: bool = False) -> Log:
        """Take down what happens to the job, from where it is written.

        It is let go with the status with which it runs no more, unless it is `held`.
        """

    def release(self, job: Job, on_failure: OnFailure, now: float) -> None:
        """Write what is left, and let others have the job; as it is stored, where that is not what is written here."""

    def leave_behind(self, job: Job) -> None:
        """Let others have the job as it is stored, if it is there, as soon as the store lets it."""

    def has_tasks(self, job: Job, numbers: Collection[int]) -> bool | None:
        """Whether a job, as this process has claimed or made it, is stored with tasks of these numbers.

        None where that is not known: the store does not say, or somebody has the job by now, and may have done them.
        """

    def note_death(self, job: Job) -> None:
        """Know that it is written, if the last owner died."""

    def forget(self) -> None:
        """Have the job read again by whoever claims it next: what this process has of it may be another's by then."""

    def keep(self, job: Job, definition: FlowDefinition, now: float, on_failure: OnFailure) -> Log:
        """Write the job as it is now, and take down from now on what happens to it."""

    def hold(self, job_id: str, servant: Servant) -> None:
        """Hand on what others ask of the job, which runs here."""

    def hear(self, since: float) -> None:
        """Have all done that was asked until `since` seconds ago; StoreError where the store does not say what."""

    def know(self, servant: Servant) -> None:
        """Have those who wait for the job, wherever it runs, told when its store is closed, or others have it.

        NoThreadError where nothing can see to that.
        """

    def overtaken(self, job: Job) -> RoutiluxError | None:
        """Why a job that does not run here comes to nothing more by its handle, by what its store says now.

        StoreError where that says nothing. It is asked without the job's lock, as that may take long.
        """

    def closed(self, job: Job) -> RoutiluxError | None:
        """Why the job can come to nothing more by its handle, if its store has been closed."""

    def let_go(self, job_id: str, servant: object) -> None:
        """Hand on nothing more."""


class KeepsJobs(ABC):
    """A store, as flows see it."""

    @abstractmethod
    def custody(self) -> Custodian:
        """Keep one more job."""

    @abstractmethod
    def has_custody(self, custodian: Custodian) -> bool:
        """Whether it is this store that keeps the job."""


class Keeping(NamedTuple):
    """How a job is to be kept: where, with which definition, and whether it may be taken from an owner that lives.

    `durability` is a new one, None where the job keeps its own. By `plan` it is read as it is stored by now.
    """

    custody: Custodian
    definition: FlowDefinition
    take_over: bool = True
    durability: Durability | None = None
    plan: Plan = NO_PLAN
