"""Everything routilux raises.

    RoutiluxError
    ├── DefinitionError          (ValueError)    a flow or routine cannot be put together like that
    ├── MissingResourceError     (LookupError)   a host does not give what a routine needs
    ├── SecretError              (ValueError)    a secret would get into a document
    ├── BindingError             (TypeError)     data does not fit a handler's parameters
    ├── OutsideActivationError   (RuntimeError)  a call that needs a running handler was made without one
    ├── BlockingCallError        (RuntimeError)  a handler would wait for its own flow
    ├── FlowShutDownError        (RuntimeError)  the flow has been shut down
    ├── NoThreadError            (RuntimeError)  the system gives no thread for what was asked
    ├── JobStateError            (ValueError)    the job's status does not allow the verb
    │   ├── ResumeError                          the job does not fit the flow at hand
    │   └── JobExistsError                       the store has a job of that id already
    ├── JobFailedError           (RuntimeError)  a wait that was asked to raise met a failed job
    ├── OwnershipLost            (RuntimeError)  another process has taken the stored job over
    ├── ProcessLost              (RuntimeError)  a task's process died too often while it was handled
    ├── StoreError               (RuntimeError)  a store cannot do what was asked
    │   ├── StoreUnavailableError                it could perhaps later: locked, full, not reachable
    │   │   └── StrandedJobError                 a job may have left it, and has got nowhere
    │   ├── StoreFormatError     (ValueError)    a newer routilux wrote it, or it is no store
    │   ├── DamagedRecordError   (ValueError)    what is read is not what was written
    │   ├── UnknownJobError      (LookupError)   no such job, or no such definition
    │   └── RecoveryError                        some jobs cannot go on here; the others do
    ├── TransferError            (ValueError)    a transfer file is refused, or cannot be made
    │   ├── TransferFormatError                  it is no transfer file, or a newer routilux wrote it
    │   ├── TransferDamagedError                 it is not what was written: altered, cut off, longer
    │   ├── TransferUnsignedError                keys are set here, and nothing vouches for it
    │   ├── TransferForeignError                 its key is not known here, or is retired
    │   ├── TransferForgedError                  its key did not sign, or encrypt, what is in it
    │   ├── TransferReplayedError                its job has been here, as of then or later
    │   ├── TransferTooLargeError                it is larger than is allowed here
    │   └── TransferKeyError                     keys cannot do what was asked
    ├── SharedDataConflict       (RuntimeError)  two activations read, then changed, the same key
    ├── ActivationTimeout        (TimeoutError)  a handler took longer than its slot allows
    ├── DeliveryTimeout          (TimeoutError)  nobody delivered what a routine expected
    └── JobTimeout               (TimeoutError)  a job ran longer than its flow allows

    RoutineStateWarning          (UserWarning)   a handler changed its routine, which all jobs share

Errors about values and documents come from `serilux.errors`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from routilux._model import JobStatus


def listed(names: Iterable[object]) -> str:
    """Names as messages list them."""
    return ", ".join(repr(str(name)) for name in names) or "none"


class RoutiluxError(Exception):
    """Base of all errors of this package."""


class DefinitionError(RoutiluxError, ValueError):
    """A flow or a routine cannot be put together like that.

    Where a name is unknown, `name` is that name and `known` are those there are.
    """

    def __init__(self, message: str, *, name: object = None, known: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.name = name
        self.known = tuple(known)


class MissingResourceError(RoutiluxError, LookupError):
    """The host does not give a routine what it needs (`Routine.require`); `missing` are the names of that."""

    def __init__(self, message: str, missing: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.missing = tuple(missing)


class SecretError(RoutiluxError, ValueError):
    """A secret (`Routine.declare_secret`) would get into a document: `name` says which one, `place` where."""

    def __init__(self, message: str, *, place: str = "", name: str = "") -> None:
        super().__init__(message)
        self.place = place
        self.name = name


class BindingError(RoutiluxError, TypeError):
    """Data does not fit the parameters of the handler it is delivered to.

    `missing` are parameters without data, `extra` data without a parameter.
    """

    def __init__(self, message: str, *, missing: Iterable[str] = (), extra: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.missing = tuple(missing)
        self.extra = tuple(extra)


class OutsideActivationError(RoutiluxError, RuntimeError):
    """The call needs a running handler around it."""


class BlockingCallError(RoutiluxError, RuntimeError):
    """The call would make a handler wait for the flow that runs it."""


class FlowShutDownError(RoutiluxError, RuntimeError):
    """The flow has been shut down and runs no jobs any more."""


class NoThreadError(RoutiluxError, RuntimeError):
    """The system gives no thread that is needed for what was asked, and nothing has changed; it may later."""


class JobStateError(RoutiluxError, ValueError):
    """The job's status does not allow what was asked for: `job_id` and `status` say which job, and how it stands."""

    def __init__(self, message: str, *, job_id: str | None = None, status: JobStatus | None = None) -> None:
        super().__init__(message)
        self.job_id = job_id
        self.status = status


class ResumeError(JobStateError):
    """The job does not fit the flow at hand; `problems` lists all that does not (law 7)."""

    def __init__(
        self,
        message: str,
        problems: Sequence[str] = (),
        *,
        job_id: str | None = None,
        status: JobStatus | None = None,
    ) -> None:
        super().__init__("\n  - ".join([message, *problems]), job_id=job_id, status=status)
        self.problems = tuple(problems)


