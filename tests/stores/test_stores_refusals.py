"""What would cost a job later is refused at once: a class that nobody could read, an answer that nobody could take."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from routilux import BindingError, DefinitionError, ErrorHandler, Flow, JobState, Routine, recover
from routilux._backends.memory import MemoryBackend
from routilux._core import graph_document
from routilux._engine import ledger
from routilux.errors import RecoveryError, RoutiluxError
from routilux.stores import Store
from serilux import register_serializable

LONG = 60.0


@register_serializable
class RefusalsApproval(Routine):
    """Asks, and takes an answer of two parameters."""

    made = 0

    def __init__(self) -> None:
        super().__init__()
        RefusalsApproval.made += 1
        self.define_slot("trigger", self.ask)
        self.define_slot("answer", self.decide, timeout=LONG)
        self.define_slot("votes", self.count, merge_strategy="append")
        self.define_slot("guarded", self.decide, when=self.is_complete)
        self.define_slot("anything", self.note)

    def ask(self, slot: str = "answer") -> None:
        self.expect(slot)

    def decide(self, approved: bool, by: str, note: str = "") -> None:
        self.get_execution_context().job_state.append_to_shared_log([approved, by])

    def count(self, yes: list[int], no: list[int]) -> None:
        self.get_execution_context().job_state.append_to_shared_log([yes, no])

    def note(self, **data: Any) -> None:
        self.get_execution_context().job_state.append_to_shared_log(data)

    def is_complete(self, data: dict[str, Any]) -> bool:
        return len(data) == 2


def approvals(policy: ErrorHandler | None = None) -> Flow:
    flow = Flow("approvals")
    flow.add_routine(RefusalsApproval(), "approval")
    flow.set_error_handler(policy)
    return flow


@pytest.fixture
def backend() -> MemoryBackend:
    return MemoryBackend()


@pytest.fixture
def store(backend: MemoryBackend) -> Iterator[Store]:
    opened = Store(backend)
    yield opened
    opened.ledger.abandon()


@pytest.fixture
def left(backend: MemoryBackend, monkeypatch: pytest.MonkeyPatch) -> Callable[..., JobState]:
    """Starts a job that waits, in a process that is dead by the time anybody looks."""
    alive = ledger.this_process

    def start(flow: Flow, slot: str = "answer") -> JobState:
        with monkeypatch.context() as patch:
            patch.setattr(ledger, "this_process", lambda: json.dumps(json.loads(alive()) | {"pid": 2**22 + 1}))
            host = Store(backend)
            job_state = flow.execute("approval", {"slot": slot}, store=host)
            job_state._live.abandon()
            host.ledger.abandon()
        return job_state

    return start


@pytest.fixture
def older(monkeypatch: pytest.MonkeyPatch) -> None:
    """Definitions are stored without what their handlers take."""
    write = graph_document.write_graph

    def without(graph: Any) -> dict[str, Any]:
        document = write(graph)
        for slot in document["slots"]:
            for name in ("parameters", "required", "takes_rest"):
                slot.pop(name, None)
        return document

    monkeypatch.setattr(graph_document, "write_graph", without)


# Classes that nobody could read.


def unregistered() -> Flow:
    class Unregistered(RefusalsApproval):
        pass

    flow = Flow("unregistered")
    flow.add_routine(Unregistered(), "approval")
    return flow


@pytest.mark.parametrize("verb", ["execute", "start"])
def test_a_class_that_is_not_registered_is_refused_before_anything_is_stored(store: Store, verb: str) -> None:
    flow = unregistered()
    with pytest.raises(DefinitionError) as caught:
        getattr(flow, verb)("approval", store=store, job_id="job")
    assert str(caught.value) == (
        "flow 'unregistered' cannot be kept in a store: after a crash it could not be read again, since "
        "routines.approval._type: class 'Unregistered' is not registered here; import its module before reading, and "
        "decorate it with @serilux.register_serializable"
    )
    assert store.jobs() == []
    assert flow.execute("approval").status == "running"  # without a store it may


def test_a_job_whose_flow_could_not_be_read_is_not_taken_into_a_store(store: Store) -> None:
    flow = unregistered()
    job_state = flow.execute("approval")
    flow.pause(job_state)
    with pytest.raises(DefinitionError, match="class 'Unregistered' is not registered"):
        flow.resume(job_state, store=store)
    assert (job_state.status, store.jobs()) == ("paused", [])


def test_a_class_that_is_registered_later_is_kept(store: Store) -> None:
    flow = unregistered()
    with pytest.raises(DefinitionError):
        flow.execute("approval", store=store)
    register_serializable(type(flow.routines["approval"]), name="RegisteredLater")
    assert flow.execute("approval", store=store).status == "running"


def test_a_flow_is_read_again_once_for_all_its_jobs(store: Store) -> None:
    flow = approvals()
    flow.execute("approval", store=store)
    made = RefusalsApproval.made
    flow.execute("approval", store=store)
    assert RefusalsApproval.made == made
    flow.set_error_handler(ErrorHandler("skip"))
    flow.execute("approval", store=store)
    assert RefusalsApproval.made == made + 1


# Jobs that cannot be recovered.


def test_a_worker_that_is_told_of_problems_goes_on(store: Store, left: Callable[..., JobState]) -> None:
    first, second = left(approvals()), left(approvals())
    problems: dict[str, Exception] = {}

    def loading(job_id: str, **options: Any) -> Any:
        if job_id == first.job_id:
            raise RoutiluxError("not this one")
        return load(job_id, **options)

    load, store.load = store.load, loading  # type: ignore[method-assign]
    (recovered,) = recover(store, on_problem=problems.__setitem__)
    assert recovered.job_id == second.job_id
    assert {job_id: str(error) for job_id, error in problems.items()} == {first.job_id: "not this one"}
    with pytest.raises(RecoveryError) as caught:
        recover(store)
    assert (list(caught.value.problems), caught.value.recovered) == ([first.job_id], [])


# Answers that nobody could take.


MISSPELLED = [
    ("answer", {"aproved": True, "by": "Ada"}, ("approved",), ("aproved",)),
    ("answer", {"approved": True}, ("by",), ()),
    ("votes", {"maybe": 1}, (), ("maybe",)),
]


@pytest.mark.parametrize(("slot", "data", "missing", "extra"), MISSPELLED)
def test_an_answer_that_nobody_could_take_is_refused_at_once(
    store: Store, left: Callable[..., JobState], slot: str, data: dict[str, Any], missing: Any, extra: Any
) -> None:
    job_state = left(approvals(), slot)
    with pytest.raises(BindingError) as caught:
        store.deliver(job_state.job_id, "approval", slot, data)
    assert (caught.value.missing, caught.value.extra) == (missing, extra)
    (task,) = store.load(job_state.job_id)[1].explain().waiting_for_delivery
    assert task.slot == slot


def test_it_is_refused_where_none_of_the_code_is_known(
    store: Store, left: Callable[..., JobState], monkeypatch: pytest.MonkeyPatch
) -> None:
    job_state = left(approvals())
    monkeypatch.setattr(Flow, "deserialize", lambda *_: pytest.fail("the flow was read"))
    with pytest.raises(BindingError, match=r"approval\.answer"):
        store.deliver(job_state.job_id, "approval", "answer", {"aproved": True, "by": "Ada"})


@pytest.mark.parametrize(
    ("slot", "data"),
    [
        ("answer", {"approved": True, "by": "Ada"}),
        ("answer", {"approved": True, "by": "Ada", "note": "at last"}),
        ("votes", {"yes": 1}),
        ("guarded", {"approved": True}),
        ("anything", {"what": "ever"}),
    ],
)
def test_what_may_be_taken_is_delivered(
    store: Store, left: Callable[..., JobState], slot: str, data: dict[str, Any]
) -> None:
    job_state = left(approvals(), slot)
    store.deliver(job_state.job_id, "approval", slot, data)
    assert store.load(job_state.job_id)[1].explain().waiting_for_delivery == []


def test_a_living_owner_is_not_asked_for_what_nobody_could_take(store: Store, backend: MemoryBackend) -> None:
    job_state = approvals().execute("approval", store=store)
    office = Store(backend)
    with pytest.raises(BindingError):
        office.deliver(job_state.job_id, "approval", "answer", {"aproved": True, "by": "Ada"})
    office.deliver(job_state.job_id, "approval", "answer", {"approved": True, "by": "Ada"}, timeout=LONG)
    assert job_state.wait(LONG) and job_state.shared_log == [[True, "Ada"]]
    office.ledger.abandon()


@pytest.mark.usefixtures("older")
def test_the_owner_refuses_what_an_older_definition_does_not_tell(store: Store, caplog: Any) -> None:
    job_state = approvals().execute("approval", store=store)
    wrong = json.dumps({"type": "deliver", "target": ["approval", "answer"], "document": {"aproved": True}}).encode()
    with pytest.raises(BindingError, match="'approved', 'by'"):
        job_state._live.obey(wrong)
    assert [task.slot for task in job_state.explain().waiting_for_delivery] == ["answer"]


def delivered_unseen(store: Store, job_state: JobState, data: dict[str, Any]) -> None:
    """What somebody delivers who checks nothing, as an older version did."""
    store._look(job_state.job_id)._live.deliver(("approval", "answer"), data)  # type: ignore[arg-type]


@pytest.mark.parametrize(("policy", "status"), [(None, "failed"), (ErrorHandler("skip"), "completed")])
def test_an_answer_that_never_fitted_is_a_failed_attempt_of_a_job_that_goes_on(
    store: Store, left: Callable[..., JobState], policy: ErrorHandler | None, status: str
) -> None:
    job_state = left(approvals(policy))
    delivered_unseen(store, job_state, {"aproved": True, "by": "Ada"})
    flow, loaded = store.load(job_state.job_id)
    verdict = flow.check(loaded)
    assert verdict == []
    (note,) = [note for note in verdict.notes if note.place.startswith("pending_tasks")]
    assert "it lacks 'approved' and has no place for 'aproved'" in note
    assert note.means == "its attempt will fail, and its policy decides"
    (recovered,) = recover(store)
    assert recovered.wait(LONG)
    assert recovered.status == status
    failed = [record.data["type"] for record in recovered.execution_history if record.event_name == "error"]
    assert failed == ["routilux.errors.BindingError"]


def test_an_answer_that_a_changed_handler_cannot_take_refuses_the_job(
    store: Store, left: Callable[..., JobState], monkeypatch: pytest.MonkeyPatch
) -> None:
    job_state = left(approvals())
    store.deliver(job_state.job_id, "approval", "answer", {"approved": True, "by": "Ada"})

    def decide(self: Routine, approved: bool, signed: str) -> None:
        pass

    monkeypatch.setattr(RefusalsApproval, "decide", decide)
    with pytest.raises(RecoveryError, match="it lacks 'signed' and has no place for 'by'"):
        recover(store)
    assert store.summary(job_state.job_id).status == "running"


@pytest.mark.usefixtures("older")
def test_where_it_is_not_known_what_the_handler_took_the_job_is_refused(
    store: Store, left: Callable[..., JobState]
) -> None:
    job_state = left(approvals())
    delivered_unseen(store, job_state, {"aproved": True, "by": "Ada"})
    with pytest.raises(RecoveryError, match="it lacks 'approved'"):
        recover(store)
