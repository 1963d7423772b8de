"""A flow whose jobs wait for an answer."""

from routilux import Flow, JobStatus, Routine
from routilux._backends.memory import MemoryBackend
from routilux.stores import Store
from serilux import register_serializable


@register_serializable(name="StoresPatient")
class Patient(Routine):
    """Waits for an answer."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.ask)
        self.define_slot("answer", self.hear)

    def ask(self) -> None:
        self.expect("answer")

    def hear(self, text: str) -> None:
        self.get_execution_context().job_state.append_to_shared_log(text)


@register_serializable(name="StoresHopeless")
class Hopeless(Routine):
    """Fails."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.fail)

    def fail(self) -> None:
        raise ConnectionError


def patient() -> Flow:
    flow = Flow("patient")
    flow.add_routine(Patient(), "patient")
    return flow


def orphans(backend: MemoryBackend, count: int) -> list[str]:
    """Running jobs whose owner has left, oldest first."""
    owner = Store(backend)
    jobs = [patient().execute("patient", store=owner) for _ in range(count)]
    owner.ledger.flush()
    for job_state in jobs:
        job_state._live.abandon()
    backend.leave(owner.ledger.owner)
    owner.ledger.abandon()
    return [record.job_id for record in backend.records(status=JobStatus.RUNNING)]