class JobExistsError(JobStateError):
    """The store has a job of the id that a new one was to have; nothing was started. `store.load(job_id)` gives it.

    `status` is None where it was moved out, or is only just being stored.
    """


class JobFailedError(RoutiluxError, RuntimeError):
    """The job that was waited for has failed."""


class OwnershipLost(RoutiluxError, RuntimeError):
    """Another process has taken the stored job over; what this one had not yet written is not part of it (law 6).

    Whoever waits for a job that is paused is told so, too, where another has settled, deleted or moved it.
    """


class ProcessLost(RoutiluxError, RuntimeError):
    """Processes have died while a task was being handled, as often as the store allows; its job has failed."""


class StoreError(RoutiluxError, RuntimeError):
    """A store cannot do what was asked; what it keeps is as it was."""


class StoreUnavailableError(StoreError):
    """The store cannot be written or read just now: locked, full or not reachable."""


class StrandedJobError(StoreUnavailableError):
    """A job has left its store, or may have, and has got nowhere; `transfer` is what `export` was to give.

    `file` is where that is on disk, empty where it is nowhere. Once the store answers, take it back with
    `Store.admit(error.transfer, reclaim=True)`, or `Store.admit_file(error.file, reclaim=True)`: a JobStateError then
    says that it has not left.
    """

    def __init__(self, message: str, *, transfer: Mapping[str, Any] | None = None, file: str = "") -> None:
        super().__init__(message)
        self.transfer = dict(transfer or {})
        self.file = file

    def __str__(self) -> str:
        place = f"it is in {self.file}" if self.file else "it is the `transfer` of this error"
        return f"{super().__str__()}; if the store lists it as moved, {place}: take it back with reclaim=True"


class StoreFormatError(StoreError, ValueError):
    """The store was written by a newer routilux, or is something else altogether."""


class DamagedRecordError(StoreError, ValueError):
    """What a store gives back is not what was written to it; nothing of it is used.

    `kind` says what it is, a `snapshot`, `segment`, `record`, `request` or `definition`, and `number` which of these;
    `job_id` whose, or `definition_id`. None is what is not known.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str | None = None,
        number: int | None = None,
        job_id: str | None = None,
        definition_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.number = number
        self.job_id = job_id
        self.definition_id = definition_id


class UnknownJobError(StoreError, LookupError):
    """The store has no such job, or no such definition."""


class RecoveryError(StoreError):
    """Jobs without an owner cannot go on here: `problems` says why, by job id. `recovered` are those that do go on."""

    def __init__(self, problems: Mapping[str, Exception], recovered: Sequence[object]) -> None:
        super().__init__("\n  - ".join(["not recovered:", *(f"{job_id}: {why}" for job_id, why in problems.items())]))
        self.problems = dict(problems)
        self.recovered = list(recovered)

    def __reduce__(self) -> tuple[Any, ...]:
        """Tell another process what the problems are; the jobs that do go on are this one's."""
        return type(self), (self.problems, ())


class TransferError(RoutiluxError, ValueError):
    """A transfer file is refused, or cannot be made; `file` says which, where it has a name."""

    file: str = ""

    def __str__(self) -> str:
        return f"{self.file}: {super().__str__()}" if self.file else super().__str__()


class TransferFormatError(TransferError):
    """What is read is no transfer file, or one that a newer routilux wrote."""


class TransferDamagedError(TransferError):
    """A transfer file is not what was written: something in it was altered, cut off or added."""


class TransferUnsignedError(TransferError):
    """Keys are set here, and the file has no signature of any."""


class TransferForeignError(TransferError):
    """The file was signed or encrypted with a key that is not known here, or is retired; `key_id` says which."""

    def __init__(self, message: str, *, key_id: str = "") -> None:
        super().__init__(message)
        self.key_id = key_id


class TransferForgedError(TransferForeignError):
    """The key that the file names, and that is known here, did not sign or encrypt what is in it."""


class TransferReplayedError(TransferError, JobStateError):
    """The job has been here as of the file's `epoch`, or later: `known` is the newest epoch that is known here."""

    def __init__(self, message: str, *, job_id: str | None = None, epoch: int = 0, known: int = 0) -> None:
        JobStateError.__init__(self, message, job_id=job_id)
        self.epoch = epoch
        self.known = known


class TransferTooLargeError(TransferError):
    """The file, or what it says that it expands to, is larger than is allowed here."""


class TransferKeyError(TransferError):
    """The keys cannot do what was asked, or are none."""


class SharedDataConflict(RoutiluxError, RuntimeError):
    """Another activation changed what this one had read and then changed itself.

    `update_shared_data` with a function never conflicts.
    """


class ActivationTimeout(RoutiluxError, TimeoutError):
    """The handler took longer than its slot's timeout."""


class DeliveryTimeout(RoutiluxError, TimeoutError):
    """Nobody delivered what a routine expected, in the time it allowed."""


class JobTimeout(RoutiluxError, TimeoutError):
    """The job ran longer than its flow's `execution_timeout`."""


class RoutineStateWarning(UserWarning):
    """A handler set an attribute of its routine; the routine is shared by all jobs of its flow."""
