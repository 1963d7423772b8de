"""What an error's message says, its attributes say too."""

import pickle

import pytest

from routilux import BindingError, DefinitionError, Flow, JobStateError, JobStatus, ResumeError, SecretError
from routilux._binding import binding_of
from routilux.errors import (
    DamagedRecordError,
    RecoveryError,
    StrandedJobError,
    TransferError,
    TransferForgedError,
    TransferReplayedError,
    UnknownJobError,
)
from serilux import UnknownClassError, decode
from tests.engine.engine_parts import flow_of, routine


def takes(left: int, right: int) -> None:
    pass


def takes_any(left: int, **rest: int) -> None:
    pass


def test_an_unknown_name_comes_with_the_known_ones() -> None:
    flow = flow_of(a=routine(lambda self: None, "out", "done"))
    for ask, name, known in (
        (lambda: flow.connect("b", "out", "a", "trigger"), "b", ("a",)),
        (lambda: flow.routines["a"].get_slot("x"), "x", ("trigger",)),
        (lambda: flow.routines["a"].get_event("y"), "y", ("out", "done")),
    ):
        with pytest.raises(DefinitionError) as caught:
            ask()
        assert (caught.value.name, caught.value.known) == (name, known)


def test_other_definition_errors_know_of_no_name() -> None:
    with pytest.raises(DefinitionError) as caught:
        Flow(max_workers=0)
    assert (caught.value.name, caught.value.known) == (None, ())


def test_data_that_does_not_fit_is_named_by_what_is_missing_and_what_is_extra() -> None:
    with pytest.raises(BindingError) as caught:
        binding_of(takes, "takes").bind({"left": 1, "more": 2, "another": 3})
    assert (caught.value.missing, caught.value.extra) == (("right",), ("another", "more"))


def test_nothing_is_extra_where_all_is_taken() -> None:
    with pytest.raises(BindingError) as caught:
        binding_of(takes_any, "takes_any").bind({"more": 2})
    assert (caught.value.missing, caught.value.extra) == (("left",), ())


def in_file(error: TransferError) -> TransferError:
    error.file = "a.transfer"
    return error


@pytest.mark.parametrize(
    "error",
    [
        DefinitionError("text", name="a", known=["b"]),
        BindingError("text", missing=["a"], extra=["b"]),
        JobStateError("text", job_id="job", status=JobStatus.FAILED),
        ResumeError("text", ["one", "two"], job_id="job", status=JobStatus.FAILED),
        StrandedJobError("text", transfer={"format": 1}, file="job.transfer"),
        SecretError("text", place="job.shared_data", name="a.key"),
        DamagedRecordError("text", kind="record", number=3, job_id="job"),
        TransferForgedError("text", key_id="key"),
        TransferReplayedError("text", job_id="job", epoch=1, known=2),
        in_file(TransferReplayedError("text", job_id="job", epoch=1, known=2)),
    ],
)
def test_errors_survive_a_pickle(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_a_recovery_error_takes_its_problems_along_and_leaves_the_jobs() -> None:
    error = RecoveryError({"job": UnknownJobError("no")}, [Flow()])
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.recovered) == (RecoveryError, "not recovered:\n  - job: no", [])
    assert str(again.problems["job"]) == "no"


def test_a_class_that_is_not_known_is_none_of_the_librarys() -> None:
    with pytest.raises(UnknownClassError) as caught:
        decode({"$object": {"class": "Routin", "fields": {}}})
    assert "(did you mean 'Routine'?)" not in str(caught.value)


def test_a_resume_error_is_about_a_job() -> None:
    error = ResumeError("no", ["one"], job_id="job", status=JobStatus.FAILED)
    assert (str(error), error.problems, error.job_id, error.status) == ("no\n  - one", ("one",), "job", "failed")
