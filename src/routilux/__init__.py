"""Event-driven workflows whose running jobs are plain JSON.

To import this package costs next to nothing; its names are loaded, all together, when the first of them is used.
"""

TYPE_CHECKING = False  # as in typing, which is slow to import
if TYPE_CHECKING:
    from routilux._api import *

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


def __getattr__(name: str) -> object:
    import routilux._api as api  # noqa: PLC0415 - see the docstring; with `from`, this function would be asked for it

    globals().update({public: getattr(api, public) for public in __all__})
    if name not in globals():
        raise AttributeError(f"module 'routilux' has no attribute {name!r}")
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
