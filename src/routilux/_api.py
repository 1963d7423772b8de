"""All public names. They are loaded together, when the first of them is used (`routilux.__getattr__`)."""

from routilux._context import ExecutionContext
from routilux._core.explanation import Explanation, JoinNote, PlanNote, TaskNote
from routilux._model import Durability, ErrorStrategy, EventKey, ExecutionStrategy, JobStatus, RoutineStatus, SlotKey
from routilux._plan import Plan
from routilux._records import Decision, ErrorInfo, HistoryRecord
from routilux._recover import recover
from routilux._resources import ResourceFactory, Resources
from routilux._verdict import Finding, Fit, Verdict
from routilux.conditional_router import ConditionalRouter
from routilux.connection import Connection
from routilux.error_handler import ErrorHandler
from routilux.errors import (
    ActivationTimeout,
    BindingError,
    BlockingCallError,
    DamagedRecordError,
    DefinitionError,
    DeliveryTimeout,
    FlowShutDownError,
    JobExistsError,
    JobFailedError,
    JobStateError,
    JobTimeout,
    MissingResourceError,
    OutsideActivationError,
    OwnershipLost,
    RecoveryError,
    ResumeError,
    RoutiluxError,
    RoutineStateWarning,
    SecretError,
    SharedDataConflict,
    StoreError,
    StoreFormatError,
    StoreUnavailableError,
    StrandedJobError,
    UnknownJobError,
)
from routilux.event import Event
from routilux.flow import Flow
from routilux.job_state import JobState
from routilux.routine import Routine
from routilux.slot import Slot

__all__ = [
    "ActivationTimeout",
    "BindingError",
    "BlockingCallError",
    "ConditionalRouter",
    "Connection",
    "DamagedRecordError",
    "Decision",
    "DefinitionError",
    "DeliveryTimeout",
    "Durability",
    "ErrorHandler",
    "ErrorInfo",
    "ErrorStrategy",
    "Event",
    "EventKey",
    "ExecutionContext",
    "ExecutionStrategy",
    "Explanation",
    "Finding",
    "Fit",
    "Flow",
    "FlowShutDownError",
    "HistoryRecord",
    "JobExistsError",
    "JobFailedError",
    "JobState",
    "JobStateError",
    "JobStatus",
    "JobTimeout",
    "JoinNote",
    "MissingResourceError",
    "OutsideActivationError",
    "OwnershipLost",
    "Plan",
    "PlanNote",
    "RecoveryError",
    "ResourceFactory",
    "Resources",
    "ResumeError",
    "RoutiluxError",
    "Routine",
    "RoutineStateWarning",
    "RoutineStatus",
    "SecretError",
    "SharedDataConflict",
    "Slot",
    "SlotKey",
    "StoreError",
    "StoreFormatError",
    "StoreUnavailableError",
    "StrandedJobError",
    "TaskNote",
    "UnknownJobError",
    "Verdict",
    "recover",
]
