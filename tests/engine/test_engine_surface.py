"""The public names."""

import routilux
import routilux.testing
import routilux.transfer
from routilux import _api

PUBLIC = """
ActivationTimeout BindingError BlockingCallError ConditionalRouter Connection Decision DefinitionError DeliveryTimeout
ErrorHandler ErrorInfo ErrorStrategy Event EventKey ExecutionContext ExecutionStrategy Explanation Finding Flow
FlowShutDownError HistoryRecord JobFailedError JobState JobStateError JobStatus JobTimeout OutsideActivationError
DamagedRecordError OwnershipLost RecoveryError ResumeError Routine RoutineStateWarning RoutineStatus RoutiluxError
SharedDataConflict Slot SlotKey StoreError StoreFormatError StoreUnavailableError TaskNote UnknownJobError Verdict
Durability Fit JobExistsError JoinNote Plan PlanNote recover ResourceFactory Resources MissingResourceError SecretError
StrandedJobError
"""


FOR_TESTS = """
Attempt BackendConformance CheckFailed NeverAwaited NoOtherHost NotRepeatable OutcomeChanged StepRunner StuckError
UnexpectedEnd VirtualClock
kill_at_every_commit outcome replay resume_twice roundtrip_every_step swap_host
"""


def test_the_public_names_are_these() -> None:
    assert sorted(routilux.__all__) == sorted(PUBLIC.split())
    assert _api.__all__ == routilux.__all__


def test_the_public_names_for_tests_are_these() -> None:
    assert sorted(routilux.testing.__all__) == sorted(FOR_TESTS.split())


def test_the_public_names_for_files_are_these() -> None:
    assert routilux.transfer.__all__ == [
        "Compression",
        "Encryption",
        "Inspection",
        "Key",
        "KeyAlgorithm",
        "KeyRing",
        "SeenEpochs",
        "Signature",
        "dumps",
        "inspect",
        "load_keys",
        "loads",
        "pack",
        "read",
        "save_keys",
        "unpack",
        "write",
    ]


def test_every_public_name_is_there() -> None:
    modules = (routilux, routilux.testing, routilux.transfer)
    assert all(hasattr(module, name) for module in modules for name in module.__all__)
